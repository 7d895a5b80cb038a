//! serde, which writes answers, and poem, which describes them, write each resource alike.

mod support;

use std::any::type_name;
use std::net::{IpAddr, Ipv4Addr};

use flowcrm_core::auth::{Register, SignIn};
use flowcrm_core::caller::{Caller, Origin};
use flowcrm_core::deals::{DealPatch, NewDeal};
use flowcrm_core::imports::{ImportKind, ImportOptions, ImportQuery, KeptQuery, RejectionQuery};
use flowcrm_core::input::Body;
use flowcrm_core::leads::{ConvertLead, LeadPatch, LeadQuery, LeadView, NewLead};
use flowcrm_core::notifications::Announce;
use flowcrm_core::patch::Patch;
use flowcrm_core::tasks::{NewTask, TaskPatch, TaskStatus};
use flowcrm_core::users::{NewUser, UserQuery, UserView};
use flowcrm_core::{Crm, access::Role, audit::AuditQuery, deals::DealStage};
use flowcrm_core::{
    dashboard, log::EventQuery, notifications::NotificationQuery, organizations::UpdateOrganization,
};
use poem_openapi::types::ToJSON;
use serde::Serialize;
use serde_json::{Value, json};
use support::{PASSWORD, TestDatabase};

/// Demands that both write `value` alike, and that there is something to write.
fn alike<T: Serialize + ToJSON>(value: &T) {
    let by_serde = serde_json::to_value(value).expect("JSON");
    assert_eq!(Some(&by_serde), value.to_json().as_ref(), "{}", type_name::<T>());
    assert_ne!(by_serde, Value::Null, "{}", type_name::<T>());
}

/// The same of each of some values, of which there is one at least.
fn all_alike<'a, T: Serialize + ToJSON + 'a>(values: impl IntoIterator<Item = &'a T>) {
    let count = values.into_iter().inspect(|value| alike(*value)).count();
    assert!(count > 0, "there is no {}", type_name::<T>());
}

/// An OWNER, and a SALES of theirs.
struct People {
    owner: Caller,
    sales: Caller,
}

async fn people(crm: &Crm) -> People {
    let origin = Origin { ip: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)), user_agent: Some("a test".to_owned()) };
    let register = Register {
        name: "Ada Byron".to_owned(),
        email: "Ada@Acme.example".parse().expect("an email"),
        password: PASSWORD.into(),
        org_name: "Acme".to_owned(),
    };
    let (answer, _) = crm.register(register, &origin).await.expect("an organization").into_answer();
    alike(&answer);
    let owner = crm.authenticate(answer.access_token.as_str()).expect("a caller");
    let new = NewUser {
        name: "Bob".to_owned(),
        email: "bob@acme.example".parse().expect("an email"),
        role: Some(Role::Sales),
        password: PASSWORD.into(),
    };
    let user = owner.users().create(new).await.expect("a user");
    alike(&user);
    let sales = crm.as_user(user.id).await.expect("a caller");
    People { owner, sales }
}

#[tokio::test]
async fn leads_and_their_activities_are_written_alike() {
    let database = TestDatabase::sqlite();
    let People { owner, sales } = people(&database.crm().await).await;
    let small =
        owner.leads().create(NewLead { name: "Eve".to_owned(), ..NewLead::default() }).await.expect("a lead");
    alike(&small);
    let large = NewLead {
        name: "Zoë \"Z\" <z>".to_owned(),
        email: Some("zoe@example.com".parse().expect("an email")),
        phone: Some("+1".to_owned()),
        company: Some("Looms".to_owned()),
        source: Some("Website".to_owned()),
        value: Some("125000.5".parse().expect("an amount")),
        notes: Some("tab\tand\nline".to_owned()),
        external_id: Some("L-1".to_owned()),
        assigned_to_id: Some(sales.user_id()),
        ..NewLead::default()
    };
    let large = owner.leads().create(large).await.expect("a lead");
    alike(&large);
    let note = serde_json::from_value::<Value>(json!({"type": "NOTE", "content": "Hi"})).expect("JSON");
    let note = Body::try_from(note).expect("an object");
    alike(&owner.leads().add_activity(large.id, note).await.expect("an activity"));
    alike(&owner.leads().get(small.id).await.expect("a lead"));
    let conversion = owner.leads().convert(large.id, ConvertLead::default()).await.expect("a deal");
    alike(&conversion);
    alike(&owner.leads().get(large.id).await.expect("a lead"));
    let bulk = json!({"ids": [small.id, conversion.deal.id], "set": {"phone": "2"}});
    all_alike(&owner.leads().bulk(Body::try_from(bulk).expect("an object")).await.expect("outcomes"));
    all_alike(&owner.leads().list(LeadQuery::default()).await.expect("a list").items);
}

#[tokio::test]
async fn deals_are_written_alike() {
    let database = TestDatabase::sqlite();
    let People { owner, sales } = people(&database.crm().await).await;
    let lead =
        owner.leads().create(NewLead { name: "Eve".to_owned(), ..NewLead::default() }).await.expect("a lead");
    let small = NewDeal { title: "Engine".to_owned(), ..NewDeal::default() };
    let small = owner.deals().create(small).await.expect("a deal");
    alike(&small);
    alike(&owner.deals().get(small.id).await.expect("a deal"));
    let large = NewDeal {
        title: "Loom".to_owned(),
        value: Some("0.01".parse().expect("an amount")),
        stage: Some(DealStage::ClosedLost),
        probability: Some(7),
        expected_close: Some("2026-01-31T12:00:00.123456Z".parse().expect("a moment")),
        lead_id: Some(lead.id),
        assigned_to_id: Some(sales.user_id()),
        notes: Some("notes".to_owned()),
        lost_reason: Some("Price".to_owned()),
        external_id: Some("D-1".to_owned()),
        ..NewDeal::default()
    };
    let large = owner.deals().create(large).await.expect("a deal");
    alike(&large);
    let task = NewTask { deal_id: Some(large.id), ..NewTask::new("Call", owner.user_id()) };
    owner.tasks().create(task).await.expect("a task");
    let seen_by_owner = owner.deals().get(large.id).await.expect("a deal");
    let seen_by_sales = sales.deals().get(large.id).await.expect("a deal");
    assert!(matches!(seen_by_owner.lead, Some(LeadView::Full(_))) && seen_by_owner.tasks.len() == 1);
    assert!(matches!(seen_by_sales.lead, Some(LeadView::Named(_))));
    alike(&seen_by_owner);
    alike(&seen_by_sales);
    let moved = DealPatch { stage: Some(DealStage::ClosedWon), ..DealPatch::default() };
    alike(&owner.deals().update(large.id, moved, None).await.expect("a deal"));
}

#[tokio::test]
async fn tasks_are_written_alike() {
    let database = TestDatabase::sqlite();
    let People { owner, sales } = people(&database.crm().await).await;
    let small = owner.tasks().create(NewTask::new("Call", sales.user_id())).await.expect("a task");
    alike(&small);
    alike(&owner.tasks().get(small.id).await.expect("a task"));
    let lead =
        owner.leads().create(NewLead { name: "Eve".to_owned(), ..NewLead::default() }).await.expect("a lead");
    let deal = NewDeal { title: "Engine".to_owned(), ..NewDeal::default() };
    let deal = owner.deals().create(deal).await.expect("a deal");
    let patch = TaskPatch {
        status: Some(TaskStatus::Done),
        description: Patch::Set("what".to_owned()),
        due_date: Patch::Set("2026-01-31".parse().expect("a date")),
        lead_id: Patch::Set(lead.id),
        deal_id: Patch::Set(deal.id),
        ..TaskPatch::default()
    };
    let large = owner.tasks().update(small.id, patch, None).await.expect("a task");
    alike(&large);
    alike(&owner.tasks().get(small.id).await.expect("a task"));
}

#[tokio::test]
async fn people_and_their_organization_are_written_alike() {
    let database = TestDatabase::sqlite();
    let crm = database.crm().await;
    let People { owner, sales } = people(&crm).await;
    let (full, brief) = (
        owner.users().list(UserQuery::default()).await.expect("users").items,
        sales.users().list(UserQuery::default()).await.expect("users").items,
    );
    assert!(full.iter().all(|user| matches!(user, UserView::Full(_))));
    assert!(brief.iter().all(|user| matches!(user, UserView::Brief(_))));
    all_alike(&full);
    all_alike(&brief);
    alike(&owner.account().get().await.expect("a user"));
    let sign_in = SignIn {
        email: "ada@acme.example".parse().expect("an email"),
        password: PASSWORD.into(),
        two_factor_token: None,
    };
    crm.sign_in(sign_in, &Origin::default()).await.expect("a session");
    let sessions = owner.account().sessions().await.expect("sessions");
    assert!(
        sessions.iter().any(|session| session.ip.is_none()) && sessions.iter().any(|session| session.current)
    );
    all_alike(&sessions);
    alike(&owner.organization().get().await.expect("the organization"));
    let settings = UpdateOrganization {
        time_zone: Some("Europe/Berlin".parse().expect("a zone")),
        currency: Some("JPY".parse().expect("a currency")),
        require_2fa: Some(vec![Role::Owner, Role::Admin]),
        ..UpdateOrganization::default()
    };
    alike(&owner.organization().update(settings, None).await.expect("the organization"));
}

#[tokio::test]
async fn what_happened_is_written_alike() {
    let database = TestDatabase::sqlite();
    let People { owner, sales } = people(&database.crm().await).await;
    let lead = NewLead { name: "Eve".to_owned(), ..NewLead::default() };
    let lead = owner.leads().create(lead).await.expect("a lead");
    let patch = LeadPatch { assigned_to_id: Patch::Set(sales.user_id()), ..LeadPatch::default() };
    owner.leads().update(lead.id, patch, None).await.expect("a lead");
    let announce = Announce { message: "Hi".to_owned(), link: None };
    owner.notifications().announce(announce).await.expect("recipients");
    let inbox = sales.notifications().list(NotificationQuery::default()).await.expect("an inbox").page.items;
    assert!(inbox.iter().any(|it| it.link.is_some()) && inbox.iter().any(|it| it.link.is_none()));
    all_alike(&inbox);
    all_alike(&owner.events().list(EventQuery { after: None, limit: None }).await.expect("events"));
    let entries = owner.audit().list(AuditQuery::default()).await.expect("entries").items;
    assert!(
        entries.iter().any(|it| it.ip_address.is_some()) && entries.iter().any(|it| it.ip_address.is_none())
    );
    all_alike(&entries);
}

#[tokio::test]
async fn imports_are_written_alike() {
    let database = TestDatabase::sqlite();
    let crm = database.crm().await;
    let People { owner, .. } = people(&crm).await;
    let options = ImportOptions::default();
    let mut staging =
        owner.imports().begin(ImportKind::Leads, options, "leads.csv".to_owned()).await.expect("a file");
    staging.push(b"name,value\nEve,x\nFay,1,2\n,\nGus,5\n").await.expect("a piece");
    let queued = staging.finish().await.expect("an import");
    alike(&queued);
    crm.run_waiting_imports().await.expect("a run");
    let done = owner.imports().get(queued.id).await.expect("an import");
    assert!(done.finished_at.is_some() && queued.finished_at.is_none());
    alike(&done);
    all_alike(&owner.imports().list(ImportQuery::default()).await.expect("imports").items);
    let rejected = owner.imports().rejected(queued.id, RejectionQuery::default()).await.expect("rows").items;
    assert!(rejected.iter().any(|it| it.column.is_some()) && rejected.iter().any(|it| it.column.is_none()));
    all_alike(&rejected);
    let gus = owner.leads().list(LeadQuery::default()).await.expect("leads").items.remove(0);
    owner
        .leads()
        .update(gus.id, LeadPatch { phone: Patch::Set("1".to_owned()), ..LeadPatch::default() }, None)
        .await
        .expect("a change");
    owner.imports().undo(queued.id).await.expect("an import");
    crm.run_waiting_imports().await.expect("a run");
    let undone = owner.imports().get(queued.id).await.expect("an import");
    assert!(undone.undone_at.is_some());
    alike(&undone);
    all_alike(&owner.imports().kept(queued.id, KeptQuery::default()).await.expect("records").items);
}

#[tokio::test]
async fn figures_are_written_alike() {
    let database = TestDatabase::sqlite();
    let People { owner, .. } = people(&database.crm().await).await;
    for source in [None, Some("Website".to_owned())] {
        let lead =
            NewLead { name: "Eve".to_owned(), source, value: "12.5".parse().ok(), ..NewLead::default() };
        owner.leads().create(lead).await.expect("a lead");
    }
    let deal = NewDeal {
        title: "Engine".to_owned(),
        value: "99999999.99".parse().ok(),
        stage: Some(DealStage::ClosedWon),
        ..NewDeal::default()
    };
    owner.deals().create(deal).await.expect("a deal");
    let task = NewTask { due_date: "2020-01-01".parse().ok(), ..NewTask::new("Call", owner.user_id()) };
    owner.tasks().create(task).await.expect("a task");

    let figures = owner.dashboard();
    alike(&figures.stats().await.expect("figures"));
    alike(&figures.weekly().await.expect("figures"));
    all_alike(&figures.pipeline().await.expect("figures"));
    all_alike(&figures.lead_status().await.expect("figures"));
    all_alike(&figures.lead_sources().await.expect("figures"));
    all_alike(&figures.task_status().await.expect("figures"));
    all_alike(&figures.overdue_tasks(dashboard::OverdueQuery::default()).await.expect("tasks"));
    all_alike(&figures.team_performance().await.expect("figures"));
    all_alike(&figures.activity(dashboard::FeedQuery::default()).await.expect("events"));
}
