//! FlowCRM's server: the frame of the HTTP API.

pub mod answer;
pub mod app;
pub mod client;
mod compression;
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
