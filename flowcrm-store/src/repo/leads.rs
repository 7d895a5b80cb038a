use async_trait::async_trait;
use flowcrm_core::access::Visibility;
use flowcrm_core::email::Email;
use flowcrm_core::ids::{LeadId, UserId};
use flowcrm_core::leads::{Lead, LeadQuery, LeadRepository, LeadSort, LeadStatus};
use flowcrm_core::money::Money;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};

use crate::sql::{OrgConnection, Row, Select, Sql, Value, args, statements, words_of};

macro_rules! columns {
    () => {
        "l.org_id, l.id, l.name, l.email, l.phone, l.company, l.source, l.status, l.value, o.currency, l.notes,
         l.external_id, l.owner_id, l.assigned_to_id, l.is_converted, l.version, l.created_at, l.updated_at"
    };
}

const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1"
);

const COUNT: &str = "SELECT COUNT(*) AS count
FROM leads l
WHERE l.org_id = $1";

/// The beginning of an insert; [`values`] gives what follows the organization.
pub(crate) const INSERT: &str = "INSERT INTO leads (
    org_id, id, name, email, email_key, phone, company, source, status, value, notes, external_id, owner_id,
    assigned_to_id, is_converted, search, version, created_at, updated_at
)";

statements! {
    FIND = Sql::both(concat!("SELECT ", columns!(), "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1 AND l.id = $2"));

    LOCK = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1 AND l.id = $2
FOR UPDATE OF l"),
        concat!("SELECT ", columns!(), "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1 AND l.id = $2"),
    );

    FIND_BY_EXTERNAL_ID = Sql::both(concat!("SELECT ", columns!(), "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1 AND l.external_id = $2"));

    UPDATE = Sql::both("UPDATE leads
SET name = $4, email = $5, email_key = $6, phone = $7, company = $8, source = $9, status = $10, value = $11,
    notes = $12, external_id = $13, owner_id = $14, assigned_to_id = $15, is_converted = $16, search = $17,
    updated_at = $18, version = $3
WHERE org_id = $1 AND id = $2 AND version = $3 - 1");

    FREE_DEALS = Sql::both("UPDATE deals SET lead_id = NULL WHERE org_id = $1 AND lead_id = $2");

    FREE_TASKS = Sql::both("UPDATE tasks SET lead_id = NULL WHERE org_id = $1 AND lead_id = $2");

    /// Activities go with their lead, by their foreign key.
    DELETE = Sql::both("DELETE FROM leads WHERE org_id = $1 AND id = $2");

    /// Both ends at once: whoever was owner and assignee is succeeded as both.
    HAND_OVER = Sql::both("UPDATE leads
SET owner_id = CASE WHEN owner_id = $2 THEN $3 ELSE owner_id END,
    assigned_to_id = CASE WHEN assigned_to_id = $2 THEN $3 ELSE assigned_to_id END,
    updated_at = $4, version = version + 1
WHERE org_id = $1 AND (owner_id = $2 OR assigned_to_id = $2) AND status NOT IN ('WON', 'LOST')
RETURNING id");
}

fn lead(row: &Row) -> Result<Lead> {
    Ok(Lead {
        id: row.id("id")?,
        org_id: row.id("org_id")?,
        name: row.text("name")?,
        email: row.optional_spelled("email")?,
        phone: row.optional_text("phone")?,
        company: row.optional_text("company")?,
        source: row.optional_text("source")?,
        status: row.spelled("status")?,
        value: row.money("value")?,
        notes: row.optional_text("notes")?,
        external_id: row.optional_text("external_id")?,
        owner_id: row.id("owner_id")?,
        assigned_to_id: row.optional_id("assigned_to_id")?,
        version: row.int("version")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        is_converted: row.flag("is_converted")?,
    })
}

fn search(lead: &Lead) -> String {
    let email = lead.email.as_ref().map(Email::as_str);
    words_of(&[Some(&lead.name), email, lead.company.as_deref()])
}

/// The columns of [`INSERT`] after the organization.
pub(crate) fn values(lead: &Lead) -> Vec<Value> {
    args![
        lead.id,
        &lead.name,
        lead.email.as_ref().map(ToString::to_string),
        lead.email.as_ref().map(Email::key),
        &lead.phone,
        &lead.company,
        &lead.source,
        lead.status.as_str(),
        lead.value.minor(),
        &lead.notes,
        &lead.external_id,
        lead.owner_id,
        lead.assigned_to_id,
        lead.is_converted,
        search(lead),
        lead.version,
        lead.created_at,
        lead.updated_at,
    ]
}

fn narrowed(head: &'static str, visibility: Visibility, query: &LeadQuery) -> Select {
    let mut select = Select::new(head);
    if let Visibility::Own(user) = visibility {
        select.and("(l.owner_id = ? OR l.assigned_to_id = ?)", user);
    }
    select.and_some("l.status = ?", query.status.map(LeadStatus::as_str));
    select.and_some("l.source = ?", query.source.clone());
    select.and_some("l.owner_id = ?", query.owner_id);
    select.and_some("l.assigned_to_id = ?", query.assigned_to_id);
    select.and_some("l.value >= ?", query.min_value.map(Money::minor));
    select.and_some("l.value <= ?", query.max_value.map(Money::minor));
    select.and_some("l.created_at >= ?", query.created_from);
    select.and_some("l.created_at < ?", query.created_to);
    select.and_words("l.search LIKE ?", query.q.as_deref());
    select
}

fn sort_column(key: LeadSort) -> &'static str {
    match key {
        LeadSort::CreatedAt => "l.created_at",
        LeadSort::UpdatedAt => "l.updated_at",
        LeadSort::Name => "l.name",
        LeadSort::Value => "l.value",
    }
}

#[async_trait]
impl LeadRepository for OrgConnection {
    async fn find(&mut self, id: LeadId) -> Result<Option<Lead>> {
        self.optional(FIND, args![id]).await?.as_ref().map(lead).transpose()
    }

    async fn lock(&mut self, id: LeadId) -> Result<Option<Lead>> {
        self.optional(LOCK, args![id]).await?.as_ref().map(lead).transpose()
    }

    async fn find_by_external_id(&mut self, external_id: &str) -> Result<Option<Lead>> {
        self.optional(FIND_BY_EXTERNAL_ID, args![external_id]).await?.as_ref().map(lead).transpose()
    }

    async fn list(&mut self, visibility: Visibility, query: &LeadQuery) -> Result<Vec<Lead>> {
        let select =
            narrowed(LIST, visibility, query).page(&query.list, sort_column(query.list.sort.key), "l.id");
        self.select(select).await?.iter().map(lead).collect()
    }

    async fn count(&mut self, visibility: Visibility, query: &LeadQuery) -> Result<u64> {
        OrgConnection::count(self, narrowed(COUNT, visibility, query)).await
    }

    async fn insert(&mut self, lead: &Lead) -> Result<()> {
        match self.insert_many(INSERT, "ON CONFLICT DO NOTHING", vec![values(lead)]).await? {
            1 => Ok(()),
            _ => Err(Error::field("externalId", "belongs to another lead")),
        }
    }

    async fn update(&mut self, lead: &Lead) -> Result<()> {
        let values = args![
            lead.id,
            lead.version,
            &lead.name,
            lead.email.as_ref().map(ToString::to_string),
            lead.email.as_ref().map(Email::key),
            &lead.phone,
            &lead.company,
            &lead.source,
            lead.status.as_str(),
            lead.value.minor(),
            &lead.notes,
            &lead.external_id,
            lead.owner_id,
            lead.assigned_to_id,
            lead.is_converted,
            search(lead),
            lead.updated_at,
        ];
        match self.execute(UPDATE, values).await? {
            1 => Ok(()),
            _ => Err(Error::conflict("Somebody else has just changed this lead: read it again.")),
        }
    }

    async fn delete(&mut self, id: LeadId) -> Result<()> {
        self.execute(FREE_DEALS, args![id]).await?;
        self.execute(FREE_TASKS, args![id]).await?;
        self.execute(DELETE, args![id]).await.map(|_| ())
    }

    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<LeadId>> {
        self.all(HAND_OVER, args![from, to, at]).await?.iter().map(|row| row.id("id")).collect()
    }
}
