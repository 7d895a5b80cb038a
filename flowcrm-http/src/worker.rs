//! Work that goes on beside the requests: imports that have been uploaded, also those that a stopped server left, and
//! deleting what has been kept long enough.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use flowcrm_core::{Crm, Result};
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::app::message;

/// How often a worker looks for work that nobody told it of.
const POLL: Duration = Duration::from_secs(2);

/// How often it cleans up.
const CLEANING: Duration = Duration::from_mins(1);

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
    let mut cleaned: Option<Instant> = None;
    let round = || {
        let cleans = cleaned.is_none_or(|at| at.elapsed() >= CLEANING);
        if cleans {
            cleaned = Some(Instant::now());
        }
        one_round(crm.clone(), cleans)
    };
    tokio::select! {
        () = go_round(round, wake) => {}
        () = shutdown => {}
    }
}

async fn one_round(crm: Crm, cleans: bool) -> Result<()> {
    let imports = crm.run_waiting_imports().await?;
    if imports > 0 {
        tracing::info!(import.count = imports, "imports finished");
    }
    if cleans {
        let rows = crm.clean_up().await?;
        tracing::debug!(row.count = rows, "cleaned up");
    }
    Ok(())
}

/// Goes round for ever, when woken or after a while. A round that fails, or panics, is followed by the next one.
async fn go_round<R: Future<Output = Result<()>>>(mut round: impl FnMut() -> R, wake: Wake) {
    loop {
        match AssertUnwindSafe(round()).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "work waits"),
            Err(panic) => tracing::error!(error = message(&*panic), "work waits"),
        }
        tokio::select! {
            () = wake.0.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use flowcrm_core::Error;

    use super::*;

    #[tokio::test]
    async fn a_round_that_panics_is_followed_by_the_next() {
        let (wake, mut rounds) = (Wake::default(), 0);
        let (done, finished) = tokio::sync::oneshot::channel();
        let (mut done, waker) = (Some(done), wake.clone());
        let round = || {
            rounds += 1;
            if rounds < 3 {
                waker.wake();
            }
            let (round, done) = (rounds, if rounds == 3 { done.take() } else { None });
            async move {
                match round {
                    1 => panic!("a defect"),
                    2 => Err(Error::unavailable("gone")),
                    _ => {
                        done.map(|done| done.send(round));
                        Ok(())
                    }
                }
            }
        };
        tokio::select! {
            () = go_round(round, wake) => {}
            rounds = finished => assert_eq!(rounds, Ok(3)),
        }
    }
}
