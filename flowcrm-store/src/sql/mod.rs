//! The seam between the repositories and the two database drivers: nothing else talks to sqlx.
//!
//! Every statement is text that both engines understand, or an explicit pair; every value goes through a placeholder.

mod column;
mod crowds;
mod database;
mod failure;
mod list;
mod prepared;
mod row;
mod rows;
mod select;
mod statement;
mod transaction;
mod value;

pub(crate) use crowds::Crowds;
pub(crate) use database::{Database, Engine, RunAs};
pub(crate) use failure::failure;
pub(crate) use list::{Index, List, Table};
pub(crate) use prepared::Preparer;
pub(crate) use row::Row;
pub(crate) use select::{Select, words_of};
pub(crate) use statement::{Sql, statements};
pub(crate) use transaction::{OrgConnection, Transaction};
pub(crate) use value::{Kind, Value, args};
