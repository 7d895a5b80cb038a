use serde::Serialize;
use uuid::Uuid;

use super::{Announce, Notice, Notification, NotificationQuery, NotificationType};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::{OrNotFound, Result};
use crate::events::{Audience, Circle, EntityType, Event, EventKind, Subject};
use crate::ids::{NotificationId, UserId};
use crate::input::{Asked, Input};
use crate::page::Page;

/// What a caller may do with their notifications.
#[derive(Debug)]
pub struct Notifications<'a> {
    caller: &'a Caller,
}

/// A page of one's notifications.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbox {
    /// The page, newest first.
    pub page: Page<Notification>,
    /// How many of all one's notifications are not read yet.
    pub unread: u64,
}

/// All of a user's notifications, read at once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AllRead {
    user_id: UserId,
    all: bool,
    updated: u64,
}

impl Subject for AllRead {
    const ENTITY: EntityType = EntityType::Notification;

    fn entity_id(&self) -> Uuid {
        self.user_id.as_uuid()
    }

    fn readers(&self) -> Audience {
        Audience { circle: Circle::Nobody, users: vec![self.user_id] }
    }
}

impl<'a> Notifications<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists the caller's own notifications.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<NotificationQuery>>) -> Result<Inbox> {
        let mut work = self.caller.read().await?;
        work.actor().require(Action::ReadOwnInbox)?;
        let query = query.into().read(work.actor().currency)?;
        let user = work.actor().user_id;
        let total =
            if query.list.count { Some(work.notifications().count(user, query.unread).await?) } else { None };
        let unread = work.notifications().count(user, Some(true)).await?;
        let notifications = work.notifications().list(user, &query).await?;
        Ok(Inbox { page: Page::cut(notifications, &query.list, total), unread })
    }

    /// Marks one of the caller's notifications as read.
    ///
    /// # Errors
    ///
    /// `not_found`.
    pub async fn mark_read(&self, id: NotificationId) -> Result<Notification> {
        let mut work = self.caller.write().await?;
        work.actor().require(Action::ReadOwnInbox)?;
        let user = work.actor().user_id;
        let mut notification = work.notifications().find(user, id).await?.or_not_found("notification")?;
        if notification.read {
            return Ok(notification);
        }
        notification.read = true;
        work.notifications().mark_read(user, id).await?;
        work.record([Event::about(EventKind::NotificationRead, &notification)]);
        work.commit().await?;
        Ok(notification)
    }

    /// Marks all of the caller's notifications as read; answers how many were not.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn mark_all_read(&self) -> Result<u64> {
        let mut work = self.caller.write().await?;
        work.actor().require(Action::ReadOwnInbox)?;
        let user_id = work.actor().user_id;
        let updated = work.notifications().mark_all_read(user_id).await?;
        if updated > 0 {
            work.record([Event::about(
                EventKind::NotificationRead,
                &AllRead { user_id, all: true, updated },
            )]);
            work.commit().await?;
        }
        Ok(updated)
    }

    /// Sends a notification to every active member, the caller included; answers how many there are.
    ///
    /// # Errors
    ///
    /// `forbidden`, `validation_failed`.
    pub async fn announce(&self, announce: impl Input<Announce>) -> Result<u64> {
        let body = announce.into_body()?;
        let mut work = self.caller.write().await?;
        work.actor().require(Action::Announce)?;
        if let Some(recipients) = work.replay("notifications.announce", &body).await? {
            return Ok(recipients);
        }
        let Announce { message, link } = work.decode(body).await?;
        let members = work.users().active_ids().await?;
        let recipients = members.len() as u64;
        let notice =
            Notice::to(members.into_iter().map(Some), NotificationType::System, message).including_actor();
        work.notify(Notice { link, ..notice });
        work.answer(recipients).await
    }
}
