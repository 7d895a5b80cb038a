//! Bad requests: each is answered by the right 4xx problem, which names every bad field, and leaves nothing behind.

#[path = "bad_input/table.rs"]
mod table;
// Not called `support`: the modules of the table say where it is.
mod support;

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::Value;
use support::{Client, TestServer};
use table::World;

#[tokio::test]
async fn every_bad_request_is_answered_by_the_right_problem() {
    let rows = table::rows();
    let mut names = BTreeSet::new();
    for row in &rows {
        assert!(names.insert(row.to_string()), "there are two rows for {row}");
    }
    assert!(rows.len() >= 200, "only {} bad requests", rows.len());

    for server in TestServer::on_each_engine().await {
        let world = World::build(&server).await;
        let before = everything(&world.owner).await;
        let mut complaints = String::new();
        for row in &rows {
            let reply = row.send(&world).await;
            for complaint in row.complaints(&reply) {
                writeln!(complaints, "{row}: {complaint}\n    {} {}", reply.status, reply.body).unwrap();
            }
        }
        assert!(complaints.is_empty(), "on {}:\n{complaints}", server.database.engine);
        assert_eq!(everything(&world.owner).await, before, "a refused request left something behind");
    }
}

/// Everything of the organization that its OWNER can see; sign-ins that failed are in the audit log alone.
async fn everything(owner: &Client) -> Vec<Value> {
    let mut found = Vec::new();
    for list in ["leads", "deals", "tasks", "users", "imports", "notifications"] {
        found.extend(owner.walk(&format!("/api/{list}")).await);
    }
    found.push(owner.get("/api/organization").await.body);
    found.push(owner.get("/api/events?limit=1000").await.body);
    found
}
