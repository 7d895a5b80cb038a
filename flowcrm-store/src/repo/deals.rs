use async_trait::async_trait;
use flowcrm_core::deals::{Deal, DealQuery, DealRepository, DealSort, DealStage};
use flowcrm_core::ids::{DealId, LeadId, UserId};
use flowcrm_core::money::Money;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};

use crate::sql::{OrgConnection, Row, Select, Sql, Value, args, statements, words_of};

macro_rules! columns {
    () => {
        "d.org_id, d.id, d.title, d.value, o.currency, d.stage, d.probability, d.expected_close, d.closed_at,
         d.lead_id, d.owner_id, d.assigned_to_id, d.notes, d.lost_reason, d.external_id, d.version, d.created_at,
         d.updated_at"
    };
}

const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1"
);

const COUNT: &str = "SELECT COUNT(*) AS count
FROM deals d
WHERE d.org_id = $1";

/// The beginning of an insert; [`values`] gives what follows the organization.
pub(crate) const INSERT: &str = "INSERT INTO deals (
    org_id, id, title, value, stage, probability, expected_close, closed_at, lead_id, owner_id, assigned_to_id, notes,
    lost_reason, external_id, search, version, created_at, updated_at
)";

statements! {
    FIND = Sql::both(concat!("SELECT ", columns!(), "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1 AND d.id = $2"));

    LOCK = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1 AND d.id = $2
FOR UPDATE OF d"),
        concat!("SELECT ", columns!(), "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1 AND d.id = $2"),
    );

    FIND_BY_EXTERNAL_ID = Sql::both(concat!("SELECT ", columns!(), "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1 AND d.external_id = $2"));

    OF_LEAD = Sql::both(concat!("SELECT ", columns!(), "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1 AND d.lead_id = $2
ORDER BY d.created_at DESC, d.id DESC
LIMIT $3"));

    UPDATE = Sql::both("UPDATE deals
SET title = $4, value = $5, stage = $6, probability = $7, expected_close = $8, closed_at = $9, lead_id = $10,
    owner_id = $11, assigned_to_id = $12, notes = $13, lost_reason = $14, external_id = $15, search = $16,
    updated_at = $17, version = $3
WHERE org_id = $1 AND id = $2 AND version = $3 - 1");

    FREE_TASKS = Sql::both("UPDATE tasks SET deal_id = NULL WHERE org_id = $1 AND deal_id = $2");

    DELETE = Sql::both("DELETE FROM deals WHERE org_id = $1 AND id = $2");

    /// Both ends at once: whoever was owner and assignee is succeeded as both.
    HAND_OVER = Sql::both("UPDATE deals
SET owner_id = CASE WHEN owner_id = $2 THEN $3 ELSE owner_id END,
    assigned_to_id = CASE WHEN assigned_to_id = $2 THEN $3 ELSE assigned_to_id END,
    updated_at = $4, version = version + 1
WHERE org_id = $1 AND (owner_id = $2 OR assigned_to_id = $2) AND stage NOT IN ('CLOSED_WON', 'CLOSED_LOST')
RETURNING id");
}

fn deal(row: &Row) -> Result<Deal> {
    Ok(Deal {
        id: row.id("id")?,
        org_id: row.id("org_id")?,
        title: row.text("title")?,
        value: row.money("value")?,
        stage: row.spelled("stage")?,
        probability: row.int("probability")?,
        expected_close: row.optional_time("expected_close")?,
        closed_at: row.optional_time("closed_at")?,
        lead_id: row.optional_id("lead_id")?,
        owner_id: row.id("owner_id")?,
        assigned_to_id: row.optional_id("assigned_to_id")?,
        notes: row.optional_text("notes")?,
        lost_reason: row.optional_text("lost_reason")?,
        external_id: row.optional_text("external_id")?,
        version: row.int("version")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn search(deal: &Deal) -> String {
    words_of(&[Some(&deal.title)])
}

/// The columns of [`INSERT`] after the organization.
pub(crate) fn values(deal: &Deal) -> Vec<Value> {
    args![
        deal.id,
        &deal.title,
        deal.value.minor(),
        deal.stage.as_str(),
        deal.probability,
        deal.expected_close,
        deal.closed_at,
        deal.lead_id,
        deal.owner_id,
        deal.assigned_to_id,
        &deal.notes,
        &deal.lost_reason,
        &deal.external_id,
        search(deal),
        deal.version,
        deal.created_at,
        deal.updated_at,
    ]
}

fn narrowed(head: &'static str, query: &DealQuery) -> Select {
    let mut select = Select::new(head);
    select.and_some("d.stage = ?", query.stage.map(DealStage::as_str));
    select.and_some("d.lead_id = ?", query.lead_id);
    select.and_some("d.owner_id = ?", query.owner_id);
    select.and_some("d.assigned_to_id = ?", query.assigned_to_id);
    select.and_some("d.value >= ?", query.min_value.map(Money::minor));
    select.and_some("d.value <= ?", query.max_value.map(Money::minor));
    select.and_some("d.created_at >= ?", query.created_from);
    select.and_some("d.created_at < ?", query.created_to);
    select.and_some("d.expected_close >= ?", query.close_from);
    select.and_some("d.expected_close < ?", query.close_to);
    select.and_words("d.search LIKE ?", query.q.as_deref());
    select
}

fn sort_column(key: DealSort) -> &'static str {
    match key {
        DealSort::CreatedAt => "d.created_at",
        DealSort::UpdatedAt => "d.updated_at",
        DealSort::Title => "d.title",
        DealSort::Value => "d.value",
    }
}

#[async_trait]
impl DealRepository for OrgConnection {
    async fn find(&mut self, id: DealId) -> Result<Option<Deal>> {
        self.optional(FIND, args![id]).await?.as_ref().map(deal).transpose()
    }

    async fn lock(&mut self, id: DealId) -> Result<Option<Deal>> {
        self.optional(LOCK, args![id]).await?.as_ref().map(deal).transpose()
    }

    async fn find_by_external_id(&mut self, external_id: &str) -> Result<Option<Deal>> {
        self.optional(FIND_BY_EXTERNAL_ID, args![external_id]).await?.as_ref().map(deal).transpose()
    }

    async fn of_lead(&mut self, lead: LeadId, limit: usize) -> Result<Vec<Deal>> {
        self.all(OF_LEAD, args![lead, limit]).await?.iter().map(deal).collect()
    }

    async fn list(&mut self, query: &DealQuery) -> Result<Vec<Deal>> {
        let select = narrowed(LIST, query).page(&query.list, sort_column(query.list.sort.key), "d.id");
        self.select(select).await?.iter().map(deal).collect()
    }

    async fn count(&mut self, query: &DealQuery) -> Result<u64> {
        OrgConnection::count(self, narrowed(COUNT, query)).await
    }

    async fn insert(&mut self, deal: &Deal) -> Result<()> {
        match self.insert_many(INSERT, "ON CONFLICT DO NOTHING", vec![values(deal)]).await? {
            1 => Ok(()),
            _ => Err(Error::field("externalId", "belongs to another deal")),
        }
    }

    async fn update(&mut self, deal: &Deal) -> Result<()> {
        let values = args![
            deal.id,
            deal.version,
            &deal.title,
            deal.value.minor(),
            deal.stage.as_str(),
            deal.probability,
            deal.expected_close,
            deal.closed_at,
            deal.lead_id,
            deal.owner_id,
            deal.assigned_to_id,
            &deal.notes,
            &deal.lost_reason,
            &deal.external_id,
            search(deal),
            deal.updated_at,
        ];
        match self.execute(UPDATE, values).await? {
            1 => Ok(()),
            _ => Err(Error::conflict("Somebody else has just changed this deal: read it again.")),
        }
    }

    async fn delete(&mut self, id: DealId) -> Result<()> {
        self.execute(FREE_TASKS, args![id]).await?;
        self.execute(DELETE, args![id]).await.map(|_| ())
    }

    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<DealId>> {
        self.all(HAND_OVER, args![from, to, at]).await?.iter().map(|row| row.id("id")).collect()
    }
}
