//! How sessions go on, and how they end.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{PASSWORD, TestServer};
use super::{audited, events};

/// A client that shows its cookies, as no browser would.
struct Bare {
    http: reqwest::Client,
    base: String,
}

impl Bare {
    fn of(server: &TestServer) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { http, base: server.base.clone() }
    }

    /// POSTs with a refresh token; answers status, body, and the refresh token that is set.
    async fn post(
        &self,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> (u16, Value, Option<String>) {
        let mut request = self.http.post(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("cookie", format!("refreshToken={token}"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        let cookie =
            response.headers().get("set-cookie").map(|cookie| cookie.to_str().expect("text").to_owned());
        let token = cookie.and_then(|cookie| {
            let (pair, attributes) = cookie.split_once(';')?;
            assert!(
                ["HttpOnly", "SameSite=Strict", "Path=/"]
                    .iter()
                    .all(|attribute| attributes.contains(attribute)),
                "{cookie}"
            );
            Some(pair.strip_prefix("refreshToken=")?.to_owned())
        });
        (response.status().as_u16(), response.json().await.expect("a body"), token)
    }

    async fn sign_in(&self, email: &str) -> (Value, String) {
        let body = json!({"email": email, "password": PASSWORD});
        let (status, body, token) = self.post("/api/auth/login", None, Some(body)).await;
        assert_eq!(status, 200, "{body}");
        (body, token.expect("a cookie"))
    }

    /// Refreshes; answers the access token and the next refresh token, or the status of the refusal.
    async fn refresh(&self, token: &str) -> Result<(String, String), u16> {
        match self.post("/api/auth/refresh-token", Some(token), None).await {
            (200, body, Some(next)) => Ok((body["accessToken"].as_str().expect("a token").to_owned(), next)),
            (status, body, token) => {
                assert_ne!(status, 200, "{body} {token:?}");
                Err(status)
            }
        }
    }

    async fn me(&self, access_token: &str) -> u16 {
        let request = self.http.get(format!("{}/api/auth/me", self.base)).bearer_auth(access_token);
        request.send().await.expect("an answer").status().as_u16()
    }
}

#[tokio::test]
async fn refreshing_rotates_and_a_copied_token_ends_the_session() {
    for (server, clock) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        let owner = server.register("rotation").await;
        let bare = Bare::of(&server);
        let (signed_in, first) = bare.sign_in("owner@rotation.example").await;
        let access = signed_in["accessToken"].as_str().expect("a token").to_owned();
        assert_eq!(bare.me(&access).await, 200);
        clock.advance(chrono::Duration::minutes(15));
        assert_eq!(bare.me(&access).await, 401, "an access token is good for 15 minutes");

        let replies = futures_util::future::join_all((0..6).map(|_| bare.refresh(&first))).await;
        let successors: BTreeSet<_> =
            replies.iter().map(|reply| reply.as_ref().expect("a refresh").1.clone()).collect();
        assert_eq!(successors.len(), 1, "refreshes side by side agree");
        let second = successors.into_iter().next().expect("a token");
        assert_ne!(second, first);
        let access = replies[0].as_ref().expect("a refresh").0.clone();
        assert_eq!(bare.me(&access).await, 200);

        let third = bare.refresh(&second).await.expect("a refresh").1;
        clock.advance(chrono::Duration::seconds(29));
        assert_eq!(bare.refresh(&first).await.expect("still good").1, second, "an answer may be late");
        clock.advance(chrono::Duration::seconds(2));
        assert_eq!(bare.refresh(&first).await, Err(401), "a token whose successor is in use has been copied");
        assert_eq!(bare.refresh(&third).await, Err(401), "the whole session ends");
        assert_eq!(bare.me(&access).await, 401, "and its access tokens with it");

        let admin = owner.sign_in("owner@rotation.example").await;
        let reused = audited(&admin, "user:token_reuse_detected").await;
        assert_eq!((reused.len(), &reused[0]["entityId"]), (1, &admin.user["id"]));
        assert!(events(&admin, 0).await.iter().all(|event| event["type"] != "user:token_reuse_detected"));
        let (status, ..) = bare.post("/api/auth/refresh-token", Some("nonsense"), None).await;
        assert_eq!((status, bare.post("/api/auth/refresh-token", None, None).await.0), (401, 401));
    }
}

#[tokio::test]
async fn a_session_ends_by_rest_by_age_and_by_signing_out() {
    for (server, clock) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        server.register("ends").await;
        let bare = Bare::of(&server);
        let (_, idle) = bare.sign_in("owner@ends.example").await;
        let (_, mut busy) = bare.sign_in("owner@ends.example").await;
        for days in [6, 6, 6, 6, 5] {
            clock.advance(chrono::Duration::days(days));
            busy = bare.refresh(&busy).await.expect("a session in use").1;
        }
        assert_eq!(bare.refresh(&idle).await, Err(401), "7 days of rest end a session");
        clock.advance(chrono::Duration::hours(23));
        let (access, busy) = bare.refresh(&busy).await.expect("not yet 30 days old");
        clock.advance(chrono::Duration::hours(1));
        assert_eq!(bare.refresh(&busy).await, Err(401), "30 days end a session, however busy");
        assert_eq!(bare.me(&access).await, 401);

        let (signed_in, token) = bare.sign_in("owner@ends.example").await;
        let access = signed_in["accessToken"].as_str().expect("a token");
        let (status, body, cleared) = bare.post("/api/auth/logout", Some(&token), None).await;
        assert_eq!((status, body["message"].is_string(), cleared.as_deref()), (200, true, Some("")));
        assert_eq!(bare.me(access).await, 401, "signing out holds at once");
        assert_eq!(bare.refresh(&token).await, Err(401));
    }
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("password").await;
        let other = owner.sign_in("owner@password.example").await;
        let wrong = owner
            .put("/api/auth/me", json!({"currentPassword": "wrong", "newPassword": "a new one of mine"}))
            .await;
        assert_eq!((wrong.status, wrong.bad_fields()), (400, vec!["currentPassword"]));
        assert_eq!(other.get("/api/auth/me").await.status, 200);
        let body = json!({"currentPassword": PASSWORD, "newPassword": "a new one of mine"});
        assert_eq!(owner.put("/api/auth/me", body).await.status, 200);
        assert_eq!(
            (owner.get("/api/auth/me").await.status, other.get("/api/auth/me").await.status),
            (200, 401)
        );
        let old = json!({"email": "owner@password.example", "password": PASSWORD});
        assert_eq!(server.client().post("/api/auth/login", old).await.status, 401);
        let new = json!({"email": "OWNER@password.example ", "password": "a new one of mine"});
        assert_eq!(
            server.client().post("/api/auth/login", new).await.status,
            200,
            "emails compare without case"
        );
    }
}
