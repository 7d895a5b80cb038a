//! FlowCRM's storage: SQLite and Postgres behind the ports of `flowcrm-core`.
//!
//! [`open`] takes the URL of a database and gives a [`Crm`](flowcrm_core::Crm). One set of statements serves both
//! engines; on Postgres every tenant table stands behind row-level security besides.

#[cfg(test)]
extern crate self as flowcrm_store;

mod backup;
mod copy;
mod journal;
mod open;
mod repo;
mod sql;
mod store;
mod system;
#[cfg(test)]
mod tenancy;
mod transaction;

pub use copy::{Copied, Extent};
pub use open::{Opening, open};
pub use store::SqlStore;

/// Compiles and runs the Rust of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
