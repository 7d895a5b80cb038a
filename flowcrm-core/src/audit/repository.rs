use async_trait::async_trait;

use super::{AuditEntry, AuditQuery};
use crate::error::Result;

/// Where audit entries are kept; they are written when a transaction commits, and never changed.
#[async_trait]
pub trait AuditRepository: Send {
    /// The entries that a query selects: one more than the limit if there are more.
    async fn list(&mut self, query: &AuditQuery) -> Result<Vec<AuditEntry>>;

    /// How many entries a query selects, whatever the page.
    async fn count(&mut self, query: &AuditQuery) -> Result<u64>;
}
