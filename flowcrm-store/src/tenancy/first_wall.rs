//! The first wall: the core's scope and the seam's `$1`, without row-level security.

use flowcrm_core::ErrorCode::{Forbidden, Invalid, NotFound};
use flowcrm_core::ids::UserId;
use flowcrm_core::{Caller, ErrorCode, Result};
use serde_json::{Value, json};

use super::{Tenant, ask, crm};
use crate::repo::support::TestDatabase;

/// Everything that an owner can read of their organization.
async fn everything(tenant: &Tenant) -> Value {
    let caller = &tenant.owner;
    let all = || ask(json!({"limit": "200", "count": "true"}));
    let leads = caller.leads().list(all()).await.unwrap();
    let deals = caller.deals().list(all()).await.unwrap();
    let tasks = caller.tasks().list(all()).await.unwrap();
    let users = caller.users().list(all()).await.unwrap();
    let audit = caller.audit().list(all()).await.unwrap();
    let imports = caller.imports().list(all()).await.unwrap();
    let inbox = caller.notifications().list(all()).await.unwrap();
    let rejected = caller.imports().rejected(tenant.import, all()).await.unwrap();
    let activities = caller.leads().activities(tenant.lead.id, all()).await.unwrap();
    let figures = caller.dashboard();
    json!({
        "totals": [leads.total, deals.total, tasks.total, users.total, audit.total, imports.total, inbox.page.total],
        "leads": leads.items,
        "lead": caller.leads().get(tenant.lead.id).await.unwrap(),
        "deals": deals.items,
        "deal": caller.deals().get(tenant.deal.id).await.unwrap(),
        "tasks": tasks.items,
        "task": caller.tasks().get(tenant.task.id).await.unwrap(),
        "users": users.items,
        "audit": audit.items,
        "imports": imports.items,
        "rejected": format!("{:?}", rejected.items),
        "activities": activities.items,
        "notifications": inbox.page.items,
        "events": caller.events().list(ask(json!({"limit": "1000"}))).await.unwrap(),
        "organization": caller.organization().get().await.unwrap(),
        "sessions": caller.account().sessions().await.unwrap(),
        "stats": figures.stats().await.unwrap(),
        "weekly": figures.weekly().await.unwrap(),
        "pipeline": figures.pipeline().await.unwrap(),
        "leadStatus": figures.lead_status().await.unwrap(),
        "leadSources": figures.lead_sources().await.unwrap(),
        "taskStatus": figures.task_status().await.unwrap(),
        "overdue": figures.overdue_tasks(ask(json!({}))).await.unwrap(),
        "team": figures.team_performance().await.unwrap(),
        "activity": figures.activity(ask(json!({"limit": "50"}))).await.unwrap(),
    })
}

fn refused<T>(what: &str, result: Result<T>, expected: ErrorCode) {
    let code = result.err().map(|error| error.code());
    assert_eq!(code, Some(expected), "{what}");
}

/// Demands that a body that names something foreign is refused for each of those fields.
fn unnamed<T>(what: &str, result: Result<T>, fields: &[&str]) {
    let error = result.err().unwrap_or_else(|| panic!("{what} was done"));
    let named: Vec<&str> = error.fields().iter().map(|error| error.field.as_str()).collect();
    assert_eq!((error.code(), named.as_slice()), (Invalid, fields), "{what}");
}

/// Tries to read and change single records of another organization.
async fn reach_for(caller: &Caller, theirs: &Tenant) {
    let (lead, deal, task) = (theirs.lead.id, theirs.deal.id, theirs.task.id);
    let (leads, deals, tasks, users) = (caller.leads(), caller.deals(), caller.tasks(), caller.users());
    let nobody = ask(json!({"assignedToId": null}));
    let note = ask(json!({"type": "NOTE", "content": "Mine"}));
    refused("read a lead", leads.get(lead).await, NotFound);
    refused("change a lead", leads.update(lead, ask(json!({"name": "Mine"})), None).await, NotFound);
    refused("assign a lead", leads.assign(lead, nobody).await, NotFound);
    refused("convert a lead", leads.convert(lead, ask(json!({}))).await, NotFound);
    refused("delete a lead", leads.delete(lead).await, NotFound);
    refused("read activities", leads.activities(lead, ask(json!({}))).await, NotFound);
    refused("add an activity", leads.add_activity(lead, note).await, NotFound);
    refused("read a deal", deals.get(deal).await, NotFound);
    refused("change a deal", deals.update(deal, ask(json!({"stage": "CLOSED_WON"})), None).await, NotFound);
    refused("delete a deal", deals.delete(deal).await, NotFound);
    refused("read a task", tasks.get(task).await, NotFound);
    refused("change a task", tasks.update(task, ask(json!({"status": "DONE"})), None).await, NotFound);
    refused("delete a task", tasks.delete(task).await, NotFound);
    for user in [theirs.owner_user.id, theirs.sales_user.id] {
        refused("read a user", users.get(user).await, NotFound);
        refused("change a user", users.update(user, ask(json!({"name": "Mine"})), None).await, NotFound);
        refused("deactivate a user", users.deactivate(user, ask(json!({}))).await, NotFound);
    }
    refused("read a notification", caller.notifications().mark_read(theirs.notification).await, NotFound);
    refused("end a session", caller.account().end_session(theirs.session).await, NotFound);
    refused("read their organization", caller.organizations().get(theirs.org).await, Forbidden);
    refused("delete their organization", caller.organizations().delete(theirs.org).await, Forbidden);

    let bulk = |id: String| ask(json!({"ids": [id], "delete": true}));
    for outcomes in [
        leads.bulk(bulk(lead.to_string())).await.unwrap(),
        deals.bulk(bulk(deal.to_string())).await.unwrap(),
        tasks.bulk(bulk(task.to_string())).await.unwrap(),
    ] {
        assert_eq!((outcomes.len(), outcomes[0].code.as_deref()), (1, Some("not_found")));
    }
}

/// Tries to refer to another organization's records in bodies, and to find them by filters.
async fn refer_to(ours: &Tenant, theirs: &Tenant) {
    let caller = &ours.owner;
    let (leads, deals, tasks) = (caller.leads(), caller.deals(), caller.tasks());
    let (user, lead, deal) = (theirs.sales_user.id, theirs.lead.id, theirs.deal.id);
    let people = || json!({"name": "New", "title": "New", "ownerId": user, "assignedToId": user});
    let without = |name: &str| {
        let mut body = people();
        body.as_object_mut().unwrap().remove(name);
        ask(body)
    };
    let both = ["ownerId", "assignedToId"];
    unnamed("create a lead", leads.create(without("title")).await, &both);
    unnamed("change a lead", leads.update(ours.lead.id, without("title"), None).await, &both);
    unnamed("assign", leads.assign(ours.lead.id, ask(json!({"assignedToId": user}))).await, &both[1..]);
    unnamed("convert", leads.convert(ours.lead.id, ask(json!({"assignedToId": user}))).await, &both[1..]);
    unnamed("create a deal", deals.create(without("name")).await, &both);
    unnamed("create a deal", deals.create(ask(json!({"title": "New", "leadId": lead}))).await, &["leadId"]);
    unnamed(
        "change a deal",
        deals.update(ours.deal.id, ask(json!({"leadId": lead})), None).await,
        &["leadId"],
    );
    let body = json!({"title": "New", "assignedToId": user, "leadId": lead, "dealId": deal});
    let all = ["assignedToId", "leadId", "dealId"];
    unnamed("create a task", tasks.create(ask(body.clone())).await, &all);
    unnamed("change a task", tasks.update(ours.task.id, ask(body), None).await, &all);
    let heir = ask(json!({"reassignTo": user}));
    unnamed("hand over", caller.users().deactivate(ours.sales_user.id, heir).await, &["reassignTo"]);

    for (filter, value) in
        [("ownerId", user.to_string()), ("assignedToId", user.to_string()), ("q", theirs.name.to_owned())]
    {
        assert_eq!(leads.list(ask(json!({filter: value}))).await.unwrap().items, [], "{filter}");
        assert_eq!(deals.list(ask(json!({filter: value}))).await.unwrap().items, [], "{filter}");
    }
    for (filter, value) in
        [("leadId", lead.to_string()), ("dealId", deal.to_string()), ("q", theirs.name.to_owned())]
    {
        assert_eq!(tasks.list(ask(json!({filter: value}))).await.unwrap().items, [], "{filter}");
    }
    let audit = |filter: Value| async { caller.audit().list(ask(filter)).await.unwrap().items };
    assert_eq!(audit(json!({"entityId": lead})).await, []);
    assert_eq!(audit(json!({"userId": user})).await, []);
    refused("read an import", caller.imports().get(theirs.import).await, NotFound);
    refused(
        "read what was rejected",
        caller.imports().rejected(theirs.import, ask(json!({}))).await,
        NotFound,
    );
}

#[tokio::test]
async fn without_row_security_no_command_reaches_another_organization() {
    for database in TestDatabase::on_each_engine().await {
        let (crm, _) = crm(&database, false).await;
        let ours = Tenant::found(&crm, "ours").await;
        let theirs = Tenant::found(&crm, "theirs").await;
        let before = everything(&theirs).await;
        let text = before.to_string();
        let shown_to_them = theirs.ids().into_iter().filter(|id| text.contains(id.as_str())).count();
        assert_eq!((shown_to_them, text.contains("theirs")), (theirs.ids().len(), true), "{text}");

        for caller in [&ours.owner, &ours.sales] {
            reach_for(caller, &theirs).await;
        }
        refer_to(&ours, &theirs).await;
        let ours_now = everything(&ours).await.to_string();
        for foreign in theirs.ids().into_iter().chain(["theirs".to_owned()]) {
            assert!(!ours_now.contains(&foreign), "{}: {foreign} is shown in {ours_now}", database.engine);
        }
        assert_eq!(everything(&theirs).await, before, "{}", database.engine);
    }
}

#[tokio::test]
async fn a_key_of_one_organization_means_nothing_in_another() {
    for database in TestDatabase::on_each_engine().await {
        let (crm, _) = crm(&database, false).await;
        let ours = Tenant::found(&crm, "ours").await;
        let theirs = Tenant::found(&crm, "theirs").await;
        // Both have used the idempotency key and the external id "one for all" already, each for their own.
        assert_ne!(ours.lead.id, theirs.lead.id);
        assert_eq!(ours.lead.external_id, theirs.lead.external_id);
        // A cursor is a place in an order, not a key to a list.
        let one = || json!({"limit": "1"});
        let next = theirs.owner.leads().list(ask(one())).await.unwrap().next.unwrap();
        let page = ours.owner.leads().list(ask(json!({"cursor": next.to_string()}))).await.unwrap();
        assert!(page.items.iter().all(|lead| lead.org_id == ours.org));
        // Nobody of theirs can be asked to act for us, nor the other way round.
        let nobody: UserId = uuid::Uuid::nil().into();
        assert_eq!(crm.as_user(nobody).await.err().map(|error| error.code()), Some(NotFound));
    }
}
