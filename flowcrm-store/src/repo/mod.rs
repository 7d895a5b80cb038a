//! The repositories: one file per port of the core, every statement written once.

pub(crate) mod activities;
pub(crate) mod answers;
pub(crate) mod audit;
pub(crate) mod dashboard;
pub(crate) mod deals;
pub(crate) mod figures;
pub(crate) mod imports;
pub(crate) mod leads;
pub(crate) mod log;
mod many;
pub(crate) mod notifications;
pub(crate) mod organizations;
pub(crate) mod sessions;
pub(crate) mod tasks;
pub(crate) mod terms;
pub(crate) mod users;

#[cfg(test)]
mod at_size;

#[cfg(test)]
use crate::sql::Sql;

/// Every named statement of every repository; the statement test prepares each on both engines.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, Sql)> {
    [
        activities::STATEMENTS,
        answers::STATEMENTS,
        crate::journal::STATEMENTS,
        crate::system::STATEMENTS,
        dashboard::STATEMENTS,
        deals::STATEMENTS,
        imports::STATEMENTS,
        leads::STATEMENTS,
        log::STATEMENTS,
        notifications::STATEMENTS,
        organizations::STATEMENTS,
        sessions::STATEMENTS,
        tasks::STATEMENTS,
        terms::STATEMENTS,
        users::STATEMENTS,
    ]
    .concat()
}

#[cfg(test)]
#[path = "../../tests/support/mod.rs"]
pub(crate) mod support;

#[cfg(test)]
mod tests {
    use sqlx::{Executor as _, SqlSafeStr as _};

    use super::support::TestDatabase;
    use super::*;
    use crate::sql::Database;
    use crate::store::SqlStore;

    #[tokio::test]
    async fn every_statement_is_understood_by_both_engines() {
        for database in TestDatabase::on_each_engine().await {
            let store = SqlStore::connect(&database.url).await.unwrap();
            store.migrate().await.unwrap();
            for (name, sql) in all_statements() {
                let understood = match store.database() {
                    Database::Postgres(pool) => pool.prepare(sql.postgres.into_sql_str()).await.map(|_| ()),
                    Database::Sqlite { writer, .. } => {
                        writer.prepare(sql.sqlite.into_sql_str()).await.map(|_| ())
                    }
                };
                understood.unwrap_or_else(|error| panic!("{name} on {}: {error}", database.engine));
            }
        }
    }

    #[test]
    fn every_tenant_statement_is_bound_to_its_organization() {
        let is_tenant_free = |name: &str| crate::system::STATEMENTS.iter().any(|(system, _)| *system == name);
        for (name, sql) in all_statements().into_iter().filter(|(name, _)| !is_tenant_free(name)) {
            for text in [sql.postgres, sql.sqlite] {
                let is_bound = ["org_id = $1", "WHERE id = $1", "o.id = $1", "VALUES ($1", "SELECT $1"];
                assert!(is_bound.iter().any(|bound| text.contains(bound)), "{name}: {text}");
            }
        }
    }
}
