//! The real server on a port of its own, and clients that speak to it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

#[path = "../../../flowcrm-store/tests/support/mod.rs"]
mod databases;
pub mod process;
pub mod proof;

pub use databases::{SECRET, TestDatabase};

use flowcrm_core::Crm;
use flowcrm_core::env::{Env, FixedClock};
use flowcrm_http::api::CookiePolicy;
use flowcrm_http::server::Server;
use flowcrm_http::{Options, endpoint};
use reqwest::{Method, RequestBuilder, multipart};
use serde_json::{Value, json};

/// The password of every user of a test.
pub const PASSWORD: &str = "correct horse battery";

/// A server in this process, on a database of its own.
pub struct TestServer {
    /// `http://127.0.0.1:port`
    pub base: String,
    /// The CRM that it serves.
    pub crm: Crm,
    /// Where its data is.
    pub database: TestDatabase,
}

/// An answer, taken apart.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; null when it is no JSON.
    pub body: Value,
}

/// A client with a cookie jar, signed in as somebody or as nobody yet.
#[derive(Clone)]
pub struct Client {
    base: String,
    http: reqwest::Client,
    token: Option<String>,
    /// The user that the client is signed in as.
    pub user: Value,
}

impl TestServer {
    /// One server on each engine that is at hand.
    pub async fn on_each_engine() -> Vec<Self> {
        let mut servers = Vec::new();
        for database in TestDatabase::on_each_engine().await {
            servers.push(Self::on(database).await);
        }
        servers
    }

    /// One server on each engine that is at hand, each with a clock that stands at `moment` until it is moved.
    pub async fn on_each_engine_at(moment: &str) -> Vec<(Self, FixedClock)> {
        let mut servers = Vec::new();
        for database in TestDatabase::on_each_engine().await {
            let clock = FixedClock::at(moment.parse().expect("a moment"));
            let server = Self::in_env(database, Env::seeded(clock.clone(), 1)).await;
            servers.push((server, clock));
        }
        servers
    }

    /// A server on this database, with the machine's clock.
    pub async fn on(database: TestDatabase) -> Self {
        Self::in_env(database, Env::system()).await
    }

    /// A server on this database, in another environment.
    pub async fn in_env(database: TestDatabase, env: Env) -> Self {
        let crm = database.crm_in(env).await;
        let worker = crm.worker();
        let options = Options {
            origins: "http://listed.example".parse().expect("an origin"),
            trusted_proxies: "127.0.0.1".parse().expect("a network"),
            is_registration_open: true,
            cookies: CookiePolicy { secure: false },
        };
        let server = Server::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", server.local_addr().expect("an address"));
        let endpoint = endpoint(crm.clone(), worker.wake(), options);
        tokio::spawn(async move {
            let ended = server.serve(endpoint, std::future::pending()).await;
            worker.stop().await;
            ended
        });
        Self { base, crm, database }
    }

    /// A client that is not signed in.
    pub fn client(&self) -> Client {
        Client::of(&self.base)
    }

    /// Registers a new organization; answers its OWNER's client. Emails are `owner@<organization>.example`.
    pub async fn register(&self, organization: &str) -> Client {
        self.client().register(organization).await
    }
}

impl Client {
    /// A client of the server at `base` that is not signed in.
    pub fn of(base: &str) -> Self {
        let http = reqwest::Client::builder().cookie_store(true).no_proxy().build().expect("a client");
        Self { base: base.to_owned(), http, token: None, user: Value::Null }
    }

    /// Registers a new organization; answers its OWNER's client.
    pub async fn register(mut self, organization: &str) -> Self {
        let body = json!({
            "name": format!("Owner of {organization}"),
            "email": format!("owner@{organization}.example"),
            "password": PASSWORD,
            "orgName": organization,
        });
        let reply = self.post("/api/auth/register", body).await;
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        self.adopt(&reply);
        self
    }

    /// Signs in; answers the client of that user, with a cookie jar of its own.
    pub async fn sign_in(&self, email: &str) -> Self {
        let mut client = Self::of(&self.base);
        let reply = client.post("/api/auth/login", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        client.adopt(&reply);
        client
    }

    /// Trades the refresh cookie for a new access token.
    pub async fn refresh(&mut self) {
        let reply = self.call("POST", "/api/auth/refresh-token").await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        self.adopt(&reply);
    }

    /// Takes the token and the user of an answer.
    pub fn adopt(&mut self, reply: &Reply) {
        self.token = reply.body["accessToken"].as_str().map(str::to_owned);
        self.user = reply.body["user"].clone();
    }

    /// The id of the user.
    pub fn id(&self) -> &str {
        self.user["id"].as_str().expect("a client that is signed in")
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("a client that is signed in")
    }

    /// Adds a user of this role to the client's organization; answers their client.
    pub async fn add_user(&self, role: &str, email: &str) -> Self {
        let body =
            json!({"name": format!("{role} {email}"), "email": email, "password": PASSWORD, "role": role});
        let reply = self.post("/api/users", body).await;
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        self.sign_in(email).await
    }

    /// A request with the client's token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        Reply { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    /// Sends a request without a body.
    pub async fn call(&self, method: &str, path: &str) -> Reply {
        self.send(self.request(method.parse().expect("a method"), path)).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).await
    }

    /// POST with a body.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// PUT with a body.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).await
    }

    /// Creates a record; answers it.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        let reply = self.post(path, body).await;
        assert_eq!(reply.status, 201, "{path}: {:?}", reply.body);
        reply.body
    }

    /// Every record of a list, walked page by page. `path` may have a query.
    pub async fn walk(&self, path: &str) -> Vec<Value> {
        let mut path = path.to_owned();
        let mut records = Vec::new();
        loop {
            let reply = self.get(&path).await;
            assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
            records.extend(reply.body.as_array().expect("a list").iter().cloned());
            match next_page(&reply) {
                Some(next) => path = next,
                None => return records,
            }
        }
    }

    /// Uploads a file to import; answers the import as it was accepted.
    pub async fn upload(&self, kind: &str, options: &Value, file: Vec<u8>) -> Reply {
        let file = multipart::Part::bytes(file).file_name("file.csv").mime_str("text/csv").expect("a type");
        let form = multipart::Form::new().text("options", options.to_string()).part("file", file);
        self.send(self.request(Method::POST, &format!("/api/{kind}/import")).multipart(form)).await
    }

    /// Imports a file and waits for the end; answers the finished import.
    pub async fn import(&self, kind: &str, options: &Value, file: Vec<u8>) -> Value {
        let reply = self.upload(kind, options, file).await;
        assert_eq!(reply.status, 202, "{:?}", reply.body);
        self.finished_import(reply.body["id"].as_str().expect("an id")).await
    }

    /// Waits until an import has finished; answers it.
    pub async fn finished_import(&self, id: &str) -> Value {
        for _ in 0..3_000 {
            let import = self.get(&format!("/api/imports/{id}")).await.body;
            if ["DONE", "FAILED", "UNDONE"].contains(&import["state"].as_str().unwrap_or_default()) {
                return import;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the import {id} did not finish within a minute");
    }
}

impl Reply {
    /// The fields that a problem names.
    pub fn bad_fields(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["field"].as_str()).collect()
    }

    /// A header's text; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// The cents of an amount of dollars, exactly.
pub fn cents(amount: &Value) -> i64 {
    let text = amount.as_number().unwrap_or_else(|| panic!("{amount} is no number")).to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}{fraction:0<2}").parse().unwrap_or_else(|_| panic!("{amount} is no amount of dollars"))
}

/// Where the `Link` of an answer leads.
pub fn next_page(reply: &Reply) -> Option<String> {
    let link = reply.headers.get("link")?.to_str().ok()?;
    let (target, relation) = link.split_once(';')?;
    assert_eq!(relation.trim(), "rel=\"next\"");
    Some(target.trim_start_matches('<').trim_end_matches('>').to_owned())
}
