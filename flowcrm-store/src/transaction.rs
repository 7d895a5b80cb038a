use async_trait::async_trait;
use flowcrm_core::Result;
use flowcrm_core::access::OrgScope;
use flowcrm_core::activities::ActivityRepository;
use flowcrm_core::audit::AuditRepository;
use flowcrm_core::auth::SessionRepository;
use flowcrm_core::dashboard::DashboardRepository;
use flowcrm_core::deals::DealRepository;
use flowcrm_core::imports::ImportRepository;
use flowcrm_core::leads::LeadRepository;
use flowcrm_core::log::LogRepository;
use flowcrm_core::notifications::NotificationRepository;
use flowcrm_core::organizations::OrganizationRepository;
use flowcrm_core::ports::{AnswerRepository, Journal, OrgTx, SystemTx};
use flowcrm_core::tasks::TaskRepository;
use flowcrm_core::users::UserRepository;

use crate::journal;
use crate::repo::figures;
use crate::sql::{Crowds, OrgConnection, RunAs, Transaction};
use crate::system::SqlSystemTx;

/// A transaction of one organization on either engine.
pub(crate) struct SqlOrgTx {
    connection: OrgConnection,
    has_row_security: bool,
}

impl SqlOrgTx {
    pub(crate) fn new(tx: Transaction, scope: OrgScope, has_row_security: bool) -> Self {
        Self { connection: OrgConnection::new(tx, scope.org_id()), has_row_security }
    }

    /// The same, with what others have found out.
    pub(crate) fn knowing(self, crowds: Crowds) -> Self {
        Self { connection: self.connection.knowing(crowds), ..self }
    }
}

#[async_trait]
impl OrgTx for SqlOrgTx {
    fn users(&mut self) -> &mut dyn UserRepository {
        &mut self.connection
    }

    fn organization(&mut self) -> &mut dyn OrganizationRepository {
        &mut self.connection
    }

    fn leads(&mut self) -> &mut dyn LeadRepository {
        &mut self.connection
    }

    fn activities(&mut self) -> &mut dyn ActivityRepository {
        &mut self.connection
    }

    fn deals(&mut self) -> &mut dyn DealRepository {
        &mut self.connection
    }

    fn tasks(&mut self) -> &mut dyn TaskRepository {
        &mut self.connection
    }

    fn notifications(&mut self) -> &mut dyn NotificationRepository {
        &mut self.connection
    }

    fn log(&mut self) -> &mut dyn LogRepository {
        &mut self.connection
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        &mut self.connection
    }

    fn sessions(&mut self) -> &mut dyn SessionRepository {
        &mut self.connection
    }

    fn imports(&mut self) -> &mut dyn ImportRepository {
        &mut self.connection
    }

    fn dashboard(&mut self) -> &mut dyn DashboardRepository {
        &mut self.connection
    }

    fn answers(&mut self) -> &mut dyn AnswerRepository {
        &mut self.connection
    }

    async fn leave(mut self: Box<Self>) -> Result<Box<dyn SystemTx>> {
        figures::flush(&mut self.connection).await?;
        if self.has_row_security {
            self.connection.tx.run_as(RunAs::System).await?;
        }
        Ok(Box::new(SqlSystemTx::new(self.connection.tx, self.has_row_security)))
    }

    async fn commit(mut self: Box<Self>, journal: Journal) -> Result<()> {
        journal::flush(&mut self.connection, journal).await?;
        self.connection.tx.commit().await
    }
}
