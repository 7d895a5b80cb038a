//! Work that goes on beside the calls: imports that have been uploaded, also those that a stopped process left, and
//! deleting what has been kept long enough.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::crm::Crm;
use crate::error::Result;

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

/// A worker that runs in this process until it is stopped or dropped. Any number of processes may have one.
#[derive(Debug)]
pub struct Worker {
    wake: Wake,
    task: JoinHandle<()>,
}

impl Crm {
    /// Begins to work in the background, on the tokio runtime that this is called on.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn worker(&self) -> Worker {
        let wake = Wake::default();
        let mut cleaned: Option<Instant> = None;
        let crm = self.clone();
        let round = move || {
            let cleans = cleaned.is_none_or(|at| at.elapsed() >= CLEANING);
            if cleans {
                cleaned = Some(Instant::now());
            }
            one_round(crm.clone(), cleans)
        };
        Worker { task: tokio::spawn(go_round(round, wake.clone())), wake }
    }
}

impl Worker {
    /// What wakes it.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    /// Ends it; a chunk that has begun is finished or undone, never halved.
    pub async fn stop(mut self) {
        self.task.abort();
        // It ends by being aborted, which is no failure.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.task.abort();
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
        match caught(round()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = &error as &dyn std::error::Error, "work waits"),
            Err(panic) => tracing::error!(error = panic_message(&*panic), "work waits"),
        }
        // Whether it was woken or has slept is the same.
        let _ = timeout(POLL, wake.0.notified()).await;
    }
}

/// What comes of a future, or what it panicked with.
async fn caught<T>(future: impl Future<Output = T>) -> std::thread::Result<T> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

/// What a panic said.
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panic: {}", text.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;

    #[test]
    fn a_round_that_panics_is_followed_by_the_next() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (wake, rounds, finished) =
                (Wake::default(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
            let (counted, waker, done) = (Arc::clone(&rounds), wake.clone(), Arc::clone(&finished));
            let round = move || {
                let round = counted.fetch_add(1, Ordering::Relaxed) + 1;
                if round < 3 {
                    waker.wake();
                }
                let done = Arc::clone(&done);
                async move {
                    match round {
                        1 => panic!("a defect"),
                        2 => Err(Error::unavailable("gone")),
                        _ => {
                            done.notify_one();
                            Ok(())
                        }
                    }
                }
            };
            let working = tokio::spawn(go_round(round, wake));
            finished.notified().await;
            working.abort();
            assert_eq!(rounds.load(Ordering::Relaxed), 3);
        });
    }
}
