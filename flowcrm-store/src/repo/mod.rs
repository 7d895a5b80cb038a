//! The repositories: one file per port of the core, every statement written once.

pub(crate) mod activities;
pub(crate) mod answers;
pub(crate) mod audit;
pub(crate) mod dashboard;
pub(crate) mod deals;
pub(crate) mod imports;
pub(crate) mod leads;
pub(crate) mod log;
pub(crate) mod notifications;
pub(crate) mod organizations;
pub(crate) mod sessions;
pub(crate) mod tasks;
pub(crate) mod users;

use crate::sql::Sql;

/// Every named statement of every repository; the statement test prepares each on both engines.
#[cfg(test)]
pub(crate) fn all_statements() -> Vec<(&'static str, Sql)> {
    [
        activities::STATEMENTS,
        answers::STATEMENTS,
        audit::STATEMENTS,
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
        users::STATEMENTS,
    ]
    .concat()
}
