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
use flowcrm_core::ports::{AnswerRepository, Journal, OrgTx};
use flowcrm_core::tasks::TaskRepository;
use flowcrm_core::users::UserRepository;

use crate::journal;
use crate::sql::{OrgConnection, Transaction};

/// A transaction of one organization on either engine.
pub(crate) struct SqlOrgTx(OrgConnection);

impl SqlOrgTx {
    pub(crate) fn new(tx: Transaction, scope: OrgScope) -> Self {
        Self(OrgConnection::new(tx, scope.org_id()))
    }
}

#[async_trait]
impl OrgTx for SqlOrgTx {
    fn users(&mut self) -> &mut dyn UserRepository {
        &mut self.0
    }

    fn organization(&mut self) -> &mut dyn OrganizationRepository {
        &mut self.0
    }

    fn leads(&mut self) -> &mut dyn LeadRepository {
        &mut self.0
    }

    fn activities(&mut self) -> &mut dyn ActivityRepository {
        &mut self.0
    }

    fn deals(&mut self) -> &mut dyn DealRepository {
        &mut self.0
    }

    fn tasks(&mut self) -> &mut dyn TaskRepository {
        &mut self.0
    }

    fn notifications(&mut self) -> &mut dyn NotificationRepository {
        &mut self.0
    }

    fn log(&mut self) -> &mut dyn LogRepository {
        &mut self.0
    }

    fn audit(&mut self) -> &mut dyn AuditRepository {
        &mut self.0
    }

    fn sessions(&mut self) -> &mut dyn SessionRepository {
        &mut self.0
    }

    fn imports(&mut self) -> &mut dyn ImportRepository {
        &mut self.0
    }

    fn dashboard(&mut self) -> &mut dyn DashboardRepository {
        &mut self.0
    }

    fn answers(&mut self) -> &mut dyn AnswerRepository {
        &mut self.0
    }

    async fn commit(mut self: Box<Self>, journal: Journal) -> Result<()> {
        journal::flush(&mut self.0, journal).await?;
        self.0.tx.commit().await
    }
}
