use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use flowcrm_core::ids::OrgId;
use flowcrm_core::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqlSafeStr};

use super::transaction::Reading;
use super::{Transaction, failure};

/// How long a command waits for a connection, or for another process that writes to the same SQLite file.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long after its last use a connection to Postgres is taken to be there still: to ask costs a round trip.
const TRUSTED: Duration = Duration::from_secs(1);

/// How much of a SQLite file the connection that writes keeps in memory, in KiB below zero: the system keeps the rest.
const WRITER_CACHE: &str = "-4096";

/// After so many pages in its log SQLite writes them to the file: 32 MiB, so that a page is not written again and again
/// while many records come in.
const PAGES_IN_LOG: &str = "8192";

/// What Postgres ends by itself: waits for a lock that another command holds, statements that take far longer than any
/// should, and transactions of a program that has gone without a word.
const LIMITS: [(&str, &str); 3] =
    [("lock_timeout", "5s"), ("statement_timeout", "30s"), ("idle_in_transaction_session_timeout", "30s")];

/// The same, lifted until the transaction ends.
pub(super) const NO_LIMITS: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0";

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
        let options =
            PgConnectOptions::from_str(url).map_err(bad_url)?.options(LIMITS).disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(20)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .before_acquire(|connection, known| {
                Box::pin(async move { Ok(known.idle_for < TRUSTED || connection.ping().await.is_ok()) })
            })
            .connect_with(options)
            .await;
        pool.map(Self::Postgres).map_err(failure)
    }

    async fn connect_sqlite(url: &str) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url).map_err(bad_url)?;
        // Every connection to `:memory:` is a database of its own: one must do for all.
        let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
        Self::open_sqlite(options, is_in_memory).await
    }

    /// Opens a SQLite file by its path, which no URL needs to spell.
    pub(crate) async fn connect_file(file: &Path) -> Result<Self> {
        Self::open_sqlite(SqliteConnectOptions::new().filename(file), false).await
    }

    async fn open_sqlite(options: SqliteConnectOptions, is_in_memory: bool) -> Result<Self> {
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            // A slow statement about many rows would fill the log with placeholders.
            .disable_statement_logging();
        if !is_in_memory {
            make_private(options.get_filename())?;
        }
        // No network lies between that could have cut a connection.
        let one = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        let one = if is_in_memory { ending_what_was_read(one) } else { one };
        let writing = options
            .clone()
            .pragma("cache_size", WRITER_CACHE)
            .pragma("temp_store", "MEMORY")
            .pragma("wal_autocheckpoint", PAGES_IN_LOG);
        let writer = one.connect_with(writing).await.map_err(failure)?;
        let readers = if is_in_memory {
            writer.clone()
        } else {
            let many = SqlitePoolOptions::new()
                .max_connections(4)
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false);
            let many = ending_what_was_read(many);
            many.connect_with(options).await.map_err(failure)?
        };
        Ok(Self::Sqlite { writer, readers })
    }

    /// Begins a transaction. On Postgres the role and the organization are set in the round trip of BEGIN.
    pub(crate) async fn begin(&self, run_as: Option<RunAs>, writes: bool) -> Result<Transaction> {
        match self {
            Self::Postgres(pool) => {
                let begin = if writes { "BEGIN" } else { "BEGIN READ ONLY" };
                begin_postgres(pool, begin, run_as).await
            }
            Self::Sqlite { writer, .. } if writes => {
                writer.begin_with("BEGIN IMMEDIATE").await.map(Transaction::Sqlite).map_err(failure)
            }
            Self::Sqlite { readers, .. } => {
                let connection = readers.acquire().await.map_err(failure)?;
                Ok(Transaction::Reading(Reading::on(connection)))
            }
        }
    }

    /// Begins a transaction that sees the database as it is at one moment, whatever is written meanwhile.
    pub(crate) async fn begin_snapshot(&self, run_as: Option<RunAs>) -> Result<Transaction> {
        match self {
            Self::Postgres(pool) => {
                begin_postgres(pool, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", run_as).await
            }
            Self::Sqlite { .. } => self.begin(run_as, false).await,
        }
    }

    /// Lifts the time limits of a connection.
    #[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
    pub(crate) async fn lift_limits(connection: &mut PgConnection) -> Result<()> {
        let text = AssertSqlSafe(NO_LIMITS.replace("SET LOCAL", "SET"));
        sqlx::raw_sql(text).execute(connection).await.map(|_| ()).map_err(failure)
    }

    /// Gathers statistics for the query planner.
    #[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
    pub(crate) async fn analyze(&self) -> Result<()> {
        match self {
            Self::Postgres(pool) => {
                // Statements that are sent together are one transaction, which ends with them, also when one fails.
                let text = AssertSqlSafe(format!("{NO_LIMITS}; ANALYZE"));
                sqlx::raw_sql(text).execute(pool).await.map(|_| ())
            }
            Self::Sqlite { writer, .. } => sqlx::raw_sql("ANALYZE").execute(writer).await.map(|_| ()),
        }
        .map_err(failure)
    }

    /// Lets Postgres gather statistics. SQLite plans without, but finds pages faster in its file than in a long log.
    #[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
    pub(crate) async fn settle(&self) -> Result<()> {
        match self {
            Self::Postgres(_) => self.analyze().await,
            // What readers and writers of this moment keep from being written to the file stays in the log.
            Self::Sqlite { readers, .. } => {
                let written = sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(readers).await;
                written.map(|_| ()).map_err(failure)
            }
        }
    }

    /// Writes a SQLite database, as it is at one moment, to an empty file; others go on writing meanwhile.
    #[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
    pub(crate) async fn vacuum_into(&self, file: &Path) -> Result<()> {
        let Self::Sqlite { readers, .. } = self else {
            return Err(Error::internal("only a SQLite database can be vacuumed into a file"));
        };
        let file = file.to_str().ok_or_else(|| Error::field("FILE", "must be UTF-8"))?;
        let written = sqlx::query("VACUUM INTO $1").bind(file).execute(readers).await;
        written.map(|_| ()).map_err(failure)
    }

    /// Demands that a SQLite file which nobody writes to is whole.
    #[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
    pub(crate) async fn check_file(file: &Path) -> Result<()> {
        let options = SqliteConnectOptions::new().filename(file).immutable(true).read_only(true);
        let mut connection = options.connect().await.map_err(failure)?;
        let said: Vec<String> =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut connection).await.map_err(failure)?;
        let orphans =
            sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.map_err(failure)?;
        connection.close().await.map_err(failure)?;
        if said == ["ok"] && orphans.is_empty() {
            Ok(())
        } else {
            Err(Error::internal(format!(
                "the file is not whole: {said:?}, {} rows refer to none",
                orphans.len()
            )))
        }
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

/// A pool that ends the transaction of a connection that comes back; see [`Reading`]. Its caller does not wait for that.
#[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
fn ending_what_was_read(pool: SqlitePoolOptions) -> SqlitePoolOptions {
    pool.after_release(|connection, _| {
        Box::pin(async move {
            // An error says that there was none.
            let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
            Ok(true)
        })
    })
}

async fn begin_postgres(pool: &PgPool, begin: &str, run_as: Option<RunAs>) -> Result<Transaction> {
    let text = format!("{begin}; {}", run_as.map(set_role).unwrap_or_default());
    let pool = pool.clone();
    // Dropped between BEGIN and its answer, the driver would hand the connection back within the transaction. A task
    // of its own comes to its end; what nobody waits for any more is rolled back.
    let task = tokio::spawn(async move { pool.begin_with(AssertSqlSafe(text).into_sql_str()).await });
    task.await.map_err(Error::unavailable)?.map(Transaction::Postgres).map_err(failure)
}

/// Creates a SQLite file that only its owner may read, unless it is there; what SQLite puts beside it is as private.
fn make_private(file: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::internal(error)),
        _ => Ok(()),
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

#[cfg(test)]
mod tests {
    use flowcrm_core::ErrorCode;

    use super::*;
    use crate::repo::support::TestDatabase;
    use crate::sql::{Sql, args};

    const LIMITS_NOW: Sql = Sql::both(
        "SELECT current_setting('lock_timeout') || ' ' || current_setting('statement_timeout') || ' '
    || current_setting('idle_in_transaction_session_timeout') AS limits",
    );

    #[tokio::test]
    async fn postgres_ends_what_takes_too_long() {
        let Some(database) = TestDatabase::postgres().await else { return };
        let database = Database::connect(&database.url).await.unwrap();
        let mut tx = database.begin(None, true).await.unwrap();
        let limits = tx.optional(LIMITS_NOW, args![]).await.unwrap().unwrap();
        assert_eq!(limits.text("limits").unwrap(), "5s 30s 30s");
        tx.execute(Sql::both("SET LOCAL statement_timeout = 20"), args![]).await.unwrap();
        let ended = tx.execute(Sql::both("SELECT pg_sleep(20)"), args![]).await.unwrap_err();
        assert_eq!(ended.code(), ErrorCode::Unavailable);
        drop(tx);

        let mut tx = database.begin(None, true).await.unwrap();
        tx.take_time().await.unwrap();
        let limits = tx.optional(LIMITS_NOW, args![]).await.unwrap().unwrap();
        assert_eq!(limits.text("limits").unwrap(), "0 0 0");
        let idle = Sql::both("SET LOCAL idle_in_transaction_session_timeout = 1");
        tx.execute(idle, args![]).await.unwrap();
        let ended = loop {
            if let Err(error) = tx.execute(LIMITS_NOW, args![]).await {
                break error;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert_eq!(ended.code(), ErrorCode::Unavailable);
        drop(tx);
        let mut tx = database.begin(None, true).await.unwrap();
        let limits = tx.optional(LIMITS_NOW, args![]).await.unwrap().unwrap();
        assert_eq!(
            limits.text("limits").unwrap(),
            "5s 30s 30s",
            "limits are lifted for one transaction only"
        );
    }
}
