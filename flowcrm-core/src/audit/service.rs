use super::{AuditEntry, AuditQuery};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::Result;
use crate::input::Asked;
use crate::page::Page;

/// What a caller may read of the audit log.
#[derive(Debug)]
pub struct Audit<'a> {
    caller: &'a Caller,
}

impl<'a> Audit<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists audit entries of the organization, newest first.
    ///
    /// # Errors
    ///
    /// `forbidden`; `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<AuditQuery>>) -> Result<Page<AuditEntry>> {
        let mut work = self.caller.read().await?;
        work.actor().require(Action::ReadAuditLog)?;
        let query = query.into().read(work.actor().currency)?;
        let total = if query.list.count { Some(work.audit().count(&query).await?) } else { None };
        let entries = work.audit().list(&query).await?;
        Ok(Page::cut(entries, &query.list, total))
    }
}
