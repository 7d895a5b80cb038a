use async_trait::async_trait;

use super::{Notification, NotificationQuery};
use crate::error::Result;
use crate::ids::{NotificationId, UserId};

/// Where notifications are kept; they are written when a transaction commits.
#[async_trait]
pub trait NotificationRepository: Send {
    /// A user's notifications, newest first: one more than the limit if there are more.
    async fn list(&mut self, user: UserId, query: &NotificationQuery) -> Result<Vec<Notification>>;

    /// How many of a user's notifications match, whatever the page.
    async fn count(&mut self, user: UserId, unread: Option<bool>) -> Result<u64>;

    /// One of a user's notifications.
    async fn find(&mut self, user: UserId, id: NotificationId) -> Result<Option<Notification>>;

    /// Marks one as read.
    async fn mark_read(&mut self, user: UserId, id: NotificationId) -> Result<()>;

    /// Marks all as read; answers how many were not.
    async fn mark_all_read(&mut self, user: UserId) -> Result<u64>;
}
