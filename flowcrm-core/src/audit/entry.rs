use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::events::EntityType;
use crate::ids::{AuditEntryId, UserId};
use crate::input::{Command, Fields, id, spelled, text};
use crate::page::{Listing, SortValue, Sortable, sort_keys};
use crate::time::Timestamp;

/// What somebody did, kept for the administrators.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct AuditEntry {
    /// The entry's id.
    pub id: AuditEntryId,
    /// What was done: the name of the event, like `lead:updated`.
    pub action: String,
    /// What it was done to: `lead`, `deal`, `task`, `user`, `import`, `organization`, `system`.
    pub entity_type: EntityType,
    /// The id of what it was done to.
    pub entity_id: Uuid,
    /// Who did it; null for the system.
    pub user_id: Option<UserId>,
    /// The present name of who did it.
    pub user_name: Option<String>,
    /// What exactly; of a change the values `before` and `after`.
    pub details: Value,
    /// From which address; null when it is not known.
    pub ip_address: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

sort_keys! {
    /// What audit entries can be sorted by; they never change.
    AuditSort {}
}

impl Sortable<AuditSort> for AuditEntry {
    fn position(&self, _: AuditSort) -> (SortValue, Uuid) {
        (SortValue::Time(self.created_at), self.id.as_uuid())
    }
}

/// Which audit entries are wanted; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct AuditQuery {
    /// Only this action: the name of an event, like `lead:updated`.
    pub action: Option<String>,
    /// Only what was done to this kind of thing.
    pub entity_type: Option<EntityType>,
    /// Only what was done to this very thing.
    pub entity_id: Option<Uuid>,
    /// Only what this user did.
    pub user_id: Option<UserId>,
    /// Only what was done at this moment or later.
    pub from: Option<Timestamp>,
    /// Only what was done before this moment.
    pub to: Option<Timestamp>,
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<AuditSort>,
}

impl Command for AuditQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            action: fields.optional("action", text(1..=100)),
            entity_type: fields.optional("entityType", spelled),
            entity_id: fields.optional("entityId", id),
            user_id: fields.optional("userId", id),
            from: fields.optional("from", spelled),
            to: fields.optional("to", spelled),
            list: Listing::decode(fields),
        }
    }
}
