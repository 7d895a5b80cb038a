//! What is told of a change, and to whom.

use serde_json::{Value, json};

use super::support::{Client, TestServer};
use super::{audited, events, id, inbox, names, pair, position};

#[tokio::test]
async fn one_change_of_three_aspects_makes_three_events_in_a_row() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("aspects").await;
        let sales = owner.add_user("SALES", "sales@aspects.example").await;
        let lead = owner.create("/api/leads", json!({"name": "Ada", "phone": "1"})).await;
        let before = position(&owner).await;
        let patch = json!({"status": "QUALIFIED", "assignedToId": sales.id(), "phone": "2"});
        let changed = owner.put(&format!("/api/leads/{}", id(&lead)), patch).await;
        assert_eq!((changed.status, &changed.body["version"]), (200, &json!(2)));

        let events = events(&owner, before).await;
        let events: Vec<Value> = events.into_iter().filter(|event| event["entityType"] == "lead").collect();
        assert_eq!(names(&events), ["lead:updated", "lead:status_changed", "lead:assigned"]);
        let positions: Vec<_> =
            events.iter().map(|event| event["position"].as_i64().expect("a position")).collect();
        assert_eq!(positions, [before + 1, before + 2, before + 3]);
        for event in &events {
            assert_eq!((&event["entityId"], &event["userId"]), (&lead["id"], &owner.user["id"]));
            assert_eq!(event["payload"]["lead"], changed.body);
        }
        for (action, details) in [
            ("lead:updated", json!({"before": {"phone": "1"}, "after": {"phone": "2"}})),
            ("lead:status_changed", json!({"before": {"status": "NEW"}, "after": {"status": "QUALIFIED"}})),
            (
                "lead:assigned",
                json!({"before": {"assignedToId": null}, "after": {"assignedToId": sales.id()}}),
            ),
        ] {
            let entries = audited(&owner, action).await;
            assert_eq!(entries.len(), 1, "{action}: {entries:?}");
            assert_eq!(entries[0]["details"], details, "{action}");
            assert_eq!(entries[0]["userName"], owner.user["name"]);
        }
        assert_eq!(inbox(&sales).await[0], pair("LEAD_ASSIGNED", "You've been assigned lead: Ada"));
        let idle = owner.put(&format!("/api/leads/{}", id(&lead)), json!({"phone": "2"})).await;
        assert_eq!((idle.status, &idle.body["version"]), (200, &json!(2)));
        assert_eq!(audited(&owner, "lead:updated").await.len(), 1, "nothing changed, so nothing is told");
    }
}

#[tokio::test]
async fn an_event_is_seen_by_those_who_could_read_the_record_then() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("audience").await;
        let first = owner.add_user("SALES", "first@audience.example").await;
        let second = owner.add_user("SALES", "second@audience.example").await;
        let manager = owner.add_user("MANAGER", "manager@audience.example").await;
        let start = position(&owner).await;

        let lead = owner.create("/api/leads", json!({"name": "Ada", "assignedToId": first.id()})).await;
        let path = format!("/api/leads/{}", id(&lead));
        assert_eq!(owner.put(&path, json!({"assignedToId": second.id()})).await.status, 200);
        assert_eq!(owner.put(&path, json!({"phone": "1"})).await.status, 200);
        let task = owner.create("/api/tasks", json!({"title": "Call", "assignedToId": first.id()})).await;
        let task_path = format!("/api/tasks/{}", id(&task));
        assert_eq!(owner.put(&task_path, json!({"assignedToId": second.id()})).await.status, 200);
        owner.create("/api/deals", json!({"title": "Engine"})).await;
        let new = owner.add_user("SALES", "new@audience.example").await;
        assert_eq!(
            owner.put(&format!("/api/users/{}", new.id()), json!({"role": "MANAGER"})).await.status,
            200
        );

        let seen = async |client: &Client| {
            let events = events(client, start).await;
            let told = events
                .iter()
                .filter(|event| event["entityType"] != "notification")
                .cloned()
                .collect::<Vec<_>>();
            names(&told).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let created_and_given = [
            "lead:created",
            "lead:assigned",
            "lead:assigned",
            "task:created",
            "task:assigned",
            "task:assigned",
        ];
        assert_eq!(seen(&first).await, [&created_and_given[..], &["deal:created"]].concat());
        assert_eq!(seen(&second).await, ["lead:assigned", "lead:updated", "task:assigned", "deal:created"]);
        let of_leads_and_tasks = [
            "lead:created",
            "lead:assigned",
            "lead:assigned",
            "lead:updated",
            "task:created",
            "task:assigned",
            "task:assigned",
            "deal:created",
        ];
        assert_eq!(seen(&manager).await, of_leads_and_tasks);
        assert_eq!(
            seen(&owner).await,
            [&of_leads_and_tasks[..], &["user:created", "user:role_changed"]].concat()
        );
        assert_eq!(seen(&new).await, [&of_leads_and_tasks[..], &["user:role_changed"]].concat());

        for client in [&owner, &first] {
            let all = events(client, 0).await;
            assert!(
                all.iter().all(|event| event["type"] != "user:login"),
                "signing in is for the audit log only"
            );
        }
        assert_eq!(audited(&owner, "user:login").await.len(), 5);
        let feed = first.get("/api/dashboard/activity?limit=50").await.body;
        let mut of_feed: Vec<Value> = feed.as_array().expect("a list").clone();
        of_feed.reverse();
        assert_eq!(of_feed, events(&first, 0).await, "the feed is the end of the log");
    }
}
