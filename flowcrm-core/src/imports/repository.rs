use std::sync::Arc;

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    Import, ImportKind, ImportMember, ImportQuery, KeptQuery, KeptRecord, Plan, RejectedRow, Rejection,
    RejectionQuery,
};
use crate::deals::Deal;
use crate::error::Result;
use crate::ids::{ImportId, LeadId, UserId};
use crate::leads::Lead;
use crate::time::Timestamp;

/// A row of a file that waits to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    /// The line that it begins on, which no other row of the file does.
    pub line: i64,
    /// The cells of the mapped columns, in the order of the [`Plan`].
    pub cells: Vec<String>,
}

/// Rows that were staged together, and are applied together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRows {
    /// The rows, in the order of the file.
    pub rows: Vec<StagedRow>,
    /// Whether no more rows wait behind them.
    pub is_last: bool,
}

/// What an import did to a record: all that is needed to undo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The record, a lead or deal.
    pub record_id: Uuid,
    /// The line of the first row that created or changed it.
    pub line: i64,
    /// Its version after the import; another one shows that somebody has changed it since.
    pub version: i64,
    /// The record before the import, as CBOR; nothing when the import created it. What no client is shown, whether a
    /// lead has been converted, is not in it: an import leaves that as it is.
    pub previous: Option<Vec<u8>>,
}

/// What came of undoing an import's change of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The record, a lead or deal.
    pub record_id: Uuid,
    /// The line of the change.
    pub line: i64,
    /// The version by which the change is known from now on: of a record that was put back, its present one.
    pub version: i64,
    /// Whether the record is again what it was before the import.
    pub is_restored: bool,
    /// Why the record was left as it is.
    pub kept_because: Option<String>,
}

impl Outcome {
    /// That nothing has come of it yet.
    pub(super) const fn of(change: &Change) -> Self {
        let Change { record_id, line, version, .. } = *change;
        Self { record_id, line, version, is_restored: false, kept_because: None }
    }
}

/// How far an import has been undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undo {
    /// Who asked for it.
    pub user_id: UserId,
    /// The last record that has been dealt with; none before the first.
    pub behind: Option<Uuid>,
}

/// What a dry run would have made of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    /// The record, a lead or deal.
    pub record_id: Uuid,
    /// The record, as CBOR.
    pub record: Vec<u8>,
}

/// One worker's hold on an import. Every step names the token, so that a worker who stalled can do nothing to what
/// another one has taken over.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    /// The import.
    pub import_id: ImportId,
    /// What this worker holds it by.
    pub token: Uuid,
}

/// An import that a worker holds.
#[derive(Debug, Clone)]
pub struct Run {
    /// The import.
    pub import: Import,
    /// Who began it.
    pub user_id: UserId,
    /// How its rows become records.
    pub plan: Plan,
    /// The line of the last row that has been applied; 0 before the first.
    pub checkpoint: i64,
    /// How far it has been undone, if it is being undone.
    pub undo: Option<Undo>,
}

impl Run {
    /// Whose rights it takes to go on.
    pub(super) fn acting(&self) -> UserId {
        self.undo.map_or(self.user_id, |undo| undo.user_id)
    }
}

/// Where imports and their rows are kept. Every method sees the transaction's organization only.
#[async_trait]
pub trait ImportRepository: Send {
    /// The import, if its whole file has arrived.
    async fn find(&mut self, id: ImportId) -> Result<Option<Import>>;

    /// The imports whose whole file has arrived: one more than the limit if there are more.
    async fn list(&mut self, query: &ImportQuery) -> Result<Vec<Import>>;

    /// How many imports there are, whatever the page.
    async fn count(&mut self) -> Result<u64>;

    /// An import's rejected rows: one more than the limit if there are more.
    async fn rejections(&mut self, id: ImportId, query: &RejectionQuery) -> Result<Vec<RejectedRow>>;

    /// How many rows of an import were rejected, whatever the page.
    async fn count_rejections(&mut self, id: ImportId) -> Result<u64>;

    /// Adds an import of a user, whose file is still arriving.
    async fn insert(&mut self, import: &Import, user: UserId, plan: &Plan) -> Result<()>;

    /// Stages rows that are to be applied together.
    async fn stage(&mut self, id: ImportId, rows: &[StagedRow]) -> Result<()>;

    /// Writes how much of the file has arrived, `is_staged` when all has, and the plan as far as it is known.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when the import has been discarded meanwhile.
    async fn arrived(&mut self, import: &Import, plan: &Plan, is_staged: bool) -> Result<()>;

    /// Deletes an import whose file has not arrived, with its rows.
    async fn discard(&mut self, id: ImportId) -> Result<()>;

    /// Takes a lease of 15 seconds, by the database's clock, on a staged import that is not finished, or not undone,
    /// and that nobody holds; answers whether it did.
    async fn claim(&mut self, lease: Lease, now: Timestamp) -> Result<bool>;

    /// The plan of an import whose whole file has arrived.
    async fn plan(&mut self, id: ImportId) -> Result<Option<Plan>>;

    /// The import, if the lease still holds it, locked against other workers until the transaction ends.
    async fn hold(&mut self, lease: Lease) -> Result<Option<Run>>;

    /// Writes how far an import that was held in this transaction has come, and renews the lease.
    async fn save(&mut self, lease: Lease, import: &Import, checkpoint: i64) -> Result<()>;

    /// The first rows behind a line that were staged together; none when no more wait.
    async fn rows_after(&mut self, id: ImportId, line: i64) -> Result<StagedRows>;

    /// Deletes the staged rows up to a line, behind which others were staged.
    async fn delete_rows(&mut self, id: ImportId, up_to: i64) -> Result<()>;

    /// Adds rejected rows.
    async fn reject(&mut self, id: ImportId, rejections: &[Rejection]) -> Result<()>;

    /// Notes what the import did to records. Of a record that it had changed before, it is the version that changes.
    async fn note_changes(&mut self, id: ImportId, changes: &[Change]) -> Result<()>;

    /// The import, if its whole file has arrived, locked until the transaction ends.
    async fn lock(&mut self, id: ImportId) -> Result<Option<Import>>;

    /// Hands an import over to the worker for a user who wants it undone, from its first record on; whoever holds it
    /// loses it.
    async fn begin_undo(&mut self, import: &Import, user: UserId) -> Result<()>;

    /// Writes how far the undoing of an import that was held in this transaction has come, and renews the lease.
    async fn save_undo(&mut self, lease: Lease, import: &Import, behind: Option<Uuid>) -> Result<()>;

    /// The changes that have not been taken back, of the records behind one, in the order of their ids, at most so
    /// many.
    async fn changes_after(
        &mut self,
        id: ImportId,
        behind: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<Change>>;

    /// The changes of some records, whichever import made them, that have been taken back.
    async fn restorations(&mut self, records: &[Uuid]) -> Result<Vec<Change>>;

    /// Forgets the changes of records that have gone.
    async fn forget_changes(&mut self, id: ImportId, records: &[Uuid]) -> Result<()>;

    /// Notes what came of undoing some changes.
    async fn note_outcomes(&mut self, id: ImportId, outcomes: &[Outcome]) -> Result<()>;

    /// The records that undoing an import has left as they are: one more than the limit if there are more.
    async fn kept(&mut self, id: ImportId, query: &KeptQuery) -> Result<Vec<KeptRecord>>;

    /// Those of some records of the kind that activities, deals or tasks refer to; one may come several times.
    async fn used(&mut self, kind: ImportKind, ids: &[Uuid]) -> Result<Vec<Uuid>>;

    /// Those of some leads that are there, locked until the transaction ends.
    async fn lock_leads(&mut self, ids: &[Uuid]) -> Result<Vec<Lead>>;

    /// Those of some deals that are there, locked until the transaction ends.
    async fn lock_deals(&mut self, ids: &[Uuid]) -> Result<Vec<Deal>>;

    /// Deletes leads that nothing refers to.
    async fn remove_leads(&mut self, leads: &[Lead]) -> Result<()>;

    /// Deletes deals that nothing refers to.
    async fn remove_deals(&mut self, deals: &[Deal]) -> Result<()>;

    /// Remembers by which keys records would be found after a dry run.
    async fn foresee(&mut self, id: ImportId, keys: &[(String, Uuid)]) -> Result<()>;

    /// Those of some keys that a dry run has remembered, each with its records.
    async fn foreseen(&mut self, id: ImportId, keys: &[String]) -> Result<Vec<(String, Uuid)>>;

    /// Remembers what a dry run would have made of records.
    async fn foresee_records(&mut self, id: ImportId, records: &[Foreseen]) -> Result<()>;

    /// Those of some records that a dry run has remembered, as CBOR.
    async fn foreseen_records(&mut self, id: ImportId, ids: &[Uuid]) -> Result<Vec<Vec<u8>>>;

    /// Deletes what a dry run has remembered.
    async fn forget_foreseen(&mut self, id: ImportId) -> Result<()>;

    /// The active members.
    async fn members(&mut self) -> Result<Vec<ImportMember>>;

    /// Those of some external ids that records of the kind have, as external id or as their own.
    async fn taken_external_ids(&mut self, kind: ImportKind, external_ids: &[String]) -> Result<Vec<String>>;

    /// Those of some folded emails that leads have; one may come several times.
    async fn taken_emails(&mut self, email_keys: &[String]) -> Result<Vec<String>>;

    /// The leads with some external ids, or own ids: each id with the lead. Of one that is both, the lead that has it
    /// as its external id comes last.
    async fn leads_by_external_id(&mut self, external_ids: &[String]) -> Result<Vec<(String, LeadId)>>;

    /// Those of some leads that are there.
    async fn present_leads(&mut self, ids: &[LeadId]) -> Result<Vec<LeadId>>;

    /// The leads with some external ids, own ids or folded emails. Of an email that many have, some are left out, but never so many
    /// that it would seem to be one lead's.
    async fn leads_with(&mut self, external_ids: &[String], email_keys: &[String]) -> Result<Vec<Lead>>;

    /// The deals with some external ids or own ids.
    async fn deals_with(&mut self, external_ids: &[String]) -> Result<Vec<Deal>>;

    /// Adds leads.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when an external id has just been taken.
    async fn insert_leads(&mut self, leads: Arc<[Lead]>) -> Result<()>;

    /// Adds deals.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when an external id has just been taken, or a lead has
    /// just gone.
    async fn insert_deals(&mut self, deals: Arc<[Deal]>) -> Result<()>;
}

/// The id of ours that an external id spells, if it does: an export names a record by its own id where it has no other.
pub fn own_id(external_id: &str) -> Option<Uuid> {
    Uuid::try_parse(external_id).ok().filter(|id| id.to_string() == external_id)
}
