use async_trait::async_trait;

use super::{Lead, LeadQuery};
use crate::access::Visibility;
use crate::error::Result;
use crate::ids::{LeadId, UserId};
use crate::time::Timestamp;

/// What there is besides a lead; what is not there need not be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traces {
    /// Whether it has activities.
    pub has_activities: bool,
    /// Whether deals have been made with it.
    pub has_deals: bool,
}

/// Where leads are kept. Every method sees the transaction's organization only.
#[async_trait]
pub trait LeadRepository: Send {
    /// The lead, if it is there.
    async fn find(&mut self, id: LeadId) -> Result<Option<Lead>>;

    /// The lead, if it is there, and what there is besides it.
    async fn find_with_traces(&mut self, id: LeadId) -> Result<Option<(Lead, Traces)>>;

    /// The lead, held against other writers until the transaction ends.
    async fn lock(&mut self, id: LeadId) -> Result<Option<Lead>>;

    /// Those of some leads that are there, in any order.
    async fn find_many(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>>;

    /// The lead with this id of another system.
    async fn find_by_external_id(&mut self, external_id: &str) -> Result<Option<Lead>>;

    /// The leads that a query selects among the visible ones: one more than the limit if there are more.
    async fn list(&mut self, visibility: Visibility, query: &LeadQuery) -> Result<Vec<Lead>>;

    /// How many leads a query selects, whatever the page.
    async fn count(&mut self, visibility: Visibility, query: &LeadQuery) -> Result<u64>;

    /// Adds a lead.
    ///
    /// # Errors
    ///
    /// A field error for `externalId` when another lead has it.
    async fn insert(&mut self, lead: &Lead) -> Result<()>;

    /// Writes a changed lead over its former version.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when the former version is no longer there, or somebody
    /// else has just taken the `externalId`.
    async fn update(&mut self, lead: &Lead) -> Result<()>;

    /// Deletes a lead and its activities, and clears the references of its deals and tasks.
    async fn delete(&mut self, id: LeadId) -> Result<()>;

    /// Gives a user's open leads (neither WON nor LOST) to another, as owner and as assignee; answers which.
    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<LeadId>>;
}
