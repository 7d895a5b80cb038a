//! Bulk bodies, described; the core reads them.

use flowcrm_core::deals::DealPatch;
use flowcrm_core::ids::{DealId, LeadId, TaskId};
use flowcrm_core::leads::LeadPatch;
use flowcrm_core::tasks::TaskPatch;
use poem_openapi::Object;

macro_rules! bulk {
    ($($(#[$doc:meta])* $name:ident $id:ty, $patch:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Object)]
        pub(super) struct $name {
            /// Which records, 1 to 500.
            ids: Vec<$id>,
            /// What to change in each.
            set: Option<$patch>,
            /// Whether to delete each instead.
            delete: Option<bool>,
        }
    )*};
}

bulk! {
    /// One change to many leads: `set` or `delete`.
    BulkLeads LeadId, LeadPatch;
    /// One change to many deals: `set` or `delete`.
    BulkDeals DealId, DealPatch;
    /// One change to many tasks: `set` or `delete`.
    BulkTasks TaskId, TaskPatch;
}
