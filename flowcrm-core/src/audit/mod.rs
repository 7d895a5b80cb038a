//! The audit log: who did what, kept for the administrators.

mod entry;
mod repository;
mod service;

pub use entry::{AuditEntry, AuditQuery, AuditSort};
pub use repository::AuditRepository;
pub use service::Audit;
