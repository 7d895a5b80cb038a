//! What the core needs from the outside: a store for its records.
//!
//! A port is a trait; `flowcrm-store` implements it for SQLite and Postgres, and an embedder may bring another.

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;

use crate::access::OrgScope;
use crate::activities::ActivityRepository;
use crate::audit::AuditRepository;
use crate::auth::SessionRepository;
use crate::dashboard::DashboardRepository;
use crate::deals::DealRepository;
use crate::error::Result;
use crate::events::{Audience, EntityType, EventKind};
use crate::ids::{AuditEntryId, OrgId, SessionId, UserId};
use crate::imports::ImportRepository;
use crate::leads::LeadRepository;
use crate::log::LogRepository;
use crate::money::Currency;
use crate::notifications::{Notification, NotificationRepository};
use crate::organizations::OrganizationRepository;
use crate::tasks::TaskRepository;
use crate::time::Timestamp;
use crate::users::UserRepository;

/// Keeps everything, in transactions.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins a transaction of one organization that only reads; it ends when dropped.
    async fn read(&self, scope: OrgScope) -> Result<Box<dyn OrgTx>>;

    /// Begins a transaction of one organization that may write; it is undone when dropped before its commit.
    async fn write(&self, scope: OrgScope) -> Result<Box<dyn OrgTx>>;

    /// Begins a transaction on what belongs to no organization that only reads; it ends when dropped.
    async fn system_read(&self) -> Result<Box<dyn SystemTx>>;

    /// Begins a transaction on what belongs to no organization that may write; it is undone when dropped before its
    /// commit.
    async fn system(&self) -> Result<Box<dyn SystemTx>>;

    /// Lets the database settle after much has been written, so that reading is as fast as before.
    async fn settle(&self) -> Result<()>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;

    /// Ends all connections; what has been committed stays.
    async fn close(&self);
}

/// A transaction of one organization: nothing else can be seen or touched through it.
#[async_trait]
pub trait OrgTx: Send {
    /// Users and members.
    fn users(&mut self) -> &mut dyn UserRepository;
    /// The organization itself.
    fn organization(&mut self) -> &mut dyn OrganizationRepository;
    /// Leads.
    fn leads(&mut self) -> &mut dyn LeadRepository;
    /// Activities on leads.
    fn activities(&mut self) -> &mut dyn ActivityRepository;
    /// Deals.
    fn deals(&mut self) -> &mut dyn DealRepository;
    /// Tasks.
    fn tasks(&mut self) -> &mut dyn TaskRepository;
    /// Notifications.
    fn notifications(&mut self) -> &mut dyn NotificationRepository;
    /// The event log.
    fn log(&mut self) -> &mut dyn LogRepository;
    /// The audit log.
    fn audit(&mut self) -> &mut dyn AuditRepository;
    /// Sessions of the organization's users.
    fn sessions(&mut self) -> &mut dyn SessionRepository;
    /// Imports and their staged rows.
    fn imports(&mut self) -> &mut dyn ImportRepository;
    /// Figures.
    fn dashboard(&mut self) -> &mut dyn DashboardRepository;
    /// Answers kept under idempotency keys.
    fn answers(&mut self) -> &mut dyn AnswerRepository;

    /// Goes on as a transaction on what belongs to no organization: for platform operators, whom their own
    /// organization's transaction has recognized.
    async fn leave(self: Box<Self>) -> Result<Box<dyn SystemTx>>;

    /// Writes the journal as the last statements, and commits: all of the transaction, or nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when the organization's currency has become another than
    /// the journal's.
    async fn commit(self: Box<Self>, journal: Journal) -> Result<()>;
}

/// What a transaction records beside its changes.
#[derive(Debug, Clone)]
pub struct Journal {
    /// The currency that the command's amounts were read in.
    pub currency: Currency,
    /// Events, in order; the store gives them their positions.
    pub events: Vec<NewEvent>,
    /// Audit entries, in order.
    pub audit: Vec<NewAuditEntry>,
    /// Notifications.
    pub notifications: Vec<Notification>,
}

/// An event to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its kind.
    pub kind: EventKind,
    /// The id of what it is about.
    pub entity_id: Uuid,
    /// Who did it.
    pub user_id: Option<UserId>,
    /// Who sees it.
    pub audience: Audience,
    /// What they are told.
    pub payload: Value,
    /// When.
    pub created_at: Timestamp,
}

/// An audit entry to be written.
#[derive(Debug, Clone)]
pub struct NewAuditEntry {
    /// The entry's id.
    pub id: AuditEntryId,
    /// What was done: the event's name.
    pub action: &'static str,
    /// What it was done to.
    pub entity_type: EntityType,
    /// The id of what it was done to.
    pub entity_id: Uuid,
    /// Who did it.
    pub user_id: Option<UserId>,
    /// What exactly.
    pub details: Value,
    /// From which address.
    pub ip_address: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// Where answers are kept under their idempotency keys, for 24 hours.
#[async_trait]
pub trait AnswerRepository: Send {
    /// Claims a key of the user's; answers what is there when it was claimed before and is not older than `oldest`.
    async fn claim(&mut self, claim: &AnswerClaim, oldest: Timestamp) -> Result<Option<KeptAnswer>>;

    /// Keeps the answer under a claimed key.
    async fn keep(&mut self, claim: &AnswerClaim, answer: &[u8]) -> Result<()>;
}

/// A user's idempotency key, with what it stands for.
#[derive(Debug, Clone)]
pub struct AnswerClaim {
    /// Whose key.
    pub user_id: UserId,
    /// The key.
    pub key: String,
    /// SHA-256 of operation and body.
    pub fingerprint: [u8; 32],
    /// When it was claimed.
    pub created_at: Timestamp,
}

/// An answer given before.
#[derive(Debug, Clone)]
pub struct KeptAnswer {
    /// SHA-256 of operation and body.
    pub fingerprint: Vec<u8>,
    /// The answer, as CBOR.
    pub answer: Vec<u8>,
}

/// A sign-in account: which user of which organization an email belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The organization.
    pub org_id: OrgId,
    /// The user.
    pub user_id: UserId,
}

/// A transaction on what belongs to no organization, by narrow queries.
#[async_trait]
pub trait SystemTx: Send {
    /// The account of a sign-in email, by its folded form.
    async fn account_by_email(&mut self, email_key: &str) -> Result<Option<Account>>;

    /// The account of a user.
    async fn account_by_user(&mut self, user: UserId) -> Result<Option<Account>>;

    /// The account that a session belongs to.
    async fn account_by_session(&mut self, session: SessionId) -> Result<Option<Account>>;

    /// Notes a failed sign-in for an account that is not there, in the tenant-free sign-in log.
    async fn note_unknown_sign_in(
        &mut self,
        email_key_hash: &[u8],
        ip: Option<&str>,
        at: Timestamp,
    ) -> Result<()>;

    /// Deletes answers under idempotency keys that were kept before a moment, at most so many; answers how many.
    async fn forget_answers(&mut self, before: Timestamp, limit: usize) -> Result<u64>;

    /// Deletes noted sign-ins for accounts that are not there from before a moment, at most so many; answers how many.
    async fn forget_unknown_sign_ins(&mut self, before: Timestamp, limit: usize) -> Result<u64>;

    /// All organizations in the order of the query, for platform operators: one more than its limit if there are more.
    async fn organizations(
        &mut self,
        query: &crate::organizations::OrganizationQuery,
    ) -> Result<Vec<crate::organizations::Organization>>;

    /// One organization, for platform operators.
    async fn organization(&mut self, org: OrgId) -> Result<Option<crate::organizations::Organization>>;

    /// How many organizations there are.
    async fn count_organizations(&mut self) -> Result<u64>;

    /// Deletes an organization with everything in it; answers whether it was there.
    async fn delete_organization(&mut self, org: OrgId) -> Result<bool>;

    /// Notes what a platform operator did, in the tenant-free operator log.
    async fn note_operator(
        &mut self,
        operator: UserId,
        action: &str,
        org: OrgId,
        at: Timestamp,
    ) -> Result<()>;

    /// Imports that are staged and not finished, and that nobody works on: their organizations and ids.
    async fn waiting_imports(&mut self) -> Result<Vec<(OrgId, crate::ids::ImportId)>>;

    /// Imports whose file has not arrived in full, and began to before a moment: their organizations and ids.
    async fn abandoned_imports(&mut self, before: Timestamp) -> Result<Vec<(OrgId, crate::ids::ImportId)>>;

    /// Goes on as a transaction of one organization, which commits both together.
    async fn enter(self: Box<Self>, scope: OrgScope) -> Result<Box<dyn OrgTx>>;

    /// Commits.
    async fn commit(self: Box<Self>) -> Result<()>;
}
