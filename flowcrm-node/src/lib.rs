//! The native half of the Node package `flowcrm`: calls as promises, values as JSON text.
//!
//! What people see is written in JavaScript beside it, from a table that is generated from `openapi.yaml`.
#![cfg_attr(test, allow(dead_code, reason = "a test build registers nothing with Node"))]

mod caller;
mod crm;
mod files;
mod log;
mod promise;
