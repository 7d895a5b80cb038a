//! Deals and tasks, on each engine.
#![expect(clippy::unwrap_used, reason = "a test may unwrap: a panic is how it fails")]

mod support;

use flowcrm_core::access::Role;
use flowcrm_core::activities::{ActivityQuery, ActivityType, NewActivity};
use flowcrm_core::auth::Register;
use flowcrm_core::deals::{DealPatch, DealStage, NewDeal};
use flowcrm_core::input::Body;
use flowcrm_core::leads::{LeadPatch, NewLead};
use flowcrm_core::notifications::NotificationQuery;
use flowcrm_core::patch::Patch;
use flowcrm_core::tasks::{NewTask, TaskPatch, TaskStatus};
use flowcrm_core::users::NewUser;
use flowcrm_core::{Caller, Crm, Error, ErrorCode, Origin, Result};
use serde_json::{Value, json};
use support::TestDatabase;

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

async fn add(caller: &Caller, name: &str, role: Role) -> Caller {
    let email = format!("{name}@example.com").parse().unwrap();
    let new = NewUser { name: name.to_owned(), email, role: Some(role), password: "correct horse".into() };
    let user = caller.users().create(new).await.unwrap();
    caller.crm().as_user(user.id).await.unwrap()
}

fn body(value: Value) -> Body {
    Body::try_from(value).unwrap()
}

fn query(pairs: &[(&str, &str)]) -> Body {
    Body::from_query(pairs.iter().map(|(name, value)| (*name, *value)))
}

fn refusal<T: std::fmt::Debug>(result: Result<T>) -> (ErrorCode, Vec<String>) {
    let error: Error = result.unwrap_err();
    (error.code(), error.fields().iter().map(|error| error.field.clone()).collect())
}

async fn messages(caller: &Caller) -> Vec<String> {
    let inbox = caller.notifications().list(NotificationQuery::default()).await.unwrap();
    let inbox = serde_json::to_value(inbox.page.items).unwrap();
    inbox
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["message"].as_str().unwrap().to_owned())
        .filter(|it| !it.starts_with("Welcome"))
        .collect()
}

#[tokio::test]
async fn deals_move_and_are_found() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let sam = add(&ada, "Sam", Role::Sales).await;
        let lead =
            ada.leads().create(NewLead { name: "Babbage".into(), ..NewLead::default() }).await.unwrap();
        ada.leads()
            .add_activity(lead.id, NewActivity { kind: ActivityType::Call, content: "Hi".into() })
            .await
            .unwrap();
        assert_eq!(ada.leads().activities(lead.id, ActivityQuery::default()).await.unwrap().items.len(), 1);
        assert_eq!(
            ada.leads()
                .activities(lead.id, query(&[("sort", "updatedAt"), ("count", "true")]))
                .await
                .unwrap()
                .total,
            Some(1)
        );

        let new = NewDeal {
            title: "Difference Engine".into(),
            value: Some("1250.50".parse().unwrap()),
            lead_id: Some(lead.id),
            assigned_to_id: Some(sam.user_id()),
            external_id: Some("X-1".into()),
            expected_close: Some("2026-03-01".parse().unwrap()),
            ..NewDeal::default()
        };
        let keyed = ada.clone().with_idempotency_key("k").unwrap();
        let deal = keyed.deals().create(new.clone()).await.unwrap();
        assert_eq!(keyed.deals().create(new.clone()).await.unwrap(), deal);
        assert_eq!(
            refusal(ada.deals().create(new.clone()).await),
            (ErrorCode::Invalid, vec!["externalId".into()])
        );
        let other = ada.deals().create(NewDeal { title: "Loom".into(), ..NewDeal::default() }).await.unwrap();
        let clash = body(json!({"externalId": "X-1"}));
        assert_eq!(
            refusal(ada.deals().update(other.id, clash.clone(), None).await),
            (ErrorCode::Invalid, vec!["externalId".into()])
        );
        let bulk = ada
            .deals()
            .bulk(body(json!({"ids": [other.id, deal.id], "set": {"externalId": "X-1", "notes": "n"}})))
            .await
            .unwrap();
        assert_eq!(bulk.iter().map(|it| it.ok).collect::<Vec<_>>(), [false, true]);
        let two = ada
            .leads()
            .create(NewLead { name: "Two".into(), external_id: Some("L".into()), ..NewLead::default() })
            .await
            .unwrap();
        assert_eq!(
            refusal(
                ada.leads()
                    .update(
                        lead.id,
                        LeadPatch { external_id: Patch::Set("L".into()), ..LeadPatch::default() },
                        None
                    )
                    .await
            )
            .1,
            ["externalId"]
        );
        ada.leads()
            .update(two.id, LeadPatch { external_id: Patch::Set("L".into()), ..LeadPatch::default() }, None)
            .await
            .unwrap();

        // Sales: own deal, invisible lead.
        let seen = sam.deals().get(deal.id).await.unwrap();
        let seen = serde_json::to_value(seen).unwrap();
        assert_eq!(seen["lead"], json!({"id": lead.id, "name": "Babbage"}));
        assert_eq!(
            serde_json::to_value(ada.deals().get(deal.id).await.unwrap()).unwrap()["lead"]["version"],
            1
        );
        assert_eq!(
            refusal(sam.deals().update(deal.id, body(json!({"leadId": lead.id})), None).await).1,
            ["leadId"]
        );
        assert_eq!(
            refusal(sam.deals().update(other.id, body(json!({"title": "x"})), None).await).0,
            ErrorCode::Forbidden
        );
        assert_eq!(
            refusal(sam.deals().update(deal.id, body(json!({"assignedToId": null})), None).await).0,
            ErrorCode::Forbidden
        );
        assert_eq!(refusal(sam.deals().delete(deal.id).await).0, ErrorCode::Forbidden);
        let won = sam
            .deals()
            .update(deal.id, DealPatch { stage: Some(DealStage::ClosedWon), ..DealPatch::default() }, Some(2))
            .await
            .unwrap();
        assert_eq!((won.probability, won.version), (100, 3));
        assert_eq!(messages(&ada).await, ["Deal Difference Engine was won: 1250.5"]);
        assert_eq!(
            messages(&sam).await,
            ["Deal Difference Engine was updated", "You've been assigned deal: Difference Engine"]
        );

        for (pairs, count) in [
            (vec![("stage", "CLOSED_WON")], 1),
            (vec![("q", "diff eng")], 1),
            (vec![("minValue", "1250.5"), ("maxValue", "1250.5")], 1),
            (vec![("closeFrom", "2026-03-01"), ("closeTo", "2026-03-02")], 1),
            (vec![("closeFrom", "2026-02-01"), ("closeTo", "2026-03-01")], 0),
            (vec![("sort", "title")], 2),
            (vec![("sort", "-value")], 2),
            (vec![("ownerId", &ada.user_id().to_string() as &str)], 2),
            (vec![("assignedToId", &sam.user_id().to_string() as &str)], 1),
            (vec![("leadId", &lead.id.to_string() as &str)], 1),
            (vec![("createdFrom", "2020-01-01"), ("createdTo", "2120-01-01")], 2),
        ] {
            let mut pairs = pairs.clone();
            pairs.push(("count", "true"));
            let page = sam.deals().list(query(&pairs)).await.unwrap();
            assert_eq!((page.items.len(), page.total), (count, u64::try_from(count).ok()), "{pairs:?}");
        }
        let first = ada.deals().list(query(&[("limit", "1"), ("sort", "-value")])).await.unwrap();
        let cursor = first.next.unwrap().to_string();
        let second = ada
            .deals()
            .list(query(&[("limit", "1"), ("sort", "-value"), ("cursor", &cursor)]))
            .await
            .unwrap();
        assert_eq!((second.items[0].id, second.next.is_none()), (other.id, true));

        let task = ada
            .tasks()
            .create(NewTask { deal_id: Some(deal.id), ..NewTask::new("Ship", sam.user_id()) })
            .await
            .unwrap();
        ada.tasks()
            .create(NewTask { deal_id: Some(deal.id), ..NewTask::new("Bill", ada.user_id()) })
            .await
            .unwrap();
        assert_eq!(ada.deals().get(deal.id).await.unwrap().tasks.len(), 2);
        assert_eq!(sam.deals().get(deal.id).await.unwrap().tasks.len(), 1);
        ada.deals().delete(deal.id).await.unwrap();
        let freed = ada.tasks().get(task.id).await.unwrap();
        assert_eq!(
            (freed.task.deal_id, freed.task.version, freed.task.updated_at),
            (None, 1, task.updated_at)
        );
        assert_eq!(refusal(ada.deals().get(deal.id).await).0, ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn tasks_are_done_and_found() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let ada = owner(&crm, "ada").await;
        let mia = add(&ada, "Mia", Role::Manager).await;
        let sam = add(&ada, "Sam", Role::Sales).await;
        let lead =
            ada.leads().create(NewLead { name: "Babbage".into(), ..NewLead::default() }).await.unwrap();
        assert_eq!(
            refusal(sam.tasks().create(NewTask::new("x", sam.user_id())).await).0,
            ErrorCode::Forbidden
        );
        assert_eq!(
            refusal(mia.tasks().create(NewTask::new("x", ada.user_id())).await).0,
            ErrorCode::Forbidden
        );
        assert_eq!(refusal(ada.tasks().create(body(json!({"title": "x"}))).await).1, ["assignedToId"]);
        let late = NewTask {
            due_date: Some("2020-01-01".parse().unwrap()),
            lead_id: Some(lead.id),
            ..NewTask::new("Late call", sam.user_id())
        };
        let late = mia.tasks().create(late).await.unwrap();
        let plain = mia.tasks().create(NewTask::new("No date", mia.user_id())).await.unwrap();
        for (pairs, count) in [
            (vec![("overdue", "true")], 1),
            (vec![("overdue", "false")], 1),
            (vec![("dueFrom", "2019-01-01")], 1),
            (vec![("dueTo", "2119-01-01")], 1),
            (vec![("dueTo", "2020-01-01")], 0),
            (vec![("q", "ca la")], 1),
            (vec![("status", "TODO"), ("priority", "MEDIUM")], 2),
            (vec![("leadId", &lead.id.to_string() as &str)], 1),
            (vec![("sort", "title")], 2),
        ] {
            let mut pairs = pairs.clone();
            pairs.push(("count", "true"));
            let page = mia.tasks().list(query(&pairs)).await.unwrap();
            assert_eq!((page.items.len(), page.total), (count, u64::try_from(count).ok()), "{pairs:?}");
        }
        let first = mia.tasks().list(query(&[("limit", "1"), ("sort", "-dueDate")])).await.unwrap();
        assert_eq!(first.items[0].id, plain.id);
        let cursor = first.next.unwrap().to_string();
        let second = mia
            .tasks()
            .list(query(&[("limit", "1"), ("sort", "-dueDate"), ("cursor", &cursor)]))
            .await
            .unwrap();
        assert_eq!((second.items[0].id, second.next.is_none()), (late.id, true));

        assert_eq!(sam.tasks().list(Body::default()).await.unwrap().items.len(), 1);
        assert_eq!(refusal(sam.tasks().get(plain.id).await).0, ErrorCode::NotFound);
        let seen = serde_json::to_value(sam.tasks().get(late.id).await.unwrap()).unwrap();
        assert_eq!(seen["lead"], json!({"id": lead.id, "name": "Babbage"}));
        assert_eq!((&seen["createdBy"]["name"], &seen["deal"]), (&json!("Mia"), &Value::Null));
        assert_eq!(
            refusal(sam.tasks().update(late.id, body(json!({"title": "Late call"})), None).await).0,
            ErrorCode::Forbidden
        );
        assert_eq!(
            refusal(sam.tasks().update(late.id, body(json!({"status": "DONE"})), Some(7)).await).0,
            ErrorCode::Stale
        );
        let done = sam
            .tasks()
            .update(late.id, body(json!({"status": "DONE", "priority": "HIGH"})), Some(1))
            .await
            .unwrap();
        assert!(done.completed_at.is_some());
        assert_eq!(messages(&mia).await, ["Sam completed your task: Late call"]);
        assert_eq!(messages(&sam).await, ["You've been assigned a new task: Late call"]);
        assert_eq!(refusal(sam.tasks().delete(late.id).await).0, ErrorCode::Forbidden);
        let to_ada = TaskPatch { assigned_to_id: Some(ada.user_id()), ..TaskPatch::default() };
        assert_eq!(refusal(mia.tasks().update(late.id, to_ada.clone(), None).await).0, ErrorCode::Forbidden);
        ada.tasks()
            .update(late.id, TaskPatch { status: Some(TaskStatus::Todo), ..to_ada }, None)
            .await
            .unwrap();
        assert_eq!(refusal(sam.tasks().get(late.id).await).0, ErrorCode::NotFound);
        let log = ada.events().list(query(&[("limit", "1000")])).await.unwrap();
        let names: Vec<String> =
            log.into_iter().filter(|it| it.entity_id == late.id.as_uuid()).map(|it| it.kind).collect();
        assert_eq!(
            names,
            [
                "task:created",
                "task:assigned",
                "task:updated",
                "task:status_changed",
                "task:completed",
                "task:status_changed",
                "task:assigned",
                "task:reopened"
            ]
        );
        let outcomes =
            mia.tasks().bulk(body(json!({"ids": [late.id, late.id], "delete": true}))).await.unwrap();
        assert_eq!(
            outcomes.iter().map(|it| it.code.clone()).collect::<Vec<_>>(),
            [None, Some("not_found".to_owned())]
        );
    }
}
