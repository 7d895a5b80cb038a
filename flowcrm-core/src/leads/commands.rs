//! What clients may ask of leads, and how it is read.

use serde::Serialize;

use super::{LeadSort, LeadStatus};
use crate::deals::DealStage;
use crate::email::Email;
use crate::ids::UserId;
use crate::input::{
    Command, Fields, Reference, id, money, optional_email, patch_amount, patch_email, spelled, text,
};
use crate::money::{Amount, Money};
use crate::page::Listing;
use crate::patch::Patch;
use crate::time::Timestamp;

/// A lead to create.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct NewLead {
    /// Who it is, 1 to 200 characters.
    pub name: String,
    /// Their email address.
    pub email: Option<Email>,
    /// Their phone number, at most 50 characters.
    pub phone: Option<String>,
    /// Where they work, at most 200 characters.
    pub company: Option<String>,
    /// Where the lead came from, at most 100 characters: Website, Referral, LinkedIn, Cold Call, Trade Show,
    /// Email Campaign, Partner, or any other.
    pub source: Option<String>,
    /// Where it stands; NEW when absent.
    pub status: Option<LeadStatus>,
    /// What it may be worth, 0 to 10,000,000,000, no more decimals than the currency has; 0 when absent.
    pub value: Option<Amount>,
    /// Anything else, at most 10,000 characters.
    pub notes: Option<String>,
    /// The lead's id in another system, at most 200 characters.
    pub external_id: Option<String>,
    /// Who answers for it; the creator when absent.
    pub owner_id: Option<UserId>,
    /// Who works on it.
    pub assigned_to_id: Option<UserId>,
}

impl Command for NewLead {
    fn decode(fields: &mut Fields) -> Self {
        let new = Self {
            name: fields.required("name", text(1..=200)).unwrap_or_default(),
            email: optional_email(fields),
            phone: fields.optional_text("phone", 50),
            company: fields.optional_text("company", 200),
            source: fields.optional_text("source", 100),
            status: fields.optional("status", spelled),
            value: fields.optional("value", money(fields.currency())).map(Money::amount),
            notes: fields.optional_text("notes", 10_000),
            external_id: fields.optional_text("externalId", 200),
            owner_id: fields.optional("ownerId", id),
            assigned_to_id: fields.optional("assignedToId", id),
        };
        fields.refer("ownerId", new.owner_id.map(Reference::Member));
        fields.refer("assignedToId", new.assigned_to_id.map(Reference::Member));
        new
    }
}

/// What an update changes; absent fields stay, `null` clears.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct LeadPatch {
    /// Who it is, 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their email address.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub email: Patch<Email>,
    /// Their phone number, at most 50 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<String>,
    /// Where they work, at most 200 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub company: Patch<String>,
    /// Where the lead came from, at most 100 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub source: Patch<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<LeadStatus>,
    /// What it may be worth; `null` is 0.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub value: Patch<Amount>,
    /// Anything else, at most 10,000 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub notes: Patch<String>,
    /// The lead's id in another system, at most 200 characters.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub external_id: Patch<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<UserId>,
    /// Who works on it.
    #[serde(skip_serializing_if = "Patch::is_keep")]
    pub assigned_to_id: Patch<UserId>,
}

impl Command for LeadPatch {
    fn decode(fields: &mut Fields) -> Self {
        let patch = Self {
            name: fields.change("name", text(1..=200)),
            email: patch_email(fields),
            phone: fields.patch_text("phone", 50),
            company: fields.patch_text("company", 200),
            source: fields.patch_text("source", 100),
            status: fields.change("status", spelled),
            value: patch_amount(fields),
            notes: fields.patch_text("notes", 10_000),
            external_id: fields.patch_text("externalId", 200),
            owner_id: fields.change("ownerId", id),
            assigned_to_id: fields.patch("assignedToId", id),
        };
        fields.refer("ownerId", patch.owner_id.map(Reference::Member));
        fields.refer("assignedToId", patch.assigned_to_id.value().copied().map(Reference::Member));
        patch
    }
}

/// To whom a lead is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct AssignLead {
    /// Who works on it from now on; `null` for nobody.
    pub assigned_to_id: Patch<UserId>,
}

impl Command for AssignLead {
    fn decode(fields: &mut Fields) -> Self {
        if !fields.has("assignedToId") {
            fields.refuse("assignedToId", "is required: an id, or null for nobody");
        }
        let assign = Self { assigned_to_id: fields.patch("assignedToId", id) };
        fields.refer("assignedToId", assign.assigned_to_id.value().copied().map(Reference::Member));
        assign
    }
}

/// The deal to make of a lead; what is absent comes from the lead.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct ConvertLead {
    /// The deal's title; the lead's company, or name, when absent.
    pub title: Option<String>,
    /// What the deal is worth; the lead's value when absent.
    pub value: Option<Amount>,
    /// Where the deal stands; QUALIFICATION when absent.
    pub stage: Option<DealStage>,
    /// When it should close.
    pub expected_close: Option<Timestamp>,
    /// Who works on it; the lead's assignee when absent.
    pub assigned_to_id: Option<UserId>,
}

impl Command for ConvertLead {
    fn decode(fields: &mut Fields) -> Self {
        let convert = Self {
            title: fields.optional("title", text(1..=200)),
            value: fields.optional("value", money(fields.currency())).map(Money::amount),
            stage: fields.optional("stage", spelled),
            expected_close: fields.optional("expectedClose", spelled),
            assigned_to_id: fields.optional("assignedToId", id),
        };
        fields.refer("assignedToId", convert.assigned_to_id.map(Reference::Member));
        convert
    }
}

/// Which leads are wanted.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct LeadQuery {
    /// Only of this status.
    pub status: Option<LeadStatus>,
    /// Only from this source.
    pub source: Option<String>,
    /// Only those that this user answers for.
    pub owner_id: Option<UserId>,
    /// Only those that this user works on.
    pub assigned_to_id: Option<UserId>,
    /// Only those where every word begins a word of name, email or company.
    pub q: Option<String>,
    /// Only those worth at least this.
    pub min_value: Option<Money>,
    /// Only those worth at most this.
    pub max_value: Option<Money>,
    /// Only those created at this moment or later.
    pub created_from: Option<Timestamp>,
    /// Only those created before this moment.
    pub created_to: Option<Timestamp>,
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<LeadSort>,
}

impl Command for LeadQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            status: fields.optional("status", spelled),
            source: fields.optional("source", text(1..=100)),
            owner_id: fields.optional("ownerId", id),
            assigned_to_id: fields.optional("assignedToId", id),
            q: fields.optional("q", text(0..=200)),
            min_value: fields.optional("minValue", money(fields.currency())),
            max_value: fields.optional("maxValue", money(fields.currency())),
            created_from: fields.optional("createdFrom", spelled),
            created_to: fields.optional("createdTo", spelled),
            list: Listing::decode(fields),
        }
    }
}
