//! Leads: people and companies who may become customers.

mod commands;
mod lead;
mod repository;
mod service;
mod view;

pub use commands::{AssignLead, ConvertLead, LeadPatch, LeadQuery, NewLead};
pub use lead::{Lead, LeadDetail, LeadSort, LeadStatus};
pub use repository::{LeadRepository, Traces};
pub(crate) use service::visible;
pub use service::{Conversion, Leads};
pub use view::{LeadRef, LeadView};
