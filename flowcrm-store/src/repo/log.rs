use async_trait::async_trait;
use flowcrm_core::Result;
use flowcrm_core::events::{Circle, EventViewer, LoggedEvent};
use flowcrm_core::log::LogRepository;

use crate::sql::{OrgConnection, Row, Sql, Value, args, statements};

/// Events that are found by an index that holds their audience: those that the viewer may not see are passed over
/// without reading them. `$hint` names it to SQLite.
macro_rules! seen {
    ($hint:literal, $page:literal, $order:literal) => {
        concat!(
            "SELECT e.position, e.type, e.entity_type, e.entity_id, e.user_id, e.payload, e.created_at
FROM (
    SELECT s.position FROM events s ",
            $hint,
            "
    WHERE s.org_id = $1
      AND (
        s.circle = 'EVERYONE'
        OR (s.circle = 'MANAGERS' AND $2)
        OR (s.circle = 'ADMINS' AND $3)
        OR s.audience_users LIKE $4
      )
      ",
            $page,
            "
) seen
JOIN events e ON e.org_id = $1 AND e.position = seen.position
ORDER BY e.position ",
            $order
        )
    };
}

macro_rules! after {
    ($hint:literal) => {
        seen!($hint, "AND s.position > $5 ORDER BY s.position LIMIT $6", "ASC")
    };
}

macro_rules! newest {
    ($hint:literal) => {
        seen!($hint, "ORDER BY s.position DESC LIMIT $5", "DESC")
    };
}

statements! {
    AFTER = Sql::pair(after!(""), after!("INDEXED BY events_by_audience"));

    NEWEST = Sql::pair(newest!(""), newest!("INDEXED BY events_by_audience"));
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
