use async_trait::async_trait;
use flowcrm_core::deals::{Deal, DealQuery, DealRepository, DealSort, DealStage};
use flowcrm_core::ids::{DealId, LeadId, UserId};
use flowcrm_core::money::Money;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};
use uuid::Uuid;

use super::figures::Figures;
use super::many::Many;
use super::terms::{self, Terms};
use crate::sql::{Index, List, OrgConnection, Row, Sql, Table, Value, args, statements, words_of};

macro_rules! columns {
    () => {
        "d.org_id, d.id, d.title, d.value, o.currency, d.stage, d.probability, d.expected_close, d.closed_at,
         d.lead_id, d.owner_id, d.assigned_to_id, d.notes, d.lost_reason, d.external_id, d.version, d.created_at,
         d.updated_at"
    };
}

/// The beginning of a query for deals; [`deal`] reads its rows.
pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1"
);

static TABLE: Table = Table {
    name: "deals",
    alias: "d",
    columns: columns!(),
    joins: "JOIN organizations o ON o.id = d.org_id",
    terms: "deal_terms",
};

const BY_CREATION: Index = Index { name: "deals_by_creation", order: "d.created_at" };
const BY_CHANGE: Index = Index { name: "deals_by_change", order: "d.updated_at" };
const BY_TITLE: Index = Index { name: "deals_by_title", order: "d.title" };
const BY_VALUE: Index = Index { name: "deals_by_value", order: "d.value" };
const BY_STAGE: Index = Index { name: "deals_by_stage", order: "d.created_at" };
const BY_OWNER: Index = Index { name: "deals_by_owner", order: "d.created_at" };
const BY_ASSIGNEE: Index = Index { name: "deals_by_assignee", order: "d.created_at" };
const BY_LEAD: Index = Index { name: "deals_of_lead", order: "d.created_at" };
const BY_EXPECTED_CLOSE: Index = Index { name: "deals_by_expected_close", order: "d.expected_close" };

/// The beginning of an insert; [`Many::values`] gives what follows the organization.
const INSERT: &str = "INSERT INTO deals (
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
    updated_at = $17, created_at = $18, version = $3
WHERE org_id = $1 AND id = $2 AND version = $3 - 1");

    FREE_TASKS = Sql::both("UPDATE tasks SET deal_id = NULL WHERE org_id = $1 AND deal_id = $2");

    DELETE = Sql::both("DELETE FROM deals WHERE org_id = $1 AND id = $2");

    /// What [`HAND_OVER`] will change, held against other writers.
    TO_HAND_OVER = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1 AND (d.owner_id = $2 OR d.assigned_to_id = $2) AND d.stage NOT IN ('CLOSED_WON', 'CLOSED_LOST')
FOR UPDATE OF d"),
        concat!("SELECT ", columns!(), "
FROM deals d JOIN organizations o ON o.id = d.org_id
WHERE d.org_id = $1 AND (d.owner_id = $2 OR d.assigned_to_id = $2) AND d.stage NOT IN ('CLOSED_WON', 'CLOSED_LOST')"),
    );

    /// Both ends at once: whoever was owner and assignee is succeeded as both.
    HAND_OVER = Sql::both("UPDATE deals
SET owner_id = CASE WHEN owner_id = $2 THEN $3 ELSE owner_id END,
    assigned_to_id = CASE WHEN assigned_to_id = $2 THEN $3 ELSE assigned_to_id END,
    updated_at = $4, version = version + 1
WHERE org_id = $1 AND (owner_id = $2 OR assigned_to_id = $2) AND stage NOT IN ('CLOSED_WON', 'CLOSED_LOST')");
}

pub(crate) fn deal(row: &Row) -> Result<Deal> {
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

impl Many for Deal {
    const INSERT: &'static str = INSERT;
    const DELETE: &'static str = "DELETE FROM deals WHERE (org_id, id)";
    const TERMS: Terms = terms::DEALS;

    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn search(&self) -> String {
        words_of(&[Some(&self.title)])
    }

    fn values(&self, words: &str) -> Vec<Value> {
        args![
            self.id,
            &self.title,
            self.value.minor(),
            self.stage.as_str(),
            self.probability,
            self.expected_close,
            self.closed_at,
            self.lead_id,
            self.owner_id,
            self.assigned_to_id,
            &self.notes,
            &self.lost_reason,
            &self.external_id,
            words,
            self.version,
            self.created_at,
            self.updated_at,
        ]
    }

    fn count(figures: &mut Figures, former: Option<&Self>, now: Option<&Self>) {
        figures.deal_changed(former, now);
    }
}

pub(crate) fn narrowed(query: &DealQuery) -> List {
    let mut list = List::of(&TABLE);
    list.only("d.stage = ?", query.stage.map(DealStage::as_str), &[BY_STAGE]);
    list.only("d.lead_id = ?", query.lead_id, &[BY_LEAD]);
    list.only("d.owner_id = ?", query.owner_id, &[BY_OWNER]);
    list.only("d.assigned_to_id = ?", query.assigned_to_id, &[BY_ASSIGNEE]);
    let (least, most) = (query.min_value.map(Money::minor), query.max_value.map(Money::minor));
    list.between([("d.value >= ?", least), ("d.value <= ?", most)], &[BY_VALUE]);
    let (from, to) = (query.created_from, query.created_to);
    list.between([("d.created_at >= ?", from), ("d.created_at < ?", to)], &[BY_CREATION]);
    let (from, to) = (query.close_from, query.close_to);
    list.between([("d.expected_close >= ?", from), ("d.expected_close < ?", to)], &[BY_EXPECTED_CLOSE]);
    list.search(query.q.as_deref());
    list
}

pub(crate) const fn order(key: DealSort) -> Index {
    match key {
        DealSort::CreatedAt => BY_CREATION,
        DealSort::UpdatedAt => BY_CHANGE,
        DealSort::Title => BY_TITLE,
        DealSort::Value => BY_VALUE,
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
        let list = narrowed(query);
        self.page(&list, &query.list, order(query.list.sort.key)).await?.iter().map(deal).collect()
    }

    async fn count(&mut self, query: &DealQuery) -> Result<u64> {
        self.total(&narrowed(query)).await
    }

    async fn insert(&mut self, deal: &Deal) -> Result<()> {
        let words = deal.search();
        let added = self.insert_many(INSERT, "ON CONFLICT DO NOTHING", [deal.values(&words)]).await?;
        if added == 0 {
            return Err(Error::field("externalId", "belongs to another deal"));
        }
        self.figures.deal_changed(None, Some(deal));
        terms::DEALS.insert(self, [(deal.id.as_uuid(), words.as_str())]).await
    }

    async fn update(&mut self, deal: &Deal) -> Result<()> {
        let former = DealRepository::find(self, deal.id).await?;
        let outdated = || Error::conflict("Somebody else has just changed this deal: read it again.");
        let former = former.filter(|former| former.version == deal.version - 1).ok_or_else(outdated)?;
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
            deal.search(),
            deal.updated_at,
            deal.created_at,
        ];
        if self.execute(UPDATE, values).await? != 1 {
            return Err(outdated());
        }
        self.figures.deal_changed(Some(&former), Some(deal));
        terms::DEALS.replace(self, deal.id.as_uuid(), &former.search(), &deal.search()).await
    }

    async fn delete(&mut self, id: DealId) -> Result<()> {
        let Some(former) = DealRepository::find(self, id).await? else {
            return Ok(());
        };
        self.execute(FREE_TASKS, args![id]).await?;
        if self.execute(DELETE, args![id]).await? == 1 {
            self.figures.deal_changed(Some(&former), None);
            terms::DEALS.replace(self, id.as_uuid(), &former.search(), "").await?;
        }
        Ok(())
    }

    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<DealId>> {
        let rows = self.all(TO_HAND_OVER, args![from]).await?;
        let held: Vec<Deal> = rows.iter().map(deal).collect::<Result<_>>()?;
        if self.execute(HAND_OVER, args![from, to, at]).await? != held.len() as u64 {
            return Err(Error::conflict("More work has just been given to this user: try again."));
        }
        for former in &held {
            let succeeded = Deal {
                owner_id: if former.owner_id == from { to } else { former.owner_id },
                assigned_to_id: former.assigned_to_id.map(|user| if user == from { to } else { user }),
                ..former.clone()
            };
            self.figures.deal_changed(Some(former), Some(&succeeded));
        }
        Ok(held.into_iter().map(|deal| deal.id).collect())
    }
}
