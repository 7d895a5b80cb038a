//! Signing in, refreshing and signing out, on each engine.

mod support;

use chrono::Duration;
use flowcrm_core::audit::AuditQuery;
use flowcrm_core::auth::{Password, Register, SignIn, SignedIn, UpdateMe};
use flowcrm_core::caller::Caller;
use flowcrm_core::env::{Env, FixedClock};
use flowcrm_core::{Crm, ErrorCode, Origin, Result};
use support::TestDatabase;

const EMAIL: &str = "ada@example.com";

struct Scene {
    crm: Crm,
    clock: FixedClock,
    origin: Origin,
}

impl Scene {
    async fn on(database: &TestDatabase) -> Self {
        let clock = FixedClock::at("2026-03-18T12:00:00Z".parse().expect("a moment"));
        let crm = database.crm_in(Env::seeded(clock.clone(), 1)).await;
        let origin = Origin {
            ip: Some("192.0.2.1".parse().expect("an address")),
            user_agent: Some("Browser".to_owned()),
        };
        Self { crm, clock, origin }
    }

    async fn register(&self) -> SignedIn {
        let register = Register {
            name: "Ada".to_owned(),
            email: EMAIL.parse().expect("an email"),
            password: Password::from("password"),
            org_name: "Engines".to_owned(),
        };
        self.crm.register(register, &self.origin).await.expect("an owner")
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<SignedIn> {
        let sign_in = SignIn {
            email: email.parse().expect("an email"),
            password: Password::from(password),
            two_factor_token: None,
        };
        self.crm.sign_in(sign_in, &self.origin).await
    }

    async fn refresh(&self, token: &str) -> Result<SignedIn> {
        self.crm.refresh(token, &self.origin).await
    }

    fn caller(&self, signed_in: &SignedIn) -> Caller {
        self.crm.authenticate(signed_in.access_token.as_str()).expect("a caller")
    }

    /// What the audit log says was done, the newest first.
    async fn audit(&self) -> Vec<(String, serde_json::Value)> {
        let caller = self.crm.as_user_with_email(EMAIL).await.expect("a caller");
        let page = caller.audit().list(AuditQuery::default()).await.expect("the audit log");
        page.items.into_iter().map(|entry| (entry.action, entry.details)).collect()
    }

    async fn audited(&self, action: &str) -> Vec<serde_json::Value> {
        let entries = self.audit().await.into_iter();
        entries.filter(|(name, _)| name == action).map(|(_, details)| details).collect()
    }
}

fn code<T>(result: Result<T>) -> ErrorCode {
    result.err().expect("an error").code()
}

#[tokio::test]
async fn a_registered_owner_signs_in_and_failures_are_alike() {
    for database in TestDatabase::on_each_engine().await {
        let scene = Scene::on(&database).await;
        let owner = scene.register().await;
        assert_eq!(scene.caller(&owner).account().get().await.unwrap(), owner.user);
        assert_eq!(scene.sign_in("ADA@example.com", "password").await.unwrap().user.id, owner.user.id);

        let wrong = scene.sign_in(EMAIL, "passwords").await.unwrap_err();
        let unknown = scene.sign_in("eve@example.com", "password").await.unwrap_err();
        assert_eq!((wrong.code(), wrong.detail()), (unknown.code(), unknown.detail()));
        assert_eq!(wrong.code(), ErrorCode::SignInFailed);
        let somewhere = serde_json::json!({"ip": "192.0.2.1", "userAgent": "Browser"});
        assert_eq!(scene.audited("user:login_failed").await, std::slice::from_ref(&somewhere));
        assert_eq!(scene.audited("user:login").await, [somewhere.clone(), somewhere]);

        let taken = Register {
            name: "Eve".to_owned(),
            email: "Ada@Example.com".parse().unwrap(),
            password: Password::from("password"),
            org_name: "Other".to_owned(),
        };
        let error = scene.crm.register(taken, &scene.origin).await.unwrap_err();
        assert_eq!(error.fields()[0].field, "email");
    }
}

#[tokio::test]
async fn refreshing_rotates_the_token_and_a_copy_ends_the_session() {
    for database in TestDatabase::on_each_engine().await {
        let scene = Scene::on(&database).await;
        let first = scene.register().await;
        let token = first.refresh_token.to_text();
        let (one, other) = tokio::join!(scene.refresh(&token), scene.refresh(&token));
        let second = one.unwrap().refresh_token.to_text();
        assert_eq!(other.unwrap().refresh_token.to_text(), second);
        let third = scene.refresh(&second).await.unwrap();
        scene.clock.advance(Duration::seconds(29));
        assert_eq!(scene.refresh(&token).await.unwrap().refresh_token.to_text(), second);

        let mut forged = token.clone();
        forged.replace_range(40..50, "AAAAAAAAAA");
        assert_eq!(code(scene.refresh(&forged).await), ErrorCode::SessionEnded);
        assert!(scene.caller(&third).account().get().await.is_ok());

        scene.clock.advance(Duration::seconds(1));
        assert_eq!(code(scene.refresh(&token).await), ErrorCode::SessionEnded);
        assert_eq!(scene.audited("user:token_reuse_detected").await.len(), 1);
        assert_eq!(code(scene.caller(&third).account().get().await), ErrorCode::Unauthenticated);
        assert_eq!(code(scene.refresh(&third.refresh_token.to_text()).await), ErrorCode::SessionEnded);
        assert_eq!(scene.audited("user:token_reuse_detected").await.len(), 1);
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    for database in TestDatabase::on_each_engine().await {
        let scene = Scene::on(&database).await;
        let here = scene.register().await;
        let there = scene.sign_in(EMAIL, "password").await.unwrap();
        scene.clock.advance(Duration::seconds(90));
        let token = here.refresh_token.to_text();
        scene.crm.sign_out(Some(&token), Some(&scene.caller(&here)), &Origin::default()).await.unwrap();
        assert_eq!(scene.audited("user:logout").await, [serde_json::json!({"sessionSeconds": 90})]);
        assert_eq!(code(scene.refresh(&token).await), ErrorCode::SessionEnded);

        let (ended, there) = (scene.caller(&here).session_id().unwrap(), scene.caller(&there));
        let sessions = there.account().sessions().await.unwrap();
        assert_eq!(sessions.iter().map(|session| session.current).collect::<Vec<_>>(), [true]);
        assert_eq!(code(there.account().end_session(ended).await), ErrorCode::NotFound);
        there.account().end_session(sessions[0].id).await.unwrap();
        assert_eq!(code(there.account().sessions().await), ErrorCode::Unauthenticated);
        scene.crm.sign_out(Some("nothing"), None, &Origin::default()).await.unwrap();
    }
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    for database in TestDatabase::on_each_engine().await {
        let scene = Scene::on(&database).await;
        let here = scene.register().await;
        let there = scene.sign_in(EMAIL, "password").await.unwrap();
        let change = |current: &str| UpdateMe {
            name: Some("Ada Byron".to_owned()),
            current_password: Some(current.into()),
            new_password: Some("correct horse".into()),
        };
        let caller = scene.caller(&here);
        let error = caller.account().update(change("guess"), None).await.unwrap_err();
        assert_eq!(
            (error.code(), &*error.fields()[0].field),
            (ErrorCode::WrongCredential, "currentPassword")
        );
        assert_eq!(caller.account().get().await.unwrap().name, "Ada");

        let user = caller.account().update(change("password"), None).await.unwrap();
        assert_eq!((&*user.name, user.version), ("Ada Byron", here.user.version + 1));
        assert!(caller.account().get().await.is_ok());
        assert_eq!(code(scene.caller(&there).account().get().await), ErrorCode::Unauthenticated);
        assert_eq!(code(scene.sign_in(EMAIL, "password").await), ErrorCode::SignInFailed);
        assert!(scene.sign_in(EMAIL, "correct horse").await.is_ok());
        assert_eq!(scene.audited("user:password_changed").await, [serde_json::json!({})]);
        assert_eq!(scene.audited("user:sessions_revoked").await, [serde_json::json!({"count": 1})]);

        scene.crm.set_password(EMAIL, "another horse").await.unwrap();
        assert_eq!(code(caller.account().get().await), ErrorCode::Unauthenticated);
        assert!(scene.sign_in(EMAIL, "another horse").await.is_ok());
        scene.crm.set_operator(EMAIL, true).await.unwrap();
        assert_eq!(code(scene.crm.set_operator("eve@example.com", true).await), ErrorCode::NotFound);
    }
}
