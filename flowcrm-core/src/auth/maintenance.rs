//! What the operator of the machine may do with any account, from the command line.

use serde_json::Value;

use super::{Register, events};
use crate::caller::Origin;
use crate::crm::Crm;
use crate::email::Email;
use crate::error::{Error, OrNotFound, Result};
use crate::input::{Input, secret};
use crate::ports::Account;
use crate::users::User;

impl Crm {
    /// Makes a new organization with its first OWNER, and signs nobody in: for trusted programs.
    ///
    /// # Errors
    ///
    /// `validation_failed`, also when the email is taken.
    pub async fn create_organization(&self, register: impl Input<Register>) -> Result<User> {
        let (work, owner) = self.found(register, &Origin::default()).await?;
        work.unattributed().commit().await?;
        Ok(owner)
    }

    /// Sets the password of the user who signs in with `email`, and ends all their sessions: for trusted programs.
    ///
    /// # Errors
    ///
    /// `not_found` when nobody does; a field error for `email` or `password`.
    pub async fn set_password(&self, email: &str, new_password: &str) -> Result<()> {
        let password = secret(8..=256)(&Value::from(new_password));
        let password = password.map_err(|message| Error::field("password", message))?;
        let account = self.account(email).await?;
        let hash = self.passwords().hash(password).await?;
        let (work, user) = self.work_on(account, &Origin::default()).await?;
        let mut work = work.unattributed();
        let now = work.env().now();
        work.users().set_password(user.id, &hash).await?;
        let ended = work.sessions().revoke_all(user.id, None, now).await?;
        work.record(events::password_changed(&user, ended));
        work.commit().await
    }

    /// Makes the user who signs in with `email` an operator of the whole platform, or no longer one: for trusted
    /// programs.
    ///
    /// # Errors
    ///
    /// `not_found` when nobody does; a field error for `email`.
    pub async fn set_operator(&self, email: &str, is_operator: bool) -> Result<()> {
        let account = self.account(email).await?;
        let (mut work, user) = self.work_on(account, &Origin::default()).await?;
        work.users().set_operator(user.id, is_operator).await?;
        let now = work.env().now();
        let mut tx = work.leave().await?;
        let action = if is_operator { "operator:granted" } else { "operator:revoked" };
        tx.note_operator(user.id, action, user.org_id, now).await?;
        tx.commit().await
    }

    async fn account(&self, email: &str) -> Result<Account> {
        let email = Email::read(email)?;
        self.store().system_read().await?.account_by_email(&email.key()).await?.or_not_found("user")
    }
}
