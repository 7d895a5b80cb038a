//! Work that goes on beside the requests: imports that have been uploaded, also those that a stopped server left.

use std::sync::Arc;
use std::time::Duration;

use flowcrm_core::Crm;
use tokio::sync::Notify;

/// How often a worker looks for work that nobody told it of.
const POLL: Duration = Duration::from_secs(2);

/// Wakes the worker of this process. Clones wake the same one.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Says that there is work.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Works until `shutdown` ends; a chunk that has begun is finished or undone, never halved.
pub async fn work(crm: Crm, wake: Wake, shutdown: impl Future<Output = ()>) {
    let working = async {
        loop {
            match crm.run_waiting_imports().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(import.count = count, "imports finished"),
                Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "imports wait"),
            }
            tokio::select! {
                () = wake.0.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    };
    tokio::select! {
        () = working => {}
        () = shutdown => {}
    }
}
