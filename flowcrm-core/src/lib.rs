//! FlowCRM's core: leads, deals, tasks, permissions, sign-in, events and dashboards, without a database, a web server
//! or a network.

pub mod access;
pub mod activities;
pub mod audit;
pub mod auth;
pub mod bulk;
pub mod caller;
mod crm;
pub mod dashboard;
pub mod deals;
pub mod demo;
pub mod email;
pub mod env;
pub mod error;
pub mod events;
pub mod exports;
pub mod ids;
pub mod imports;
pub mod input;
pub mod leads;
pub mod log;
pub mod money;
pub mod notifications;
#[cfg(feature = "openapi")]
mod openapi;
pub mod operations;
pub mod organizations;
pub mod page;
pub mod patch;
pub mod ports;
pub mod tasks;
pub mod time;
mod upkeep;
pub mod users;
mod work;
pub mod worker;

pub use caller::{Caller, Origin};
pub use crm::Crm;
pub use error::{Error, ErrorCode, Result};
