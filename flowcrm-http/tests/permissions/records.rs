//! Reading, changing and deleting single records, rows of bulk commands, and lists.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::TestServer;
use super::{DEEDS, Findings, KINDS, World, expected, relations, sees, send};

#[tokio::test]
async fn single_records_obey_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for deed in DEEDS {
                for whose in relations(deed.kind) {
                    let record = world.record(deed.kind, whose, actor).await;
                    let path = format!("/api/{}s/{record}{}", deed.kind, deed.path);
                    let reply = send(actor, deed.method, &path, deed.body).await;
                    let what = format!("{} {} {} {}, {whose:?}", deed.row, deed.method, deed.path, deed.body);
                    findings.cell(role, &what, reply.status, expected(deed, role, whose));
                }
            }
        }
        findings.conclude(server.database.engine, 4 * (11 * 4 + 6 * 3));
    }
}

#[tokio::test]
async fn rows_of_bulk_commands_obey_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for deed in DEEDS.iter().filter(|deed| matches!((deed.method, deed.path), ("PUT" | "DELETE", "")))
            {
                let mut records = BTreeMap::new();
                for whose in relations(deed.kind) {
                    records.insert(world.record(deed.kind, whose, actor).await, whose);
                }
                let mut body = json!({"ids": records.keys().collect::<Vec<_>>()});
                match deed.method {
                    "PUT" => body["set"] = serde_json::from_str(deed.body).expect("a body"),
                    _ => body["delete"] = json!(true),
                }
                let reply = actor.post(&format!("/api/{}s/bulk", deed.kind), body).await;
                findings.cell(role, &format!("bulk {}", deed.row), reply.status, 200);
                let outcomes = reply.body.as_array().cloned().unwrap_or_default();
                assert_eq!(outcomes.len(), records.len(), "{:?}", reply.body);
                for outcome in outcomes {
                    let whose = records[outcome["id"].as_str().expect("an id")];
                    let expected = match expected(deed, role, whose) {
                        200 => (json!(true), Value::Null),
                        403 => (json!(false), json!("forbidden")),
                        404 => (json!(false), json!("not_found")),
                        other => panic!("{other}"),
                    };
                    let what = format!("bulk {} {} {}, {whose:?}", deed.row, deed.method, deed.body);
                    findings.that(role, &what, &(outcome["ok"].clone(), outcome["code"].clone()), &expected);
                }
            }
        }
        findings.conclude(server.database.engine, 4 * (5 * 5 + 5 * 4));
    }
}

#[tokio::test]
async fn lists_show_what_may_be_read() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for kind in KINDS {
                let mut records = Vec::new();
                for whose in relations(kind) {
                    records.push((whose, world.record(kind, whose, actor).await));
                }
                let listed = actor.walk(&format!("/api/{kind}s")).await;
                for (whose, record) in records {
                    let is_listed = listed.iter().any(|listed| listed["id"] == record.as_str());
                    findings.that(
                        role,
                        &format!("{kind} list, {whose:?}"),
                        &is_listed,
                        &sees(kind, role, whose),
                    );
                }
            }
        }
        findings.conclude(server.database.engine, 4 * (4 + 4 + 3));
    }
}
