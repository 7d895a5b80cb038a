//! What clients may ask of tasks, and how it is read.

use serde::Serialize;
use uuid::Uuid;

use super::{TaskPriority, TaskSort, TaskStatus};
use crate::ids::{DealId, LeadId, UserId};
use crate::input::{Command, Fields, Reference, boolean, id, in_query, spelled, text};
use crate::page::Listing;
use crate::patch::Patch;
use crate::time::Timestamp;

/// A task to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct NewTask {
    /// What is to be done, 1 to 200 characters.
    pub title: String,
    /// Who has to do it.
    pub assigned_to_id: UserId,
    /// What exactly, at most 10,000 characters.
    pub description: Option<String>,
    /// How far it is; TODO when absent.
    pub status: Option<TaskStatus>,
    /// How much it matters; MEDIUM when absent.
    pub priority: Option<TaskPriority>,
    /// By when it is to be done.
    pub due_date: Option<Timestamp>,
    /// The lead that it is about.
    pub lead_id: Option<LeadId>,
    /// The deal that it is about.
    pub deal_id: Option<DealId>,
}

impl NewTask {
    /// A task for somebody, with nothing else said about it.
    pub fn new(title: impl Into<String>, assigned_to_id: UserId) -> Self {
        Self {
            title: title.into(),
            assigned_to_id,
            description: None,
            status: None,
            priority: None,
            due_date: None,
            lead_id: None,
            deal_id: None,
        }
    }
}

impl Command for NewTask {
    fn decode(fields: &mut Fields) -> Self {
        let assignee = fields.required("assignedToId", id);
        let new = Self {
            title: fields.required("title", text(1..=200)).unwrap_or_default(),
            assigned_to_id: assignee.unwrap_or_else(|| Uuid::nil().into()),
            description: fields.optional_text("description", 10_000),
            status: fields.optional("status", spelled),
            priority: fields.optional("priority", spelled),
            due_date: fields.optional("dueDate", spelled),
            lead_id: fields.optional("leadId", id),
            deal_id: fields.optional("dealId", id),
        };
        fields.refer("assignedToId", assignee.map(Reference::Member));
        fields.refer("leadId", new.lead_id.map(Reference::Lead));
        fields.refer("dealId", new.deal_id.map(Reference::Deal));
        new
    }
}

/// What an update changes; absent fields stay, `null` clears.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct TaskPatch {
    /// What is to be done, 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who has to do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to_id: Option<UserId>,
    /// What exactly, at most 10,000 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub description: Patch<String>,
    /// How far it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<TaskStatus>,
    /// How much it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<TaskPriority>,
    /// By when it is to be done.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub due_date: Patch<Timestamp>,
    /// The lead that it is about.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub lead_id: Patch<LeadId>,
    /// The deal that it is about.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub deal_id: Patch<DealId>,
}

impl TaskPatch {
    /// Whether it says nothing but how the work is going: status and priority.
    pub fn is_progress(&self) -> bool {
        *self == Self { status: self.status, priority: self.priority, ..Self::default() }
    }
}

impl Command for TaskPatch {
    fn decode(fields: &mut Fields) -> Self {
        let patch = Self {
            title: fields.change("title", text(1..=200)),
            assigned_to_id: fields.change("assignedToId", id),
            description: fields.patch_text("description", 10_000),
            status: fields.change("status", spelled),
            priority: fields.change("priority", spelled),
            due_date: fields.patch("dueDate", spelled),
            lead_id: fields.patch("leadId", id),
            deal_id: fields.patch("dealId", id),
        };
        fields.refer("assignedToId", patch.assigned_to_id.map(Reference::Member));
        fields.refer("leadId", patch.lead_id.value().copied().map(Reference::Lead));
        fields.refer("dealId", patch.deal_id.value().copied().map(Reference::Deal));
        patch
    }
}

/// Which tasks are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct TaskQuery {
    /// Only of this status.
    pub status: Option<TaskStatus>,
    /// Only of this priority.
    pub priority: Option<TaskPriority>,
    /// Only those that this user has to do.
    pub assigned_to_id: Option<UserId>,
    /// Only those about this lead.
    pub lead_id: Option<LeadId>,
    /// Only those about this deal.
    pub deal_id: Option<DealId>,
    /// Only those past their due date and not done (`true`), or only the others (`false`).
    pub overdue: Option<bool>,
    /// Only those due at this moment or later.
    pub due_from: Option<Timestamp>,
    /// Only those due before this moment.
    pub due_to: Option<Timestamp>,
    /// Only those where every word begins a word of the title.
    pub q: Option<String>,
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<TaskSort>,
}

impl Command for TaskQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            status: fields.optional("status", spelled),
            priority: fields.optional("priority", spelled),
            assigned_to_id: fields.optional("assignedToId", id),
            lead_id: fields.optional("leadId", id),
            deal_id: fields.optional("dealId", id),
            overdue: fields.optional("overdue", in_query(boolean)),
            due_from: fields.optional("dueFrom", spelled),
            due_to: fields.optional("dueTo", spelled),
            q: fields.optional("q", text(0..=200)),
            list: Listing::decode(fields),
        }
    }
}
