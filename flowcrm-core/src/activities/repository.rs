use async_trait::async_trait;

use super::{Activity, ActivityQuery};
use crate::error::Result;
use crate::ids::LeadId;

/// Where activities are kept. Every method sees the transaction's organization only; who may see a lead may see
/// its activities.
#[async_trait]
pub trait ActivityRepository: Send {
    /// A lead's newest activities, newest first.
    async fn newest(&mut self, lead: LeadId, limit: usize) -> Result<Vec<Activity>>;

    /// The activities of a lead that a query selects: one more than the limit if there are more.
    async fn list(&mut self, lead: LeadId, query: &ActivityQuery) -> Result<Vec<Activity>>;

    /// How many activities a lead has.
    async fn count(&mut self, lead: LeadId) -> Result<u64>;

    /// Adds an activity.
    async fn insert(&mut self, activity: &Activity) -> Result<()>;
}
