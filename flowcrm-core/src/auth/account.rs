use super::commands::UpdateMe;
use super::{Password, SessionView, events};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::{Error, OrNotFound, Result};
use crate::ids::SessionId;
use crate::input::Input;
use crate::users::{UpdateUser, User};
use crate::work::check_version;

/// What a caller may do with their own account.
#[derive(Debug)]
pub struct OwnAccount<'a> {
    caller: &'a Caller,
}

/// A password change whose current password was right.
struct NewPassword {
    old_hash: String,
    new_hash: String,
}

impl<'a> OwnAccount<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Reads the caller's own user.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn get(&self) -> Result<User> {
        let mut work = self.caller.read().await?;
        work.users().find(self.caller.user_id()).await?.or_not_found("user")
    }

    /// Changes the caller's name or password; a new password ends all their other sessions. With `version`, only if
    /// the caller is still at that version.
    ///
    /// # Errors
    ///
    /// `validation_failed`, `stale_version`; `wrong_credential` for a wrong current password.
    pub async fn update(&self, update: impl Input<UpdateMe>, version: Option<i64>) -> Result<User> {
        let body = update.into_body()?;
        let mut work = self.caller.read().await?;
        work.actor().require(Action::UpdateSelf)?;
        let update: UpdateMe = work.decode(body).await?;
        // A transaction must not wait for a password to be verified.
        drop(work);
        let password = match (update.current_password, update.new_password) {
            (Some(current), Some(new)) => Some(self.check_password(current, new).await?),
            _ => None,
        };

        let mut work = self.caller.write().await?;
        let now = work.env().now();
        let user = work.users().lock(self.caller.user_id()).await?.or_not_found("user")?;
        check_version(user.version, version)?;
        let change = UpdateUser { name: update.name, ..UpdateUser::default() };
        let (user, renamed) = user.update(change, now);
        if !renamed.is_empty() {
            work.users().update(&user).await?;
            work.record(renamed);
        }
        if let Some(password) = password {
            let present = work.users().credentials(user.id).await?.or_not_found("user")?;
            if present.password_hash != password.old_hash {
                return Err(wrong_password());
            }
            work.users().set_password(user.id, &password.new_hash).await?;
            let ended = work.sessions().revoke_all(user.id, self.caller.session_id(), now).await?;
            work.record(events::password_changed(&user, ended));
        }
        work.commit().await?;
        Ok(user)
    }

    /// Lists the sessions that the caller is signed in with, the last used first.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn sessions(&self) -> Result<Vec<SessionView>> {
        let mut work = self.caller.read().await?;
        work.actor().require(Action::ReadOwnInbox)?;
        let now = work.env().now();
        let sessions = work.sessions().list(self.caller.user_id(), now).await?;
        let current = self.caller.session_id();
        Ok(sessions.into_iter().map(|session| session.view(current)).collect())
    }

    /// Ends one of the caller's sessions, perhaps the present one.
    ///
    /// # Errors
    ///
    /// `not_found`, also for a session that has ended.
    pub async fn end_session(&self, id: SessionId) -> Result<()> {
        let mut work = self.caller.write().await?;
        work.actor().require(Action::ReadOwnInbox)?;
        let now = work.env().now();
        let user = work.users().find(self.caller.user_id()).await?.or_not_found("user")?;
        let session = work.sessions().lock(id).await?;
        let session = session.filter(|session| session.user_id == user.id && session.is_live(now));
        let session = session.or_not_found("session")?;
        work.sessions().revoke(id, now).await?;
        work.record([match self.caller.session_id() {
            Some(current) if current == id => events::signed_out(&user, &session, now),
            _ => events::sessions_revoked(&user, 1),
        }]);
        work.commit().await
    }

    /// Verifies the current password and hashes the new one, outside of any transaction.
    async fn check_password(&self, current: Password, new: Password) -> Result<NewPassword> {
        let mut work = self.caller.read().await?;
        let known = work.users().credentials(self.caller.user_id()).await?.or_not_found("user")?;
        drop(work);
        let passwords = self.caller.crm().passwords();
        if !passwords.verify(current.into_inner(), known.password_hash.clone()).await? {
            return Err(wrong_password());
        }
        let new_hash = passwords.hash(new.into_inner()).await?;
        Ok(NewPassword { old_hash: known.password_hash, new_hash })
    }
}

fn wrong_password() -> Error {
    Error::wrong_credential("currentPassword", "The current password is wrong.")
}
