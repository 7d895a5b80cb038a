use async_trait::async_trait;

use super::{Deal, DealQuery};
use crate::error::Result;
use crate::ids::{DealId, LeadId, UserId};
use crate::time::Timestamp;

/// Where deals are kept. Every method sees the transaction's organization only, all of whose members read all deals.
#[async_trait]
pub trait DealRepository: Send {
    /// The deal, if it is there.
    async fn find(&mut self, id: DealId) -> Result<Option<Deal>>;

    /// The deal, held against other writers until the transaction ends.
    async fn lock(&mut self, id: DealId) -> Result<Option<Deal>>;

    /// The deal with this id of another system.
    async fn find_by_external_id(&mut self, external_id: &str) -> Result<Option<Deal>>;

    /// The deals made with a lead, newest first, at most so many.
    async fn of_lead(&mut self, lead: LeadId, limit: usize) -> Result<Vec<Deal>>;

    /// The deals that a query selects: one more than the limit if there are more.
    async fn list(&mut self, query: &DealQuery) -> Result<Vec<Deal>>;

    /// How many deals a query selects, whatever the page.
    async fn count(&mut self, query: &DealQuery) -> Result<u64>;

    /// Adds a deal.
    ///
    /// # Errors
    ///
    /// A field error for `externalId` when another deal has it.
    async fn insert(&mut self, deal: &Deal) -> Result<()>;

    /// Writes a changed deal over its former version.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when the former version is no longer there, or somebody
    /// else has just taken the `externalId`.
    async fn update(&mut self, deal: &Deal) -> Result<()>;

    /// Deletes a deal, and clears the references of its tasks, which do not count as changed by that.
    async fn delete(&mut self, id: DealId) -> Result<()>;

    /// Gives a user's open deals to another, as owner and as assignee; answers which.
    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<DealId>>;
}
