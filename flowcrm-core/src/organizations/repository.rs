use async_trait::async_trait;

use super::Organization;
use crate::error::Result;

/// Where the transaction's organization is kept.
#[async_trait]
pub trait OrganizationRepository: Send {
    /// The organization.
    async fn find(&mut self) -> Result<Option<Organization>>;

    /// The organization, held against every other command that records something until the transaction ends.
    async fn lock(&mut self) -> Result<Option<Organization>>;

    /// Adds the organization: the first row of a new tenant.
    async fn insert(&mut self, organization: &Organization) -> Result<()>;

    /// Writes the changed organization.
    async fn update(&mut self, organization: &Organization) -> Result<()>;

    /// Whether any lead or deal has a value other than 0: the currency cannot change then.
    async fn has_values(&mut self) -> Result<bool>;
}
