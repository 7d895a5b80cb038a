//! Imports: leads and deals out of a CSV file.
//!
//! A file is read as it arrives, and the cells of its mapped columns are staged, nothing else of it. A worker then
//! applies the staged rows, as many per transaction as were staged together, each of which moves the import's
//! checkpoint: wherever a server is stopped, another goes on exactly there.
//!
//! What an import did to each record is noted beside it, so that it can be undone, in the same steps: what it created
//! goes, what it updated goes back, and what somebody has changed or used since stays.

mod amounts;
mod apply;
mod batch;
mod columns;
#[cfg(test)]
mod corpus;
mod csv;
mod currencies;
mod dates;
mod dialect;
mod encoding;
mod evidence;
mod field;
mod formats;
mod headers;
mod import;
mod intake;
mod kept;
mod legacy;
mod lines;
mod mapping;
mod members;
mod named_leads;
mod options;
mod plan;
mod probability;
mod progress;
mod quotes;
mod rejected_file;
mod repository;
mod roster;
mod row;
mod run;
mod service;
mod staging;
mod target;
mod trailer;
#[cfg(test)]
mod trial;
mod undo;
mod vocabulary;

pub use amounts::DecimalMark;
pub use dates::DateOrder;
pub use field::ImportField;
pub use import::{
    Import, ImportKind, ImportQuery, ImportSort, ImportState, RejectedRow, Rejection, RejectionQuery,
    RejectionSort,
};
pub use kept::{KeptQuery, KeptRecord, KeptSort};
pub use members::ImportMember;
pub use options::{Column, Delimiter, FileEncoding, ImportOptions, OnDuplicate, Source};
pub use plan::Plan;
pub use progress::{ImportRun, Progress};
pub use rejected_file::RejectedFile;
pub use repository::{
    Change, Foreseen, ImportRepository, Lease, Outcome, Run, StagedRow, StagedRows, Undo, own_id,
};
pub use service::Imports;
pub use staging::Staging;
