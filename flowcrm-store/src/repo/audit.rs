use async_trait::async_trait;
use flowcrm_core::Result;
use flowcrm_core::audit::{AuditEntry, AuditQuery, AuditRepository};
use flowcrm_core::events::EntityType;

use crate::sql::{OrgConnection, Row, Select};

const LIST: &str =
    "SELECT a.id, a.action, a.entity_type, a.entity_id, a.user_id, u.name AS user_name, a.details,
       a.ip_address, a.created_at
FROM audit_entries a LEFT JOIN users u ON u.org_id = a.org_id AND u.id = a.user_id
WHERE a.org_id = $1";

const COUNT: &str = "SELECT COUNT(*) AS count
FROM audit_entries a
WHERE a.org_id = $1";

fn entry(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.id("id")?,
        action: row.text("action")?,
        entity_type: row.spelled("entity_type")?,
        entity_id: row.id("entity_id")?,
        user_id: row.optional_id("user_id")?,
        user_name: row.optional_text("user_name")?,
        details: row.json("details")?,
        ip_address: row.optional_text("ip_address")?,
        created_at: row.time("created_at")?,
    })
}

fn narrowed(head: &'static str, query: &AuditQuery) -> Select {
    let mut select = Select::new(head);
    select.and_some("a.action = ?", query.action.as_deref());
    select.and_some("a.entity_type = ?", query.entity_type.map(EntityType::as_str));
    select.and_some("a.entity_id = ?", query.entity_id);
    select.and_some("a.user_id = ?", query.user_id);
    select.and_some("a.created_at >= ?", query.from);
    select.and_some("a.created_at < ?", query.to);
    select
}

#[async_trait]
impl AuditRepository for OrgConnection {
    async fn list(&mut self, query: &AuditQuery) -> Result<Vec<AuditEntry>> {
        let select = narrowed(LIST, query).page(&query.list, "a.created_at", "a.id");
        self.select(select).await?.iter().map(entry).collect()
    }

    async fn count(&mut self, query: &AuditQuery) -> Result<u64> {
        OrgConnection::count(self, narrowed(COUNT, query)).await
    }
}
