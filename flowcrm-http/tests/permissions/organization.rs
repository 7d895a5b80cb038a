//! What is about the organization, or about oneself.

use serde_json::json;

use super::support::TestServer;
use super::{Findings, World, granted, id, send};

#[tokio::test]
async fn what_is_about_no_record_obeys_the_matrix() {
    let everything: &[(&str, &str, &str, &str, u16)] = &[
        ("own name and password", "GET", "/api/auth/me", "", 200),
        ("own name and password", "PUT", "/api/auth/me", r#"{"name": "Renamed"}"#, 200),
        ("organization read", "GET", "/api/organization", "", 200),
        ("organization settings update", "PUT", "/api/organization", r#"{"name": "Renamed"}"#, 200),
        ("platform", "GET", "/api/organizations", "", 200),
        ("announce", "POST", "/api/notifications/announce", r#"{"message": "Cake"}"#, 200),
        ("dashboard, events", "GET", "/api/events", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/stats", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/weekly", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/pipeline", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/lead-status", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/lead-sources", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/task-status", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/overdue-tasks", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/activity", "", 200),
        ("team performance", "GET", "/api/dashboard/team-performance", "", 200),
        ("audit log", "GET", "/api/audit-logs", "", 200),
        ("import", "GET", "/api/imports", "", 200),
        ("notifications, sessions", "GET", "/api/notifications", "", 200),
        ("notifications, sessions", "PUT", "/api/notifications/read-all", "", 200),
        ("notifications, sessions", "GET", "/api/auth/sessions", "", 200),
    ];
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for (row, method, path, body, done) in everything {
                let expected = if granted(row, role) == "no" { 403 } else { *done };
                let reply = send(actor, method, path, body).await;
                findings.cell(role, &format!("{row}: {method} {path}"), reply.status, expected);
            }
            for org in [&actor.user["orgId"], &world.stranger.user["orgId"]] {
                let path = format!("/api/organizations/{}", org.as_str().expect("an id"));
                findings.cell(role, "platform: GET", actor.get(&path).await.status, 403);
                findings.cell(role, "platform: DELETE", actor.delete(&path).await.status, 403);
            }
            for kind in ["leads", "deals"] {
                let file = "title,name,externalId\nA,A,x\n".as_bytes().to_vec();
                let reply = actor.upload(kind, &json!({}), file).await;
                let expected = if granted("import", role) == "no" { 403 } else { 202 };
                findings.cell(role, &format!("import {kind}"), reply.status, expected);
            }
        }
        findings.conclude(server.database.engine, 4 * (21 + 6));
    }
}

#[tokio::test]
async fn imports_notifications_and_sessions_of_others_are_not_there() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        let file = || "name\nAda\n".as_bytes().to_vec();
        let ours = id(&world.owner().upload("leads", &json!({}), file()).await.body);
        let theirs = id(&world.stranger.upload("leads", &json!({}), file()).await.body);
        for client in [world.owner(), &world.stranger] {
            assert_eq!(
                client.post("/api/notifications/announce", json!({"message": "Cake"})).await.status,
                200
            );
        }
        let mut inboxes = Vec::new();
        let mut sessions = Vec::new();
        for client in world.actors.iter().chain([&world.stranger]) {
            inboxes.push(id(&client.get("/api/notifications?limit=1").await.body[0]));
            sessions.push(id(&client.get("/api/auth/sessions").await.body[0]));
        }
        for (role, actor) in world.actors.iter().enumerate() {
            if granted("import", role) == "yes" {
                for part in ["", "/rejected", "/kept"] {
                    let of_ours = actor.get(&format!("/api/imports/{ours}{part}")).await.status;
                    findings.cell(role, "import of the organization", of_ours, 200);
                    let of_theirs = actor.get(&format!("/api/imports/{theirs}{part}")).await.status;
                    findings.cell(role, "import of strangers", of_theirs, 404);
                }
                let undone = actor.delete(&format!("/api/imports/{ours}")).await.status;
                findings.cell(role, "undo an import", undone, 202);
                let of_theirs = actor.delete(&format!("/api/imports/{theirs}")).await.status;
                findings.cell(role, "undo an import of strangers", of_theirs, 404);
            } else {
                let undone = actor.delete(&format!("/api/imports/{ours}")).await.status;
                findings.cell(role, "undo an import", undone, 403);
                findings.cell(role, "import", actor.get(&format!("/api/imports/{ours}")).await.status, 403);
            }
            // Own ones last: ending one's own session ends it all.
            let others_first = (0..inboxes.len()).filter(|index| *index != role).chain([role]);
            for index in others_first {
                let expected = if index == role { 200 } else { 404 };
                let read =
                    send(actor, "PUT", &format!("/api/notifications/{}/read", inboxes[index]), "").await;
                findings.cell(role, &format!("read notification {index}"), read.status, expected);
                let ended = actor.delete(&format!("/api/auth/sessions/{}", sessions[index])).await;
                findings.cell(role, &format!("end session {index}"), ended.status, expected);
            }
            findings.cell(role, "after the own session", actor.get("/api/auth/me").await.status, 401);
        }
        assert_eq!(world.stranger.get("/api/auth/me").await.status, 200);
        findings.conclude(server.database.engine, 3 * 4 + 1 + 4 * 11);
    }
}
