#![expect(clippy::unused_async, reason = "poem describes async operations only")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flowcrm_core::Crm;
use poem::web::Data;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::Chapter;

/// How long a probe waits for the database.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells whether the server is well.
#[derive(Debug, Clone)]
pub struct Health {
    crm: Crm,
    /// Whether the database answered when it was last asked.
    had_database: Arc<AtomicBool>,
    /// Held while it is asked on behalf of those who do not wait.
    asking: Arc<Mutex<()>>,
}

impl Health {
    /// The health of a server of this CRM.
    pub fn of(crm: Crm) -> Self {
        Self { crm, had_database: Arc::new(AtomicBool::new(true)), asking: Arc::default() }
    }

    /// Asks the database, for a second at most.
    async fn ask(&self) {
        let has_database = matches!(timeout(PATIENCE, self.crm.ping()).await, Ok(Ok(())));
        self.had_database.store(has_database, Ordering::Relaxed);
    }

    /// Has the database asked, unless it is being asked already.
    fn have_asked(&self) {
        if let Ok(asking) = Arc::clone(&self.asking).try_lock_owned() {
            let health = self.clone();
            tokio::spawn(async move {
                health.ask().await;
                drop(asking);
            });
        }
    }

    /// How the server is, as far as it is known.
    fn report(&self) -> Report {
        let has_database = self.had_database.load(Ordering::Relaxed);
        let database = if has_database { State::Ok } else { State::Unavailable };
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
    /// Says whether the process runs. It waits for nobody: the database is shown as it was when it was last asked.
    #[oai(path = "/live", method = "get", operation_id = "healthLive")]
    async fn live(&self, health: Data<&Health>) -> Probed {
        health.have_asked();
        Probed::Well(Json(Report { status: State::Ok, ..health.report() }))
    }

    /// Says within a second whether requests can be answered.
    #[oai(path = "/ready", method = "get", operation_id = "healthReady")]
    async fn ready(&self, health: Data<&Health>) -> Probed {
        health.ask().await;
        match health.report() {
            report @ Report { status: State::Ok, .. } => Probed::Well(Json(report)),
            report => Probed::Unwell(Json(report)),
        }
    }
}
