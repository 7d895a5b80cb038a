//! Rules of users: leaving, changing roles, and the last OWNER.

use std::collections::BTreeSet;

use serde_json::json;

use super::support::{PASSWORD, TestServer};
use super::{audited, id};

#[tokio::test]
async fn a_deactivated_user_is_out_at_once_and_their_open_work_is_handed_over() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("deactivate").await;
        let departing = owner.add_user("SALES", "leaver@deactivate.example").await;
        let heir = owner.add_user("SALES", "heir@deactivate.example").await;
        let (from, inherits) = (departing.id(), heir.id());
        let mut open = Vec::new();
        let mut closed = Vec::new();
        for (path, name, field, end) in
            [("/api/leads", "name", "status", "WON"), ("/api/deals", "title", "stage", "CLOSED_LOST")]
        {
            open.push((
                path,
                owner.create(path, json!({name: "Open", "ownerId": from, "assignedToId": from})).await,
            ));
            let body = json!({name: "Closed", "ownerId": from, "assignedToId": from, field: end});
            closed.push((path, owner.create(path, body).await));
        }
        let task = |status: &str| json!({"title": "Task", "assignedToId": from, "status": status});
        open.push(("/api/tasks", owner.create("/api/tasks", task("IN_PROGRESS")).await));
        closed.push(("/api/tasks", owner.create("/api/tasks", task("DONE")).await));
        assert_eq!(departing.get("/api/auth/me").await.status, 200);
        let path = format!("/api/users/{from}");
        let to_oneself = owner.delete(&format!("{path}?reassignTo={from}")).await;
        assert_eq!((to_oneself.status, to_oneself.bad_fields()), (400, vec!["reassignTo"]));

        let gone = owner.delete(&format!("{path}?reassignTo={inherits}")).await;
        assert_eq!((gone.status, &gone.body), (200, &json!({"id": from, "deleted": true})));
        let call = departing.get("/api/auth/me").await;
        assert_eq!((call.status, &call.body["code"]), (401, &json!("unauthenticated")));
        assert_eq!(departing.call("POST", "/api/auth/refresh-token").await.status, 401);
        let sign_in = json!({"email": "leaver@deactivate.example", "password": PASSWORD});
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
                (&json!(from), &json!(1)),
                "{path}: history stays"
            );
        }
        let naming = owner.post("/api/leads", json!({"name": "Ada", "assignedToId": from})).await;
        assert_eq!((naming.status, naming.bad_fields()), (400, vec!["assignedToId"]));

        assert_eq!(owner.put(&path, json!({"active": true})).await.status, 200);
        assert_eq!(departing.get("/api/auth/me").await.status, 401, "old sessions stay ended");
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
