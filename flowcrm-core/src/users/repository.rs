use async_trait::async_trait;

use super::{Member, User, UserQuery, UserRef};
use crate::access::Actor;
use crate::error::Result;
use crate::ids::{SessionId, UserId};
use crate::time::Timestamp;

/// A user with the hash of their password; never leaves the core.
pub struct Credentials {
    /// The user.
    pub user: User,
    /// The password's hash, a PHC string of argon2id.
    pub password_hash: String,
}

/// Where users are kept. Every method sees the transaction's organization only.
#[async_trait]
pub trait UserRepository: Send {
    /// The user as an actor, if active, and if `session` is given: that session is theirs, not revoked and at `now`
    /// within its 7 days idle and 30 days absolute.
    async fn actor(
        &mut self,
        user: UserId,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<Option<Actor>>;

    /// The user, active or not.
    async fn find(&mut self, id: UserId) -> Result<Option<User>>;

    /// The user, held against other writers until the transaction ends.
    async fn lock(&mut self, id: UserId) -> Result<Option<User>>;

    /// The user with the hash of their password.
    async fn credentials(&mut self, id: UserId) -> Result<Option<Credentials>>;

    /// The user as other records name them, held against being deactivated until the writing transaction ends.
    async fn member(&mut self, id: UserId) -> Result<Option<Member>>;

    /// The names of some users; absent ids are left out.
    async fn names(&mut self, ids: &[Option<UserId>]) -> Result<Vec<UserRef>>;

    /// All active members.
    async fn active_ids(&mut self) -> Result<Vec<UserId>>;

    /// How many active OWNERs there are; holds them against other writers until the transaction ends.
    async fn lock_active_owners(&mut self) -> Result<u64>;

    /// The users that a query selects: one more than the limit if there are more.
    /// `q` looks at names, and at emails with `searches_emails` only: what a viewer may not see they may not search.
    async fn list(&mut self, query: &UserQuery, searches_emails: bool) -> Result<Vec<User>>;

    /// How many users a query selects, whatever the page.
    async fn count(&mut self, query: &UserQuery, searches_emails: bool) -> Result<u64>;

    /// Adds a user and their sign-in account.
    ///
    /// # Errors
    ///
    /// A field error for `email` when it is taken, in this organization or another.
    async fn insert(&mut self, user: &User, password_hash: &str) -> Result<()>;

    /// Writes a changed user over their former version.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when the former version is no longer there.
    async fn update(&mut self, user: &User) -> Result<()>;

    /// Sets the hash of a user's password.
    async fn set_password(&mut self, id: UserId, password_hash: &str) -> Result<()>;

    /// Notes a sign-in.
    async fn note_login(&mut self, id: UserId, at: Timestamp) -> Result<()>;

    /// Makes a user a platform operator, or no longer one.
    async fn set_operator(&mut self, id: UserId, is_operator: bool) -> Result<()>;
}
