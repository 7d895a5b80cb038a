//! The worker: imports, brought to their end or undone.

use chrono::Duration;

use super::apply::apply;
use super::batch::{Ahead, Basis, Batch, next_batch};
use super::target::Target;
use super::undo::take_back;
use super::{ImportKind, Lease, Run, Undo};
use crate::access::{Action, OrgScope};
use crate::caller::Origin;
use crate::crm::Crm;
use crate::deals::Deal;
use crate::error::{Error, ErrorCode, OrNotFound, Result};
use crate::ids::ImportId;
use crate::leads::Lead;
use crate::ports::{Journal, OrgTx};
use crate::work::Work;

/// So many changes are taken back in one transaction. Each has its record as it was and as it is in memory, with notes as
/// long as they may be.
const CHANGES_AT_ONCE: usize = 250;

/// From so many rows on, the database is asked to settle after they have been imported, or have gone.
const MANY_ROWS: i64 = 1_000;

/// How often rows may fail, for another reason than an absent database, until the import is given up.
const ATTEMPTS: usize = 3;

/// How a step of an import went.
enum Step {
    /// Something has been done, there may be more to do.
    Taken,
    /// The import has come to its end, with so many rows.
    Ended(i64),
    /// Another worker holds the import.
    Lost,
}

impl Crm {
    /// Brings the imports to their end that wait for a worker, and answers how many; of an import that another worker
    /// has left, it begins where that one stopped. Meant to be called again and again, by any number of workers.
    ///
    /// # Errors
    ///
    /// `unavailable` when the database cannot answer; the imports wait on.
    pub async fn run_waiting_imports(&self) -> Result<usize> {
        self.discard_abandoned_files().await?;
        let waiting = self.store().system_read().await?.waiting_imports().await?;
        let (mut ended, mut rows) = (0, 0);
        for (org, id) in waiting {
            let scope = OrgScope::new(org);
            match self.run_import(scope, id).await {
                Ok(Some(of_import)) => {
                    ended += 1;
                    rows += of_import;
                }
                Ok(None) => {}
                Err(error) if error.code() == ErrorCode::Unavailable => return Err(error),
                // One that cannot even be given up does not hold up the others.
                Err(error) => log_failure(scope, id, ATTEMPTS, &error),
            }
        }
        if rows >= MANY_ROWS {
            let settled = self.store().settle().await;
            settled.unwrap_or_else(|error| {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "reading may be slow after an import");
            });
        }
        Ok(ended)
    }

    /// Deletes what was staged of files that have not arrived in full within an hour.
    async fn discard_abandoned_files(&self) -> Result<()> {
        let an_hour_ago = self.env().now().plus(Duration::hours(-1));
        let abandoned = self.store().system_read().await?.abandoned_imports(an_hour_ago).await?;
        for (org, id) in abandoned {
            let mut tx = self.store().write(OrgScope::new(org)).await?;
            tx.imports().discard(id).await?;
            commit_silently(tx).await?;
        }
        Ok(())
    }

    /// Takes an import and brings it to its end; answers how many rows it has if it did.
    async fn run_import(&self, scope: OrgScope, id: ImportId) -> Result<Option<i64>> {
        let lease = Lease { import_id: id, token: self.env().id() };
        let mut tx = self.store().write(scope).await?;
        if !tx.imports().claim(lease, self.env().now()).await? {
            return Ok(None);
        }
        let kind = tx.imports().find(id).await?.map(|import| import.kind);
        commit_silently(tx).await?;
        match kind {
            Some(ImportKind::Leads) => self.advance::<Lead>(scope, lease).await,
            Some(ImportKind::Deals) => self.advance::<Deal>(scope, lease).await,
            None => Ok(None),
        }
    }

    /// Brings an import that is held to its end; answers how many rows it has if it did.
    async fn advance<T: Target>(&self, scope: OrgScope, lease: Lease) -> Result<Option<i64>> {
        let (mut ahead, mut failures) = (Ahead::<T>::new(self.clone(), scope), 0);
        loop {
            match self.step(scope, lease, &mut ahead).await {
                Ok(Step::Taken) => failures = 0,
                Ok(Step::Ended(rows)) => return Ok(Some(rows)),
                Ok(Step::Lost) => return Ok(None),
                Err(error) if error.code() == ErrorCode::Unavailable => return Err(error),
                // A record that somebody else has just created clashes once; a defect fails again.
                Err(error) => {
                    failures += 1;
                    log_failure(scope, lease.import_id, failures, &error);
                    if failures == ATTEMPTS {
                        return self.give_up(scope, lease).await;
                    }
                }
            }
        }
    }

    /// Takes the next step, and moves the checkpoint behind it, in one transaction.
    async fn step<T: Target>(&self, scope: OrgScope, lease: Lease, ahead: &mut Ahead<T>) -> Result<Step> {
        let arrived = ahead.arrived().await;
        let mut tx = self.store().write(scope).await?;
        let Some(run) = tx.imports().hold(lease).await? else {
            return Ok(Step::Lost);
        };
        let actor = tx.users().actor(run.acting(), None, self.env().now()).await?;
        let Some(actor) = actor.filter(|actor| actor.require(Action::Import).is_ok()) else {
            let asked = if run.undo.is_some() { "asked to undo" } else { "started" };
            self.fail(tx, lease, run, &format!("The user who {asked} this import may no longer import."))
                .await?;
            return Ok(Step::Ended(0));
        };
        let mut work = Work::new(tx, actor, self.env().clone(), Origin::default());
        if let Some(undo) = run.undo {
            return undo_some::<T>(work, lease, run, undo).await;
        }
        let actor = work.actor().clone();
        let basis = Basis::of(work.imports(), &run, actor).await?;
        let batch = next_batch(work.imports(), &run, &basis, arrived).await?;
        if !batch.is_last {
            ahead.begin(&run, basis.clone(), batch.last_line);
        }
        apply_some(work, lease, run, &basis, batch).await
    }

    async fn give_up(&self, scope: OrgScope, lease: Lease) -> Result<Option<i64>> {
        let mut tx = self.store().write(scope).await?;
        let Some(run) = tx.imports().hold(lease).await? else {
            return Ok(None);
        };
        let rows = run.import.total;
        let place = match run.undo {
            None => format!("behind line {}", run.checkpoint),
            Some(_) => "with undoing this import".to_owned(),
        };
        self.fail(tx, lease, run, &format!("The server could not go on {place}. The failure is in its log."))
            .await?;
        Ok(Some(rows))
    }

    /// Ends an import before its last row, or leaves it half undone. What it has created stays.
    async fn fail(&self, mut tx: Box<dyn OrgTx>, lease: Lease, run: Run, error: &str) -> Result<()> {
        let now = self.env().now();
        let finished_at = run.undo.map_or(Some(now), |_| run.import.finished_at);
        let import = run.import.clone().failed(error, finished_at);
        tx.imports().delete_rows(import.id, i64::MAX).await?;
        tx.imports().forget_foreseen(import.id).await?;
        tx.imports().save(lease, &import, run.checkpoint).await?;
        let Some(actor) = tx.users().actor(run.acting(), None, now).await? else {
            return commit_silently(tx).await;
        };
        let mut work = Work::new(tx, actor, self.env().clone(), Origin::default());
        work.record([match run.undo {
            None => import.ended(run.user_id),
            Some(undo) => import.undoing_ended(undo.user_id),
        }]);
        work.commit().await
    }
}

/// Applies the next rows.
async fn apply_some<T: Target>(
    mut work: Work,
    lease: Lease,
    run: Run,
    basis: &Basis,
    batch: Batch<T>,
) -> Result<Step> {
    let (is_last, checkpoint) = (batch.is_last, batch.last_line);
    let applied = apply(&mut work, &run, basis, batch).await?;
    let mut import = run.import.advanced(&applied);
    work.imports().reject(import.id, &applied.rejections).await?;
    work.imports().delete_rows(import.id, checkpoint).await?;
    if is_last {
        import = import.done(work.env().now());
        work.imports().forget_foreseen(import.id).await?;
        work.record([import.ended(run.user_id)]);
    }
    work.imports().save(lease, &import, checkpoint).await?;
    work.commit().await?;
    Ok(if is_last { Step::Ended(import.total) } else { Step::Taken })
}

/// Takes the next changes back.
async fn undo_some<T: Target>(mut work: Work, lease: Lease, run: Run, undo: Undo) -> Result<Step> {
    let changes = work.imports().changes_after(run.import.id, undo.behind, CHANGES_AT_ONCE).await?;
    let is_last = changes.len() < CHANGES_AT_ONCE;
    let behind = changes.last().map_or(undo.behind, |change| Some(change.record_id));
    let undone = take_back::<T>(&mut work, &run, &changes).await?;
    let mut import = run.import.receded(&undone);
    if is_last {
        import = import.undone(work.env().now());
        // Of one that was stopped, rows are waiting still.
        work.imports().delete_rows(import.id, i64::MAX).await?;
        work.record([import.undoing_ended(undo.user_id)]);
    }
    work.imports().save_undo(lease, &import, behind).await?;
    work.commit().await?;
    Ok(if is_last { Step::Ended(import.total) } else { Step::Taken })
}

/// Commits what no user did, without an event.
async fn commit_silently(mut tx: Box<dyn OrgTx>) -> Result<()> {
    let currency = tx.organization().find().await?.or_not_found("organization")?.currency;
    tx.commit(Journal { currency, events: Vec::new(), audit: Vec::new(), notifications: Vec::new() }).await
}

fn log_failure(scope: OrgScope, id: ImportId, failures: usize, error: &Error) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(org.id = %scope.org_id(), import.id = %id, failures, %error, cause, "an import could not go on");
}
