use std::path::Path;

use async_trait::async_trait;
use flowcrm_core::access::OrgScope;
use flowcrm_core::ports::{OrgTx, Store, SystemTx};
use flowcrm_core::{Error, Result};
use sqlx::migrate::{Migrate as _, Migrator};

use crate::sql::{Crowds, Database, RunAs, failure};
use crate::system::SqlSystemTx;
use crate::transaction::SqlOrgTx;

static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");
static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// A store on SQLite or Postgres.
#[derive(Debug, Clone)]
pub struct SqlStore {
    pub(crate) database: Database,
    /// Whether Postgres transactions take the roles that row-level security binds; only tests go without.
    pub(crate) has_row_security: bool,
    crowds: Crowds,
}

impl SqlStore {
    /// Connects by the scheme of `url`: `sqlite:crm.db` creates the file, `postgres://..` finds the database.
    ///
    /// # Errors
    ///
    /// A field error for `DATABASE_URL`; `unavailable` when the database does not answer.
    pub async fn connect(url: &str) -> Result<Self> {
        Ok(Self::on(Database::connect(url).await?))
    }

    pub(crate) fn on(database: Database) -> Self {
        Self { database, has_row_security: true, crowds: Crowds::default() }
    }

    /// Connects to a database that is there already: a SQLite file is not created.
    ///
    /// # Errors
    ///
    /// As [`SqlStore::connect`].
    pub async fn connect_existing(url: &str) -> Result<Self> {
        match sqlite_file(url) {
            Some(file) if !file.exists() => {
                let message = format!("names the file {}, which is not there", file.display());
                Err(Error::field("DATABASE_URL", message))
            }
            _ => Self::connect(url).await,
        }
    }

    /// The same store without the wall that Postgres puts up: to see that the other one holds.
    #[cfg(test)]
    pub(crate) fn without_row_security(self) -> Self {
        Self { has_row_security: false, ..self }
    }

    #[cfg(test)]
    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// Whether the store is a SQLite file, which belongs to the program that opens it.
    pub const fn is_embedded(&self) -> bool {
        matches!(self.database, Database::Sqlite { .. })
    }

    fn migrations(&self) -> &'static Migrator {
        match self.database {
            Database::Postgres(_) => &POSTGRES_MIGRATIONS,
            Database::Sqlite { .. } => &SQLITE_MIGRATIONS,
        }
    }

    /// Brings the tables up to date.
    ///
    /// # Errors
    ///
    /// `internal_error` with the migration that failed in its cause; `unavailable`.
    pub async fn migrate(&self) -> Result<()> {
        let migrated = match &self.database {
            Database::Postgres(pool) => {
                // On a connection that nobody uses afterwards: a migration takes as long as there are rows, and waits
                // for others that migrate at the same moment.
                let mut connection = pool.acquire().await.map_err(failure)?.detach();
                Database::lift_limits(&mut connection).await?;
                self.migrations().run(&mut connection).await
            }
            Database::Sqlite { writer, .. } => self.migrations().run(writer).await,
        };
        migrated.map_err(Error::internal)
    }

    /// Demands that the tables are up to date.
    ///
    /// # Errors
    ///
    /// `conflict` when migrations are missing, or when the database is of a newer FlowCRM.
    pub async fn require_migrated(&self) -> Result<()> {
        let applied = match &self.database {
            Database::Postgres(pool) => {
                let mut connection = pool.acquire().await.map_err(failure)?;
                connection.ensure_migrations_table("_sqlx_migrations").await.map_err(Error::internal)?;
                connection.list_applied_migrations("_sqlx_migrations").await
            }
            Database::Sqlite { writer, .. } => {
                let mut connection = writer.acquire().await.map_err(failure)?;
                connection.ensure_migrations_table("_sqlx_migrations").await.map_err(Error::internal)?;
                connection.list_applied_migrations("_sqlx_migrations").await
            }
        }
        .map_err(Error::internal)?;
        let known = self.migrations().iter().count();
        match applied.len().cmp(&known) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Less => {
                Err(Error::conflict("The database is not up to date: run `flowcrm migrate`."))
            }
            std::cmp::Ordering::Greater => {
                Err(Error::conflict("The database was made by a newer FlowCRM: use that version."))
            }
        }
    }

    /// Gathers statistics for the query planner, after much has been written.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn analyze(&self) -> Result<()> {
        self.database.analyze().await
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn read(&self, scope: OrgScope) -> Result<Box<dyn OrgTx>> {
        self.begin(scope, false).await
    }

    async fn write(&self, scope: OrgScope) -> Result<Box<dyn OrgTx>> {
        self.begin(scope, true).await
    }

    async fn system_read(&self) -> Result<Box<dyn SystemTx>> {
        self.begin_system(false).await
    }

    async fn system(&self) -> Result<Box<dyn SystemTx>> {
        self.begin_system(true).await
    }

    async fn settle(&self) -> Result<()> {
        self.database.settle().await
    }

    async fn ping(&self) -> Result<()> {
        self.database.begin(None, false).await.map(|_| ())
    }

    async fn close(&self) {
        self.database.close().await;
    }
}

impl SqlStore {
    async fn begin(&self, scope: OrgScope, writes: bool) -> Result<Box<dyn OrgTx>> {
        let run_as = self.has_row_security.then_some(RunAs::Organization(scope.org_id()));
        let tx = self.database.begin(run_as, writes).await?;
        let tx = SqlOrgTx::new(tx, scope, self.has_row_security);
        Ok(Box::new(tx.knowing(self.crowds.clone())))
    }

    async fn begin_system(&self, writes: bool) -> Result<Box<dyn SystemTx>> {
        let run_as = self.has_row_security.then_some(RunAs::System);
        let tx = self.database.begin(run_as, writes).await?;
        Ok(Box::new(SqlSystemTx::new(tx, self.has_row_security)))
    }
}

/// The file of a SQLite URL, if it is one and not in memory.
pub(crate) fn sqlite_file(url: &str) -> Option<&Path> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next()?;
    let is_file = !path.is_empty() && !path.contains(":memory:") && !url.contains("mode=memory");
    is_file.then(|| Path::new(path))
}
