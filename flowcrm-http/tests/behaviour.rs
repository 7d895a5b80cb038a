//! What changes do beside the change: events, notifications, audit entries, and the rules that reach across requests.
mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::{Client, TestServer, cents};

/// The position of the newest event that the client sees.
async fn position(client: &Client) -> i64 {
    client.get("/api/dashboard/activity?limit=1").await.body[0]["position"].as_i64().unwrap_or(0)
}

/// The events behind a position, as the client sees them.
async fn events(client: &Client, after: i64) -> Vec<Value> {
    let reply = client.get(&format!("/api/events?limit=1000&after={after}")).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.body.as_array().expect("a list").clone()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().expect("a name")).collect()
}

/// The client's notifications, newest first: of each its type and message.
async fn inbox(client: &Client) -> Vec<(String, String)> {
    let notifications = client.walk("/api/notifications").await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    notifications
        .iter()
        .map(|notification| (text(&notification["type"]), text(&notification["message"])))
        .collect()
}

/// Reads everything away, so that what comes next stands alone.
async fn clear(clients: &[&Client]) {
    for client in clients {
        assert_eq!(client.call("PUT", "/api/notifications/read-all").await.status, 200);
    }
}

async fn unread(client: &Client) -> Vec<(String, String)> {
    let notifications = client.walk("/api/notifications?unread=true").await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    notifications
        .iter()
        .map(|notification| (text(&notification["type"]), text(&notification["message"])))
        .collect()
}

async fn audited(client: &Client, action: &str) -> Vec<Value> {
    client.walk(&format!("/api/audit-logs?action={action}")).await
}

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}

fn pair(kind: &str, message: impl Into<String>) -> (String, String) {
    (kind.to_owned(), message.into())
}

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

#[tokio::test]
async fn nobody_is_notified_twice_by_one_command_or_of_their_own_doing() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("notices").await;
        let sales = owner.add_user("SALES", "sales@notices.example").await;
        let other = owner.add_user("MANAGER", "other@notices.example").await;
        let gone = owner.add_user("SALES", "gone@notices.example").await;
        assert_eq!(inbox(&sales).await, [pair("USER_ADDED", "Welcome to notices!")]);
        assert_eq!(owner.delete(&format!("/api/users/{}", gone.id())).await.status, 200);
        let everybody = [&owner, &sales, &other];
        clear(&everybody).await;

        let deal =
            json!({"title": "Engine", "value": 12.5, "assignedToId": sales.id(), "ownerId": sales.id()});
        let deal = owner.create("/api/deals", deal).await;
        assert_eq!(unread(&sales).await, [pair("DEAL_UPDATED", "You've been assigned deal: Engine")]);
        clear(&everybody).await;

        let path = format!("/api/deals/{}", id(&deal));
        let patch = json!({"title": "Great engine", "stage": "CLOSED_WON", "assignedToId": other.id()});
        assert_eq!(owner.put(&path, patch).await.status, 200);
        let won = pair("DEAL_UPDATED", "Deal Great engine was won: 12.5");
        assert_eq!(unread(&sales).await, [won.clone()], "updated, moved and won are told in one");
        assert_eq!(unread(&other).await, [won], "assigned and won are told in one");
        assert_eq!(unread(&owner).await, [], "the actor knows");
        clear(&everybody).await;

        assert_eq!(sales.put(&path, json!({"notes": "Paid"})).await.status, 200);
        assert_eq!(unread(&other).await, [pair("DEAL_UPDATED", "Deal Great engine was updated")]);
        assert_eq!((unread(&sales).await, unread(&owner).await), (vec![], vec![]));
        clear(&everybody).await;

        let task = owner.create("/api/tasks", json!({"title": "Call", "assignedToId": sales.id()})).await;
        assert_eq!(unread(&sales).await, [pair("TASK_ASSIGNED", "You've been assigned a new task: Call")]);
        assert_eq!(
            sales.put(&format!("/api/tasks/{}", id(&task)), json!({"status": "DONE"})).await.status,
            200
        );
        let name = sales.user["name"].as_str().expect("a name");
        assert_eq!(unread(&owner).await, [pair("SYSTEM", format!("{name} completed your task: Call"))]);
        assert_eq!(unread(&other).await, []);
        let own = owner.create("/api/tasks", json!({"title": "Mine", "assignedToId": owner.id()})).await;
        clear(&everybody).await;
        assert_eq!(
            owner.put(&format!("/api/tasks/{}", id(&own)), json!({"status": "DONE"})).await.status,
            200
        );
        assert_eq!(unread(&owner).await, []);

        assert_eq!(
            owner.put(&format!("/api/users/{}", sales.id()), json!({"role": "MANAGER"})).await.status,
            200
        );
        assert_eq!(unread(&sales).await, [pair("SYSTEM", "Your role is now MANAGER")]);
        let announced =
            owner.post("/api/notifications/announce", json!({"message": "Cake", "link": "/cake"})).await;
        assert_eq!(announced.body, json!({"recipients": 3}));
        for client in everybody {
            let newest = client.get("/api/notifications?limit=1").await.body[0].clone();
            assert_eq!(
                (&newest["type"], &newest["message"], &newest["link"]),
                (&json!("SYSTEM"), &json!("Cake"), &json!("/cake"))
            );
        }
    }
}

#[tokio::test]
async fn the_inbox_counts_what_is_not_read() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("inbox").await;
        let sales = owner.add_user("SALES", "sales@inbox.example").await;
        for number in 0..4 {
            let task = json!({"title": format!("Task {number}"), "assignedToId": sales.id()});
            owner.create("/api/tasks", task).await;
        }
        let page = sales.get("/api/notifications?limit=2&count=true").await;
        assert_eq!((page.header("x-unread-count"), page.header("x-total-count")), ("5", "5"));
        let newest = page.body[0].clone();
        assert_eq!(
            (&newest["message"], &newest["read"]),
            (&json!("You've been assigned a new task: Task 3"), &json!(false))
        );
        let read = sales.call("PUT", &format!("/api/notifications/{}/read", id(&newest))).await;
        assert_eq!((read.status, &read.body["read"]), (200, &json!(true)));
        assert_eq!(sales.get("/api/notifications").await.header("x-unread-count"), "4");
        assert_eq!(sales.walk("/api/notifications?unread=false").await.len(), 1);
        let all = sales.call("PUT", "/api/notifications/read-all").await;
        assert_eq!((all.status, all.body), (200, json!({"updated": 4})));
        assert_eq!(sales.call("PUT", "/api/notifications/read-all").await.body, json!({"updated": 0}));
        let page = sales.get("/api/notifications?unread=true&count=true").await;
        assert_eq!(
            (page.header("x-unread-count"), page.header("x-total-count"), &page.body),
            ("0", "0", &json!([]))
        );
        let told = events(&sales, 0).await;
        let told = told.iter().filter(|event| event["type"] == "notification:read").count();
        assert_eq!(told, 2, "one for the one, one for all the others");
    }
}

async fn with_key(client: &Client, path: &str, key: &str, body: &Value) -> support::Reply {
    let request = client.request(reqwest::Method::POST, path).header("idempotency-key", key).json(body);
    client.send(request).await
}

#[tokio::test]
async fn a_creation_is_done_once_per_key() {
    for (server, clock) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        let mut owner = server.register("keys").await;
        let sales = owner.add_user("SALES", "sales@keys.example").await;
        let lead = owner.create("/api/leads", json!({"name": "Ada"})).await;
        let activities = format!("/api/leads/{}/activities", id(&lead));
        let convert = format!("/api/leads/{}/convert", id(&lead));
        let email = json!({"name": "New", "email": "new@keys.example", "password": support::PASSWORD});
        for (path, body, other, done) in [
            (
                "/api/leads",
                json!({"name": "Bob", "value": 12.34}),
                json!({"name": "Bob", "value": 12.35}),
                201,
            ),
            ("/api/deals", json!({"title": "Engine", "value": "99.9"}), json!({"title": "Loom"}), 201),
            (
                "/api/tasks",
                json!({"title": "Call", "assignedToId": sales.id()}),
                json!({"title": "Call", "assignedToId": owner.id()}),
                201,
            ),
            (
                &activities,
                json!({"type": "NOTE", "content": "Hello"}),
                json!({"type": "CALL", "content": "Hello"}),
                201,
            ),
            (&convert, json!({"title": "Engine"}), json!({}), 201),
            (
                "/api/users",
                email.clone(),
                json!({"name": "Newer", "email": "new@keys.example", "password": support::PASSWORD}),
                201,
            ),
            ("/api/notifications/announce", json!({"message": "Cake"}), json!({"message": "Pie"}), 200),
        ] {
            let before = position(&owner).await;
            let first = with_key(&owner, path, path, &body).await;
            assert_eq!(first.status, done, "{path}: {:?}", first.body);
            let told = events(&owner, before).await;
            let again = with_key(&owner, path, path, &body).await;
            assert_eq!((again.status, &again.body), (done, &first.body), "{path}");
            assert_eq!(events(&owner, before).await, told, "{path}: done once, told once");
            let mismatch = with_key(&owner, path, path, &other).await;
            assert_eq!(
                (mismatch.status, &mismatch.body["code"]),
                (409, &json!("idempotency_mismatch")),
                "{path}"
            );
        }
        let elsewhere = with_key(&owner, "/api/deals", "/api/leads", &json!({"title": "Bob"})).await;
        assert_eq!(elsewhere.status, 409, "a key stands for one operation");
        let of_another = with_key(&sales, "/api/leads", "/api/leads", &json!({"name": "Zoë"})).await;
        assert_eq!(
            (of_another.status, &of_another.body["name"]),
            (201, &json!("Zoë")),
            "a key is its user's own"
        );

        clock.advance(chrono::Duration::hours(24) + chrono::Duration::seconds(1));
        owner.refresh().await;
        let next_day =
            with_key(&owner, "/api/leads", "/api/leads", &json!({"name": "Bob", "value": 12.35})).await;
        assert_eq!(next_day.status, 201, "a key is forgotten after a day: {:?}", next_day.body);
    }
}

#[tokio::test]
async fn a_key_belongs_to_the_transaction_of_its_change() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("transaction").await;
        for refused in [
            json!({"name": ""}),
            json!({"name": "Ada", "assignedToId": "0190a1b2-0000-7000-8000-000000000000"}),
        ] {
            assert_eq!(with_key(&owner, "/api/leads", "k", &refused).await.status, 400);
        }
        let created = with_key(&owner, "/api/leads", "k", &json!({"name": "Ada"})).await;
        assert_eq!(created.status, 201, "what was refused has not used the key up: {:?}", created.body);

        let body = json!({"title": "Engine"});
        let replies =
            futures_util::future::join_all((0..8).map(|_| with_key(&owner, "/api/deals", "at once", &body)))
                .await;
        let ids: BTreeSet<_> = replies.iter().map(|reply| reply.body["id"].to_string()).collect();
        assert!(replies.iter().all(|reply| reply.status == 201), "{replies:?}");
        assert_eq!((ids.len(), owner.walk("/api/deals").await.len()), (1, 1));
        let too_long = with_key(&owner, "/api/leads", &"k".repeat(201), &json!({"name": "Ada"})).await;
        assert_eq!((too_long.status, too_long.bad_fields()), (400, vec!["Idempotency-Key"]));
    }
}

#[tokio::test]
async fn a_stale_version_is_not_written_over() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("versions").await;
        let sales = owner.add_user("SALES", "sales@versions.example").await;
        let lead = owner.create("/api/leads", json!({"name": "Ada"})).await;
        let deal = owner.create("/api/deals", json!({"title": "Engine"})).await;
        let task = owner.create("/api/tasks", json!({"title": "Call", "assignedToId": owner.id()})).await;
        for (path, one, two) in [
            (format!("/api/leads/{}", id(&lead)), json!({"name": "Bob"}), json!({"name": "Carl"})),
            (
                format!("/api/deals/{}", id(&deal)),
                json!({"stage": "PROPOSAL"}),
                json!({"stage": "CLOSED_WON"}),
            ),
            (format!("/api/tasks/{}", id(&task)), json!({"status": "DONE"}), json!({"status": "TODO"})),
            (format!("/api/users/{}", sales.id()), json!({"name": "Bob"}), json!({"name": "Carl"})),
            ("/api/organization".to_owned(), json!({"name": "One"}), json!({"name": "Two"})),
        ] {
            let put = async |tag: &str, body: &Value| {
                owner
                    .send(owner.request(reqwest::Method::PUT, &path).header("if-match", tag).json(body))
                    .await
            };
            let read = owner.get(&path).await;
            let version = read.body["version"].as_i64().expect("a version");
            let (now, next) = (format!("\"{version}\""), format!("\"{}\"", version + 1));
            if !path.starts_with("/api/users") {
                assert_eq!(read.header("etag"), now, "{path}");
            }
            let changed = put(&now, &one).await;
            assert_eq!(
                (changed.status, changed.header("etag")),
                (200, next.as_str()),
                "{path}: {:?}",
                changed.body
            );
            let stale = put(&now, &two).await;
            assert_eq!((stale.status, &stale.body["code"]), (412, &json!("stale_version")), "{path}");
            assert_eq!(owner.get(&path).await.body["version"], json!(version + 1), "{path}");
            assert_eq!(put("*", &two).await.status, 200, "{path}: any version");
            assert_eq!(put(&next, &one).await.status, 412, "{path}");
        }
    }
}

#[tokio::test]
async fn a_user_is_read_with_their_version_as_etag() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("etag").await;
        let read = owner.get(&format!("/api/users/{}", owner.id())).await;
        assert_eq!(read.header("etag"), format!("\"{}\"", read.body["version"]));
        assert_eq!(owner.get("/api/auth/me").await.header("etag"), read.header("etag"));
    }
}

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
async fn a_deactivated_user_is_out_at_once_and_their_open_work_is_handed_over() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("deactivate").await;
        let leaver = owner.add_user("SALES", "leaver@deactivate.example").await;
        let heir = owner.add_user("SALES", "heir@deactivate.example").await;
        let (leaves, inherits) = (leaver.id(), heir.id());
        let mut open = Vec::new();
        let mut closed = Vec::new();
        for (path, name, field, end) in
            [("/api/leads", "name", "status", "WON"), ("/api/deals", "title", "stage", "CLOSED_LOST")]
        {
            open.push((
                path,
                owner.create(path, json!({name: "Open", "ownerId": leaves, "assignedToId": leaves})).await,
            ));
            let body = json!({name: "Closed", "ownerId": leaves, "assignedToId": leaves, field: end});
            closed.push((path, owner.create(path, body).await));
        }
        let task = |status: &str| json!({"title": "Task", "assignedToId": leaves, "status": status});
        open.push(("/api/tasks", owner.create("/api/tasks", task("IN_PROGRESS")).await));
        closed.push(("/api/tasks", owner.create("/api/tasks", task("DONE")).await));
        assert_eq!(leaver.get("/api/auth/me").await.status, 200);
        let path = format!("/api/users/{leaves}");
        let to_oneself = owner.delete(&format!("{path}?reassignTo={leaves}")).await;
        assert_eq!((to_oneself.status, to_oneself.bad_fields()), (400, vec!["reassignTo"]));

        let gone = owner.delete(&format!("{path}?reassignTo={inherits}")).await;
        assert_eq!((gone.status, &gone.body), (200, &json!({"id": leaves, "deleted": true})));
        let call = leaver.get("/api/auth/me").await;
        assert_eq!((call.status, &call.body["code"]), (401, &json!("unauthenticated")));
        assert_eq!(leaver.call("POST", "/api/auth/refresh-token").await.status, 401);
        let sign_in = json!({"email": "leaver@deactivate.example", "password": support::PASSWORD});
        assert_eq!(server.client().post("/api/auth/login", sign_in.clone()).await.status, 401);

        for (path, record) in &open {
            let now = owner.get(&format!("{path}/{}", id(record))).await.body;
            assert_eq!(now["assignedToId"], inherits, "{path}");
            if *path != "/api/tasks" {
                assert_eq!(now["ownerId"], inherits, "{path}");
            }
            assert_eq!(now["version"], json!(2), "{path}");
        }
        for (path, record) in &closed {
            let now = owner.get(&format!("{path}/{}", id(record))).await.body;
            assert_eq!(
                (&now["assignedToId"], &now["version"]),
                (&json!(leaves), &json!(1)),
                "{path}: history stays"
            );
        }
        let naming = owner.post("/api/leads", json!({"name": "Ada", "assignedToId": leaves})).await;
        assert_eq!((naming.status, naming.bad_fields()), (400, vec!["assignedToId"]));

        assert_eq!(owner.put(&path, json!({"active": true})).await.status, 200);
        assert_eq!(leaver.get("/api/auth/me").await.status, 401, "old sessions stay ended");
        assert_eq!(server.client().post("/api/auth/login", sign_in).await.status, 200);
        for action in ["user:deleted", "user:reactivated"] {
            assert_eq!(audited(&owner, action).await.len(), 1, "{action}");
        }
    }
}

#[tokio::test]
async fn a_new_role_holds_from_the_next_request() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("roles").await;
        let user = owner.add_user("SALES", "user@roles.example").await;
        owner.create("/api/leads", json!({"name": "Ada"})).await;
        let path = format!("/api/users/{}", user.id());
        for (role, leads, audit) in [("MANAGER", 1, 403), ("ADMIN", 1, 200), ("SALES", 0, 403)] {
            assert_eq!(owner.put(&path, json!({"role": role})).await.status, 200);
            assert_eq!(user.walk("/api/leads").await.len(), leads, "{role}");
            assert_eq!(user.get("/api/audit-logs").await.status, audit, "{role}");
        }
        let entries = audited(&owner, "user:role_changed").await;
        let oldest =
            entries.iter().find(|entry| entry["details"]["after"]["role"] == "MANAGER").expect("an entry");
        assert_eq!(oldest["details"], json!({"before": {"role": "SALES"}, "after": {"role": "MANAGER"}}));
    }
}

#[tokio::test]
async fn the_last_active_owner_stays() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("last").await;
        let own = format!("/api/users/{}", owner.id());
        for reply in [owner.delete(&own).await, owner.put(&own, json!({"active": false})).await] {
            assert_eq!((reply.status, &reply.body["code"]), (409, &json!("conflict")));
        }
        let second = owner.add_user("OWNER", "second@last.example").await;
        let demoted = second.put(&own, json!({"role": "ADMIN"})).await;
        assert_eq!((demoted.status, &demoted.body["role"]), (200, &json!("ADMIN")));
        let of_second = format!("/api/users/{}", second.id());
        assert_eq!(second.delete(&of_second).await.status, 409);

        // Two who would unmake each other at the same moment: one of them stays.
        assert_eq!(second.put(&own, json!({"role": "OWNER"})).await.status, 200);
        let (one, other) = tokio::join!(
            owner.put(&of_second, json!({"role": "SALES"})),
            second.put(&own, json!({"role": "SALES"}))
        );
        let statuses = BTreeSet::from([one.status, other.status]);
        assert!(statuses.contains(&200) && statuses.len() == 2, "{statuses:?}");
        let remaining = if one.status == 200 { &owner } else { &second };
        assert_eq!(remaining.walk("/api/users?role=OWNER&active=true").await.len(), 1);
    }
}

/// A client that shows its cookies, as no browser would.
struct Bare {
    http: reqwest::Client,
    base: String,
}

impl Bare {
    fn of(server: &TestServer) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, base: server.base.clone() }
    }

    /// POSTs with a refresh token; answers status, body, and the refresh token that is set.
    async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value, Option<String>) {
        let mut request = self.http.post(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("cookie", format!("refreshToken={token}"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        let cookie =
            response.headers().get("set-cookie").map(|cookie| cookie.to_str().expect("text").to_owned());
        let token = cookie.and_then(|cookie| {
            let (pair, attributes) = cookie.split_once(';')?;
            assert!(
                ["HttpOnly", "SameSite=Strict", "Path=/"]
                    .iter()
                    .all(|attribute| attributes.contains(attribute)),
                "{cookie}"
            );
            Some(pair.strip_prefix("refreshToken=")?.to_owned())
        });
        (response.status().as_u16(), response.json().await.expect("a body"), token)
    }

    async fn sign_in(&self, email: &str) -> (Value, String) {
        let body = json!({"email": email, "password": support::PASSWORD});
        let (status, body, token) = self.post("/api/auth/login", None, Some(body)).await;
        assert_eq!(status, 200, "{body}");
        (body, token.expect("a cookie"))
    }

    /// Refreshes; answers the access token and the next refresh token, or the status of the refusal.
    async fn refresh(&self, token: &str) -> Result<(String, String), u16> {
        match self.post("/api/auth/refresh-token", Some(token), None).await {
            (200, body, Some(next)) => Ok((body["accessToken"].as_str().expect("a token").to_owned(), next)),
            (status, body, token) => {
                assert_ne!(status, 200, "{body} {token:?}");
                Err(status)
            }
        }
    }

    async fn me(&self, access_token: &str) -> u16 {
        let request = self.http.get(format!("{}/api/auth/me", self.base)).bearer_auth(access_token);
        request.send().await.expect("an answer").status().as_u16()
    }
}

#[tokio::test]
async fn refreshing_rotates_and_a_copied_token_ends_the_session() {
    for (server, clock) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        let owner = server.register("rotation").await;
        let bare = Bare::of(&server);
        let (signed_in, first) = bare.sign_in("owner@rotation.example").await;
        let access = signed_in["accessToken"].as_str().expect("a token").to_owned();
        assert_eq!(bare.me(&access).await, 200);
        clock.advance(chrono::Duration::minutes(15));
        assert_eq!(bare.me(&access).await, 401, "an access token is good for 15 minutes");

        let replies = futures_util::future::join_all((0..6).map(|_| bare.refresh(&first))).await;
        let successors: BTreeSet<_> =
            replies.iter().map(|reply| reply.as_ref().expect("a refresh").1.clone()).collect();
        assert_eq!(successors.len(), 1, "refreshes side by side agree");
        let second = successors.into_iter().next().expect("a token");
        assert_ne!(second, first);
        let access = replies[0].as_ref().expect("a refresh").0.clone();
        assert_eq!(bare.me(&access).await, 200);

        let third = bare.refresh(&second).await.expect("a refresh").1;
        clock.advance(chrono::Duration::seconds(29));
        assert_eq!(bare.refresh(&first).await.expect("still good").1, second, "an answer may be late");
        clock.advance(chrono::Duration::seconds(2));
        assert_eq!(bare.refresh(&first).await, Err(401), "a token whose successor is in use has been copied");
        assert_eq!(bare.refresh(&third).await, Err(401), "the whole session ends");
        assert_eq!(bare.me(&access).await, 401, "and its access tokens with it");

        let admin = owner.sign_in("owner@rotation.example").await;
        let reused = audited(&admin, "user:token_reuse_detected").await;
        assert_eq!((reused.len(), &reused[0]["entityId"]), (1, &admin.user["id"]));
        assert!(events(&admin, 0).await.iter().all(|event| event["type"] != "user:token_reuse_detected"));
        let (status, ..) = bare.post("/api/auth/refresh-token", Some("nonsense"), None).await;
        assert_eq!((status, bare.post("/api/auth/refresh-token", None, None).await.0), (401, 401));
    }
}

#[tokio::test]
async fn a_session_ends_by_rest_by_age_and_by_signing_out() {
    for (server, clock) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        server.register("ends").await;
        let bare = Bare::of(&server);
        let (_, idle) = bare.sign_in("owner@ends.example").await;
        let (_, mut busy) = bare.sign_in("owner@ends.example").await;
        for days in [6, 6, 6, 6, 5] {
            clock.advance(chrono::Duration::days(days));
            busy = bare.refresh(&busy).await.expect("a session in use").1;
        }
        assert_eq!(bare.refresh(&idle).await, Err(401), "7 days of rest end a session");
        clock.advance(chrono::Duration::hours(23));
        let (access, busy) = bare.refresh(&busy).await.expect("not yet 30 days old");
        clock.advance(chrono::Duration::hours(1));
        assert_eq!(bare.refresh(&busy).await, Err(401), "30 days end a session, however busy");
        assert_eq!(bare.me(&access).await, 401);

        let (signed_in, token) = bare.sign_in("owner@ends.example").await;
        let access = signed_in["accessToken"].as_str().expect("a token");
        let (status, body, cleared) = bare.post("/api/auth/logout", Some(&token), None).await;
        assert_eq!((status, body["message"].is_string(), cleared.as_deref()), (200, true, Some("")));
        assert_eq!(bare.me(access).await, 401, "signing out holds at once");
        assert_eq!(bare.refresh(&token).await, Err(401));
    }
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("password").await;
        let other = owner.sign_in("owner@password.example").await;
        let wrong = owner
            .put("/api/auth/me", json!({"currentPassword": "wrong", "newPassword": "a new one of mine"}))
            .await;
        assert_eq!((wrong.status, wrong.bad_fields()), (400, vec!["currentPassword"]));
        assert_eq!(other.get("/api/auth/me").await.status, 200);
        let body = json!({"currentPassword": support::PASSWORD, "newPassword": "a new one of mine"});
        assert_eq!(owner.put("/api/auth/me", body).await.status, 200);
        assert_eq!(
            (owner.get("/api/auth/me").await.status, other.get("/api/auth/me").await.status),
            (200, 401)
        );
        let old = json!({"email": "owner@password.example", "password": support::PASSWORD});
        assert_eq!(server.client().post("/api/auth/login", old).await.status, 401);
        let new = json!({"email": "OWNER@password.example ", "password": "a new one of mine"});
        assert_eq!(
            server.client().post("/api/auth/login", new).await.status,
            200,
            "emails compare without case"
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
