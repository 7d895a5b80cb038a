use async_trait::async_trait;
use flowcrm_core::Result;
use flowcrm_core::ids::{NotificationId, UserId};
use flowcrm_core::notifications::{Notification, NotificationQuery, NotificationRepository};

use crate::sql::{OrgConnection, Row, Select, Sql, args, statements};

const LIST: &str = "SELECT n.id, n.user_id, n.type, n.message, n.link, n.is_read, n.created_at
FROM notifications n
WHERE n.org_id = $1";

const COUNT: &str = "SELECT COUNT(*) AS count
FROM notifications n
WHERE n.org_id = $1";

statements! {
    FIND = Sql::both("SELECT n.id, n.user_id, n.type, n.message, n.link, n.is_read, n.created_at
FROM notifications n
WHERE n.org_id = $1 AND n.user_id = $2 AND n.id = $3");

    MARK_READ = Sql::both("UPDATE notifications
SET is_read = TRUE
WHERE org_id = $1 AND user_id = $2 AND id = $3");

    MARK_ALL_READ = Sql::both("UPDATE notifications
SET is_read = TRUE
WHERE org_id = $1 AND user_id = $2 AND NOT is_read");
}

fn notification(row: &Row) -> Result<Notification> {
    Ok(Notification {
        id: row.id("id")?,
        user_id: row.id("user_id")?,
        kind: row.spelled("type")?,
        message: row.text("message")?,
        link: row.optional_text("link")?,
        read: row.flag("is_read")?,
        created_at: row.time("created_at")?,
    })
}

fn narrowed(head: &'static str, user: UserId, unread: Option<bool>) -> Select {
    let mut select = Select::new(head);
    select.and("n.user_id = ?", user);
    select.and_some("n.is_read = ?", unread.map(|unread| !unread));
    select
}

#[async_trait]
impl NotificationRepository for OrgConnection {
    async fn list(&mut self, user: UserId, query: &NotificationQuery) -> Result<Vec<Notification>> {
        let select = narrowed(LIST, user, query.unread).page(&query.list, "n.created_at", "n.id");
        self.select(select).await?.iter().map(notification).collect()
    }

    async fn count(&mut self, user: UserId, unread: Option<bool>) -> Result<u64> {
        OrgConnection::count(self, narrowed(COUNT, user, unread)).await
    }

    async fn find(&mut self, user: UserId, id: NotificationId) -> Result<Option<Notification>> {
        self.optional(FIND, args![user, id]).await?.as_ref().map(notification).transpose()
    }

    async fn mark_read(&mut self, user: UserId, id: NotificationId) -> Result<()> {
        self.execute(MARK_READ, args![user, id]).await.map(|_| ())
    }

    async fn mark_all_read(&mut self, user: UserId) -> Result<u64> {
        self.execute(MARK_ALL_READ, args![user]).await
    }
}
