//! What the rows refer to: two organizations with a record of each kind, and tokens that are good no longer.

use serde_json::json;

use super::row::Who;
use crate::support::{Client, PASSWORD, TestServer, next_page};

/// Who sends the rows, and what their placeholders stand for.
pub(crate) struct World {
    /// The OWNER of the organization that most rows are about.
    pub(crate) owner: Client,
    sales: Client,
    operator: Client,
    nobody: Client,
    places: Vec<(&'static str, String)>,
}

impl World {
    /// Fills a new database.
    pub(crate) async fn build(server: &TestServer) -> Self {
        let owner = server.register("acme").await;
        let operator = server.register("other").await;
        server.crm.set_operator("owner@other.example", true).await.expect("an operator");
        let sales = owner.add_user("SALES", "sales@acme.example").await;
        let inactive = owner.add_user("SALES", "inactive@acme.example").await;
        let gone = owner.delete(&format!("/api/users/{}", inactive.id())).await;
        assert_eq!(gone.status, 200, "{:?}", gone.body);

        let mut world = Self { owner, sales, operator, nobody: server.client(), places: Vec::new() };
        world.add("owner", world.owner.id().to_owned());
        world.add("sales", world.sales.id().to_owned());
        world.add("inactive", inactive.id().to_owned());
        world.add("inactive_token", inactive.token().to_owned());
        world.add("unknown", "018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d".to_owned());
        world.add("token", world.owner.token().to_owned());
        world.add("forged_token", forged(world.owner.token()));
        world.add_own_records().await;
        world.add_foreign_records().await;
        world.add_cursors().await;
        world.add_ended_session(server).await;
        world
    }

    /// The client of somebody.
    pub(crate) fn client(&self, who: Who) -> &Client {
        match who {
            Who::Nobody => &self.nobody,
            Who::Owner => &self.owner,
            Who::Sales => &self.sales,
            Who::Operator => &self.operator,
        }
    }

    /// Puts ids and the like in the place of `{lead}` and the like.
    pub(crate) fn fill(&self, text: &str) -> String {
        let put = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        self.places.iter().fold(text.to_owned(), put)
    }

    fn add(&mut self, name: &'static str, value: String) {
        self.places.push((name, value));
    }

    async fn add_created(&mut self, name: &'static str, path: &str, body: serde_json::Value, foreign: bool) {
        let client = if foreign { &self.operator } else { &self.owner };
        let record = client.create(path, body).await;
        self.add(name, record["id"].as_str().expect("an id").to_owned());
    }

    async fn add_own_records(&mut self) {
        let lead = json!({"name": "Ada", "externalId": "L-1", "value": 100, "source": "Website"});
        self.add_created("lead", "/api/leads", lead, false).await;
        self.add_created("lost_lead", "/api/leads", json!({"name": "Bob", "status": "LOST"}), false).await;
        self.add_created("won_lead", "/api/leads", json!({"name": "Cy", "externalId": "L-2"}), false).await;
        let converted = self.owner.post(&self.fill("/api/leads/{won_lead}/convert"), json!({})).await;
        assert_eq!(converted.status, 201, "{:?}", converted.body);
        let deal = json!({"title": "Engine", "externalId": "D-1", "leadId": self.fill("{lead}")});
        self.add_created("deal", "/api/deals", deal, false).await;
        self.add_created("other_deal", "/api/deals", json!({"title": "Loom", "externalId": "D-2"}), false)
            .await;
        let task = json!({"title": "Call", "assignedToId": self.owner.id()});
        self.add_created("task", "/api/tasks", task, false).await;
        let own_task = json!({"title": "Write", "assignedToId": self.sales.id()});
        self.add_created("sales_task", "/api/tasks", own_task, false).await;
        let kept = self.owner.request(reqwest::Method::POST, "/api/leads").json(&json!({"name": "Kept"}));
        let kept = self.owner.send(kept.header("idempotency-key", "used before")).await;
        assert_eq!(kept.status, 201, "{:?}", kept.body);
    }

    async fn add_foreign_records(&mut self) {
        self.add("foreign_user", self.operator.id().to_owned());
        self.add("foreign_org", self.operator.user["orgId"].as_str().expect("an id").to_owned());
        self.add_created("foreign_lead", "/api/leads", json!({"name": "Eve"}), true).await;
        self.add_created("foreign_deal", "/api/deals", json!({"title": "Theirs"}), true).await;
        let task = json!({"title": "Theirs", "assignedToId": self.operator.id()});
        self.add_created("foreign_task", "/api/tasks", task, true).await;
        let sessions = self.operator.get("/api/auth/sessions").await.body;
        self.add("foreign_session", sessions[0]["id"].as_str().expect("an id").to_owned());
        let notifications = self.operator.get("/api/notifications").await.body;
        self.add("foreign_notification", notifications[0]["id"].as_str().expect("an id").to_owned());
        let import = self.operator.import("leads", &json!({}), b"name\nEve\n".to_vec()).await;
        self.add("foreign_import", import["id"].as_str().expect("an id").to_owned());
        let dry_run = self.owner.import("leads", &json!({"dryRun": true}), b"name\nEve\n".to_vec()).await;
        self.add("dry_run", dry_run["id"].as_str().expect("an id").to_owned());
    }

    async fn add_cursors(&mut self) {
        let cursor = async |query: &str| {
            let next =
                next_page(&self.owner.get(&format!("/api/leads?limit=1{query}")).await).expect("a next page");
            next.rsplit_once("cursor=").expect("a cursor").1.to_owned()
        };
        let (by_age, by_name) = (cursor("").await, cursor("&sort=name").await);
        self.add("cut_cursor", by_age[..by_age.len() - 9].to_owned());
        self.add("cursor", by_age);
        self.add("name_cursor", by_name);
    }

    /// A second session of SALES, signed out of.
    async fn add_ended_session(&mut self, server: &TestServer) {
        let body = json!({"email": "sales@acme.example", "password": PASSWORD});
        let mut client = server.client();
        let reply = client.post("/api/auth/login", body).await;
        client.adopt(&reply);
        let cookie = reply.headers["set-cookie"].to_str().expect("a cookie");
        let (_, cookie) = cookie.split_once('=').expect("a cookie");
        let refresh_token = cookie.split(';').next().expect("a value").to_owned();
        let ended = client.call("POST", "/api/auth/logout").await;
        assert_eq!(ended.status, 200, "{:?}", ended.body);
        self.add("ended_refresh_token", refresh_token);
        self.add("ended_token", client.token().to_owned());
    }
}

/// The same token, made out to somebody else: its signature no longer fits.
fn forged(token: &str) -> String {
    let (head, signature) = token.rsplit_once('.').expect("a signature");
    let mut letters: Vec<char> = signature.chars().collect();
    letters[0] = if letters[0] == 'A' { 'B' } else { 'A' };
    format!("{head}.{}", letters.into_iter().collect::<String>())
}
