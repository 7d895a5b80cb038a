use flowcrm_core::audit::{AuditEntry, AuditQuery};
use poem_openapi::OpenApi;

use super::Chapter;
use crate::answer::ListAnswer;
use crate::extract::{Query, Signed};
use crate::problem::Result;

pub(super) struct AuditLogs;

#[OpenApi(prefix_path = "/api/audit-logs", tag = "Chapter::Logs")]
impl AuditLogs {
    /// Lists audit entries, newest first; for ADMIN and OWNER.
    #[oai(path = "/", method = "get", operation_id = "listAuditLogs")]
    async fn list(&self, caller: Signed, query: Query<AuditQuery>) -> Result<ListAnswer<AuditEntry>> {
        Ok(ListAnswer(caller.0.audit().list(query.0).await?))
    }
}
