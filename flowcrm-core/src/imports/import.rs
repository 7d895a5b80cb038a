//! The import: what is known of it, and how it ends.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::apply::Applied;
use super::undo::Undone;
use crate::error::{Error, Result};
use crate::events::{Audience, Circle, EntityType, Event, EventKind, Subject};
use crate::ids::{ImportId, UserId};
use crate::input::{Command, Fields, words};
use crate::notifications::{Notice, NotificationType};
use crate::page::{Cursor, Listing, Sort, SortKey, SortKind, SortValue, Sortable};
use crate::time::Timestamp;

words! {
    /// What a file is imported as.
    ImportKind {
        /// Leads.
        Leads = "leads",
        /// Deals.
        Deals = "deals",
    }
}

words! {
    /// How far an import has come.
    ImportState {
        /// The file has arrived; no row has been looked at.
        Queued = "QUEUED",
        /// Some rows have been dealt with.
        Running = "RUNNING",
        /// All rows have been dealt with.
        Done = "DONE",
        /// It ended before all rows had been dealt with, or could not be undone; `error` says why.
        Failed = "FAILED",
        /// It is being undone.
        Undoing = "UNDOING",
        /// It has been undone, but for the records that were kept.
        Undone = "UNDONE",
    }
}

/// A file on its way into the records, or one that has been imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Import {
    /// The import's id.
    pub id: ImportId,
    /// What the file is imported as.
    pub kind: ImportKind,
    /// The file's name.
    pub file: String,
    /// How far it has come.
    pub state: ImportState,
    /// Why it failed.
    pub error: Option<String>,
    /// Whether it only tries: the same counts and rejections, but no record is written.
    pub dry_run: bool,
    /// How many rows the file has, without its header and blank rows.
    pub total: i64,
    /// How many records have been created.
    pub created: i64,
    /// How many records have been updated.
    pub updated: i64,
    /// How many rows were left out, because their record was there already.
    pub skipped: i64,
    /// How many rows were rejected.
    pub rejected: i64,
    /// How many of the created records have been deleted by undoing it.
    pub removed: i64,
    /// How many of the updated records have been put back by undoing it.
    pub restored: i64,
    /// How many records undoing it has left as they are, because somebody has changed or used them since.
    pub kept: i64,
    /// When the file arrived.
    pub created_at: Timestamp,
    /// When the first rows were taken up.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// When undoing it ended.
    pub undone_at: Option<Timestamp>,
}

impl Import {
    /// Whether all rows have been dealt with, or none will be any more.
    pub const fn has_ended(&self) -> bool {
        matches!(self.state, ImportState::Done | ImportState::Failed | ImportState::Undone)
    }

    /// How many rows have been dealt with.
    pub const fn processed(&self) -> i64 {
        self.created + self.updated + self.skipped + self.rejected
    }

    /// How many records have been dealt with in undoing it.
    pub const fn taken_back(&self) -> i64 {
        self.removed + self.restored + self.kept
    }

    /// This import after some more rows.
    pub(super) fn advanced(mut self, applied: &Applied) -> Self {
        self.created += count(applied.created);
        self.updated += count(applied.updated);
        self.skipped += count(applied.skipped);
        self.rejected += count(applied.rejections.len());
        self
    }

    /// This import after its last row.
    pub(super) fn done(self, now: Timestamp) -> Self {
        Self { state: ImportState::Done, finished_at: Some(now), ..self }
    }

    /// This import, given up for a reason that its reader may know; undoing one that had ended does not end it anew.
    pub(super) fn failed(self, error: &str, finished_at: Option<Timestamp>) -> Self {
        Self { state: ImportState::Failed, error: Some(error.to_owned()), finished_at, ..self }
    }

    /// This import, on its way back. What was kept before is looked at again.
    ///
    /// # Errors
    ///
    /// `conflict` for a dry run.
    pub(super) fn undoing(self) -> Result<Self> {
        if self.dry_run {
            return Err(Error::conflict("This was a dry run: it has changed nothing that could be undone."));
        }
        Ok(Self { state: ImportState::Undoing, error: None, kept: 0, undone_at: None, ..self })
    }

    /// Whether it is being undone, or there is nothing left of it that undoing it again could reach.
    pub(super) const fn is_undone(&self) -> bool {
        match self.state {
            ImportState::Undoing => true,
            ImportState::Undone => self.kept == 0,
            _ => false,
        }
    }

    /// This import after some more records have been dealt with in undoing it.
    pub(super) fn receded(mut self, undone: &Undone) -> Self {
        self.removed += count(undone.removed);
        self.restored += count(undone.restored);
        self.kept += count(undone.kept);
        self
    }

    /// This import after undoing it has come to its end.
    pub(super) fn undone(self, now: Timestamp) -> Self {
        Self { state: ImportState::Undone, undone_at: Some(now), ..self }
    }

    /// That this user's undoing of the import came to its end.
    pub(super) fn undoing_ended(&self, user: UserId) -> Event {
        let Self { file, removed, restored, kept, .. } = self;
        let message = match &self.error {
            Some(error) => format!("Undoing the import of {file} failed: {error}"),
            None => format!("Import of {file} undone: {removed} removed, {restored} restored, {kept} kept"),
        };
        self.told(EventKind::ImportUndone, user, message)
    }

    /// That the import of this user came to its end, whichever: a failed one may have created records too.
    pub(super) fn ended(&self, user: UserId) -> Event {
        let (file, created, rejected) = (&self.file, self.created, self.rejected);
        let updated = |would: &str| match self.updated {
            0 => String::new(),
            updated => format!(", {updated} {would}updated"),
        };
        let message = match &self.error {
            Some(error) => format!("Import of {file} failed: {error}"),
            None if self.dry_run => {
                let updated = updated("would be ");
                format!(
                    "Dry run of {file} finished: {created} would be created{updated}, {rejected} rejected"
                )
            }
            None => {
                format!("Import of {file} finished: {created} created{}, {rejected} rejected", updated(""))
            }
        };
        self.told(EventKind::ImportCompleted, user, message)
    }

    fn told(&self, kind: EventKind, user: UserId, message: String) -> Event {
        let notice = Notice::to([Some(user)], NotificationType::System, message)
            .linking(format!("/imports/{}", self.id))
            .including_actor();
        Event::about(kind, &OfUser { import: self, user }).notifying(notice)
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An import with the user who began it.
#[derive(Serialize)]
#[serde(transparent)]
struct OfUser<'a> {
    import: &'a Import,
    #[serde(skip)]
    user: UserId,
}

impl Subject for OfUser<'_> {
    const ENTITY: EntityType = EntityType::Import;

    fn entity_id(&self) -> Uuid {
        self.import.id.as_uuid()
    }

    fn readers(&self) -> Audience {
        Audience { circle: Circle::Admins, users: vec![self.user] }
    }
}

/// What imports can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportSort {
    /// When the file arrived.
    CreatedAt,
}

impl SortKey for ImportSort {
    const ALL: &'static [(&'static str, Self)] = &[("createdAt", Self::CreatedAt)];
    const DEFAULT: Sort<Self> = Sort { key: Self::CreatedAt, descending: true };

    fn kind(self) -> SortKind {
        SortKind::Time
    }
}

impl Sortable<ImportSort> for Import {
    fn position(&self, _: ImportSort) -> (SortValue, Uuid) {
        (SortValue::Time(self.created_at), self.id.as_uuid())
    }
}

/// Which imports are wanted; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct ImportQuery {
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<ImportSort>,
}

impl Command for ImportQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { list: Listing::decode(fields) }
    }
}

impl ImportQuery {
    /// The next page.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.list = self.list.after(cursor);
        self
    }
}

/// A row that was not imported, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Rejection {
    /// The line that the row begins on; the header begins on line 1.
    pub line: i64,
    /// The column at fault, as the file names it; null when it is the row as a whole.
    pub column: Option<String>,
    /// What the cell says, cut to 200 characters; null when it is empty.
    pub value: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// The cells of the mapped columns, to be put right and sent again; nothing of a row that could not be taken
    /// apart.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", oai(skip))]
    pub cells: Option<Vec<String>>,
}

/// A rejected row of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The import.
    pub import_id: ImportId,
    /// The row, and why.
    pub rejection: Rejection,
}

/// What rejected rows can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionSort {
    /// By line.
    Line,
}

impl SortKey for RejectionSort {
    const ALL: &'static [(&'static str, Self)] = &[("line", Self::Line)];
    const DEFAULT: Sort<Self> = Sort { key: Self::Line, descending: false };

    fn kind(self) -> SortKind {
        SortKind::Number
    }
}

impl Sortable<RejectionSort> for RejectedRow {
    fn position(&self, _: RejectionSort) -> (SortValue, Uuid) {
        (SortValue::Number(self.rejection.line), self.import_id.as_uuid())
    }
}

/// Which rejected rows are wanted; in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct RejectionQuery {
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<RejectionSort>,
}

impl Command for RejectionQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { list: Listing::decode(fields) }
    }
}

impl RejectionQuery {
    /// The next page.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.list = self.list.after(cursor);
        self
    }
}
