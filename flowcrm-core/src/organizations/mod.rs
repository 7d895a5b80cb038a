//! Organizations: the tenants.

mod founding;
mod organization;
mod repository;
mod service;
mod time_zone;

pub(crate) use founding::{Founding, found};
pub use organization::{
    NewOrganization, Organization, OrganizationQuery, OrganizationSort, UpdateOrganization,
};
pub use repository::OrganizationRepository;
pub use service::{OrganizationSettings, Organizations};
pub use time_zone::TimeZone;
