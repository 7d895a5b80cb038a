//! Managing users, and what is shown of them.

use serde_json::{Value, json};

use super::support::{PASSWORD, TestServer};
use super::{Findings, ROLES, World, granted};

/// The users whom a role may make and unmake.
fn manages(role: usize, other: &str) -> bool {
    match granted("user create, update role, deactivate, reactivate", role) {
        "all roles" => true,
        "MANAGER, SALES" => matches!(other, "MANAGER" | "SALES"),
        _ => false,
    }
}

#[tokio::test]
async fn users_are_managed_by_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        let status = |allowed: bool, done: u16| if allowed { done } else { 403 };
        for (role, actor) in world.actors.iter().enumerate() {
            for (other, colleague) in ROLES.iter().zip(&world.colleagues) {
                let path = format!("/api/users/{colleague}");
                let email = format!("{}.{role}@new.example", other.to_lowercase());
                let new = json!({"name": "New", "email": email, "role": other, "password": PASSWORD});
                let allowed = manages(role, other);
                findings.cell(
                    role,
                    &format!("create {other}"),
                    actor.post("/api/users", new).await.status,
                    status(allowed, 201),
                );

                let renamed = actor.put(&path, json!({"name": *other})).await;
                findings.cell(role, &format!("rename {other}"), renamed.status, status(allowed, 200));
                for becoming in ROLES.iter().filter(|becoming| *becoming != other) {
                    let reply = actor.put(&path, json!({"role": becoming})).await;
                    let allowed = allowed && manages(role, becoming);
                    findings.cell(
                        role,
                        &format!("make {other} {becoming}"),
                        reply.status,
                        status(allowed, 200),
                    );
                    let back = world.owner().put(&path, json!({"role": other})).await;
                    assert_eq!(back.status, 200, "{:?}", back.body);
                }
                let gone = actor.delete(&path).await;
                findings.cell(role, &format!("deactivate {other}"), gone.status, status(allowed, 200));
                assert_eq!(world.owner().put(&path, json!({"active": false})).await.status, 200);
                let back = actor.put(&path, json!({"active": true})).await;
                findings.cell(role, &format!("reactivate {other}"), back.status, status(allowed, 200));
                assert_eq!(world.owner().put(&path, json!({"active": true})).await.status, 200);
            }
            let own = format!("/api/users/{}", actor.id());
            for becoming in ROLES.iter().filter(|becoming| **becoming != ROLES[role]) {
                let reply = actor.put(&own, json!({"role": becoming})).await;
                findings.cell(role, &format!("make oneself {becoming}"), reply.status, 403);
            }
            let foreign = format!("/api/users/{}", world.stranger.id());
            findings.cell(role, "read a stranger", actor.get(&foreign).await.status, 404);
            findings.cell(
                role,
                "rename a stranger",
                actor.put(&foreign, json!({"name": "Mine"})).await.status,
                404,
            );
            findings.cell(role, "deactivate a stranger", actor.delete(&foreign).await.status, 404);
        }
        findings.conclude(server.database.engine, 4 * (4 * 7 + 6));
    }
}

#[tokio::test]
async fn users_are_shown_by_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        let keys = |user: &Value| {
            user.as_object().map(|user| user.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        for (role, actor) in world.actors.iter().enumerate() {
            let expected: Vec<String> = match granted("user list, user read", role) {
                "full" => [
                    "active",
                    "createdAt",
                    "email",
                    "id",
                    "lastLoginAt",
                    "name",
                    "orgId",
                    "role",
                    "twoFactorEnabled",
                    "updatedAt",
                    "version",
                ]
                .map(str::to_owned)
                .to_vec(),
                _ => ["active", "id", "name", "role"].map(str::to_owned).to_vec(),
            };
            let listed = actor.walk("/api/users").await;
            assert_eq!(listed.len(), 8, "{listed:?}");
            for user in &listed {
                findings.that(role, "user list", &keys(user), &expected);
            }
            for id in world.colleagues.iter().map(String::as_str).chain([actor.id()]) {
                let reply = actor.get(&format!("/api/users/{id}")).await;
                findings.that(role, "user read", &keys(&reply.body), &expected);
            }
        }
        findings.conclude(server.database.engine, 4 * 13);
    }
}
