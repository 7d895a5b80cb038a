//! How an import goes on, as it goes on.

use std::time::Duration;

use super::Import;
use crate::caller::Caller;
use crate::error::Result;
use crate::ids::ImportId;

/// How often it is looked at: another process may be working on it.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

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
