//! What belongs to no organization, by narrow queries.

use async_trait::async_trait;
use flowcrm_core::Result;
use flowcrm_core::access::OrgScope;
use flowcrm_core::ids::{ImportId, OrgId, SessionId, UserId};
use flowcrm_core::organizations::{Organization, OrganizationQuery};
use flowcrm_core::ports::{Account, OrgTx, SystemTx};
use flowcrm_core::time::Timestamp;

use crate::repo::organizations::{find_organization, organization, platform_page};
use crate::sql::{Row, RunAs, Sql, Transaction, args, statements};
use crate::transaction::SqlOrgTx;

statements! {
    ACCOUNT_BY_EMAIL = Sql::both("SELECT org_id, user_id FROM accounts WHERE email_key = $1");

    ACCOUNT_BY_USER = Sql::both("SELECT org_id, user_id FROM accounts WHERE user_id = $1");

    ACCOUNT_BY_SESSION = Sql::both("SELECT org_id, user_id FROM sessions WHERE id = $1");

    NOTE_UNKNOWN_SIGN_IN = Sql::both(
        "INSERT INTO sign_in_log (email_key_hash, ip, created_at) VALUES ($1, $2, $3)"
    );

    FORGET_ANSWERS = Sql::both(
        "DELETE FROM answers
WHERE (org_id, user_id, key) IN (
    SELECT org_id, user_id, key FROM answers WHERE created_at < $1 ORDER BY created_at LIMIT $2
)"
    );

    FORGET_UNKNOWN_SIGN_INS = Sql::both(
        "DELETE FROM sign_in_log
WHERE id IN (SELECT id FROM sign_in_log WHERE created_at < $1 ORDER BY created_at LIMIT $2)"
    );

    COUNT_ORGANIZATIONS = Sql::both("SELECT COUNT(*) AS count FROM organizations");

    DELETE_ORGANIZATION = Sql::both("DELETE FROM organizations WHERE id = $1");

    DELETE_LEAD_TERMS = Sql::both("DELETE FROM lead_terms WHERE org_id = $1");

    DELETE_DEAL_TERMS = Sql::both("DELETE FROM deal_terms WHERE org_id = $1");

    DELETE_TASK_TERMS = Sql::both("DELETE FROM task_terms WHERE org_id = $1");

    DELETE_IMPORT_CHANGES = Sql::both("DELETE FROM import_changes WHERE org_id = $1");

    NOTE_OPERATOR = Sql::both(
        "INSERT INTO operator_log (operator_id, action, org_id, created_at) VALUES ($1, $2, $3, $4)"
    );

    /// Lease times are the database's.
    WAITING_IMPORTS = Sql::pair(
        "SELECT org_id, id FROM imports
WHERE is_staged AND state IN ('QUEUED', 'RUNNING', 'UNDOING') AND (lease_until IS NULL OR lease_until < now())
ORDER BY created_at, id
LIMIT 100",
        "SELECT org_id, id FROM imports
WHERE is_staged AND state IN ('QUEUED', 'RUNNING', 'UNDOING')
  AND (lease_until IS NULL OR lease_until < strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
ORDER BY created_at, id
LIMIT 100",
    );

    ABANDONED_IMPORTS = Sql::both(
        "SELECT org_id, id FROM imports WHERE NOT is_staged AND created_at < $1 ORDER BY created_at, id LIMIT 100"
    );
}

/// A transaction on either engine that sees what belongs to no organization.
pub(crate) struct SqlSystemTx {
    tx: Transaction,
    has_row_security: bool,
}

impl SqlSystemTx {
    pub(crate) const fn new(tx: Transaction, has_row_security: bool) -> Self {
        Self { tx, has_row_security }
    }
}

fn account(row: &Row) -> Result<Account> {
    Ok(Account { org_id: row.id("org_id")?, user_id: row.id("user_id")? })
}

#[async_trait]
impl SystemTx for SqlSystemTx {
    async fn account_by_email(&mut self, email_key: &str) -> Result<Option<Account>> {
        self.tx.optional(ACCOUNT_BY_EMAIL, args![email_key]).await?.as_ref().map(account).transpose()
    }

    async fn account_by_user(&mut self, user: UserId) -> Result<Option<Account>> {
        self.tx.optional(ACCOUNT_BY_USER, args![user]).await?.as_ref().map(account).transpose()
    }

    async fn account_by_session(&mut self, session: SessionId) -> Result<Option<Account>> {
        self.tx.optional(ACCOUNT_BY_SESSION, args![session]).await?.as_ref().map(account).transpose()
    }

    async fn note_unknown_sign_in(
        &mut self,
        email_key_hash: &[u8],
        ip: Option<&str>,
        at: Timestamp,
    ) -> Result<()> {
        self.tx.execute(NOTE_UNKNOWN_SIGN_IN, args![email_key_hash, ip, at]).await.map(|_| ())
    }

    async fn forget_answers(&mut self, before: Timestamp, limit: usize) -> Result<u64> {
        self.tx.execute(FORGET_ANSWERS, args![before, limit]).await
    }

    async fn forget_unknown_sign_ins(&mut self, before: Timestamp, limit: usize) -> Result<u64> {
        self.tx.execute(FORGET_UNKNOWN_SIGN_INS, args![before, limit]).await
    }

    async fn organizations(&mut self, query: &OrganizationQuery) -> Result<Vec<Organization>> {
        self.tx.select(platform_page(query)).await?.iter().map(organization).collect()
    }

    async fn organization(&mut self, org: OrgId) -> Result<Option<Organization>> {
        find_organization(&mut self.tx, org).await
    }

    async fn count_organizations(&mut self) -> Result<u64> {
        self.tx.optional(COUNT_ORGANIZATIONS, args![]).await?.map_or(Ok(0), |row| row.count("count"))
    }

    async fn delete_organization(&mut self, org: OrgId) -> Result<bool> {
        self.tx.take_time().await?;
        // It waits for whoever writes in the organization, and nobody begins to afterwards.
        let is_gone = self.tx.execute(DELETE_ORGANIZATION, args![org]).await? == 1;
        // What no foreign key takes along.
        for rows in [DELETE_LEAD_TERMS, DELETE_DEAL_TERMS, DELETE_TASK_TERMS, DELETE_IMPORT_CHANGES] {
            self.tx.execute(rows, args![org]).await?;
        }
        Ok(is_gone)
    }

    async fn note_operator(
        &mut self,
        operator: UserId,
        action: &str,
        org: OrgId,
        at: Timestamp,
    ) -> Result<()> {
        self.tx.execute(NOTE_OPERATOR, args![operator, action, org, at]).await.map(|_| ())
    }

    async fn waiting_imports(&mut self) -> Result<Vec<(OrgId, ImportId)>> {
        let rows = self.tx.all(WAITING_IMPORTS, args![]).await?;
        rows.iter().map(|row| Ok((row.id("org_id")?, row.id("id")?))).collect()
    }

    async fn abandoned_imports(&mut self, before: Timestamp) -> Result<Vec<(OrgId, ImportId)>> {
        let rows = self.tx.all(ABANDONED_IMPORTS, args![before]).await?;
        rows.iter().map(|row| Ok((row.id("org_id")?, row.id("id")?))).collect()
    }

    async fn enter(mut self: Box<Self>, scope: OrgScope) -> Result<Box<dyn OrgTx>> {
        if self.has_row_security {
            self.tx.run_as(RunAs::Organization(scope.org_id())).await?;
        }
        Ok(Box::new(SqlOrgTx::new(self.tx, scope, self.has_row_security)))
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.tx.commit().await
    }
}
