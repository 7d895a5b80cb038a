//! A caller: one user, through whom everything is done by that user's rights.

use std::net::IpAddr;

use crate::access::OrgScope;
use crate::audit::Audit;
use crate::auth::OwnAccount;
use crate::crm::Crm;
use crate::dashboard::Dashboard;
use crate::deals::Deals;
use crate::error::{Error, ErrorCode, Result};
use crate::exports::Exports;
use crate::ids::{OrgId, SessionId, UserId};
use crate::imports::Imports;
use crate::leads::Leads;
use crate::log::Events;
use crate::notifications::Notifications;
use crate::organizations::{OrganizationSettings, Organizations};
use crate::tasks::Tasks;
use crate::users::Users;
use crate::work::Work;

/// Where a command came from, for the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent`, cut to 300 characters.
    pub user_agent: Option<String>,
}

/// One user, and through them everything that they may do.
///
/// Whether the user is active, which role they have and whether their session still lives is looked up in the
/// transaction of every command: what changes holds from the next command on.
#[derive(Debug, Clone)]
pub struct Caller {
    crm: Crm,
    org_id: OrgId,
    user_id: UserId,
    session_id: Option<SessionId>,
    origin: Origin,
    idempotency_key: Option<String>,
}

impl Caller {
    pub(crate) fn new(crm: Crm, org_id: OrgId, user_id: UserId, session_id: Option<SessionId>) -> Self {
        Self { crm, org_id, user_id, session_id, origin: Origin::default(), idempotency_key: None }
    }

    /// The same caller from a known origin.
    #[must_use]
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The same caller, whose creating commands are done once per key: repeated within 24 hours with the same body
    /// it answers the first result, with another body it is a conflict.
    ///
    /// # Errors
    ///
    /// A field error for `Idempotency-Key` unless the key has 1 to 200 printable ASCII characters.
    pub fn with_idempotency_key(mut self, key: impl Into<String>) -> Result<Self> {
        let key = key.into();
        if !(1..=200).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        {
            return Err(Error::field("Idempotency-Key", "must have 1 to 200 printable ASCII characters"));
        }
        self.idempotency_key = Some(key);
        Ok(self)
    }

    /// The CRM that the caller works in.
    pub const fn crm(&self) -> &Crm {
        &self.crm
    }

    /// The caller's id.
    pub const fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The caller's session; none when a trusted program acts as the user.
    pub const fn session_id(&self) -> Option<SessionId> {
        self.session_id
    }

    /// Figures.
    pub const fn dashboard(&self) -> Dashboard<'_> {
        Dashboard::new(self)
    }

    /// The caller's own account and sessions.
    pub const fn account(&self) -> OwnAccount<'_> {
        OwnAccount::new(self)
    }

    /// Leads and their activities.
    pub const fn leads(&self) -> Leads<'_> {
        Leads::new(self)
    }

    /// Deals.
    pub const fn deals(&self) -> Deals<'_> {
        Deals::new(self)
    }

    /// Tasks.
    pub const fn tasks(&self) -> Tasks<'_> {
        Tasks::new(self)
    }

    /// The members of the organization.
    pub const fn users(&self) -> Users<'_> {
        Users::new(self)
    }

    /// The caller's own organization.
    pub const fn organization(&self) -> OrganizationSettings<'_> {
        OrganizationSettings::new(self)
    }

    /// All organizations; for platform operators only.
    pub const fn organizations(&self) -> Organizations<'_> {
        Organizations::new(self)
    }

    /// The caller's notifications.
    pub const fn notifications(&self) -> Notifications<'_> {
        Notifications::new(self)
    }

    /// Imports of leads and deals.
    pub const fn imports(&self) -> Imports<'_> {
        Imports::new(self)
    }

    /// Exports of leads, deals and tasks.
    pub const fn exports(&self) -> Exports<'_> {
        Exports::new(self)
    }

    /// The audit log.
    pub const fn audit(&self) -> Audit<'_> {
        Audit::new(self)
    }

    /// What happened, as far as the caller was meant to see it.
    pub const fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// Begins work that only reads.
    pub(crate) async fn read(&self) -> Result<Work> {
        let tx = self.crm.store().read(OrgScope::new(self.org_id)).await?;
        self.work(tx).await
    }

    /// Begins work that may write.
    pub(crate) async fn write(&self) -> Result<Work> {
        let tx = self.crm.store().write(OrgScope::new(self.org_id)).await?;
        Ok(self.work(tx).await?.under_key(self.idempotency_key.clone()))
    }

    async fn work(&self, mut tx: Box<dyn crate::ports::OrgTx>) -> Result<Work> {
        let now = self.crm.env().now();
        let actor = tx.users().actor(self.user_id, self.session_id, now).await?.ok_or_else(|| {
            Error::new(
                ErrorCode::Unauthenticated,
                "Your session has ended, or your account is not active. Sign in again.",
            )
        })?;
        Ok(Work::new(tx, actor, self.crm.env().clone(), self.origin.clone()))
    }
}
