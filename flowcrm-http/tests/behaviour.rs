//! What changes do beside the change: events, notifications, audit entries, and the rules that reach across requests.
mod support;

#[path = "behaviour/notices.rs"]
mod notices;
#[path = "behaviour/people.rs"]
mod people;
#[path = "behaviour/records.rs"]
mod records;
#[path = "behaviour/sessions.rs"]
mod sessions;
#[path = "behaviour/telling.rs"]
mod telling;
#[path = "behaviour/writing_once.rs"]
mod writing_once;

use serde_json::Value;
use support::Client;

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

/// Notifications, newest first: of each its type and message.
async fn listed(client: &Client, path: &str) -> Vec<(String, String)> {
    let notifications = client.walk(path).await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let told = |notification: &Value| (text(&notification["type"]), text(&notification["message"]));
    notifications.iter().map(told).collect()
}

async fn inbox(client: &Client) -> Vec<(String, String)> {
    listed(client, "/api/notifications").await
}

/// Reads everything away, so that what comes next stands alone.
async fn clear(clients: &[&Client]) {
    for client in clients {
        assert_eq!(client.call("PUT", "/api/notifications/read-all").await.status, 200);
    }
}

async fn unread(client: &Client) -> Vec<(String, String)> {
    listed(client, "/api/notifications?unread=true").await
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
