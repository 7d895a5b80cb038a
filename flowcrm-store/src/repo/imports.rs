use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use flowcrm_core::deals::Deal;
use flowcrm_core::ids::{ImportId, LeadId, UserId};
use flowcrm_core::imports::{
    Change, Foreseen, Import, ImportKind, ImportMember, ImportQuery, ImportRepository, ImportSort,
    ImportState, KeptQuery, KeptRecord, KeptSort, Lease, Outcome, Plan, RejectedRow, Rejection,
    RejectionQuery, RejectionSort, Run, StagedRow, StagedRows, Undo, own_id,
};
use flowcrm_core::leads::Lead;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};
use uuid::Uuid;

use super::many::{insert_all, remove_all};
use super::{deals, leads};
use crate::sql::{OrgConnection, Row, Select, Sql, Value, args, statements};

macro_rules! columns {
    () => {
        "i.id, i.kind, i.file, i.state, i.error, i.dry_run, i.total, i.created, i.updated, i.skipped,
         i.rejected, i.removed, i.restored, i.kept, i.created_at, i.started_at, i.finished_at, i.undone_at"
    };
}

const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM imports i
WHERE i.org_id = $1 AND i.is_staged"
);

const REJECTIONS: &str = "SELECT r.import_id, r.line, r.column_name, r.value, r.reason, r.cells
FROM import_rejections r
WHERE r.org_id = $1";

const FORESEEN: &str = "SELECT k.key, k.record_id FROM import_keys k WHERE k.org_id = $1";

const TAKEN_LEADS: &str = "SELECT l.external_id AS key FROM leads l WHERE l.org_id = $1";

const TAKEN_DEALS: &str = "SELECT d.external_id AS key FROM deals d WHERE d.org_id = $1";

const TAKEN_EMAILS: &str = "SELECT DISTINCT l.email_key AS key FROM leads l WHERE l.org_id = $1";

const LEADS: &str = "SELECT l.id, l.external_id FROM leads l WHERE l.org_id = $1";

const DEALS: &str = "SELECT d.id FROM deals d WHERE d.org_id = $1";

const INSERT_REJECTIONS: &str =
    "INSERT INTO import_rejections (org_id, import_id, line, column_name, value, reason, cells)";

const INSERT_KEYS: &str = "INSERT INTO import_keys (org_id, import_id, key, record_id)";

const INSERT_CHANGES: &str =
    "INSERT INTO import_changes (org_id, import_id, record_id, line, version, previous, is_restored)";

/// What a record was before the import stays. So does the version when somebody has changed the record in between, by
/// which undoing the import sees that they did.
const OR_ITS_VERSION: &str =
    "ON CONFLICT (org_id, import_id, record_id) DO UPDATE SET version = excluded.version
WHERE import_changes.version = excluded.version - 1";

const INSERT_OUTCOMES: &str =
    "INSERT INTO import_changes (org_id, import_id, record_id, line, version, is_restored, kept_because)";

/// The changes are there already.
const OF_THE_CHANGE: &str = "ON CONFLICT (org_id, import_id, record_id) DO UPDATE
SET version = excluded.version, is_restored = excluded.is_restored, kept_because = excluded.kept_because";

const CHANGES: &str = "SELECT c.record_id, c.line, c.version, c.previous
FROM import_changes c
WHERE c.org_id = $1 AND NOT c.is_restored";

const RESTORATIONS: &str = "SELECT c.record_id, c.line, c.version, c.previous
FROM imports i JOIN import_changes c ON c.org_id = i.org_id AND c.import_id = i.id
WHERE i.org_id = $1 AND i.restored > 0 AND c.is_restored";

const KEPT: &str = "SELECT c.record_id, c.line, c.previous IS NULL AS was_created, c.kept_because
FROM import_changes c
WHERE c.org_id = $1 AND c.kept_because IS NOT NULL";

const DELETE_CHANGES: &str = "DELETE FROM import_changes WHERE (org_id, import_id, record_id)";

const WITH_ACTIVITIES: &str = "SELECT a.lead_id AS id FROM activities a WHERE a.org_id = $1";

const WITH_DEALS: &str = "SELECT d.lead_id AS id FROM deals d WHERE d.org_id = $1";

const LEADS_WITH_TASKS: &str = "SELECT t.lead_id AS id FROM tasks t WHERE t.org_id = $1";

const DEALS_WITH_TASKS: &str = "SELECT t.deal_id AS id FROM tasks t WHERE t.org_id = $1";

const FORESEEN_RECORDS: &str = "SELECT f.record FROM import_foreseen f WHERE f.org_id = $1";

const INSERT_FORESEEN: &str = "INSERT INTO import_foreseen (org_id, import_id, record_id, record)";

const OR_ITS_RECORD: &str =
    "ON CONFLICT (org_id, import_id, record_id) DO UPDATE SET record = excluded.record";

statements! {
    /// Of each email so many leads at most.
    LEADS_OF_EMAILS = Sql::pair(
        "SELECT found.id
FROM jsonb_array_elements_text($2) AS wanted(key) CROSS JOIN LATERAL (
    SELECT l.id FROM leads l WHERE l.org_id = $1 AND l.email_key = wanted.key LIMIT $3
) AS found",
        "SELECT l.id
FROM json_each($2) AS wanted CROSS JOIN leads l
WHERE l.org_id = $1
  AND l.id IN (SELECT s.id FROM leads s WHERE s.org_id = $1 AND s.email_key = wanted.value LIMIT $3)",
    );

    FIND = Sql::both(concat!("SELECT ", columns!(), "
FROM imports i
WHERE i.org_id = $1 AND i.is_staged AND i.id = $2"));

    COUNT = Sql::both("SELECT COUNT(*) AS count FROM imports WHERE org_id = $1 AND is_staged");

    COUNT_REJECTIONS = Sql::both(
        "SELECT COUNT(*) AS count FROM import_rejections WHERE org_id = $1 AND import_id = $2"
    );

    INSERT = Sql::both("INSERT INTO imports (
    org_id, id, user_id, kind, file, plan, is_staged, state, dry_run, total, created, updated, skipped, rejected,
    removed, restored, kept, checkpoint, created_at
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, 0, 0, 0, 0, 0, 0, $10)");

    ARRIVED = Sql::both("UPDATE imports
SET is_staged = $3, total = $4, rejected = $5, plan = $6
WHERE org_id = $1 AND id = $2 AND NOT is_staged");

    /// The staged rows go with their import, by their foreign key.
    DISCARD = Sql::both("DELETE FROM imports WHERE org_id = $1 AND id = $2 AND NOT is_staged");

    /// Lease times are the database's.
    CLAIM = Sql::pair(
        "UPDATE imports
SET state = CASE WHEN state = 'QUEUED' THEN 'RUNNING' ELSE state END, lease_token = $3, lease_until = clock_timestamp() + INTERVAL '15 seconds',
    started_at = COALESCE(started_at, $4)
WHERE org_id = $1 AND id = $2 AND is_staged AND state IN ('QUEUED', 'RUNNING', 'UNDOING')
  AND (lease_until IS NULL OR lease_until < clock_timestamp())",
        "UPDATE imports
SET state = CASE WHEN state = 'QUEUED' THEN 'RUNNING' ELSE state END, lease_token = $3, lease_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+15 seconds'),
    started_at = COALESCE(started_at, $4)
WHERE org_id = $1 AND id = $2 AND is_staged AND state IN ('QUEUED', 'RUNNING', 'UNDOING')
  AND (lease_until IS NULL OR lease_until < strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
    );

    HOLD = Sql::pair(
        concat!("SELECT ", columns!(), ", i.user_id, i.plan, i.checkpoint, i.undo_user_id, i.undo_checkpoint
FROM imports i
WHERE i.org_id = $1 AND i.id = $2 AND i.lease_token = $3 AND i.state IN ('RUNNING', 'UNDOING')
FOR UPDATE"),
        concat!("SELECT ", columns!(), ", i.user_id, i.plan, i.checkpoint, i.undo_user_id, i.undo_checkpoint
FROM imports i
WHERE i.org_id = $1 AND i.id = $2 AND i.lease_token = $3 AND i.state IN ('RUNNING', 'UNDOING')"),
    );

    SAVE = Sql::pair(
        "UPDATE imports
SET state = $4, error = $5, created = $6, updated = $7, skipped = $8, rejected = $9, finished_at = $10,
    checkpoint = $11, lease_until = clock_timestamp() + INTERVAL '15 seconds'
WHERE org_id = $1 AND id = $2 AND lease_token = $3",
        "UPDATE imports
SET state = $4, error = $5, created = $6, updated = $7, skipped = $8, rejected = $9, finished_at = $10,
    checkpoint = $11, lease_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+15 seconds')
WHERE org_id = $1 AND id = $2 AND lease_token = $3",
    );

    STAGE = Sql::both(
        "INSERT INTO import_batches (org_id, import_id, line, count, rows) VALUES ($1, $2, $3, $4, $5)"
    );

    /// Beginning at the checkpoint, it does not walk over what has been deleted.
    ROWS_AFTER = Sql::both("SELECT b.rows, NOT EXISTS (
    SELECT 1 FROM import_batches n WHERE n.org_id = b.org_id AND n.import_id = b.import_id AND n.line > b.line
) AS is_last
FROM import_batches b
WHERE b.org_id = $1 AND b.import_id = $2 AND b.line > $3
ORDER BY b.line
LIMIT 1");

    DELETE_ROWS = Sql::both("DELETE FROM import_batches WHERE org_id = $1 AND import_id = $2 AND line <= $3");

    FORGET_KEYS = Sql::both("DELETE FROM import_keys WHERE org_id = $1 AND import_id = $2");

    FORGET_FORESEEN = Sql::both("DELETE FROM import_foreseen WHERE org_id = $1 AND import_id = $2");

    LOCK = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM imports i
WHERE i.org_id = $1 AND i.is_staged AND i.id = $2
FOR UPDATE"),
        concat!("SELECT ", columns!(), "
FROM imports i
WHERE i.org_id = $1 AND i.is_staged AND i.id = $2"),
    );

    BEGIN_UNDO = Sql::both("UPDATE imports
SET state = $3, error = NULL, kept = 0, undone_at = NULL, undo_user_id = $4, undo_checkpoint = NULL,
    lease_token = NULL, lease_until = NULL
WHERE org_id = $1 AND id = $2");

    SAVE_UNDO = Sql::pair(
        "UPDATE imports
SET state = $4, removed = $5, restored = $6, kept = $7, undone_at = $8, undo_checkpoint = $9,
    lease_until = clock_timestamp() + INTERVAL '15 seconds'
WHERE org_id = $1 AND id = $2 AND lease_token = $3",
        "UPDATE imports
SET state = $4, removed = $5, restored = $6, kept = $7, undone_at = $8, undo_checkpoint = $9,
    lease_until = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+15 seconds')
WHERE org_id = $1 AND id = $2 AND lease_token = $3",
    );

    PLAN = Sql::both("SELECT plan FROM imports WHERE org_id = $1 AND id = $2 AND is_staged");

    MEMBERS = Sql::both("SELECT id, name, email_key, role FROM users WHERE org_id = $1 AND active");
}

fn import(row: &Row) -> Result<Import> {
    Ok(Import {
        id: row.id("id")?,
        kind: row.spelled("kind")?,
        file: row.text("file")?,
        state: row.spelled("state")?,
        error: row.optional_text("error")?,
        dry_run: row.flag("dry_run")?,
        total: row.int("total")?,
        created: row.int("created")?,
        updated: row.int("updated")?,
        skipped: row.int("skipped")?,
        rejected: row.int("rejected")?,
        removed: row.int("removed")?,
        restored: row.int("restored")?,
        kept: row.int("kept")?,
        created_at: row.time("created_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        undone_at: row.optional_time("undone_at")?,
    })
}

fn run(row: &Row) -> Result<Run> {
    let plan = serde_json::from_value(row.json("plan")?).map_err(Error::internal)?;
    let import = import(row)?;
    let undo = match import.state {
        ImportState::Undoing => {
            let user_id = row.id("undo_user_id")?;
            Some(Undo { user_id, behind: row.optional_id("undo_checkpoint")? })
        }
        _ => None,
    };
    Ok(Run { import, user_id: row.id("user_id")?, plan, checkpoint: row.int("checkpoint")?, undo })
}

fn change(row: &Row) -> Result<Change> {
    Ok(Change {
        record_id: row.id("record_id")?,
        line: row.int("line")?,
        version: row.int("version")?,
        previous: row.optional_bytes("previous")?,
    })
}

fn kept(row: &Row) -> Result<KeptRecord> {
    Ok(KeptRecord {
        line: row.int("line")?,
        record_id: row.id("record_id")?,
        was_created: row.flag("was_created")?,
        reason: row.text("kept_because")?,
    })
}

fn rejected_row(row: &Row) -> Result<RejectedRow> {
    let rejection = Rejection {
        line: row.int("line")?,
        column: row.optional_text("column_name")?,
        value: row.optional_text("value")?,
        reason: row.text("reason")?,
        cells: match row.optional_json("cells")? {
            Some(cells) => serde_json::from_value(cells).map_err(Error::internal)?,
            None => None,
        },
    };
    Ok(RejectedRow { import_id: row.id("import_id")?, rejection })
}

fn staged_rows(row: &Row) -> Result<StagedRows> {
    let rows: Vec<(i64, Vec<String>)> =
        serde_json::from_slice(&row.bytes("rows")?).map_err(Error::internal)?;
    let rows = rows.into_iter().map(|(line, cells)| StagedRow { line, cells }).collect();
    Ok(StagedRows { rows, is_last: row.flag("is_last")? })
}

fn member(row: &Row) -> Result<ImportMember> {
    Ok(ImportMember {
        id: row.id("id")?,
        name: row.text("name")?,
        email_key: row.text("email_key")?,
        role: row.spelled("role")?,
    })
}

/// So many values are looked up by one statement: SQLite looks each placeholder up among all others.
const VALUES_AT_ONCE: usize = 200;

/// The rows of `head` in which `column` has one of some values.
async fn having<V: Into<Value> + Clone>(
    connection: &mut OrgConnection,
    head: &'static str,
    column: &'static str,
    values: &[V],
) -> Result<Vec<Row>> {
    each_of(connection, &Select::new(head), column, values).await
}

/// The rows that a query selects in which `column` has one of some values; none are looked up in vain.
async fn each_of<V: Into<Value> + Clone>(
    connection: &mut OrgConnection,
    head: &Select,
    column: &'static str,
    values: &[V],
) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    for some in values.chunks(VALUES_AT_ONCE) {
        let values = some.iter().cloned().map(Into::into);
        found.extend(connection.select(head.clone().each_of(column, values)).await?);
    }
    Ok(found)
}

/// The rows of `head` whose `column` is one of some ids, in its order, held against other writers in the table that
/// has this alias.
async fn locked(
    connection: &mut OrgConnection,
    head: &'static str,
    (alias, column): (&'static str, &'static str),
    ids: &[Uuid],
) -> Result<Vec<Row>> {
    let mut select = Select::new(head);
    select.and_in(column, ids.iter().copied());
    connection.select(select.walk(&[column], None, ids.len()).locking(alias)).await
}

fn taken_over() -> Error {
    Error::conflict("Another worker has taken this import over.")
}

/// The ids of ours among some external ids.
fn own_ids(external_ids: &[String]) -> Vec<Uuid> {
    external_ids.iter().filter_map(|id| own_id(id)).collect()
}

/// The rows without those that say the same `id` as one before them.
fn each_once(rows: &[Row]) -> Result<Vec<&Row>> {
    let (mut known, mut once) = (HashSet::new(), Vec::new());
    for row in rows {
        if known.insert(row.id::<Uuid>("id")?) {
            once.push(row);
        }
    }
    Ok(once)
}

fn keys(rows: &[Row]) -> Result<Vec<String>> {
    rows.iter().map(|row| row.text("key")).collect()
}

#[async_trait]
impl ImportRepository for OrgConnection {
    async fn find(&mut self, id: ImportId) -> Result<Option<Import>> {
        self.optional(FIND, args![id]).await?.as_ref().map(import).transpose()
    }

    async fn list(&mut self, query: &ImportQuery) -> Result<Vec<Import>> {
        let column = match query.list.sort.key {
            ImportSort::CreatedAt => "i.created_at",
        };
        let select = Select::new(LIST).page(&query.list, column, "i.id");
        self.select(select).await?.iter().map(import).collect()
    }

    async fn count(&mut self) -> Result<u64> {
        self.one(COUNT, args![]).await?.count("count")
    }

    async fn rejections(&mut self, id: ImportId, query: &RejectionQuery) -> Result<Vec<RejectedRow>> {
        let mut select = Select::new(REJECTIONS);
        select.and("r.import_id = ?", id);
        let column = match query.list.sort.key {
            RejectionSort::Line => "r.line",
        };
        let select = select.page(&query.list, column, "r.import_id");
        self.select(select).await?.iter().map(rejected_row).collect()
    }

    async fn count_rejections(&mut self, id: ImportId) -> Result<u64> {
        self.one(COUNT_REJECTIONS, args![id]).await?.count("count")
    }

    async fn insert(&mut self, import: &Import, user: UserId, plan: &Plan) -> Result<()> {
        let plan = serde_json::to_value(plan).map_err(Error::internal)?;
        let values = args![
            import.id,
            user,
            import.kind.as_str(),
            &import.file,
            plan,
            false,
            import.state.as_str(),
            import.dry_run,
            import.created_at,
        ];
        self.execute(INSERT, values).await.map(|_| ())
    }

    async fn stage(&mut self, id: ImportId, rows: &[StagedRow]) -> Result<()> {
        let Some(last) = rows.last() else { return Ok(()) };
        let written: Vec<_> = rows.iter().map(|row| (row.line, &row.cells)).collect();
        let written = serde_json::to_vec(&written).map_err(Error::internal)?;
        self.execute(STAGE, args![id, last.line, rows.len(), written]).await.map(|_| ())
    }

    async fn arrived(&mut self, import: &Import, plan: &Plan, is_staged: bool) -> Result<()> {
        let plan = serde_json::to_value(plan).map_err(Error::internal)?;
        match self.execute(ARRIVED, args![import.id, is_staged, import.total, import.rejected, plan]).await? {
            1 => Ok(()),
            _ => Err(Error::conflict("The file took too long to arrive: send it again.")),
        }
    }

    async fn discard(&mut self, id: ImportId) -> Result<()> {
        self.execute(DISCARD, args![id]).await.map(|_| ())
    }

    async fn claim(&mut self, lease: Lease, now: Timestamp) -> Result<bool> {
        Ok(self.execute(CLAIM, args![lease.import_id, lease.token, now]).await? == 1)
    }

    async fn plan(&mut self, id: ImportId) -> Result<Option<Plan>> {
        let row = self.optional(PLAN, args![id]).await?;
        row.map(|row| serde_json::from_value(row.json("plan")?).map_err(Error::internal)).transpose()
    }

    async fn hold(&mut self, lease: Lease) -> Result<Option<Run>> {
        self.optional(HOLD, args![lease.import_id, lease.token]).await?.as_ref().map(run).transpose()
    }

    async fn save(&mut self, lease: Lease, import: &Import, checkpoint: i64) -> Result<()> {
        let values = args![
            lease.import_id,
            lease.token,
            import.state.as_str(),
            &import.error,
            import.created,
            import.updated,
            import.skipped,
            import.rejected,
            import.finished_at,
            checkpoint,
        ];
        match self.execute(SAVE, values).await? {
            1 => Ok(()),
            _ => Err(taken_over()),
        }
    }

    async fn rows_after(&mut self, id: ImportId, line: i64) -> Result<StagedRows> {
        let rows = self.optional(ROWS_AFTER, args![id, line]).await?;
        rows.map_or(Ok(StagedRows { rows: Vec::new(), is_last: true }), |row| staged_rows(&row))
    }

    async fn delete_rows(&mut self, id: ImportId, up_to: i64) -> Result<()> {
        self.execute(DELETE_ROWS, args![id, up_to]).await.map(|_| ())
    }

    async fn reject(&mut self, id: ImportId, rejections: &[Rejection]) -> Result<()> {
        let values = |rejection: &Rejection| {
            let cells = rejection.cells.clone().map(serde_json::Value::from);
            args![id, rejection.line, &rejection.column, &rejection.value, &rejection.reason, cells]
        };
        self.insert_many(INSERT_REJECTIONS, "", rejections.iter().map(values)).await.map(|_| ())
    }

    async fn note_changes(&mut self, id: ImportId, changes: &[Change]) -> Result<()> {
        let values = |change: &Change| {
            args![id, change.record_id, change.line, change.version, change.previous.clone(), false]
        };
        // What has just been created was not noted before; to look would cost as much as to note it.
        let (new, known): (Vec<_>, Vec<_>) = changes.iter().partition(|change| change.previous.is_none());
        self.insert_many(INSERT_CHANGES, "", new.into_iter().map(values)).await?;
        self.insert_many(INSERT_CHANGES, OR_ITS_VERSION, known.into_iter().map(values)).await.map(|_| ())
    }

    async fn lock(&mut self, id: ImportId) -> Result<Option<Import>> {
        self.optional(LOCK, args![id]).await?.as_ref().map(import).transpose()
    }

    async fn begin_undo(&mut self, import: &Import, user: UserId) -> Result<()> {
        self.execute(BEGIN_UNDO, args![import.id, import.state.as_str(), user]).await.map(|_| ())
    }

    async fn save_undo(&mut self, lease: Lease, import: &Import, behind: Option<Uuid>) -> Result<()> {
        let values = args![
            lease.import_id,
            lease.token,
            import.state.as_str(),
            import.removed,
            import.restored,
            import.kept,
            import.undone_at,
            behind,
        ];
        match self.execute(SAVE_UNDO, values).await? {
            1 => Ok(()),
            _ => Err(taken_over()),
        }
    }

    async fn changes_after(
        &mut self,
        id: ImportId,
        behind: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Change>> {
        let mut select = Select::new(CHANGES);
        select.and("c.import_id = ?", id);
        let select = select.walk(&["c.record_id"], behind.map(|record| args![record]), limit);
        self.select(select).await?.iter().map(change).collect()
    }

    async fn restorations(&mut self, records: &[Uuid]) -> Result<Vec<Change>> {
        having(self, RESTORATIONS, "c.record_id", records).await?.iter().map(change).collect()
    }

    async fn forget_changes(&mut self, id: ImportId, records: &[Uuid]) -> Result<()> {
        self.delete_many(DELETE_CHANGES, records.iter().copied().map(|record| args![id, record]))
            .await
            .map(|_| ())
    }

    async fn note_outcomes(&mut self, id: ImportId, outcomes: &[Outcome]) -> Result<()> {
        let values = |outcome: &Outcome| {
            let Outcome { record_id, line, version, is_restored, ref kept_because } = *outcome;
            args![id, record_id, line, version, is_restored, kept_because]
        };
        self.insert_many(INSERT_OUTCOMES, OF_THE_CHANGE, outcomes.iter().map(values)).await.map(|_| ())
    }

    async fn kept(&mut self, id: ImportId, query: &KeptQuery) -> Result<Vec<KeptRecord>> {
        let mut select = Select::new(KEPT);
        select.and("c.import_id = ?", id);
        let column = match query.list.sort.key {
            KeptSort::Line => "c.line",
        };
        let select = select.page(&query.list, column, "c.record_id");
        self.select(select).await?.iter().map(kept).collect()
    }

    async fn used(&mut self, kind: ImportKind, ids: &[Uuid]) -> Result<Vec<Uuid>> {
        let heads: &[(&str, &str)] = match kind {
            ImportKind::Leads => {
                &[(WITH_ACTIVITIES, "a.lead_id"), (WITH_DEALS, "d.lead_id"), (LEADS_WITH_TASKS, "t.lead_id")]
            }
            ImportKind::Deals => &[(DEALS_WITH_TASKS, "t.deal_id")],
        };
        let mut used = Vec::new();
        for (head, column) in heads {
            for row in having(self, head, column, ids).await? {
                used.push(row.id("id")?);
            }
        }
        Ok(used)
    }

    async fn lock_leads(&mut self, ids: &[Uuid]) -> Result<Vec<Lead>> {
        locked(self, leads::LIST, ("l", "l.id"), ids).await?.iter().map(leads::lead).collect()
    }

    async fn lock_deals(&mut self, ids: &[Uuid]) -> Result<Vec<Deal>> {
        locked(self, deals::LIST, ("d", "d.id"), ids).await?.iter().map(deals::deal).collect()
    }

    async fn remove_leads(&mut self, records: &[Lead]) -> Result<()> {
        remove_all(self, records).await
    }

    async fn remove_deals(&mut self, records: &[Deal]) -> Result<()> {
        remove_all(self, records).await
    }

    async fn foresee(&mut self, id: ImportId, keys: &[(String, Uuid)]) -> Result<()> {
        let values: Vec<_> = keys.iter().map(|(key, record)| args![id, key, *record]).collect();
        self.insert_many(INSERT_KEYS, "ON CONFLICT DO NOTHING", values).await.map(|_| ())
    }

    async fn foreseen(&mut self, id: ImportId, wanted: &[String]) -> Result<Vec<(String, Uuid)>> {
        let mut head = Select::new(FORESEEN);
        head.and("k.import_id = ?", id);
        let rows = each_of(self, &head, "k.key", wanted).await?;
        rows.iter().map(|row| Ok((row.text("key")?, row.id("record_id")?))).collect()
    }

    async fn foresee_records(&mut self, id: ImportId, records: &[Foreseen]) -> Result<()> {
        let values = |foreseen: &Foreseen| args![id, foreseen.record_id, foreseen.record.clone()];
        self.insert_many(INSERT_FORESEEN, OR_ITS_RECORD, records.iter().map(values)).await.map(|_| ())
    }

    async fn foreseen_records(&mut self, id: ImportId, ids: &[Uuid]) -> Result<Vec<Vec<u8>>> {
        let mut head = Select::new(FORESEEN_RECORDS);
        head.and("f.import_id = ?", id);
        each_of(self, &head, "f.record_id", ids).await?.iter().map(|row| row.bytes("record")).collect()
    }

    async fn forget_foreseen(&mut self, id: ImportId) -> Result<()> {
        self.execute(FORGET_KEYS, args![id]).await?;
        self.execute(FORGET_FORESEEN, args![id]).await.map(|_| ())
    }

    async fn members(&mut self) -> Result<Vec<ImportMember>> {
        self.all(MEMBERS, args![]).await?.iter().map(member).collect()
    }

    async fn taken_external_ids(&mut self, kind: ImportKind, external_ids: &[String]) -> Result<Vec<String>> {
        let own = own_ids(external_ids);
        let (rows, own) = match kind {
            ImportKind::Leads => (
                having(self, TAKEN_LEADS, "l.external_id", external_ids).await?,
                having(self, LEADS, "l.id", &own).await?,
            ),
            ImportKind::Deals => (
                having(self, TAKEN_DEALS, "d.external_id", external_ids).await?,
                having(self, DEALS, "d.id", &own).await?,
            ),
        };
        let mut taken = keys(&rows)?;
        for row in own {
            taken.push(row.id::<Uuid>("id")?.to_string());
        }
        Ok(taken)
    }

    async fn taken_emails(&mut self, email_keys: &[String]) -> Result<Vec<String>> {
        keys(&having(self, TAKEN_EMAILS, "l.email_key", email_keys).await?)
    }

    async fn leads_by_external_id(&mut self, external_ids: &[String]) -> Result<Vec<(String, LeadId)>> {
        let mut found = Vec::new();
        for row in having(self, LEADS, "l.id", &own_ids(external_ids)).await? {
            let id: LeadId = row.id("id")?;
            found.push((id.to_string(), id));
        }
        for row in having(self, LEADS, "l.external_id", external_ids).await? {
            found.push((row.text("external_id")?, row.id("id")?));
        }
        Ok(found)
    }

    async fn present_leads(&mut self, ids: &[LeadId]) -> Result<Vec<LeadId>> {
        having(self, LEADS, "l.id", ids).await?.iter().map(|row| row.id("id")).collect()
    }

    async fn leads_with(&mut self, external_ids: &[String], email_keys: &[String]) -> Result<Vec<Lead>> {
        let mut rows = having(self, leads::LIST, "l.external_id", external_ids).await?;
        // A row that names its lead by external id may take an email from it: so many more than two still leave two.
        let enough = external_ids.len() + 2;
        let wanted = serde_json::Value::from(email_keys);
        let of_emails = self.all(LEADS_OF_EMAILS, args![wanted, enough]).await?;
        let mut ids = of_emails.iter().map(|row| row.id("id")).collect::<Result<Vec<Uuid>>>()?;
        ids.extend(own_ids(external_ids));
        rows.extend(having(self, leads::LIST, "l.id", &ids).await?);
        each_once(&rows)?.into_iter().map(leads::lead).collect()
    }

    async fn deals_with(&mut self, external_ids: &[String]) -> Result<Vec<Deal>> {
        let mut rows = having(self, deals::LIST, "d.external_id", external_ids).await?;
        rows.extend(having(self, deals::LIST, "d.id", &own_ids(external_ids)).await?);
        each_once(&rows)?.into_iter().map(deals::deal).collect()
    }

    async fn insert_leads(&mut self, records: Arc<[Lead]>) -> Result<()> {
        insert_all(self, records).await
    }

    async fn insert_deals(&mut self, records: Arc<[Deal]>) -> Result<()> {
        insert_all(self, records).await
    }
}
