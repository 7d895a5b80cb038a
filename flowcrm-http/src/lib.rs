//! FlowCRM's server: the endpoints of the HTTP API, and the frame around them.

pub mod answer;
pub mod api;
pub mod app;
pub mod client;
mod compression;
mod crm_app;
pub mod document;
pub mod extract;
mod leftover;
pub mod origin;
pub mod problem;
pub mod reference;
pub mod routes;
pub mod server;
#[cfg(test)]
mod testing;

pub use crm_app::{Options, endpoint, openapi_yaml};
