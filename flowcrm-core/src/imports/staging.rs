use std::error::Error as StdError;
use std::mem;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::intake::Intake;
use super::mapping::Mapped;
use super::{Import, ImportOptions, ImportRun, OnDuplicate, Plan, Progress, Rejection, StagedRow};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::{Error, ErrorCode, Result};
use crate::input::Body;
use crate::money::Currency;

/// How much of a file is read at once.
const PIECE: usize = 64 * 1024;

/// So many rows, or so many bytes of cells, are staged in one transaction.
const ROWS_AT_ONCE: usize = 4_000;
const BYTES_AT_ONCE: usize = 4 * 1024 * 1024;

/// So many rows, or so many bytes of cells, are applied in one transaction; fewer where each may bring the record with it
/// that it changes, with notes as long as they may be.
const ROWS_TOGETHER: usize = 2_000;
const CHANGES_TOGETHER: usize = 500;
const BYTES_TOGETHER: usize = 256 * 1024;

/// A file that is arriving: [`push`](Self::push) its pieces, then [`finish`](Self::finish) or [`run`](Self::run), or
/// [`abandon`](Self::abandon) it.
///
/// It holds no more than a few pieces in memory. What has been staged of a file that never arrives in full is deleted
/// by the worker after an hour; nobody sees it before.
pub struct Staging {
    caller: Caller,
    import: Import,
    intake: Intake,
    /// Whether all pieces so far have been taken in: not after one that was refused, or that nobody waited for.
    is_whole: bool,
    /// Whether something of it may be in the database.
    is_inserted: bool,
    /// What is being committed, also when nobody waits for it any more.
    committing: Option<JoinHandle<Result<()>>>,
    rows: Vec<StagedRow>,
    rejections: Vec<Rejection>,
    bytes: usize,
    /// Of the options and of the file as it arrives: what an idempotency key stands for.
    fingerprint: Sha256,
}

impl Staging {
    pub(super) fn new(
        caller: Caller,
        (options, asked): (ImportOptions, &str),
        import: Import,
        currency: Currency,
    ) -> Self {
        Self {
            fingerprint: Sha256::new_with_prefix(format!("{}\n{asked}\n", import.kind)),
            caller,
            intake: Intake::new(import.kind, options, currency),
            import,
            is_whole: true,
            is_inserted: false,
            committing: None,
            rows: Vec::new(),
            rejections: Vec::new(),
            bytes: 0,
        }
    }

    /// Takes the next piece of the file. After an error nothing is left of the file, and more pieces are refused; so
    /// they are after a call that was given up.
    ///
    /// # Errors
    ///
    /// `validation_failed` for `file` when it is no list, and for options that do not fit it;
    /// `forbidden` when the caller's right has gone meanwhile; `conflict` when the file took more than an hour, or when
    /// a piece before this one is missing.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let taken = self.take_all(bytes).await;
        if taken.is_err() {
            self.discard().await;
        }
        taken
    }

    /// Ends the file, and hands the import over to the worker.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push); and `validation_failed` for a `file` without rows, and for `options.dateOrder` or
    /// `options.decimalMark` when all rows together leave open what a column means.
    pub async fn finish(mut self) -> Result<Import> {
        match self.hand_over().await {
            Ok(None) => Ok(self.import),
            Ok(Some(earlier)) => {
                self.discard().await;
                Ok(earlier)
            }
            Err(error) => {
                self.discard().await;
                Err(error)
            }
        }
    }

    /// Ends the file, and works on the import as [`Imports::run`](super::Imports::run) does. Both go on when nobody
    /// waits for them any more: a file that has arrived in full is imported.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub async fn run(self) -> Result<ImportRun> {
        let (tell, told) = oneshot::channel();
        let caller = self.caller.clone();
        tokio::spawn(async move {
            let import = self.finish().await;
            let run = import.map(|import| ImportRun::begin(Progress::new(caller, import.id)));
            if let Err(Err(error)) = tell.send(run) {
                tracing::warn!(
                    error = &error as &dyn StdError,
                    "a file that nobody waits for is not imported"
                );
            }
        });
        told.await.map_err(Error::internal)?
    }

    /// # Errors
    ///
    /// `conflict` when a piece is missing.
    fn require_whole(&self) -> Result<()> {
        let detail = "A piece of the file is missing. Send the file anew.";
        if self.is_whole { Ok(()) } else { Err(Error::new(ErrorCode::Conflict, detail)) }
    }

    async fn take_all(&mut self, bytes: &[u8]) -> Result<()> {
        self.require_whole()?;
        self.is_whole = false;
        self.fingerprint.update(bytes);
        for piece in bytes.chunks(PIECE) {
            self.take(piece).await?;
        }
        self.is_whole = true;
        Ok(())
    }

    async fn take(&mut self, piece: &[u8]) -> Result<()> {
        let mut mapped = Vec::new();
        self.intake.push(piece, &mut mapped)?;
        self.add(mapped);
        let Some(plan) = self.intake.plan().filter(|_| self.is_plenty()).cloned() else {
            return Ok(());
        };
        self.write(&plan, false).await.map(|_| ())
    }

    /// Stages the rest; answers the import that was made before under the same idempotency key, if there is one.
    async fn hand_over(&mut self) -> Result<Option<Import>> {
        self.require_whole()?;
        let mut mapped = Vec::new();
        let plan = self.intake.finish(&mut mapped)?;
        self.add(mapped);
        if self.import.total == 0 {
            return Err(Error::field("file", "has no rows below its header"));
        }
        self.write(&plan, true).await
    }

    fn add(&mut self, mapped: Vec<Mapped>) {
        for mapped in mapped {
            match mapped {
                Mapped::Row(row) => {
                    self.bytes += bytes_of(&row);
                    self.rows.push(row);
                }
                Mapped::Rejected(rejection) => {
                    self.import.rejected += 1;
                    self.rejections.push(rejection);
                }
                Mapped::Blank => continue,
            }
            self.import.total += 1;
        }
    }

    fn is_plenty(&self) -> bool {
        self.rows.len() + self.rejections.len() >= ROWS_AT_ONCE || self.bytes >= BYTES_AT_ONCE
    }

    /// Writes what has been mapped. The caller may have lost their right since the last time. With the last rows the
    /// file is known, and so is whether the same was imported before under the same idempotency key.
    async fn write(&mut self, plan: &Plan, is_all: bool) -> Result<Option<Import>> {
        let mut work = self.caller.write().await?;
        work.actor().require(Action::Import)?;
        if is_all {
            let operation = format!("imports.begin {:x?}", self.fingerprint.clone().finalize());
            if let Some(earlier) = work.replay(&operation, &Body::default()).await? {
                return Ok(Some(earlier));
            }
            work.keep(&self.import).await?;
        }
        if !self.is_inserted {
            work.imports().insert(&self.import, self.caller.user_id(), plan).await?;
        }
        let mut staged = 0;
        let most = if plan.on_duplicate == OnDuplicate::Update { CHANGES_TOGETHER } else { ROWS_TOGETHER };
        for rows in (Together { rows: &self.rows, most }) {
            // Too few to be applied on their own, if others follow.
            if !is_all && staged + rows.len() == self.rows.len() {
                break;
            }
            work.imports().stage(self.import.id, rows).await?;
            staged += rows.len();
        }
        work.imports().reject(self.import.id, &self.rejections).await?;
        work.imports().arrived(&self.import, plan, is_all).await?;
        self.is_inserted = true;
        let committed = self.committing.insert(tokio::spawn(work.commit())).await;
        self.committing = None;
        committed.map_err(Error::internal)??;
        self.rows.drain(..staged);
        self.bytes = self.rows.iter().map(bytes_of).sum();
        self.rejections.clear();
        Ok(None)
    }

    /// Gives the file up: deletes what has been staged of it. Call it when the file will not arrive in full.
    pub async fn abandon(mut self) {
        self.discard().await;
    }

    /// Deletes what has been staged, also when nobody waits for that; should it fail, the worker does it later.
    async fn discard(&mut self) {
        if !mem::take(&mut self.is_inserted) {
            return;
        }
        let (caller, id, committing) = (self.caller.clone(), self.import.id, self.committing.take());
        let discarding = tokio::spawn(async move {
            if let Some(committing) = committing {
                // However it ended.
                let _ = committing.await;
            }
            let discarded = async {
                let mut work = caller.write().await?;
                work.imports().discard(id).await?;
                work.commit().await
            };
            if let Err(error) = discarded.await {
                let error = &error as &dyn StdError;
                tracing::warn!(import.id = %id, error, "what was staged of a refused file is still there");
            }
        });
        // Whoever panicked has been heard.
        let _ = discarding.await;
    }
}

fn bytes_of(row: &StagedRow) -> usize {
    row.cells.iter().map(String::len).sum()
}

/// Rows, cut into such as are applied together.
struct Together<'a> {
    rows: &'a [StagedRow],
    most: usize,
}

impl<'a> Iterator for Together<'a> {
    type Item = &'a [StagedRow];

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = self.rows.first().map_or(0, bytes_of);
        let others = self.rows.iter().skip(1).take(self.most - 1).take_while(|row| {
            bytes += bytes_of(row);
            bytes < BYTES_TOGETHER
        });
        let (together, rest) = self.rows.split_at_checked(1 + others.count())?;
        self.rows = rest;
        Some(together)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_by_their_number_and_size() {
        let row = |line, bytes| StagedRow { line, cells: vec!["x".repeat(bytes)] };
        let lengths =
            |rows: &[StagedRow]| Together { rows, most: ROWS_TOGETHER }.map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[]), [0; 0]);
        let many: Vec<_> = (0..5_000).map(|line| row(line, 1)).collect();
        assert_eq!(lengths(&many), [2_000, 2_000, 1_000]);
        let large: Vec<_> = (0..5).map(|line| row(line, 120 * 1024)).collect();
        assert_eq!(lengths(&large), [2, 2, 1]);
        assert_eq!(lengths(&[row(2, 1024 * 1024), row(3, 1024 * 1024), row(4, 1)]), [1, 1, 1]);
        assert!(Together { rows: &many, most: 7 }.flatten().eq(&many));
    }
}
