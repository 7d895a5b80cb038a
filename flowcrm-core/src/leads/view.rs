use serde::Serialize;

use super::Lead;
use crate::access::{Action, Actor};
use crate::ids::LeadId;

/// A lead, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct LeadRef {
    /// The lead's id.
    pub id: LeadId,
    /// Who it is.
    pub name: String,
}

/// A lead as it stands in another record: in full to those who may read it, named to others.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Union))]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one per answer, and a union of the document takes no boxes"
)]
pub enum LeadView {
    /// Everything.
    Full(Lead),
    /// Id and name.
    Named(LeadRef),
}

impl LeadView {
    /// The lead as the actor may see it.
    pub fn of(lead: Lead, actor: &Actor) -> Self {
        if actor.may(Action::ReadLead, &lead) { Self::Full(lead) } else { Self::Named(lead.into()) }
    }
}

impl From<Lead> for LeadRef {
    fn from(lead: Lead) -> Self {
        Self { id: lead.id, name: lead.name }
    }
}
