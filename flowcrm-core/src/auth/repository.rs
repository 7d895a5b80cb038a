use async_trait::async_trait;

use super::Session;
use crate::error::Result;
use crate::ids::{SessionId, UserId};
use crate::time::Timestamp;

/// Where sessions are kept. Every method sees the transaction's organization only.
#[async_trait]
pub trait SessionRepository: Send {
    /// Adds a session.
    async fn create(&mut self, session: &Session) -> Result<()>;

    /// The session, live or not, held against other writers until the transaction ends.
    async fn lock(&mut self, id: SessionId) -> Result<Option<Session>>;

    /// Writes a locked session after one of its tokens was presented: hashes, generation and times.
    async fn update(&mut self, session: &Session) -> Result<()>;

    /// Ends a session, if it has not been ended.
    async fn revoke(&mut self, id: SessionId, now: Timestamp) -> Result<()>;

    /// Ends a user's sessions, but perhaps one; answers how many were live.
    async fn revoke_all(&mut self, user: UserId, except: Option<SessionId>, now: Timestamp) -> Result<u64>;

    /// A user's live sessions, the last used first, at most 200.
    async fn list(&mut self, user: UserId, now: Timestamp) -> Result<Vec<Session>>;
}
