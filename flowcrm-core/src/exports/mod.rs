//! Exports: leads, deals and tasks as CSV files, as long as they may be.
//!
//! A file is read in chunks, each in a short transaction of its own that looks the caller's rights up anew, so an
//! export of a million records holds nothing up. Its header is one that an import maps by itself.

mod deals;
mod export;
mod formula;
mod leads;
mod people;
mod service;
mod sheet;
mod tasks;

pub use export::{Export, ExportKind};
pub(crate) use formula::taken_back;
pub use service::{Exports, PAGING};
pub(crate) use sheet::Sheet;
