//! Databases for tests: a SQLite file of its own, and a database of its own on the Postgres server that
//! `FLOWCRM_TEST_POSTGRES` names.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::sync::atomic::{AtomicU32, Ordering};

use flowcrm_core::Crm;
use flowcrm_core::env::Env;
use flowcrm_store::Opening;
use sqlx::{AssertSqlSafe, Connection as _};
use tempfile::TempDir;

/// A secret for tests.
pub const SECRET: &[u8] = b"a secret for tests, at least 32 bytes long";

/// A database of a test's own. A SQLite file goes with it; a Postgres database goes with its server.
#[derive(Debug)]
pub struct TestDatabase {
    /// `sqlite` or `postgres`.
    pub engine: &'static str,
    /// Where it is.
    pub url: String,
    folder: Option<TempDir>,
}

impl TestDatabase {
    /// A new SQLite file.
    pub fn sqlite() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("crm.db").display());
        Self { engine: "sqlite", url, folder: Some(folder) }
    }

    /// A new database on the Postgres server, if there is one.
    pub async fn postgres() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var("FLOWCRM_TEST_POSTGRES") else {
            eprintln!("SKIPPED on Postgres: FLOWCRM_TEST_POSTGRES is not set; `make test` sets it");
            return None;
        };
        let name = format!("flowcrm_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection =
            sqlx::PgConnection::connect(&server).await.expect("the Postgres server of the tests");
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        #[expect(clippy::disallowed_methods, reason = "a test makes its own database")]
        sqlx::raw_sql(create).execute(&mut connection).await.expect("a new database");
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        Some(Self { engine: "postgres", url: format!("{base}/{name}"), folder: None })
    }

    /// One on each engine that is at hand.
    pub async fn on_each_engine() -> Vec<Self> {
        let mut databases = vec![Self::sqlite()];
        databases.extend(Self::postgres().await);
        databases
    }

    /// Opens a CRM in it, with the machine's clock.
    pub async fn crm(&self) -> Crm {
        self.crm_in(Env::system()).await
    }

    /// Opens a CRM in it.
    pub async fn crm_in(&self, env: Env) -> Crm {
        self.opening().env(env).open().await.expect("a CRM")
    }

    /// How it is opened: migrated, with the secret of the tests.
    pub fn opening(&self) -> Opening {
        Opening::of(&self.url).secret(Some(SECRET.to_vec())).migrating(true)
    }
}

/// Runs a statement behind the back of the CRM; answers how many rows it changed.
pub async fn run_sql(database: &TestDatabase, statement: &'static str) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a test looks behind the curtain")]
    let changed = if database.engine == "sqlite" {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.expect("a connection");
        sqlx::query(statement).execute(&mut connection).await.map(|done| done.rows_affected())
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.expect("a connection");
        sqlx::query(statement).execute(&mut connection).await.map(|done| done.rows_affected())
    };
    changed.expect("a statement that runs")
}

/// How many rows a table has.
pub async fn count_rows(database: &TestDatabase, table: &str) -> i64 {
    let text = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table}"));
    #[expect(clippy::disallowed_methods, reason = "a test looks behind the curtain")]
    let count = if database.engine == "sqlite" {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.expect("a connection");
        sqlx::query_scalar(text).fetch_one(&mut connection).await
    } else {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.expect("a connection");
        sqlx::query_scalar(text).fetch_one(&mut connection).await
    };
    count.expect("a count")
}
