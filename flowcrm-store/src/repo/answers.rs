use async_trait::async_trait;
use flowcrm_core::ports::{AnswerClaim, AnswerRepository, KeptAnswer};
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};

use crate::sql::{OrgConnection, Sql, args, statements};

statements! {
    FORGET = Sql::both("DELETE FROM answers
WHERE org_id = $1 AND user_id = $2 AND key = $3 AND created_at < $4");

    /// Waits for a transaction that has claimed the same key and is not finished.
    CLAIM = Sql::both("INSERT INTO answers (org_id, user_id, key, fingerprint, answer, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING");

    FIND = Sql::both("SELECT fingerprint, answer FROM answers
WHERE org_id = $1 AND user_id = $2 AND key = $3");

    KEEP = Sql::both("UPDATE answers SET answer = $4
WHERE org_id = $1 AND user_id = $2 AND key = $3");
}

#[async_trait]
impl AnswerRepository for OrgConnection {
    async fn claim(&mut self, claim: &AnswerClaim, oldest: Timestamp) -> Result<Option<KeptAnswer>> {
        self.execute(FORGET, args![claim.user_id, &claim.key, oldest]).await?;
        let no_answer_yet: &[u8] = &[];
        let values =
            args![claim.user_id, &claim.key, &claim.fingerprint[..], no_answer_yet, claim.created_at];
        if self.execute(CLAIM, values).await? == 1 {
            return Ok(None);
        }
        let row = self.one(FIND, args![claim.user_id, &claim.key]).await?;
        Ok(Some(KeptAnswer { fingerprint: row.bytes("fingerprint")?, answer: row.bytes("answer")? }))
    }

    async fn keep(&mut self, claim: &AnswerClaim, answer: &[u8]) -> Result<()> {
        match self.execute(KEEP, args![claim.user_id, &claim.key, answer]).await? {
            1 => Ok(()),
            _ => Err(Error::internal("an answer to a key that was not claimed")),
        }
    }
}
