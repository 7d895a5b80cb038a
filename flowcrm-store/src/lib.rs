//! FlowCRM's storage: SQLite and Postgres behind the ports of `flowcrm-core`.
//!
//! [`open`] takes the URL of a database and gives a [`Crm`](flowcrm_core::Crm). One set of statements serves both
//! engines; on Postgres every tenant table stands behind row-level security besides.

mod journal;
mod open;
mod repo;
mod sql;
mod store;
mod system;
mod transaction;
mod walls;

pub use open::{Opening, open};
pub use store::SqlStore;
#[doc(hidden)]
pub use walls::Walls;
