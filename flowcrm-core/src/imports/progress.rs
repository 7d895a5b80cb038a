//! How an import goes on, as it goes on.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::Import;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::ids::ImportId;

/// How often it is looked at: another process may be working on it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// How long an import that another process has taken up is left to it, before this one looks for it again.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// An import that is watched; [`next`](Self::next) tells of each change until it has come to its end, or until it has
/// been undone.
#[derive(Debug)]
pub struct Progress {
    caller: Caller,
    id: ImportId,
    last: Option<Import>,
}

impl Progress {
    pub(super) const fn new(caller: Caller, id: ImportId) -> Self {
        Self { caller, id, last: None }
    }

    /// The import: at once when called first, then as soon as something about it has changed; none after it has come
    /// to its end. A failed call may be repeated.
    ///
    /// # Errors
    ///
    /// `unauthenticated` or `forbidden` when the caller has lost the right meanwhile; `unavailable`.
    pub async fn next(&mut self) -> Result<Option<Import>> {
        if self.last.as_ref().is_some_and(Import::has_ended) {
            return Ok(None);
        }
        loop {
            let import = self.caller.imports().get(self.id).await?;
            if self.last.as_ref() != Some(&import) {
                self.last = Some(import.clone());
                return Ok(Some(import));
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }
}

/// An import that is watched, and worked on by this process while no other does. Work that has begun goes on when this
/// is dropped.
#[derive(Debug)]
pub struct ImportRun {
    watched: Progress,
    working: JoinHandle<Result<usize>>,
    /// Held while work may be needed that has not begun.
    need: Arc<()>,
}

impl ImportRun {
    pub(super) fn begin(watched: Progress) -> Self {
        let need = Arc::default();
        Self { working: work(&watched.caller, Duration::ZERO, None), watched, need }
    }

    /// The import, as [`Progress::next`] tells of it.
    ///
    /// # Errors
    ///
    /// As [`Progress::next`]; and what ended the work, which is begun again by another call.
    pub async fn next(&mut self) -> Result<Option<Import>> {
        let caller = self.watched.caller.clone();
        let mut watched = pin!(self.watched.next());
        loop {
            // What has changed comes first, so that the last change is told before the end.
            let first = poll_fn(|context| match watched.as_mut().poll(context) {
                Poll::Ready(told) => Poll::Ready(Ok(told)),
                Poll::Pending => Pin::new(&mut self.working).poll(context).map(Err),
            });
            match first.await {
                Ok(told) => {
                    if matches!(&told, Ok(import) if import.as_ref().is_none_or(Import::has_ended)) {
                        self.need = Arc::default();
                    }
                    return told;
                }
                // Another process is at it; should that one go away, this one takes it up.
                Err(ended) => {
                    self.working = work(&caller, BETWEEN_TRIES, Some(Arc::downgrade(&self.need)));
                    ended.map_err(Error::internal)??;
                }
            }
        }
    }

    /// Waits until this process has no more work on imports, for a program that ends then.
    ///
    /// # Errors
    ///
    /// What ended the work.
    pub async fn end(self) -> Result<()> {
        self.working.await.map_err(Error::internal)?.map(|_| ())
    }
}

/// Works on whatever waits, after a pause, and while there is need where that is told. What fails is logged: perhaps
/// nobody waits for it.
fn work(caller: &Caller, pause: Duration, need: Option<Weak<()>>) -> JoinHandle<Result<usize>> {
    let crm = caller.crm().clone();
    tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        if need.is_some_and(|need| need.strong_count() == 0) {
            return Ok(0);
        }
        let ended = crm.run_waiting_imports().await;
        ended.inspect_err(|error| tracing::error!(error = error as &dyn StdError, "imports wait"))
    })
}
