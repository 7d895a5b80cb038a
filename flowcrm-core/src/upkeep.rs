//! What is deleted because it has been kept long enough.

use chrono::Duration;

use crate::crm::Crm;
use crate::error::Result;

/// How long an answer is kept under its idempotency key.
pub(crate) const ANSWERS_KEPT: Duration = Duration::hours(24);

/// How long failed sign-ins for accounts that are not there are kept.
const UNKNOWN_SIGN_INS_KEPT: Duration = Duration::days(30);

/// So many rows are deleted in one transaction.
const ROWS_AT_ONCE: usize = 1_000;

/// So many transactions of a kind are enough for once.
const TRANSACTIONS_AT_ONCE: usize = 20;

impl Crm {
    /// Deletes answers that were kept under idempotency keys for 24 hours, and failed sign-ins without an account that
    /// were kept for 30 days; answers how many of both. Meant to be called every minute or so: what is much to delete
    /// is deleted in parts.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn clean_up(&self) -> Result<u64> {
        let now = self.env().now();
        let mut deleted = 0;
        for _ in 0..TRANSACTIONS_AT_ONCE {
            let mut tx = self.store().system().await?;
            let answers = tx.forget_answers(now.plus(-ANSWERS_KEPT), ROWS_AT_ONCE).await?;
            let sign_ins = tx.forget_unknown_sign_ins(now.plus(-UNKNOWN_SIGN_INS_KEPT), ROWS_AT_ONCE).await?;
            tx.commit().await?;
            deleted += answers + sign_ins;
            if answers.max(sign_ins) < ROWS_AT_ONCE as u64 {
                break;
            }
        }
        Ok(deleted)
    }
}
