//! How the store gets along with its database: limits, locks, privacy and what is deleted in time.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::disallowed_methods, reason = "a test looks into its own database")]

mod support;

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use flowcrm_core::auth::{Register, SignedIn};
use flowcrm_core::env::{Env, FixedClock};
use flowcrm_core::events::LoggedEvent;
use flowcrm_core::input::Body;
use flowcrm_core::leads::Lead;
use flowcrm_core::{Caller, Crm, ErrorCode, Origin};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use support::TestDatabase;

async fn register(crm: &Crm) -> SignedIn {
    let register = Register {
        name: "Ada Byron".to_owned(),
        email: "ada@example.com".parse().unwrap(),
        password: "correct horse".into(),
        org_name: "Engines".to_owned(),
    };
    crm.register(register, &Origin::default()).await.unwrap()
}

async fn owner(crm: &Crm) -> Caller {
    crm.authenticate(register(crm).await.access_token.as_str()).unwrap()
}

fn body(value: Value) -> Body {
    Body::try_from(value).unwrap()
}

async fn lead(caller: &Caller, name: &str) -> Lead {
    caller.leads().create(body(json!({"name": name}))).await.unwrap()
}

/// A number that the database tells about itself.
async fn number(database: &TestDatabase, query: &'static str) -> i64 {
    if database.engine == "postgres" {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
    } else {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
    }
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_a_sqlite_file() {
    use std::os::unix::fs::PermissionsExt as _;

    let database = TestDatabase::sqlite();
    let crm = database.crm().await;
    owner(&crm).await;
    let file = database.url.strip_prefix("sqlite:").unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let mode = std::fs::metadata(format!("{file}{suffix}")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "crm.db{suffix}");
    }
}

#[tokio::test]
async fn finding_an_account_waits_for_no_writer() {
    let database = TestDatabase::sqlite();
    let crm = database.crm().await;
    let caller = owner(&crm).await;
    let mut writer = SqliteConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut writer).await.unwrap();
    let began = Instant::now();
    crm.as_user_with_email("ada@example.com").await.unwrap();
    crm.as_user(caller.user_id()).await.unwrap();
    assert!(!flowcrm_core::demo::is_present(&crm).await.unwrap());
    assert_eq!(crm.run_waiting_imports().await.unwrap(), 0);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn answers_and_unknown_sign_ins_go_when_they_have_been_kept_long_enough() {
    for database in TestDatabase::on_each_engine().await {
        let clock = FixedClock::at("2020-02-01".parse().unwrap());
        let crm = database.crm_in(Env::seeded(clock.clone(), 1)).await;
        let caller = owner(&crm).await;
        let unknown = body(json!({"email": "nobody@example.com", "password": "correct horse"}));
        assert!(crm.sign_in(unknown, &Origin::default()).await.is_err());
        let keyed = caller.clone().with_idempotency_key("once").unwrap();
        let first = lead(&keyed, "Engine").await;
        let kept = async || {
            let answers = number(&database, "SELECT COUNT(*) FROM answers").await;
            (answers, number(&database, "SELECT COUNT(*) FROM sign_in_log").await)
        };
        let now = crm.env().now();

        clock.set(now.plus(TimeDelta::hours(24)));
        assert_eq!((crm.clean_up().await.unwrap(), kept().await), (0, (1, 1)), "{}", database.engine);
        assert_eq!(lead(&keyed, "Engine").await.id, first.id);
        clock.set(now.plus(TimeDelta::hours(25)));
        assert_eq!((crm.clean_up().await.unwrap(), kept().await), (1, (0, 1)), "{}", database.engine);
        assert_ne!(lead(&keyed, "Engine").await.id, first.id);
        clock.set(now.plus(TimeDelta::days(31)));
        assert_eq!((crm.clean_up().await.unwrap(), kept().await), (2, (0, 0)), "{}", database.engine);
    }
}

#[tokio::test]
async fn a_page_of_events_ends_before_it_is_too_large() {
    for database in TestDatabase::on_each_engine().await {
        let crm = database.crm().await;
        let caller = owner(&crm).await;
        let notes = "\u{1f6f0}".repeat(10_000);
        for number in 0..130 {
            let new = body(json!({"name": format!("Lead {number}"), "notes": notes}));
            caller.leads().create(new).await.unwrap();
        }
        let read = async |after: i64, limit: i64| -> Vec<LoggedEvent> {
            let query = body(json!({"after": after.to_string(), "limit": limit.to_string()}));
            caller.events().list(query).await.unwrap()
        };
        let read_all = async |limit: i64| {
            let (mut all, mut pages) = (Vec::new(), 0);
            loop {
                let page = read(all.last().copied().unwrap_or(0), limit).await;
                let bytes: usize = page.iter().map(|event| event.payload.to_string().len()).sum();
                assert!(bytes <= 4 * 1024 * 1024, "{}: {bytes} bytes", database.engine);
                if page.is_empty() {
                    return (all, pages);
                }
                all.extend(page.iter().map(|event| event.position));
                pages += 1;
            }
        };
        let (all, pages) = read_all(1_000).await;
        assert_eq!((pages, all.len() > 130), (2, true), "{}", database.engine);
        assert_eq!(read_all(7).await.0, all, "no event is passed over");
        assert_eq!(read(0, 1).await.len(), 1);
    }
}

#[tokio::test]
async fn the_system_role_sees_no_secrets_of_organizations() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let crm = database.crm().await;
    let caller = owner(&crm).await;
    lead(&caller.clone().with_idempotency_key("once").unwrap(), "Engine").await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    for (statement, is_allowed) in [
        ("SELECT id, org_id, user_id FROM sessions", true),
        ("SELECT token_hash FROM sessions", false),
        ("SELECT ip FROM sessions", false),
        ("UPDATE sessions SET revoked_at = NULL", false),
        ("DELETE FROM sessions", false),
        ("SELECT email_key, org_id, user_id FROM accounts", true),
        ("DELETE FROM accounts", false),
        ("SELECT key, created_at FROM answers", true),
        ("SELECT answer FROM answers", false),
        ("SELECT password_hash FROM users", false),
        ("SELECT name FROM leads", false),
    ] {
        let text = AssertSqlSafe(format!("BEGIN; SET LOCAL ROLE flowcrm_system; {statement}"));
        let error = sqlx::raw_sql(text).execute(&mut connection).await.err();
        let code = error.as_ref().and_then(|error| error.as_database_error()?.code());
        assert_eq!(code.as_deref(), (!is_allowed).then_some("42501"), "{statement}: {error:?}");
        sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
    }
    // An answer that is kept still can neither be seen nor deleted.
    let text = "BEGIN; SET LOCAL ROLE flowcrm_system; DELETE FROM answers WHERE key = 'once'; COMMIT";
    sqlx::raw_sql(text).execute(&mut connection).await.unwrap();
    assert_eq!(number(&database, "SELECT COUNT(*) FROM answers").await, 1);
}

#[tokio::test]
async fn a_command_does_not_wait_for_a_lock_for_ever() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let crm = database.crm().await;
    let caller = owner(&crm).await;
    let lead = lead(&caller, "Engine").await;
    let mut other = PgConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT 1 FROM leads FOR UPDATE").execute(&mut other).await.unwrap();
    let change = || body(json!({"name": "Machine"}));
    let refused = caller.leads().update(lead.id, change(), None).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unavailable);
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    caller.leads().update(lead.id, change(), None).await.unwrap();
}

#[tokio::test]
async fn a_command_that_records_nothing_leaves_the_organization_as_it_is() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let crm = database.crm().await;
    let signed_in = register(&crm).await;
    let caller = crm.authenticate(signed_in.access_token.as_str()).unwrap();
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let mut place = async || -> String {
        let query = sqlx::query_scalar("SELECT ctid::text FROM organizations");
        query.fetch_one(&mut connection).await.unwrap()
    };
    let before = place().await;
    let refreshed = crm.refresh(&signed_in.refresh_token.to_text(), &Origin::default()).await.unwrap();
    assert_eq!(place().await, before);
    lead(&caller, "Engine").await;
    assert_ne!(place().await, before);

    // A currency that changes at the same moment is seen all the same.
    let mut other = PgConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("BEGIN; UPDATE organizations SET currency = 'EUR'").execute(&mut other).await.unwrap();
    let again = crm.clone();
    let refreshing = tokio::spawn(async move {
        again.refresh(&refreshed.refresh_token.to_text(), &Origin::default()).await.map(|_| ())
    });
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while number(&database, waiting).await == 0 {
        assert!(!refreshing.is_finished(), "it did not wait");
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    assert_eq!(refreshing.await.unwrap().map_err(|error| error.code()), Err(ErrorCode::Conflict));
}
