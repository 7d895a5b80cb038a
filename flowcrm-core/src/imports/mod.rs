//! Imports: leads and deals out of a CSV file.
//!
//! A file is read as it arrives, and the cells of its mapped columns are staged, nothing else of it. A worker then
//! applies the staged rows, some hundred per transaction, each of which moves the import's checkpoint: wherever a
//! server is stopped, another goes on exactly there.

mod amounts;
mod apply;
#[cfg(test)]
mod corpus;
mod csv;
mod dates;
mod dialect;
mod encoding;
mod evidence;
mod field;
mod headers;
mod import;
mod intake;
mod mapping;
mod members;
mod named_leads;
mod options;
mod rejected_file;
mod repository;
mod roster;
mod row;
mod run;
mod service;
mod staging;
mod target;
mod vocabulary;

pub use amounts::DecimalMark;
pub use dates::DateOrder;
pub use field::ImportField;
pub use import::{
    Import, ImportKind, ImportQuery, ImportSort, ImportState, RejectedRow, Rejection, RejectionQuery,
    RejectionSort,
};
pub use mapping::Plan;
pub use members::ImportMember;
pub use options::{Column, Delimiter, FileEncoding, ImportOptions, OnDuplicate, Source};
pub use rejected_file::RejectedFile;
pub use repository::{Change, Foreseen, ImportRepository, Lease, Run, StagedRow};
pub use service::Imports;
pub use staging::Staging;
