use flowcrm_core::Crm;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Serialize;

use super::Chapter;

/// Tells whether the server is well.
#[derive(Debug, Clone)]
pub struct Health {
    crm: Crm,
}

impl Health {
    /// The health of a server of this CRM.
    pub const fn of(crm: Crm) -> Self {
        Self { crm }
    }

    async fn report(&self) -> Report {
        let database = match self.crm.ping().await {
            Ok(()) => State::Ok,
            Err(_) => State::Unavailable,
        };
        Report {
            status: database,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database,
            cache: State::Ok,
            queue: database,
        }
    }
}

/// Whether a part is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Enum)]
#[serde(rename_all = "lowercase")]
#[oai(rename_all = "lowercase")]
enum State {
    /// It is.
    Ok,
    /// It is not, for now.
    Unavailable,
}

/// How the server is.
#[derive(Debug, Serialize, Object)]
struct Report {
    /// Whether everything that a request needs is well.
    status: State,
    /// The server's version.
    version: String,
    /// The database.
    database: State,
    /// The cache; in process.
    cache: State,
    /// The queue; it lives in the database.
    queue: State,
}

#[derive(ApiResponse)]
enum Probed {
    /// All is well.
    #[oai(status = 200)]
    Well(Json<Report>),
    /// Something is not.
    #[oai(status = 503)]
    Unwell(Json<Report>),
}

pub(super) struct Probes;

#[OpenApi(prefix_path = "/health", tag = "Chapter::Health")]
impl Probes {
    /// Says whether the process runs.
    #[oai(path = "/live", method = "get", operation_id = "healthLive")]
    async fn live(&self, health: Data<&Health>) -> Probed {
        Probed::Well(Json(Report { status: State::Ok, ..health.report().await }))
    }

    /// Says whether requests can be answered.
    #[oai(path = "/ready", method = "get", operation_id = "healthReady")]
    async fn ready(&self, health: Data<&Health>) -> Probed {
        match health.report().await {
            report @ Report { status: State::Ok, .. } => Probed::Well(Json(report)),
            report => Probed::Unwell(Json(report)),
        }
    }
}
