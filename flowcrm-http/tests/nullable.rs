//! Answers are as the document describes them: nothing is absent or undescribed, every described schema is answered,
//! and every field that may be null is null in some answer.

#[path = "nullable/contract.rs"]
mod contract;
mod support;

use contract::{Contract, Findings};
use flowcrm_core::auth::SignIn;
use flowcrm_core::caller::Origin;
use serde_json::{Value, json};
use sqlx::Connection;
use support::{Client, PASSWORD, Reply, TestDatabase, TestServer};

#[tokio::test]
async fn every_answer_is_as_described_and_every_nullable_field_is_null_in_one() {
    let contract = Contract::generated();
    let nullable = contract.nullable();
    assert!(nullable.len() > 40, "the document has {} nullable fields", nullable.len());
    for server in TestServer::on_each_engine().await {
        let mut calls = Calls { contract: &contract, findings: Findings::default() };
        calls.all(&server).await;

        let Findings { complaints, answered, nulls } = calls.findings;
        let engine = server.database.engine;
        assert!(complaints.is_empty(), "on {engine}:\n{}", complaints.join("\n"));
        let unseen: Vec<&String> =
            contract.answered().iter().filter(|name| !answered.contains(*name)).collect();
        assert!(unseen.is_empty(), "on {engine} nothing answered {unseen:?}: call it here");
        let never: Vec<_> = nullable.iter().filter(|field| !nulls.contains(*field)).collect();
        assert!(
            never.is_empty(),
            "on {engine} never null: {never:?}: answer null here, or describe it as never null"
        );
    }
}

/// Calls whose answers are compared with the document.
struct Calls<'a> {
    contract: &'a Contract,
    findings: Findings,
}

impl Calls<'_> {
    /// Records with as little in them as may be, and every call that answers a schema of its own.
    async fn all(&mut self, server: &TestServer) {
        let owner = self.people(server).await;
        self.records(&owner).await;
        self.import(&owner).await;
        self.what_is_not_done_over_http(server, &owner).await;
        self.lists(&owner).await;
        self.answers_about_answers(&owner, &server.client()).await;
    }

    async fn people(&mut self, server: &TestServer) -> Client {
        let mut owner = server.client();
        let founder =
            json!({"name": "Ada", "email": "ada@acme.example", "password": PASSWORD, "orgName": "Acme"});
        let registered = self.post(&owner, "/api/auth/register", founder).await;
        owner.adopt(&registered);
        let new = json!({"name": "Bob", "email": "bob@acme.example", "password": PASSWORD});
        let id = self.post(&owner, "/api/users", new).await.body["id"].clone();
        self.get(&owner, &path("/api/users/{}", &id)).await;
        self.put(&owner, &path("/api/users/{}", &id), json!({"name": "Bert"})).await;
        let login = json!({"email": "bob@acme.example", "password": PASSWORD});
        let mut sales = server.client();
        sales.adopt(&self.post(&sales, "/api/auth/login", login).await);
        self.get(&sales, "/api/users").await;
        self.hidden_lead(&owner, &sales).await;
        self.post(&sales, "/api/auth/logout", json!({})).await;
        self.delete(&owner, &path("/api/users/{}", &id)).await;
        owner
    }

    /// A deal whose lead its viewer may not read.
    async fn hidden_lead(&mut self, owner: &Client, sales: &Client) {
        let lead = self.post(owner, "/api/leads", json!({"name": "Hidden"})).await.body["id"].clone();
        let deal = self.post(owner, "/api/deals", json!({"title": "Shown", "leadId": lead})).await.body["id"]
            .clone();
        self.get(owner, &path("/api/deals/{}", &deal)).await;
        let seen = self.get(sales, &path("/api/deals/{}", &deal)).await;
        assert_eq!(seen.body["lead"], json!({"id": lead, "name": "Hidden"}));
    }

    async fn records(&mut self, owner: &Client) {
        let lead = self.post(owner, "/api/leads", json!({"name": "Eve"})).await.body["id"].clone();
        self.get(owner, &path("/api/leads/{}", &lead)).await;
        self.put(owner, &path("/api/leads/{}", &lead), json!({"value": 5})).await;
        self.post(owner, &path("/api/leads/{}/assign", &lead), json!({"assignedToId": null})).await;
        let activity = json!({"type": "NOTE", "content": "Hi"});
        self.post(owner, &path("/api/leads/{}/activities", &lead), activity).await;
        self.get(owner, &path("/api/leads/{}/activities", &lead)).await;
        self.post(owner, &path("/api/leads/{}/convert", &lead), json!({})).await;
        self.post(owner, "/api/leads/bulk", json!({"ids": [lead], "set": {"phone": "1"}})).await;

        let deal = self.post(owner, "/api/deals", json!({"title": "Engine"})).await.body["id"].clone();
        self.get(owner, &path("/api/deals/{}", &deal)).await;
        self.put(owner, &path("/api/deals/{}", &deal), json!({"stage": "CLOSED_WON"})).await;

        let task = json!({"title": "Call", "assignedToId": owner.id()});
        let task = self.post(owner, "/api/tasks", task).await.body["id"].clone();
        self.get(owner, &path("/api/tasks/{}", &task)).await;
        let due = json!({"dueDate": "2020-01-01", "dealId": deal, "leadId": lead});
        self.put(owner, &path("/api/tasks/{}", &task), due).await;
        self.get(owner, &path("/api/tasks/{}", &task)).await;
        self.get(owner, &path("/api/deals/{}", &deal)).await;
        self.get(owner, &path("/api/leads/{}", &lead)).await;
        self.post(owner, "/api/deals/bulk", json!({"ids": [deal], "delete": true})).await;
        self.post(owner, "/api/tasks/bulk", json!({"ids": [deal], "delete": true})).await;

        self.post(owner, "/api/notifications/announce", json!({"message": "Hi"})).await;
        let notifications = self.get(owner, "/api/notifications").await.body;
        let one = path("/api/notifications/{}/read", &notifications[0]["id"]);
        self.put(owner, &one, json!({})).await;
        self.put(owner, "/api/notifications/read-all", json!({})).await;
    }

    async fn import(&mut self, owner: &Client) {
        let file = b"name,email\n,eve@\nEve,eve@example.com,more\n,\"\"\"\"\nFay,\n".to_vec();
        let accepted =
            owner.upload("leads", &json!({"mapping": {"name": "name", "email": "email"}}), file).await;
        self.contract.compare("POST", "/api/leads/import", &accepted, &mut self.findings);
        let id = accepted.body["id"].clone();
        owner.finished_import(id.as_str().expect("an id")).await;
        self.get(owner, &path("/api/imports/{}", &id)).await;
        self.get(owner, &path("/api/imports/{}/rejected", &id)).await;
        let leads = owner.get("/api/leads?q=fay").await.body;
        self.post(
            owner,
            &path("/api/leads/{}/activities", &leads[0]["id"]),
            json!({"type": "CALL", "content": "Hi"}),
        )
        .await;
        self.delete(owner, &path("/api/imports/{}", &id)).await;
        owner.finished_import(id.as_str().expect("an id")).await;
        self.get(owner, &path("/api/imports/{}", &id)).await;
        self.get(owner, &path("/api/imports/{}/kept", &id)).await;
    }

    /// What trusted programs do has no address, and what the system does has no user.
    async fn what_is_not_done_over_http(&mut self, server: &TestServer, owner: &Client) {
        let email = "ada@acme.example".parse().expect("an email");
        let sign_in = SignIn { email, password: PASSWORD.into(), two_factor_token: None };
        server.crm.sign_in(sign_in, &Origin::default()).await.expect("a session");
        self.get(owner, "/api/auth/sessions").await;
        self.get(owner, "/api/audit-logs").await;
        take_the_actors(&server.database).await;
        self.get(owner, "/api/audit-logs").await;
        self.get(owner, "/api/events").await;
    }

    async fn lists(&mut self, owner: &Client) {
        for list in ["leads", "deals", "tasks", "users", "imports", "organization", "auth/me"] {
            self.get(owner, &format!("/api/{list}")).await;
        }
        for figures in
            ["stats", "weekly", "pipeline", "lead-status", "lead-sources", "task-status", "overdue-tasks"]
        {
            self.get(owner, &format!("/api/dashboard/{figures}")).await;
        }
        self.get(owner, "/api/dashboard/team-performance").await;
        self.get(owner, "/api/dashboard/activity").await;
        self.get(owner, "/health/live").await;
        self.get(owner, "/health/ready").await;
    }

    /// Problems.
    async fn answers_about_answers(&mut self, owner: &Client, nobody: &Client) {
        let broken = owner.post("/api/leads", json!({"colour": "red"})).await;
        self.contract.compare("POST", "/api/leads", &broken, &mut self.findings);
        let refused = nobody.get("/api/leads").await;
        self.contract.compare("GET", "/api/leads", &refused, &mut self.findings);
    }

    async fn get(&mut self, client: &Client, path: &str) -> Reply {
        let reply = client.get(path).await;
        self.good("GET", path, reply)
    }

    async fn post(&mut self, client: &Client, path: &str, body: Value) -> Reply {
        let reply = client.post(path, body).await;
        self.good("POST", path, reply)
    }

    async fn put(&mut self, client: &Client, path: &str, body: Value) -> Reply {
        let reply = client.put(path, body).await;
        self.good("PUT", path, reply)
    }

    async fn delete(&mut self, client: &Client, path: &str) -> Reply {
        let reply = client.delete(path).await;
        self.good("DELETE", path, reply)
    }

    fn good(&mut self, method: &str, path: &str, reply: Reply) -> Reply {
        assert!(reply.status < 300, "{method} {path}: {} {}", reply.status, reply.body);
        self.contract.compare(method, path, &reply, &mut self.findings);
        reply
    }
}

fn path(template: &str, id: &Value) -> String {
    template.replace("{}", id.as_str().expect("an id"))
}

/// Makes events and audit entries look as if the system had caused them.
#[expect(clippy::disallowed_methods, reason = "no call of a client is without an actor")]
async fn take_the_actors(database: &TestDatabase) {
    let sql = "UPDATE events SET user_id = NULL; UPDATE audit_entries SET user_id = NULL;";
    if database.engine == "sqlite" {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.expect("the database");
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("an update");
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.expect("the database");
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("an update");
    }
}
