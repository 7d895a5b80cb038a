//! The worker: staged imports, brought to their end.

use chrono::Duration;

use super::apply::apply;
use super::{Lease, Run};
use crate::access::{Action, OrgScope};
use crate::caller::Origin;
use crate::crm::Crm;
use crate::error::{Error, ErrorCode, OrNotFound, Result};
use crate::ids::ImportId;
use crate::ports::{Journal, OrgTx};
use crate::work::Work;

/// So many rows are applied in one transaction.
const ROWS_AT_ONCE: usize = 500;

/// How often rows may fail, for another reason than an absent database, until the import is given up.
const ATTEMPTS: usize = 3;

/// How a step of an import went.
enum Step {
    /// Some rows were applied, there may be more.
    Applied,
    /// The import has come to its end.
    Ended,
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
        let mut ended = 0;
        for (org, id) in waiting {
            let scope = OrgScope::new(org);
            match self.run_import(scope, id).await {
                Ok(has_ended) => ended += usize::from(has_ended),
                Err(error) if error.code() == ErrorCode::Unavailable => return Err(error),
                // One that cannot even be given up does not hold up the others.
                Err(error) => log_failure(scope, id, ATTEMPTS, &error),
            }
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

    /// Takes an import and brings it to its end; answers whether it did.
    async fn run_import(&self, scope: OrgScope, id: ImportId) -> Result<bool> {
        let lease = Lease { import_id: id, token: self.env().id() };
        let mut tx = self.store().write(scope).await?;
        if !tx.imports().claim(lease, self.env().now()).await? {
            return Ok(false);
        }
        commit_silently(tx).await?;
        let mut failures = 0;
        loop {
            match self.apply_some(scope, lease).await {
                Ok(Step::Applied) => failures = 0,
                Ok(Step::Ended) => return Ok(true),
                Ok(Step::Lost) => return Ok(false),
                Err(error) if error.code() == ErrorCode::Unavailable => return Err(error),
                // A record that somebody else has just created clashes once; a defect fails again.
                Err(error) => {
                    failures += 1;
                    log_failure(scope, id, failures, &error);
                    if failures == ATTEMPTS {
                        return self.give_up(scope, lease).await;
                    }
                }
            }
        }
    }

    /// Applies the next rows, and moves the checkpoint behind them, in one transaction.
    async fn apply_some(&self, scope: OrgScope, lease: Lease) -> Result<Step> {
        let mut tx = self.store().write(scope).await?;
        let Some(run) = tx.imports().hold(lease).await? else {
            return Ok(Step::Lost);
        };
        let now = self.env().now();
        let actor = tx.users().actor(run.user_id, None, now).await?;
        let Some(actor) = actor.filter(|actor| actor.require(Action::Import).is_ok()) else {
            self.fail(tx, lease, run, "The user who started this import may no longer import.").await?;
            return Ok(Step::Ended);
        };
        let mut work = Work::new(tx, actor, self.env().clone(), Origin::default());
        let rows = work.imports().rows_after(run.import.id, run.checkpoint, ROWS_AT_ONCE).await?;
        let is_last = rows.len() < ROWS_AT_ONCE;
        let checkpoint = rows.last().map_or(run.checkpoint, |row| row.line);
        let applied = apply(&mut work, &run, rows).await?;
        let mut import = run.import.advanced(&applied);
        work.imports().reject(import.id, &applied.rejections).await?;
        work.imports().delete_rows(import.id, checkpoint).await?;
        if is_last {
            import = import.done(now);
            work.imports().forget_foreseen(import.id).await?;
            work.record([import.ended(run.user_id)]);
        }
        work.imports().save(lease, &import, checkpoint).await?;
        work.commit().await?;
        Ok(if is_last { Step::Ended } else { Step::Applied })
    }

    async fn give_up(&self, scope: OrgScope, lease: Lease) -> Result<bool> {
        let mut tx = self.store().write(scope).await?;
        let Some(run) = tx.imports().hold(lease).await? else {
            return Ok(false);
        };
        let (behind, error) = (run.checkpoint, "The server could not go on");
        self.fail(tx, lease, run, &format!("{error} behind line {behind}. The failure is in its log."))
            .await?;
        Ok(true)
    }

    /// Ends an import before its last row. What it has created stays.
    async fn fail(&self, mut tx: Box<dyn OrgTx>, lease: Lease, run: Run, error: &str) -> Result<()> {
        let now = self.env().now();
        let import = run.import.failed(error, now);
        tx.imports().delete_rows(import.id, i64::MAX).await?;
        tx.imports().forget_foreseen(import.id).await?;
        tx.imports().save(lease, &import, run.checkpoint).await?;
        let Some(actor) = tx.users().actor(run.user_id, None, now).await? else {
            return commit_silently(tx).await;
        };
        let mut work = Work::new(tx, actor, self.env().clone(), Origin::default());
        work.record([import.ended(run.user_id)]);
        work.commit().await
    }
}

/// Commits what no user did, without an event.
async fn commit_silently(mut tx: Box<dyn OrgTx>) -> Result<()> {
    let currency = tx.organization().find().await?.or_not_found("organization")?.currency;
    tx.commit(Journal { currency, events: Vec::new(), audit: Vec::new(), notifications: Vec::new() }).await
}

fn log_failure(scope: OrgScope, id: ImportId, failures: usize, error: &Error) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(org.id = %scope.org_id(), import.id = %id, failures, %error, cause, "rows could not be applied");
}
