//! Rules of leads, deals and tasks.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{Client, TestServer, cents};
use super::{audited, clear, events, id, names, pair, position, unread};

#[tokio::test]
async fn a_lead_is_converted_once_and_not_when_it_is_lost() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("convert").await;
        let sales = owner.add_user("SALES", "sales@convert.example").await;
        let new = json!({"name": "Ada", "company": "Engines", "value": 1250.5, "assignedToId": sales.id()});
        let lead = owner.create("/api/leads", new).await;
        let path = format!("/api/leads/{}", id(&lead));
        assert_eq!(owner.put(&path, json!({"status": "LOST"})).await.status, 200);
        let lost = owner.post(&format!("{path}/convert"), json!({})).await;
        assert_eq!((lost.status, &lost.body["code"]), (409, &json!("conflict")));
        assert_eq!(owner.walk("/api/deals").await.len(), 0);

        assert_eq!(owner.put(&path, json!({"status": "WON"})).await.status, 200);
        assert_eq!(owner.walk("/api/deals").await.len(), 0, "winning a lead by hand makes no deal");
        let before = position(&owner).await;
        clear(&[&sales]).await;
        let converted = owner.post(&format!("{path}/convert"), json!({})).await;
        assert_eq!(converted.status, 201, "{:?}", converted.body);
        let (won, deal) = (&converted.body["lead"], &converted.body["deal"]);
        assert_eq!((&won["status"], &won["id"]), (&json!("WON"), &lead["id"]));
        assert_eq!(
            (&deal["title"], &deal["stage"], cents(&deal["value"])),
            (&json!("Engines"), &json!("QUALIFICATION"), 125_050)
        );
        assert_eq!(
            (&deal["leadId"], &deal["assignedToId"], &deal["ownerId"]),
            (&lead["id"], &sales.user["id"], &owner.user["id"])
        );
        let told = events(&owner, before).await;
        let told: BTreeSet<_> =
            names(&told).into_iter().filter(|name| *name != "notification:sent").collect();
        assert!(told.is_superset(&BTreeSet::from(["lead:converted", "deal:created"])), "{told:?}");
        let name = owner.user["name"].as_str().expect("a name");
        assert_eq!(
            unread(&sales).await,
            [pair("DEAL_UPDATED", format!("{name} converted lead Ada to deal Engines"))]
        );
        let entries = audited(&owner, "lead:converted").await;
        assert_eq!((entries.len(), &entries[0]["entityId"]), (1, &lead["id"]));
        assert_eq!(owner.get(&path).await.body["deals"], json!([deal]));

        let again = owner.post(&format!("{path}/convert"), json!({})).await;
        assert_eq!((again.status, &again.body["code"]), (409, &json!("conflict")));
        assert_eq!(owner.walk("/api/deals").await.len(), 1);

        let lead = sales.create("/api/leads", json!({"name": "Joan"})).await;
        let own = json!({"title": "Codes", "value": 7, "stage": "CLOSED_WON", "expectedClose": "2026-05-01"});
        let converted = sales.post(&format!("/api/leads/{}/convert", id(&lead)), own).await;
        let deal = &converted.body["deal"];
        assert_eq!(
            (&deal["title"], &deal["stage"], cents(&deal["value"])),
            (&json!("Codes"), &json!("CLOSED_WON"), 700)
        );
        assert_eq!(deal["expectedClose"], "2026-05-01T00:00:00.000Z");
        let lead = sales.create("/api/leads", json!({"name": "Grace"})).await;
        let converted = sales.post(&format!("/api/leads/{}/convert", id(&lead)), json!({})).await;
        assert_eq!(converted.body["deal"]["title"], "Grace", "without a company the name is the title");
    }
}

#[tokio::test]
async fn a_stage_sets_probability_and_the_moment_of_closing() {
    for (server, clock) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        let owner = server.register("stages").await;
        let deal = owner.create("/api/deals", json!({"title": "Engine", "value": 10})).await;
        assert_eq!(
            (&deal["stage"], &deal["probability"], &deal["closedAt"]),
            (&json!("QUALIFICATION"), &json!(10), &Value::Null)
        );
        let path = format!("/api/deals/{}", id(&deal));
        let put = async |body: Value| {
            clock.advance(chrono::Duration::seconds(1));
            let before = position(&owner).await;
            let reply = owner.put(&path, body).await;
            assert_eq!(reply.status, 200, "{:?}", reply.body);
            let told = events(&owner, before).await;
            (reply.body, names(&told).into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        for (stage, probability) in [("DISCOVERY", 25), ("PROPOSAL", 50), ("NEGOTIATION", 75)] {
            let (deal, told) = put(json!({"stage": stage})).await;
            assert_eq!((&deal["probability"], &deal["closedAt"]), (&json!(probability), &Value::Null));
            assert_eq!(told, ["deal:stage_changed"]);
        }
        let (deal, told) = put(json!({"stage": "CLOSED_LOST", "lostReason": "Price"})).await;
        assert_eq!((&deal["probability"], &deal["lostReason"]), (&json!(0), &json!("Price")));
        assert_eq!(
            (&deal["closedAt"], &deal["updatedAt"]),
            (&json!("2026-03-15T10:00:04.000Z"), &json!("2026-03-15T10:00:04.000Z"))
        );
        assert_eq!(told, ["deal:stage_changed", "deal:lost"]);
        assert_eq!(audited(&owner, "deal:lost").await[0]["details"], json!({"value": 10, "reason": "Price"}));

        let (deal, told) = put(json!({"stage": "DISCOVERY", "probability": 40})).await;
        assert_eq!(
            (&deal["probability"], &deal["closedAt"], &deal["lostReason"]),
            (&json!(40), &Value::Null, &Value::Null)
        );
        assert_eq!(told, ["deal:stage_changed", "deal:reopened"]);
        let (deal, told) = put(json!({"stage": "CLOSED_WON"})).await;
        assert_eq!(
            (&deal["probability"], &deal["closedAt"]),
            (&json!(100), &json!("2026-03-15T10:00:06.000Z"))
        );
        assert_eq!(told, ["deal:stage_changed", "deal:won"]);
        let (deal, told) = put(json!({"title": "Engine 2"})).await;
        assert_eq!(
            (&deal["closedAt"], told),
            (&json!("2026-03-15T10:00:06.000Z"), vec!["deal:updated".to_owned()])
        );
    }
}

#[tokio::test]
async fn the_currency_is_fixed_once_a_record_has_a_value() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("currency").await;
        let to = async |currency: &str| owner.put("/api/organization", json!({"currency": currency})).await;
        let lead = owner.create("/api/leads", json!({"name": "Ada", "value": 0})).await;
        let yen = to("JPY").await;
        assert_eq!((yen.status, &yen.body["currency"]), (200, &json!("JPY")));
        let cents = owner.post("/api/leads", json!({"name": "Bob", "value": 1.5})).await;
        assert_eq!((cents.status, cents.bad_fields()), (400, vec!["value"]), "yen have no decimals");
        let path = format!("/api/leads/{}", id(&lead));
        assert_eq!(owner.put(&path, json!({"value": 150})).await.status, 200);
        let refused = to("EUR").await;
        assert_eq!((refused.status, &refused.body["code"]), (409, &json!("conflict")));
        assert_eq!(to("JPY").await.status, 200, "the same currency is no change");
        assert_eq!(owner.put(&path, json!({"value": null})).await.body["value"], json!(0));
        assert_eq!(to("EUR").await.status, 200);
        owner.create("/api/deals", json!({"title": "Engine", "value": "0.01"})).await;
        assert_eq!(to("USD").await.status, 409);
        assert_eq!(owner.get("/api/organization").await.body["currency"], "EUR");
    }
}

#[tokio::test]
async fn embedded_records_show_what_the_viewer_may_read() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("embedded").await;
        let sales = owner.add_user("SALES", "sales@embedded.example").await;
        let lead = owner.create("/api/leads", json!({"name": "Ada", "phone": "1"})).await;
        let deal = owner
            .create(
                "/api/deals",
                json!({"title": "Engine", "leadId": lead["id"], "assignedToId": sales.id()}),
            )
            .await;
        let task = |user: &Client| json!({"title": "Call", "assignedToId": user.id(), "dealId": deal["id"], "leadId": lead["id"]});
        let hidden = owner.create("/api/tasks", task(&owner)).await;
        let shown = owner.create("/api/tasks", task(&sales)).await;

        let person = |client: &Client| json!({"id": client.user["id"], "name": client.user["name"]});
        let path = format!("/api/deals/{}", id(&deal));
        let full = owner.get(&path).await.body;
        assert_eq!((&full["lead"], &full["tasks"]), (&lead, &json!([shown, hidden])));
        assert_eq!((&full["owner"], &full["assignedTo"]), (&person(&owner), &person(&sales)));
        let seen = sales.get(&path).await.body;
        assert_eq!(
            (&seen["lead"], &seen["tasks"]),
            (&json!({"id": lead["id"], "name": "Ada"}), &json!([shown]))
        );
        let seen = sales.get(&format!("/api/tasks/{}", id(&shown))).await.body;
        assert_eq!((&seen["assignedTo"], &seen["createdBy"]), (&person(&sales), &person(&owner)));
    }
}

#[tokio::test]
async fn a_deleted_lead_takes_its_activities_and_leaves_deals_and_tasks() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("delete").await;
        let lead = owner.create("/api/leads", json!({"name": "Ada"})).await;
        let path = format!("/api/leads/{}", id(&lead));
        owner.create(&format!("{path}/activities"), json!({"type": "CALL", "content": "Hello"})).await;
        let deal = owner.create("/api/deals", json!({"title": "Engine", "leadId": lead["id"]})).await;
        let task =
            json!({"title": "Call", "assignedToId": owner.id(), "leadId": lead["id"], "dealId": deal["id"]});
        let task = owner.create("/api/tasks", task).await;
        let gone = owner.delete(&path).await;
        assert_eq!((gone.status, &gone.body), (200, &json!({"id": lead["id"], "deleted": true})));
        assert_eq!(owner.get(&path).await.status, 404);
        assert_eq!(owner.get(&format!("{path}/activities")).await.status, 404);
        assert_eq!(owner.get(&format!("/api/deals/{}", id(&deal))).await.body["leadId"], Value::Null);
        let task_path = format!("/api/tasks/{}", id(&task));
        assert_eq!(owner.get(&task_path).await.body["leadId"], Value::Null);
        assert_eq!(owner.delete(&format!("/api/deals/{}", id(&deal))).await.status, 200);
        let kept = owner.get(&task_path).await.body;
        assert_eq!((&kept["dealId"], &kept["title"]), (&Value::Null, &json!("Call")));
    }
}
