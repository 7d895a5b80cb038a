use async_trait::async_trait;
use flowcrm_core::Result;
use flowcrm_core::events::{Circle, EventViewer, LoggedEvent};
use flowcrm_core::log::LogRepository;

use crate::sql::{OrgConnection, Row, Sql, Value, args, statements};

macro_rules! seen {
    () => {
        "SELECT e.position, e.type, e.entity_type, e.entity_id, e.user_id, e.payload, e.created_at
FROM events e
WHERE e.org_id = $1
  AND (
    e.circle = 'EVERYONE'
    OR (e.circle = 'MANAGERS' AND $2)
    OR (e.circle = 'ADMINS' AND $3)
    OR e.audience_users LIKE $4
  )"
    };
}

statements! {
    AFTER = Sql::both(concat!(seen!(), "
  AND e.position > $5
ORDER BY e.position
LIMIT $6"));

    NEWEST = Sql::both(concat!(seen!(), "
ORDER BY e.position DESC
LIMIT $5"));
}

/// The values of the audience filter, `$2` to `$4`.
fn seen_by(viewer: EventViewer) -> Vec<Value> {
    args![
        Circle::Managers.includes(viewer.role),
        Circle::Admins.includes(viewer.role),
        format!("%{}%", viewer.user_id),
    ]
}

fn event(row: &Row) -> Result<LoggedEvent> {
    Ok(LoggedEvent {
        position: row.int("position")?,
        kind: row.text("type")?,
        entity_type: row.spelled("entity_type")?,
        entity_id: row.id("entity_id")?,
        user_id: row.optional_id("user_id")?,
        payload: row.json("payload")?,
        created_at: row.time("created_at")?,
    })
}

#[async_trait]
impl LogRepository for OrgConnection {
    async fn after(&mut self, viewer: EventViewer, position: i64, limit: usize) -> Result<Vec<LoggedEvent>> {
        let values = [seen_by(viewer), args![position, limit]].concat();
        self.all(AFTER, values).await?.iter().map(event).collect()
    }

    async fn newest(&mut self, viewer: EventViewer, limit: usize) -> Result<Vec<LoggedEvent>> {
        let values = [seen_by(viewer), args![limit]].concat();
        self.all(NEWEST, values).await?.iter().map(event).collect()
    }
}
