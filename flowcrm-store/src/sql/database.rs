use std::str::FromStr;
use std::time::Duration;

use flowcrm_core::ids::OrgId;
use flowcrm_core::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::{Transaction, failure};

/// How long a command waits for a connection, or for another process that writes to the same SQLite file.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    Sqlite,
}

/// Whom a transaction runs as on Postgres; SQLite knows no roles.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RunAs {
    /// The role that sees one organization.
    Organization(OrgId),
    /// The role that sees what belongs to none.
    System,
}

/// The connections to a database.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    Postgres(PgPool),
    /// One connection writes, so writers queue here rather than fail; the others read beside it.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
}

impl Database {
    /// Connects by the scheme of `url`; a SQLite file is created.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("postgres" | "postgresql") => Self::connect_postgres(url).await,
            Some("sqlite") => Self::connect_sqlite(url).await,
            _ => Err(Error::field("DATABASE_URL", "must begin with sqlite:, postgres:// or postgresql://")),
        }
    }

    async fn connect_postgres(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url).map_err(bad_url)?;
        let pool =
            PgPoolOptions::new().max_connections(20).acquire_timeout(PATIENCE).connect_with(options).await;
        pool.map(Self::Postgres).map_err(failure)
    }

    async fn connect_sqlite(url: &str) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(bad_url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(PATIENCE);
        // Every connection to `:memory:` is a database of its own: one must do for all.
        let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
        let one = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None);
        let writer = one.connect_with(options.clone()).await.map_err(failure)?;
        let readers = if is_in_memory {
            writer.clone()
        } else {
            let many = SqlitePoolOptions::new().max_connections(4).acquire_timeout(PATIENCE);
            many.connect_with(options).await.map_err(failure)?
        };
        Ok(Self::Sqlite { writer, readers })
    }

    /// Begins a transaction. On Postgres the role and the organization are set in the round trip of BEGIN.
    pub(crate) async fn begin(&self, run_as: Option<RunAs>, writes: bool) -> Result<Transaction> {
        match self {
            Self::Postgres(pool) => {
                let begin = if writes { "BEGIN" } else { "BEGIN READ ONLY" };
                let text = format!("{begin}; {}", run_as.map(set_role).unwrap_or_default());
                pool.begin_with(AssertSqlSafe(text).into_sql_str()).await.map(Transaction::Postgres)
            }
            Self::Sqlite { writer, .. } if writes => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Transaction::Sqlite)
            }
            Self::Sqlite { readers, .. } => readers.begin_with("BEGIN").await.map(Transaction::Sqlite),
        }
        .map_err(failure)
    }

    /// Gathers statistics for the query planner.
    #[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
    pub(crate) async fn analyze(&self) -> Result<()> {
        match self {
            Self::Postgres(pool) => sqlx::raw_sql("ANALYZE").execute(pool).await.map(|_| ()),
            Self::Sqlite { writer, .. } => sqlx::raw_sql("ANALYZE").execute(writer).await.map(|_| ()),
        }
        .map_err(failure)
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Postgres(pool) => pool.close().await,
            Self::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

/// The statements that take a role within a transaction. The id is a parsed UUID: digits and hyphens.
pub(crate) fn set_role(run_as: RunAs) -> String {
    match run_as {
        RunAs::Organization(org) => {
            format!("SET LOCAL ROLE flowcrm_app; SELECT set_config('flowcrm.org_id', '{org}', true)")
        }
        RunAs::System => "SET LOCAL ROLE flowcrm_system".to_owned(),
    }
}

fn bad_url(error: sqlx::Error) -> Error {
    // The URL may carry a password: neither it nor the driver's words are shown.
    drop(error);
    Error::field("DATABASE_URL", "is not an address of a SQLite file or a Postgres database")
}
