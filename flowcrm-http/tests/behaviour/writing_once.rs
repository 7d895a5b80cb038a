//! Idempotency keys and versions: a change is made once, and over nothing that its maker has not seen.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{Client, PASSWORD, Reply, TestServer};
use super::{events, id, position};

async fn with_key(client: &Client, path: &str, key: &str, body: &Value) -> Reply {
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
        let email = json!({"name": "New", "email": "new@keys.example", "password": PASSWORD});
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
                json!({"name": "Newer", "email": "new@keys.example", "password": PASSWORD}),
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
