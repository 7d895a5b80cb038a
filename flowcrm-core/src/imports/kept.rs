//! What undoing an import has left as it is.

use serde::Serialize;
use uuid::Uuid;

use crate::input::{Command, Fields};
use crate::page::{Cursor, Listing, Sort, SortKey, SortKind, SortValue, Sortable};

/// A record that undoing its import has left as it is, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct KeptRecord {
    /// The line of the first row that created or updated it.
    pub line: i64,
    /// The lead or deal, by the import's kind.
    pub record_id: Uuid,
    /// Whether the import created it; else it updated it.
    pub was_created: bool,
    /// Why it was kept.
    pub reason: String,
}

/// What kept records can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptSort {
    /// By line.
    Line,
}

impl SortKey for KeptSort {
    const ALL: &'static [(&'static str, Self)] = &[("line", Self::Line)];
    const DEFAULT: Sort<Self> = Sort { key: Self::Line, descending: false };

    fn kind(self) -> SortKind {
        SortKind::Number
    }
}

impl Sortable<KeptSort> for KeptRecord {
    fn position(&self, _: KeptSort) -> (SortValue, Uuid) {
        (SortValue::Number(self.line), self.record_id)
    }
}

/// Which kept records are wanted; in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct KeptQuery {
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<KeptSort>,
}

impl Command for KeptQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { list: Listing::decode(fields) }
    }
}

impl KeptQuery {
    /// The next page.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.list = self.list.after(cursor);
        self
    }
}
