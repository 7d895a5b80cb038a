//! What the measurements ask of the database itself.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use uuid::Uuid;

/// The ids of an organization's records, in the order of their creation.
#[expect(
    clippy::disallowed_methods,
    reason = "reading a million ids page by page would take as long as the rest"
)]
pub(crate) async fn ids(url: &str, table: &str, org: Uuid) -> Vec<Uuid> {
    let text = AssertSqlSafe(format!("SELECT id FROM {table} WHERE org_id = $1 ORDER BY created_at, id"));
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.expect("the database");
        sqlx::query_scalar(text).bind(org).fetch_all(&mut connection).await.expect("ids")
    } else {
        let mut connection = PgConnection::connect(url).await.expect("the database");
        sqlx::query_scalar(text).bind(org).fetch_all(&mut connection).await.expect("ids")
    }
}

/// Does at once what Postgres does by itself some time after much has been written: marks the pages that all may see,
/// gathers statistics, and puts what was written where it belongs. SQLite waits for nothing.
#[expect(clippy::disallowed_methods, reason = "nothing but a measurement does so")]
pub(crate) async fn settle(url: &str) {
    if !url.starts_with("sqlite:") {
        let mut connection = PgConnection::connect(url).await.expect("the database");
        for text in ["VACUUM ANALYZE", "CHECKPOINT"] {
            sqlx::raw_sql(text).execute(&mut connection).await.expect("a superuser's command");
        }
    }
}
