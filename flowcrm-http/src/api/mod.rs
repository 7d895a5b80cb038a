//! The endpoints: one file per room of the core. They take a request apart, call the core, and put the answer together.

mod audit_logs;
mod auth;
mod bulk;
mod dashboard;
mod deals;
mod events;
mod exports;
mod health;
mod imports;
mod leads;
mod notifications;
mod organizations;
mod tasks;
mod users;

use poem_openapi::{Object, OpenApi, OpenApiService, Tags};
use serde::Serialize;
use uuid::Uuid;

pub use auth::CookiePolicy;
pub(crate) use auth::Registration;
pub use health::Health;

/// The chapters of the API reference.
#[derive(Tags)]
enum Chapter {
    /// Registration, sign-in, sessions and one's own account.
    #[oai(rename = "Sign-in")]
    SignIn,
    /// People and companies who may become customers.
    Leads,
    /// What may be sold, on its way through the pipeline.
    Deals,
    /// What somebody has to do.
    Tasks,
    /// The members of the organization.
    Users,
    /// The organization and its settings; all organizations, for platform operators.
    Organizations,
    /// What a member is told about.
    Notifications,
    /// Figures, counted over what the caller may list.
    Dashboard,
    /// Bringing data in.
    Import,
    /// Taking data out.
    Export,
    /// Who did what, and what happened.
    Logs,
    /// Whether the server is well.
    Health,
}

/// A record that is gone.
#[derive(Debug, Serialize, Object)]
struct Deleted {
    /// Its id.
    id: Uuid,
    /// Always true.
    deleted: bool,
}

impl Deleted {
    fn of(id: impl Into<Uuid>) -> Self {
        Self { id: id.into(), deleted: true }
    }
}

/// All endpoints as one service, described.
pub fn service() -> OpenApiService<impl OpenApi, ()> {
    let endpoints = (
        (auth::Auth, leads::Leads, deals::Deals, tasks::Tasks),
        (users::Users, organizations::Organizations, notifications::Notifications),
        (dashboard::Dashboard, imports::Imports, exports::Exports),
        (audit_logs::AuditLogs, events::Events, health::Probes),
    );
    OpenApiService::new(endpoints, "FlowCRM", env!("CARGO_PKG_VERSION")).description(
        "The CRM that you import. Sign in, then send the access token as `Authorization: Bearer`.",
    )
}
