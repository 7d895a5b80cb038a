//! Members, settings, notifications and logs, on each engine.
#![expect(clippy::unwrap_used, reason = "a test may unwrap: a panic is how it fails")]

mod support;

use flowcrm_core::access::Role;
use flowcrm_core::auth::Register;
use flowcrm_core::deals::{DealStage, NewDeal};
use flowcrm_core::input::Body;
use flowcrm_core::leads::{LeadStatus, NewLead};
use flowcrm_core::notifications::Announce;
use flowcrm_core::tasks::NewTask;
use flowcrm_core::users::{DeactivateUser, NewUser, UpdateUser, User, UserQuery, UserView};
use flowcrm_core::{Caller, Crm, ErrorCode, Origin, Result};
use serde_json::{Value, json};
use support::TestDatabase;

/// An organization with its OWNER, who is also the caller.
async fn owner(crm: &Crm, name: &str) -> Caller {
    let register = Register {
        name: format!("{name} Owner"),
        email: format!("{name}@example.com").parse().unwrap(),
        password: "correct horse".into(),
        org_name: format!("{name} Engines"),
    };
    let signed_in = crm.register(register, &Origin::default()).await.unwrap();
    crm.authenticate(signed_in.access_token.as_str()).unwrap()
}

fn new_user(name: &str, role: Role) -> NewUser {
    let email = format!("{name}@example.com").parse().unwrap();
    NewUser { name: name.to_owned(), email, role: Some(role), password: "correct horse".into() }
}

async fn add(caller: &Caller, name: &str, role: Role) -> (User, Caller) {
    let user = caller.users().create(new_user(name, role)).await.unwrap();
    let member = caller.crm().as_user(user.id).await.unwrap();
    (user, member)
}

fn body(value: Value) -> Body {
    Body::try_from(value).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.unwrap_err().code()
}

async fn actions(caller: &Caller) -> Vec<String> {
    let entries = caller.audit().list(Body::default()).await.unwrap().items;
    entries.into_iter().rev().map(|entry| entry.action).collect()
}

#[tokio::test]
async fn members_are_made_named_and_found() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let (grace, grace_caller) = add(&ada, "Grace", Role::Sales).await;

        let again = ada.users().create(new_user("GRACE", Role::Sales)).await.unwrap_err();
        assert_eq!((again.code(), again.fields()[0].field.as_str()), (ErrorCode::Invalid, "email"));
        assert_eq!(
            code(grace_caller.users().create(new_user("eve", Role::Sales)).await),
            ErrorCode::Forbidden
        );

        let found =
            ada.users().list(body(json!({"q": "gra", "count": "true", "sort": "name"}))).await.unwrap();
        assert_eq!((found.items, found.total), (vec![UserView::Full(grace.clone())], Some(1)));
        let seen = grace_caller.users().list(UserQuery::default()).await.unwrap().items;
        assert!(seen.len() == 2 && seen.iter().all(|user| matches!(user, UserView::Brief(_))));

        let inbox = grace_caller.notifications().list(Body::default()).await.unwrap();
        assert_eq!((inbox.page.items[0].message.as_str(), inbox.unread), ("Welcome to ada Engines!", 1));
    }
}

#[tokio::test]
async fn the_same_key_creates_a_user_once() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await.with_idempotency_key("key").unwrap();
        let first = ada.users().create(new_user("grace", Role::Sales)).await.unwrap();
        assert_eq!(ada.users().create(new_user("grace", Role::Sales)).await.unwrap(), first);
        let other = ada.users().create(new_user("hedy", Role::Sales)).await;
        assert_eq!(code(other), ErrorCode::IdempotencyMismatch);
    }
}

#[tokio::test]
async fn roles_change_at_once_and_the_last_owner_stays() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let (grace, grace_caller) = add(&ada, "grace", Role::Sales).await;
        let to = |role| UpdateUser { role: Some(role), ..UpdateUser::default() };

        let grace = ada.users().update(grace.id, to(Role::Admin), Some(1)).await.unwrap();
        assert_eq!(grace.version, 2);
        assert_eq!(code(ada.users().update(grace.id, to(Role::Sales), Some(1)).await), ErrorCode::Stale);
        grace_caller.audit().list(Body::default()).await.unwrap();
        let told = grace_caller.notifications().list(Body::default()).await.unwrap().page.items;
        assert_eq!(told[0].message, "Your role is now ADMIN");

        assert_eq!(
            code(ada.users().deactivate(ada.user_id(), DeactivateUser::default()).await),
            ErrorCode::Conflict
        );
        assert_eq!(
            code(grace_caller.users().update(ada.user_id(), to(Role::Sales), None).await),
            ErrorCode::Forbidden
        );
        let nobody = uuid::Uuid::nil().into();
        assert_eq!(code(ada.users().update(nobody, to(Role::Sales), None).await), ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn who_goes_is_signed_out_and_hands_over_open_work() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let (grace, grace_caller) = add(&ada, "grace", Role::Sales).await;
        let (hedy, hedy_caller) = add(&ada, "hedy", Role::Sales).await;
        let lead = |name: &str, status| NewLead { name: name.into(), status, ..NewLead::default() };
        let open = grace_caller.leads().create(lead("open", None)).await.unwrap();
        let won = grace_caller.leads().create(lead("won", Some(LeadStatus::Won))).await.unwrap();
        let deal = NewDeal { title: "open".into(), assigned_to_id: Some(grace.id), ..NewDeal::default() };
        let deal = ada.deals().create(deal).await.unwrap();
        let closed =
            NewDeal { title: "closed".into(), stage: Some(DealStage::ClosedLost), ..NewDeal::default() };
        grace_caller.deals().create(closed).await.unwrap();
        let task = ada.tasks().create(NewTask::new("call", grace.id)).await.unwrap();

        let foreign = owner(&crm, "eve").await;
        let to_stranger = DeactivateUser { reassign_to: Some(foreign.user_id()) };
        assert_eq!(code(ada.users().deactivate(grace.id, to_stranger).await), ErrorCode::Invalid);
        let to_hedy = DeactivateUser { reassign_to: Some(hedy.id) };
        ada.users().deactivate(grace.id, to_hedy).await.unwrap();

        assert_eq!(code(grace_caller.leads().get(open.id).await), ErrorCode::Unauthenticated);
        let moved = hedy_caller.leads().get(open.id).await.unwrap().lead;
        assert_eq!((moved.owner_id, moved.version), (hedy.id, 2));
        assert_eq!(code(hedy_caller.leads().get(won.id).await), ErrorCode::NotFound);
        let moved = ada.deals().get(deal.id).await.unwrap().deal;
        assert_eq!((moved.owner_id, moved.assigned_to_id), (ada.user_id(), Some(hedy.id)));
        hedy_caller.tasks().get(task.id).await.unwrap();

        let told = hedy_caller.notifications().list(Body::default()).await.unwrap().page.items;
        assert_eq!(told[0].message, "You've been assigned deal: open (and 1 more)");
        let actions = actions(&ada).await;
        for action in ["user:deleted", "lead:updated", "deal:assigned", "task:assigned"] {
            assert!(actions.iter().any(|done| done == action), "{action} in {actions:?}");
        }
        let back = UpdateUser { active: Some(true), ..UpdateUser::default() };
        assert!(ada.users().update(grace.id, back, None).await.unwrap().active);
    }
}

#[tokio::test]
async fn settings_change_until_amounts_have_a_currency() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let change = json!({"currency": "JPY", "timeZone": "Asia/Tokyo", "require2fa": ["ADMIN", "OWNER"]});
        let settings = ada.organization().update(body(change), Some(1)).await.unwrap();
        assert_eq!((settings.version, settings.require_2fa.as_slice()), (2, &[Role::Owner, Role::Admin][..]));
        assert_eq!(ada.organization().get().await.unwrap(), settings);

        ada.leads().create(body(json!({"name": "Lead", "value": 5}))).await.unwrap();
        let to_euros = body(json!({"currency": "EUR"}));
        assert_eq!(code(ada.organization().update(to_euros, None).await), ErrorCode::Conflict);
        let bad = ada.organization().update(body(json!({"timeZone": "Mars", "currency": "XXY"})), None).await;
        assert_eq!(bad.unwrap_err().fields().len(), 2);
    }
}

#[tokio::test]
async fn operators_rule_organizations_and_nobody_else() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let eve = owner(&crm, "eve").await;
        assert_eq!(code(ada.organizations().list(Body::default()).await), ErrorCode::Forbidden);
        crm.set_operator("ada@example.com", true).await.unwrap();

        let new = json!({"name": "New", "ownerName": "N", "ownerEmail": "n@example.com", "ownerPassword": "12345678"});
        let made = ada.organizations().create(body(new.clone())).await.unwrap();
        let taken = ada.organizations().create(body(new)).await.unwrap_err();
        assert_eq!(taken.fields()[0].field, "ownerEmail");
        assert_eq!(ada.organizations().get(made.id).await.unwrap(), made);

        let first = ada
            .organizations()
            .list(body(json!({"sort": "name", "limit": "2", "count": "true"})))
            .await
            .unwrap();
        let cursor = first.next.unwrap().to_string();
        let rest = json!({"sort": "name", "limit": "2", "cursor": cursor});
        let rest = ada.organizations().list(body(rest)).await.unwrap();
        let names: Vec<String> = first.items.into_iter().chain(rest.items).map(|org| org.name).collect();
        assert_eq!(
            (names, first.total),
            (vec!["New".into(), "ada Engines".into(), "eve Engines".into()], Some(3))
        );

        let own = ada.organization().get().await.unwrap().id;
        assert_eq!(code(ada.organizations().delete(own).await), ErrorCode::Conflict);
        let other = eve.organization().get().await.unwrap().id;
        eve.leads().create(body(json!({"name": "Lead"}))).await.unwrap();
        ada.organizations().delete(other).await.unwrap();
        assert_eq!(code(ada.organizations().delete(other).await), ErrorCode::NotFound);
        assert_eq!(code(eve.leads().list(Body::default()).await), ErrorCode::Unauthenticated);
    }
}

#[tokio::test]
async fn notifications_are_sent_counted_and_read() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let (_, grace) = add(&ada, "grace", Role::Sales).await;
        let lunch = Announce { message: "Lunch".into(), link: Some("/deals".into()) };
        assert_eq!(code(grace.notifications().announce(lunch.clone()).await), ErrorCode::Forbidden);
        assert_eq!(ada.notifications().announce(lunch).await.unwrap(), 2);

        let inbox = grace.notifications().list(Body::default()).await.unwrap();
        assert_eq!((inbox.page.items[0].message.as_str(), inbox.unread), ("Lunch", 2));
        let id = inbox.page.items[0].id;
        assert_eq!(code(ada.notifications().mark_read(id).await), ErrorCode::NotFound);
        assert!(grace.notifications().mark_read(id).await.unwrap().read);
        let unread = grace.notifications().list(body(json!({"unread": "true"}))).await.unwrap();
        assert_eq!((unread.page.items.len(), unread.unread), (1, 1));
        assert_eq!(grace.notifications().mark_all_read().await.unwrap(), 1);
        assert_eq!(grace.notifications().mark_all_read().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn each_sees_the_events_that_were_meant_for_them() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let (_, grace) = add(&ada, "grace", Role::Sales).await;
        ada.leads().create(body(json!({"name": "Hers"}))).await.unwrap();
        grace.leads().create(body(json!({"name": "Mine"}))).await.unwrap();

        let seen = |events: Vec<flowcrm_core::events::LoggedEvent>| {
            events.into_iter().map(|event| event.kind).collect::<Vec<_>>()
        };
        let all = ada.events().list(Body::default()).await.unwrap();
        assert!(all.windows(2).all(|pair| pair[0].position < pair[1].position));
        let last = all.last().unwrap().position;
        assert_eq!(seen(all).iter().filter(|kind| *kind == "lead:created").count(), 2);
        let own = grace.events().list(Body::default()).await.unwrap();
        assert_eq!(seen(own), ["notification:sent", "lead:created"]);
        assert!(ada.events().list(body(json!({"after": last.to_string()}))).await.unwrap().is_empty());

        let leads = ada
            .audit()
            .list(body(json!({"entityType": "lead", "limit": "1", "count": "true"})))
            .await
            .unwrap();
        assert_eq!((leads.items[0].user_name.as_deref(), leads.total), (Some("grace"), Some(2)));
        assert!(leads.next.is_some());
        assert_eq!(code(grace.audit().list(Body::default()).await), ErrorCode::Forbidden);
    }
}
