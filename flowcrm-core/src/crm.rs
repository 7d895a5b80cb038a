//! The CRM: what everybody holds.

use std::fmt;
use std::sync::Arc;

use crate::auth::{Passwords, TokenKeys};
use crate::caller::Caller;
use crate::email::Email;
use crate::env::Env;
use crate::error::{OrNotFound, Result};
use crate::ids::UserId;
use crate::ports::Store;

/// A CRM on a store. Cloning is cheap; clones are the same CRM.
#[derive(Clone)]
pub struct Crm {
    inner: Arc<Inner>,
    env: Env,
}

struct Inner {
    store: Box<dyn Store>,
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
        let inner = Inner { store: Box::new(store), tokens, passwords: Passwords::default() };
        Self { inner: Arc::new(inner), env }
    }

    /// The same CRM in another environment: demo data is written by a clock of its own.
    pub(crate) fn with_env(&self, env: Env) -> Self {
        Self { inner: Arc::clone(&self.inner), env }
    }

    /// The store.
    pub(crate) fn store(&self) -> &dyn Store {
        self.inner.store.as_ref()
    }

    /// Time, ids and randomness.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The keys of access and refresh tokens.
    pub(crate) fn tokens(&self) -> &TokenKeys {
        &self.inner.tokens
    }

    /// The password hasher.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    /// Acts as a user without a password: for programs that are trusted with every organization.
    ///
    /// # Errors
    ///
    /// `not_found` when there is no such user. Whether the user is active is checked by each command.
    pub async fn as_user(&self, user: UserId) -> Result<Caller> {
        let account = self.store().system_read().await?.account_by_user(user).await?.or_not_found("user")?;
        Ok(Caller::new(self.clone(), account.org_id, user, None))
    }

    /// Acts as the user who signs in with `email`, without a password: for trusted programs.
    ///
    /// # Errors
    ///
    /// `not_found` when nobody does; a field error for `email` when it is none.
    pub async fn as_user_with_email(&self, email: &str) -> Result<Caller> {
        let email = Email::read(email)?;
        let account =
            self.store().system_read().await?.account_by_email(&email.key()).await?.or_not_found("user")?;
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
