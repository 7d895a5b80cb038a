//! Imports: leads and deals out of a CSV file.
//!
//! A file is read as it arrives, and the cells of its mapped columns are staged, nothing else of it. A worker then
//! applies the staged rows, some hundred per transaction, each of which moves the import's checkpoint: wherever a
//! server is stopped, another goes on exactly there.

mod apply;
mod csv;
mod field;
mod import;
mod mapping;
mod members;
mod options;
mod repository;
mod row;
mod run;
mod service;
mod staging;

pub use field::ImportField;
pub use import::{
    Import, ImportKind, ImportQuery, ImportSort, ImportState, RejectedRow, Rejection, RejectionQuery,
    RejectionSort,
};
pub use mapping::Plan;
pub use members::ImportMember;
pub use options::{Column, ImportOptions, OnDuplicate, Source};
pub use repository::{ImportRepository, Lease, Run, StagedRow};
pub use service::Imports;
pub use staging::Staging;
