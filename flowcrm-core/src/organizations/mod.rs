//! Organizations: the tenants.

mod organization;
mod repository;
mod service;

pub use organization::{NewOrganization, Organization, OrganizationQuery, OrganizationSort, UpdateOrganization};
pub use repository::OrganizationRepository;
pub use service::{OrganizationSettings, Organizations};
