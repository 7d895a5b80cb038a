//! The CRM: what everybody holds.

use std::fmt;
use std::sync::Arc;

use crate::auth::{Passwords, TokenKeys};
use crate::caller::Caller;
use crate::env::Env;
use crate::error::{Error, OrNotFound, Result};
use crate::ids::UserId;
use crate::ports::Store;

/// A CRM on a store. Cloning is cheap; clones are the same CRM.
#[derive(Clone)]
pub struct Crm(Arc<Inner>);

struct Inner {
    store: Box<dyn Store>,
    env: Env,
    tokens: TokenKeys,
    passwords: Passwords,
}

impl fmt::Debug for Crm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Crm")
    }
}

impl Crm {
    /// A CRM that keeps its records in `store` and signs its tokens with `tokens`.
    pub fn new(store: impl Store + 'static, tokens: TokenKeys, env: Env) -> Self {
        Self(Arc::new(Inner { store: Box::new(store), env, tokens, passwords: Passwords::default() }))
    }

    /// The store.
    pub(crate) fn store(&self) -> &dyn Store {
        self.0.store.as_ref()
    }

    /// Time, ids and randomness.
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    /// The keys of access and refresh tokens.
    pub(crate) fn tokens(&self) -> &TokenKeys {
        &self.0.tokens
    }

    /// The password hasher.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    /// Acts as a user without a password: for programs that are trusted with every organization.
    ///
    /// # Errors
    ///
    /// `not_found` when there is no such user. Whether the user is active is checked by each command.
    pub async fn as_user(&self, user: UserId) -> Result<Caller> {
        let account = self.store().system().await?.account_by_user(user).await?.or_not_found("user")?;
        Ok(Caller::new(self.clone(), account.org_id, user, None))
    }

    /// Acts as the user who signs in with `email`, without a password: for trusted programs.
    ///
    /// # Errors
    ///
    /// `not_found` when nobody does; a field error for `email` when it is none.
    pub async fn as_user_with_email(&self, email: &str) -> Result<Caller> {
        let email: crate::email::Email = email.parse().map_err(|message: String| Error::field("email", message))?;
        let account = self.store().system().await?.account_by_email(&email.key()).await?.or_not_found("user")?;
        Ok(Caller::new(self.clone(), account.org_id, account.user_id, None))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn ping(&self) -> Result<()> {
        self.store().ping().await
    }

    /// Ends all connections. What was committed stays; what is called afterwards answers `unavailable`.
    pub async fn close(&self) {
        self.store().close().await;
    }
}
