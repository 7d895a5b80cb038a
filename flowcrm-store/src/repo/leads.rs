use async_trait::async_trait;
use flowcrm_core::access::Visibility;
use flowcrm_core::email::Email;
use flowcrm_core::ids::{LeadId, UserId};
use flowcrm_core::leads::{Lead, LeadQuery, LeadRepository, LeadSort, LeadStatus, Traces};
use flowcrm_core::money::Money;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};
use uuid::Uuid;

use super::figures::Figures;
use super::many::Many;
use super::terms::{self, Terms};
use crate::sql::{Index, List, OrgConnection, Row, Select, Sql, Table, Value, args, statements, words_of};

macro_rules! columns {
    () => {
        "l.org_id, l.id, l.name, l.email, l.phone, l.company, l.source, l.status, l.value, o.currency, l.notes,
         l.external_id, l.owner_id, l.assigned_to_id, l.is_converted, l.version, l.created_at, l.updated_at"
    };
}

pub(crate) const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1"
);

static TABLE: Table = Table {
    name: "leads",
    alias: "l",
    columns: columns!(),
    joins: "JOIN organizations o ON o.id = l.org_id",
    terms: "lead_terms",
};

const BY_CREATION: Index = Index { name: "leads_by_creation", order: "l.created_at" };
const BY_CHANGE: Index = Index { name: "leads_by_change", order: "l.updated_at" };
const BY_NAME: Index = Index { name: "leads_by_name", order: "l.name" };
const BY_VALUE: Index = Index { name: "leads_by_value", order: "l.value" };
const BY_OWNER: Index = Index { name: "leads_by_owner", order: "l.created_at" };
const BY_ASSIGNEE: Index = Index { name: "leads_by_assignee", order: "l.created_at" };
const BY_STATUS: Index = Index { name: "leads_by_status", order: "l.created_at" };
const BY_SOURCE: Index = Index { name: "leads_by_source", order: "l.created_at" };

/// The beginning of an insert; [`Many::values`] gives what follows the organization.
const INSERT: &str = "INSERT INTO leads (
    org_id, id, name, email, email_key, phone, company, source, status, value, notes, external_id, owner_id,
    assigned_to_id, is_converted, search, version, created_at, updated_at
)";

statements! {
    FIND = Sql::both(concat!("SELECT ", columns!(), "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1 AND l.id = $2"));

    FIND_WITH_TRACES = Sql::both(concat!("SELECT ", columns!(), ",
       EXISTS (SELECT 1 FROM activities a WHERE a.org_id = $1 AND a.lead_id = $2) AS has_activities,
       EXISTS (SELECT 1 FROM deals d WHERE d.org_id = $1 AND d.lead_id = $2) AS has_deals
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
    updated_at = $18, created_at = $19, version = $3
WHERE org_id = $1 AND id = $2 AND version = $3 - 1");

    FREE_DEALS = Sql::both("UPDATE deals SET lead_id = NULL WHERE org_id = $1 AND lead_id = $2");

    FREE_TASKS = Sql::both("UPDATE tasks SET lead_id = NULL WHERE org_id = $1 AND lead_id = $2");

    /// Activities go with their lead, by their foreign key.
    DELETE = Sql::both("DELETE FROM leads WHERE org_id = $1 AND id = $2");

    /// What [`HAND_OVER`] will change, held against other writers.
    TO_HAND_OVER = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1 AND (l.owner_id = $2 OR l.assigned_to_id = $2) AND l.status NOT IN ('WON', 'LOST')
FOR UPDATE OF l"),
        concat!("SELECT ", columns!(), "
FROM leads l JOIN organizations o ON o.id = l.org_id
WHERE l.org_id = $1 AND (l.owner_id = $2 OR l.assigned_to_id = $2) AND l.status NOT IN ('WON', 'LOST')"),
    );

    /// Both ends at once: whoever was owner and assignee is succeeded as both.
    HAND_OVER = Sql::both("UPDATE leads
SET owner_id = CASE WHEN owner_id = $2 THEN $3 ELSE owner_id END,
    assigned_to_id = CASE WHEN assigned_to_id = $2 THEN $3 ELSE assigned_to_id END,
    updated_at = $4, version = version + 1
WHERE org_id = $1 AND (owner_id = $2 OR assigned_to_id = $2) AND status NOT IN ('WON', 'LOST')");
}

pub(crate) fn lead(row: &Row) -> Result<Lead> {
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

impl Many for Lead {
    const INSERT: &'static str = INSERT;
    const DELETE: &'static str = "DELETE FROM leads WHERE (org_id, id)";
    const TERMS: Terms = terms::LEADS;

    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn search(&self) -> String {
        let email = self.email.as_ref().map(Email::as_str);
        words_of(&[Some(&self.name), email, self.company.as_deref()])
    }

    fn values(&self, words: &str) -> Vec<Value> {
        args![
            self.id,
            &self.name,
            self.email.as_ref().map(ToString::to_string),
            self.email.as_ref().map(Email::key),
            &self.phone,
            &self.company,
            &self.source,
            self.status.as_str(),
            self.value.minor(),
            &self.notes,
            &self.external_id,
            self.owner_id,
            self.assigned_to_id,
            self.is_converted,
            words,
            self.version,
            self.created_at,
            self.updated_at,
        ]
    }

    fn count(figures: &mut Figures, former: Option<&Self>, now: Option<&Self>) {
        figures.lead_changed(former, now);
    }
}

pub(crate) fn narrowed(visibility: Visibility, query: &LeadQuery) -> List {
    let mut list = List::of(&TABLE);
    if let Visibility::Own(user) = visibility {
        // A part that the filters exclude is not looked through in vain; one is always left.
        let may_own = query.owner_id.is_none_or(|owner| owner == user);
        let may_work_on = query.owner_id != Some(user) && query.assigned_to_id.is_none_or(|id| id == user);
        if may_own {
            list.see("l.owner_id = ?", user, &[BY_OWNER]);
        }
        if may_work_on || !may_own {
            list.see("l.assigned_to_id = ? AND l.owner_id <> ?", user, &[BY_ASSIGNEE]);
        }
    }
    list.only("l.status = ?", query.status.map(LeadStatus::as_str), &[BY_STATUS]);
    list.only("l.source = ?", query.source.as_deref(), &[BY_SOURCE]);
    list.only("l.owner_id = ?", query.owner_id, &[BY_OWNER]);
    list.only("l.assigned_to_id = ?", query.assigned_to_id, &[BY_ASSIGNEE]);
    let (least, most) = (query.min_value.map(Money::minor), query.max_value.map(Money::minor));
    list.between([("l.value >= ?", least), ("l.value <= ?", most)], &[BY_VALUE]);
    let (from, to) = (query.created_from, query.created_to);
    list.between([("l.created_at >= ?", from), ("l.created_at < ?", to)], &[BY_CREATION]);
    list.search(query.q.as_deref());
    list
}

pub(crate) const fn order(key: LeadSort) -> Index {
    match key {
        LeadSort::CreatedAt => BY_CREATION,
        LeadSort::UpdatedAt => BY_CHANGE,
        LeadSort::Name => BY_NAME,
        LeadSort::Value => BY_VALUE,
    }
}

#[async_trait]
impl LeadRepository for OrgConnection {
    async fn find(&mut self, id: LeadId) -> Result<Option<Lead>> {
        self.optional(FIND, args![id]).await?.as_ref().map(lead).transpose()
    }

    async fn find_with_traces(&mut self, id: LeadId) -> Result<Option<(Lead, Traces)>> {
        let row = self.optional(FIND_WITH_TRACES, args![id]).await?;
        let read = |row: &Row| {
            let traces =
                Traces { has_activities: row.flag("has_activities")?, has_deals: row.flag("has_deals")? };
            Ok((lead(row)?, traces))
        };
        row.as_ref().map(read).transpose()
    }

    async fn lock(&mut self, id: LeadId) -> Result<Option<Lead>> {
        self.optional(LOCK, args![id]).await?.as_ref().map(lead).transpose()
    }

    async fn find_many(&mut self, ids: &[LeadId]) -> Result<Vec<Lead>> {
        let mut select = Select::new(LIST);
        select.and_in("l.id", ids.iter().copied());
        self.select(select).await?.iter().map(lead).collect()
    }

    async fn find_by_external_id(&mut self, external_id: &str) -> Result<Option<Lead>> {
        self.optional(FIND_BY_EXTERNAL_ID, args![external_id]).await?.as_ref().map(lead).transpose()
    }

    async fn list(&mut self, visibility: Visibility, query: &LeadQuery) -> Result<Vec<Lead>> {
        let list = narrowed(visibility, query);
        self.page(&list, &query.list, order(query.list.sort.key)).await?.iter().map(lead).collect()
    }

    async fn count(&mut self, visibility: Visibility, query: &LeadQuery) -> Result<u64> {
        self.total(&narrowed(visibility, query)).await
    }

    async fn insert(&mut self, lead: &Lead) -> Result<()> {
        let words = lead.search();
        let added = self.insert_many(INSERT, "ON CONFLICT DO NOTHING", [lead.values(&words)]).await?;
        if added == 0 {
            return Err(Error::field("externalId", "belongs to another lead"));
        }
        self.figures.lead_changed(None, Some(lead));
        terms::LEADS.insert(self, [(lead.id.as_uuid(), words.as_str())]).await
    }

    async fn update(&mut self, lead: &Lead) -> Result<()> {
        let former = LeadRepository::find(self, lead.id).await?;
        let outdated = || Error::conflict("Somebody else has just changed this lead: read it again.");
        let former = former.filter(|former| former.version == lead.version - 1).ok_or_else(outdated)?;
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
            lead.search(),
            lead.updated_at,
            lead.created_at,
        ];
        if self.execute(UPDATE, values).await? != 1 {
            return Err(outdated());
        }
        self.figures.lead_changed(Some(&former), Some(lead));
        terms::LEADS.replace(self, lead.id.as_uuid(), &former.search(), &lead.search()).await
    }

    async fn delete(&mut self, id: LeadId) -> Result<()> {
        let Some(former) = LeadRepository::find(self, id).await? else {
            return Ok(());
        };
        self.execute(FREE_DEALS, args![id]).await?;
        self.execute(FREE_TASKS, args![id]).await?;
        if self.execute(DELETE, args![id]).await? == 1 {
            self.figures.lead_changed(Some(&former), None);
            terms::LEADS.replace(self, id.as_uuid(), &former.search(), "").await?;
        }
        Ok(())
    }

    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<LeadId>> {
        let rows = self.all(TO_HAND_OVER, args![from]).await?;
        let held: Vec<Lead> = rows.iter().map(lead).collect::<Result<_>>()?;
        if self.execute(HAND_OVER, args![from, to, at]).await? != held.len() as u64 {
            return Err(Error::conflict("More work has just been given to this user: try again."));
        }
        for former in &held {
            let succeeded = Lead {
                owner_id: if former.owner_id == from { to } else { former.owner_id },
                assigned_to_id: former.assigned_to_id.map(|user| if user == from { to } else { user }),
                ..former.clone()
            };
            self.figures.lead_changed(Some(former), Some(&succeeded));
        }
        Ok(held.into_iter().map(|lead| lead.id).collect())
    }
}
