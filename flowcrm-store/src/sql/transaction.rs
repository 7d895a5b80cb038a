use flowcrm_core::ids::OrgId;
use flowcrm_core::{Error, Result};
use futures_util::future::join;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, SqlStr, Sqlite};

use super::crowds::Crowds;
use super::database::{NO_LIMITS, RunAs, set_role};
use super::rows::{Arguments, Rows, Statement};
use super::{Engine, Row, Select, Sql, Value, failure};
use crate::repo::figures::Figures;

const WRITE_IN_READING: &str = "a statement that writes, in a transaction that reads";

/// A transaction on either engine; dropped before its commit, it is undone.
pub(crate) enum Transaction {
    Postgres(sqlx::Transaction<'static, Postgres>),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Reading(Reading),
}

/// A transaction on SQLite that only reads. It begins with its first statement, in one message to the thread that runs
/// both; its pool ends it when the connection comes back.
pub(crate) struct Reading {
    connection: PoolConnection<Sqlite>,
    has_begun: bool,
}

impl Reading {
    pub(super) const fn on(connection: PoolConnection<Sqlite>) -> Self {
        Self { connection, has_begun: false }
    }

    /// The connection, to look at what runs on it.
    #[cfg(test)]
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// The statement, behind BEGIN if it is the first.
    fn next(&mut self, text: SqlStr) -> (&mut SqliteConnection, SqlStr) {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let text =
            if is_first { AssertSqlSafe(format!("BEGIN; {}", text.as_str())).into_sql_str() } else { text };
        (&mut self.connection, text)
    }

    #[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
    async fn end(mut self) -> sqlx::Result<()> {
        if self.has_begun {
            sqlx::raw_sql("COMMIT").execute(&mut *self.connection).await?;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the seam is where SQL runs")]
impl Transaction {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Postgres(_) => Engine::Postgres,
            Self::Sqlite(_) | Self::Reading(_) => Engine::Sqlite,
        }
    }

    fn text(&self, sql: Sql) -> SqlStr {
        match self {
            Self::Postgres(_) => sql.postgres.into_sql_str(),
            Self::Sqlite(_) | Self::Reading(_) => sql.sqlite.into_sql_str(),
        }
    }

    /// The rows of a query.
    pub(crate) async fn all(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>> {
        self.fetch(self.text(sql), values).await
    }

    /// The only row of a query, if there is one.
    pub(crate) async fn optional(&mut self, sql: Sql, values: Vec<Value>) -> Result<Option<Row>> {
        let text = self.text(sql);
        let row = match self {
            Self::Postgres(tx) => {
                let row = sqlx::query_with(text, postgres(values)?).fetch_optional(&mut **tx).await;
                row.map(|row| row.map(Row::Postgres))
            }
            Self::Sqlite(tx) => {
                let row = sqlx::query_with(text, sqlite(values)?).fetch_optional(&mut **tx).await;
                row.map(|row| row.map(Row::Sqlite))
            }
            Self::Reading(reading) => {
                let (connection, text) = reading.next(text);
                let row = sqlx::query_with(text, sqlite(values)?).fetch_optional(connection).await;
                row.map(|row| row.map(Row::Sqlite))
            }
        };
        row.map_err(failure)
    }

    /// Runs a statement; answers how many rows it changed.
    pub(crate) async fn execute(&mut self, sql: Sql, values: Vec<Value>) -> Result<u64> {
        let text = self.text(sql);
        match self {
            Self::Postgres(tx) => sqlx::query_with(text, postgres(values)?)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Self::Sqlite(tx) => sqlx::query_with(text, sqlite(values)?)
                .execute(&mut **tx)
                .await
                .map(|done| done.rows_affected()),
            Self::Reading(_) => return Err(Error::internal(WRITE_IN_READING)),
        }
        .map_err(failure)
    }

    /// The rows of a query that was put together from filters.
    pub(crate) async fn select(&mut self, select: Select) -> Result<Vec<Row>> {
        let (text, values) = select.into_parts(self.engine());
        self.fetch(AssertSqlSafe(text).into_sql_str(), values).await
    }

    /// The rows of a query whose best plan depends on its values: Postgres plans it anew every time.
    pub(crate) async fn planned(&mut self, text: String, values: Vec<Value>) -> Result<Vec<Row>> {
        let text = AssertSqlSafe(text).into_sql_str();
        match self {
            Self::Postgres(tx) => {
                let query = sqlx::query_with(text, postgres(values)?).persistent(false);
                let rows = query.fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect()).map_err(failure)
            }
            Self::Sqlite(_) | Self::Reading(_) => self.fetch(text, values).await,
        }
    }

    /// Runs INSERT for many rows at once: `head` up to the columns in parentheses, and the values of each row, each after
    /// `first`. Answers how many rows went in.
    pub(crate) async fn insert_many(
        &mut self,
        head: &'static str,
        tail: &'static str,
        first: Option<Value>,
        rows: impl IntoIterator<Item = Vec<Value>, IntoIter: Send>,
    ) -> Result<u64> {
        let text = |rows: String| format!("{head} {rows} {tail}");
        self.change_many(Rows::new(first, rows.into_iter()), text).await
    }

    /// Runs DELETE for many rows at once: `head` up to the columns in parentheses that name a row, and their values for
    /// each, each after `first`. Answers how many rows are gone.
    async fn delete_many(
        &mut self,
        head: &'static str,
        first: Value,
        rows: impl IntoIterator<Item = Vec<Value>, IntoIter: Send>,
    ) -> Result<u64> {
        let text = |rows: String| format!("{head} IN ({rows})");
        self.change_many(Rows::new(Some(first), rows.into_iter()), text).await
    }

    /// Runs a statement about many rows, some at a time; answers how many rows it changed. While the database works on
    /// some, the next ones are made ready.
    async fn change_many(
        &mut self,
        mut rows: Rows<impl Iterator<Item = Vec<Value>> + Send>,
        text: impl Fn(String) -> String + Sync,
    ) -> Result<u64> {
        let (engine, mut changed) = (self.engine(), 0);
        let mut next = rows.next_some(engine, &text)?;
        while let Some(statement) = next {
            let (done, following) =
                join(self.change(statement), async { rows.next_some(engine, &text) }).await;
            changed += done?;
            next = following?;
        }
        Ok(changed)
    }

    pub(super) async fn change(&mut self, statement: Statement) -> Result<u64> {
        let Statement { text, arguments, is_usual } = statement;
        let done = match (self, arguments) {
            (Self::Postgres(tx), Arguments::Postgres(arguments)) => {
                let query = sqlx::query_with(text, arguments).persistent(is_usual);
                query.execute(&mut **tx).await.map(|done| done.rows_affected())
            }
            (Self::Sqlite(tx), Arguments::Sqlite(arguments)) => {
                let query = sqlx::query_with(text, arguments).persistent(is_usual);
                query.execute(&mut **tx).await.map(|done| done.rows_affected())
            }
            (Self::Reading(_), _) => return Err(Error::internal(WRITE_IN_READING)),
            _ => return Err(Error::internal("a statement that was made ready for the other engine")),
        };
        done.map_err(failure)
    }

    async fn fetch(&mut self, text: SqlStr, values: Vec<Value>) -> Result<Vec<Row>> {
        match self {
            Self::Postgres(tx) => {
                let rows = sqlx::query_with(text, postgres(values)?).fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
            Self::Sqlite(tx) => {
                let rows = sqlx::query_with(text, sqlite(values)?).fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Reading(reading) => {
                let (connection, text) = reading.next(text);
                let rows = sqlx::query_with(text, sqlite(values)?).fetch_all(connection).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
        }
        .map_err(failure)
    }

    /// Goes on in another role; SQLite knows none.
    pub(crate) async fn run_as(&mut self, role: RunAs) -> Result<()> {
        if let Self::Postgres(tx) = self {
            let text = AssertSqlSafe(set_role(role));
            sqlx::raw_sql(text).execute(&mut **tx).await.map_err(failure)?;
        }
        Ok(())
    }

    /// Lifts the time limits of this transaction, whose work is long where there is much of it.
    pub(crate) async fn take_time(&mut self) -> Result<()> {
        if let Self::Postgres(tx) = self {
            sqlx::raw_sql(NO_LIMITS).execute(&mut **tx).await.map_err(failure)?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Postgres(tx) => tx.commit().await,
            Self::Sqlite(tx) => tx.commit().await,
            Self::Reading(reading) => reading.end().await,
        }
        .map_err(failure)
    }
}

pub(super) fn postgres(values: impl IntoIterator<Item = Value>) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for value in values {
        value.bind_postgres(&mut arguments).map_err(Error::internal)?;
    }
    Ok(arguments)
}

pub(super) fn sqlite(values: impl IntoIterator<Item = Value>) -> Result<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        value.bind_sqlite(&mut arguments).map_err(Error::internal)?;
    }
    Ok(arguments)
}

/// A transaction bound to one organization, whose id is `$1` of every statement.
pub(crate) struct OrgConnection {
    pub(crate) tx: Transaction,
    org: OrgId,
    /// What the transaction has changed of the dashboard's figures, and has yet to write.
    pub(crate) figures: Figures,
    pub(super) crowds: Crowds,
}

impl OrgConnection {
    pub(crate) fn new(tx: Transaction, org: OrgId) -> Self {
        Self { tx, org, figures: Figures::default(), crowds: Crowds::default() }
    }

    /// The same, with what others have found out.
    pub(crate) fn knowing(self, crowds: Crowds) -> Self {
        Self { crowds, ..self }
    }

    pub(crate) const fn org_id(&self) -> OrgId {
        self.org
    }

    /// The organization, as `$1` or as the first column of an inserted row.
    pub(crate) fn org(&self) -> Value {
        Value::from(self.org)
    }

    pub(crate) fn engine(&self) -> Engine {
        self.tx.engine()
    }

    fn bound(&self, values: Vec<Value>) -> Vec<Value> {
        std::iter::once(self.org()).chain(values).collect()
    }

    pub(crate) async fn all(&mut self, sql: Sql, values: Vec<Value>) -> Result<Vec<Row>> {
        let values = self.bound(values);
        self.tx.all(sql, values).await
    }

    pub(crate) async fn optional(&mut self, sql: Sql, values: Vec<Value>) -> Result<Option<Row>> {
        let values = self.bound(values);
        self.tx.optional(sql, values).await
    }

    /// The only row of a query that always has one: a count, a sum.
    pub(crate) async fn one(&mut self, sql: Sql, values: Vec<Value>) -> Result<Row> {
        self.optional(sql, values)
            .await?
            .ok_or_else(|| Error::internal("a query without the row it must have"))
    }

    pub(crate) async fn execute(&mut self, sql: Sql, values: Vec<Value>) -> Result<u64> {
        let values = self.bound(values);
        self.tx.execute(sql, values).await
    }

    /// The rows of a query put together from filters.
    pub(crate) async fn select(&mut self, select: Select) -> Result<Vec<Row>> {
        let org = self.org();
        self.tx.select(select.of_organization(org)).await
    }

    /// The one number of a count put together from filters, in the column `count`.
    pub(crate) async fn count(&mut self, select: Select) -> Result<u64> {
        self.select(select).await?.first().map_or(Ok(0), |row| row.count("count"))
    }

    /// Inserts many rows; the organization is put in front of each.
    pub(crate) async fn insert_many(
        &mut self,
        head: &'static str,
        tail: &'static str,
        rows: impl IntoIterator<Item = Vec<Value>, IntoIter: Send>,
    ) -> Result<u64> {
        let org = self.org();
        self.tx.insert_many(head, tail, Some(org), rows).await
    }

    /// Deletes many rows; the organization is put in front of the values that name each.
    pub(crate) async fn delete_many(
        &mut self,
        head: &'static str,
        rows: impl IntoIterator<Item = Vec<Value>, IntoIter: Send>,
    ) -> Result<u64> {
        let org = self.org();
        self.tx.delete_many(head, org, rows).await
    }
}
