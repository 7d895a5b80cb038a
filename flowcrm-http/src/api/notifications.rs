use flowcrm_core::ids::NotificationId;
use flowcrm_core::notifications::{Announce, Notification, NotificationQuery};
use poem_openapi::param::Path;
use poem_openapi::payload::Response;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::Chapter;
use crate::answer::{Answer, ListAnswer};
use crate::extract::{JsonBody, Query, Signed};
use crate::problem::Result;

/// How many were marked.
#[derive(Debug, Serialize, Object)]
struct Marked {
    /// How many notifications were not read before.
    updated: u64,
}

/// How many were told.
#[derive(Debug, Serialize, Object)]
struct Announced {
    /// How many members were told.
    recipients: u64,
}

pub(super) struct Notifications;

#[OpenApi(prefix_path = "/api/notifications", tag = "Chapter::Notifications")]
impl Notifications {
    /// Lists your notifications, newest first; `X-Unread-Count` says how many are not read.
    #[oai(path = "/", method = "get", operation_id = "listNotifications")]
    async fn list(
        &self,
        caller: Signed,
        query: Query<NotificationQuery>,
    ) -> Result<Response<ListAnswer<Notification>>> {
        let inbox = caller.0.notifications().list(query.0).await?;
        Ok(Response::new(ListAnswer(inbox.page)).header("X-Unread-Count", inbox.unread))
    }

    /// Marks all your notifications as read.
    #[oai(path = "/read-all", method = "put", operation_id = "readAllNotifications")]
    async fn read_all(&self, caller: Signed) -> Result<Answer<Marked>> {
        Ok(Answer(Marked { updated: caller.0.notifications().mark_all_read().await? }))
    }

    /// Marks one of your notifications as read.
    #[oai(path = "/:id/read", method = "put", operation_id = "readNotification")]
    async fn read(&self, caller: Signed, id: Path<NotificationId>) -> Result<Answer<Notification>> {
        Ok(Answer(caller.0.notifications().mark_read(id.0).await?))
    }

    /// Sends a notification to every active member; for ADMIN and OWNER.
    #[oai(path = "/announce", method = "post", operation_id = "announce")]
    async fn announce(&self, caller: Signed, body: JsonBody<Announce>) -> Result<Answer<Announced>> {
        Ok(Answer(Announced { recipients: caller.0.notifications().announce(body.0).await? }))
    }
}
