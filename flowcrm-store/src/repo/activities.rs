use async_trait::async_trait;
use flowcrm_core::Result;
use flowcrm_core::activities::{Activity, ActivityQuery, ActivityRepository};
use flowcrm_core::ids::LeadId;

use crate::sql::{OrgConnection, Row, Select, Sql, args, statements};

macro_rules! columns {
    () => {
        "a.id, a.lead_id, a.user_id, a.type, a.content, a.created_at"
    };
}

const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM activities a
WHERE a.org_id = $1"
);

statements! {
    NEWEST = Sql::both(concat!("SELECT ", columns!(), "
FROM activities a
WHERE a.org_id = $1 AND a.lead_id = $2
ORDER BY a.created_at DESC, a.id DESC
LIMIT $3"));

    COUNT = Sql::both("SELECT COUNT(*) AS count
FROM activities
WHERE org_id = $1 AND lead_id = $2");

    INSERT = Sql::both("INSERT INTO activities (org_id, id, lead_id, user_id, type, content, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)");
}

fn activity(row: &Row) -> Result<Activity> {
    Ok(Activity {
        id: row.id("id")?,
        lead_id: row.id("lead_id")?,
        user_id: row.id("user_id")?,
        kind: row.spelled("type")?,
        content: row.text("content")?,
        created_at: row.time("created_at")?,
    })
}

#[async_trait]
impl ActivityRepository for OrgConnection {
    async fn newest(&mut self, lead: LeadId, limit: usize) -> Result<Vec<Activity>> {
        self.all(NEWEST, args![lead, limit]).await?.iter().map(activity).collect()
    }

    async fn list(&mut self, lead: LeadId, query: &ActivityQuery) -> Result<Vec<Activity>> {
        let mut select = Select::new(LIST);
        select.and("a.lead_id = ?", lead);
        self.select(select.page(&query.list, "a.created_at", "a.id")).await?.iter().map(activity).collect()
    }

    async fn count(&mut self, lead: LeadId) -> Result<u64> {
        self.one(COUNT, args![lead]).await?.count("count")
    }

    async fn insert(&mut self, activity: &Activity) -> Result<()> {
        let values = args![
            activity.id,
            activity.lead_id,
            activity.user_id,
            activity.kind.as_str(),
            &activity.content,
            activity.created_at,
        ];
        self.execute(INSERT, values).await.map(|_| ())
    }
}
