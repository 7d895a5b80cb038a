//! What clients may ask of deals, and how it is read.

use serde::Serialize;

use super::{DealSort, DealStage};
use crate::ids::{LeadId, UserId};
use crate::input::{Command, Fields, Reference, id, integer, money, patch_amount, spelled, text};
use crate::money::{Amount, Money};
use crate::page::Listing;
use crate::patch::Patch;
use crate::time::Timestamp;

/// A deal to create.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct NewDeal {
    /// What it is about, 1 to 200 characters.
    pub title: String,
    /// What it is worth, 0 to 10,000,000,000, no more decimals than the currency has; 0 when absent.
    pub value: Option<Amount>,
    /// Where it stands; QUALIFICATION when absent.
    pub stage: Option<DealStage>,
    /// How likely it is to be won, 0 to 100 percent; the stage's when absent: 10, 25, 50, 75, 100, 0.
    pub probability: Option<i64>,
    /// When it should close.
    pub expected_close: Option<Timestamp>,
    /// The lead that it is made with.
    pub lead_id: Option<LeadId>,
    /// Who answers for it; the creator when absent.
    pub owner_id: Option<UserId>,
    /// Who works on it.
    pub assigned_to_id: Option<UserId>,
    /// Anything else, at most 10,000 characters.
    pub notes: Option<String>,
    /// Why it was lost, at most 10,000 characters; for `CLOSED_LOST` only.
    pub lost_reason: Option<String>,
    /// The deal's id in another system, at most 200 characters.
    pub external_id: Option<String>,
}

impl Command for NewDeal {
    fn decode(fields: &mut Fields) -> Self {
        let new = Self {
            title: fields.required("title", text(1..=200)).unwrap_or_default(),
            value: fields.optional("value", money(fields.currency())).map(Money::amount),
            stage: fields.optional("stage", spelled),
            probability: fields.optional("probability", integer(0..=100)),
            expected_close: fields.optional("expectedClose", spelled),
            lead_id: fields.optional("leadId", id),
            owner_id: fields.optional("ownerId", id),
            assigned_to_id: fields.optional("assignedToId", id),
            notes: fields.optional_text("notes", 10_000),
            lost_reason: fields.optional_text("lostReason", 10_000),
            external_id: fields.optional_text("externalId", 200),
        };
        fields.refer("leadId", new.lead_id.map(Reference::Lead));
        fields.refer("ownerId", new.owner_id.map(Reference::Member));
        fields.refer("assignedToId", new.assigned_to_id.map(Reference::Member));
        new
    }
}

/// What an update changes; absent fields stay, `null` clears.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct DealPatch {
    /// What it is about, 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is worth; `null` is 0.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub value: Patch<Amount>,
    /// Where it stands; another stage moves the deal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<DealStage>,
    /// How likely it is to be won, 0 to 100 percent; a move sets it to the stage's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<i64>,
    /// When it should close.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub expected_close: Patch<Timestamp>,
    /// The lead that it is made with.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub lead_id: Patch<LeadId>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<UserId>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub assigned_to_id: Patch<UserId>,
    /// Anything else, at most 10,000 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub notes: Patch<String>,
    /// Why it was lost, at most 10,000 characters; for `CLOSED_LOST` only.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub lost_reason: Patch<String>,
    /// The deal's id in another system, at most 200 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub external_id: Patch<String>,
}

impl Command for DealPatch {
    fn decode(fields: &mut Fields) -> Self {
        let patch = Self {
            title: fields.change("title", text(1..=200)),
            value: patch_amount(fields),
            stage: fields.change("stage", spelled),
            probability: fields.change("probability", integer(0..=100)),
            expected_close: fields.patch("expectedClose", spelled),
            lead_id: fields.patch("leadId", id),
            owner_id: fields.change("ownerId", id),
            assigned_to_id: fields.patch("assignedToId", id),
            notes: fields.patch_text("notes", 10_000),
            lost_reason: fields.patch_text("lostReason", 10_000),
            external_id: fields.patch_text("externalId", 200),
        };
        fields.refer("leadId", patch.lead_id.value().copied().map(Reference::Lead));
        fields.refer("ownerId", patch.owner_id.map(Reference::Member));
        fields.refer("assignedToId", patch.assigned_to_id.value().copied().map(Reference::Member));
        patch
    }
}

/// Which deals are wanted.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct DealQuery {
    /// Only of this stage.
    pub stage: Option<DealStage>,
    /// Only those made with this lead.
    pub lead_id: Option<LeadId>,
    /// Only those that this user answers for.
    pub owner_id: Option<UserId>,
    /// Only those that this user works on.
    pub assigned_to_id: Option<UserId>,
    /// Only those where every word begins a word of the title.
    pub q: Option<String>,
    /// Only those worth at least this.
    pub min_value: Option<Money>,
    /// Only those worth at most this.
    pub max_value: Option<Money>,
    /// Only those created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only those created before this moment.
    pub created_to: Option<Timestamp>,
    /// Only those that should close at this moment or later.
    pub close_from: Option<Timestamp>,
    /// Only those that should close before this moment.
    pub close_to: Option<Timestamp>,
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<DealSort>,
}

impl Command for DealQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            stage: fields.optional("stage", spelled),
            lead_id: fields.optional("leadId", id),
            owner_id: fields.optional("ownerId", id),
            assigned_to_id: fields.optional("assignedToId", id),
            q: fields.optional("q", text(0..=200)),
            min_value: fields.optional("minValue", money(fields.currency())),
            max_value: fields.optional("maxValue", money(fields.currency())),
            created_from: fields.optional("createdFrom", spelled),
            created_to: fields.optional("createdTo", spelled),
            close_from: fields.optional("closeFrom", spelled),
            close_to: fields.optional("closeTo", spelled),
            list: Listing::decode(fields),
        }
    }
}
