//! The lead: its fields and its rules.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{ConvertLead, LeadPatch, NewLead};
use crate::access::{Actor, Owned};
use crate::activities::Activity;
use crate::deals::{Deal, DealStage, NewDeal};
use crate::email::Email;
use crate::error::{Error, Result};
use crate::events::{Audience, Circle, EntityType, Event, EventKind, Subject};
use crate::ids::{LeadId, OrgId, UserId};
use crate::input::{value_in, words};
use crate::money::Money;
use crate::notifications::{Notice, NotificationType};
use crate::page::{SortValue, Sortable, sort_keys};
use crate::time::Timestamp;
use crate::users::UserRef;

words! {
    /// Where a lead stands. Every status may change into every other.
    LeadStatus {
        /// Fresh, nobody has been in touch.
        New = "NEW",
        /// Somebody has been in touch.
        Contacted = "CONTACTED",
        /// Has a need and a budget.
        Qualified = "QUALIFIED",
        /// An offer is out.
        Proposal = "PROPOSAL",
        /// Became a customer.
        Won = "WON",
        /// Did not.
        Lost = "LOST",
    }
}

/// A person or company who may become a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Lead {
    /// The lead's id.
    pub id: LeadId,
    /// The organization.
    pub org_id: OrgId,
    /// Who it is.
    pub name: String,
    /// Their email address; not unique.
    pub email: Option<Email>,
    /// Their phone number, as written.
    pub phone: Option<String>,
    /// Where they work.
    pub company: Option<String>,
    /// Where the lead came from.
    pub source: Option<String>,
    /// Where it stands.
    pub status: LeadStatus,
    /// What it may be worth, in the organization's currency.
    pub value: Money,
    /// Anything else worth knowing.
    pub notes: Option<String>,
    /// The lead's id in another system; unique in the organization.
    pub external_id: Option<String>,
    /// Who answers for it.
    pub owner_id: UserId,
    /// Who works on it.
    pub assigned_to_id: Option<UserId>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Whether a deal has been made of it.
    #[serde(skip)]
    #[cfg_attr(feature = "openapi", oai(skip))]
    pub is_converted: bool,
}

/// A lead with what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct LeadDetail {
    /// The lead itself.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub lead: Lead,
    /// Who answers for it.
    pub owner: UserRef,
    /// Who works on it.
    pub assigned_to: Option<UserRef>,
    /// The 20 newest activities, newest first.
    pub activities: Vec<Activity>,
    /// The deals made with it, newest first, at most 200.
    pub deals: Vec<Deal>,
}

impl Owned for Lead {
    fn is_own(&self, user: UserId) -> bool {
        self.owner_id == user || self.assigned_to_id == Some(user)
    }
}

impl Subject for Lead {
    const ENTITY: EntityType = EntityType::Lead;

    fn entity_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn readers(&self) -> Audience {
        let users =
            std::iter::once(self.owner_id).chain(self.assigned_to_id.filter(|user| *user != self.owner_id));
        Audience { circle: Circle::Managers, users: users.collect() }
    }
}

sort_keys! {
    /// What leads can be sorted by.
    LeadSort {
        /// By name.
        Name = "name" Text,
        /// By value.
        Value = "value" Number,
    }
}

impl Sortable<LeadSort> for Lead {
    fn position(&self, key: LeadSort) -> (SortValue, Uuid) {
        let value = match key {
            LeadSort::CreatedAt => SortValue::Time(self.created_at),
            LeadSort::UpdatedAt => SortValue::Time(self.updated_at),
            LeadSort::Name => SortValue::Text(self.name.clone()),
            LeadSort::Value => SortValue::Number(self.value.minor()),
        };
        (value, self.id.as_uuid())
    }
}

/// Everything but the aspects that have an event of their own.
fn is_plain_field(name: &str) -> bool {
    !matches!(name, "status" | "assignedToId")
}

impl Lead {
    /// A new lead of the actor's.
    ///
    /// # Errors
    ///
    /// A field error when the value does not fit the currency.
    pub fn create(new: NewLead, id: LeadId, actor: &Actor, now: Timestamp) -> Result<(Self, Vec<Event>)> {
        let lead = Self::of(new, id, actor, now)?;
        let mut events = vec![Event::about(EventKind::LeadCreated, &lead)];
        if lead.assigned_to_id.is_some_and(|assignee| assignee != actor.user_id) {
            events.push(lead.assigned());
        }
        Ok((lead, events))
    }

    /// The lead that [`create`](Self::create) makes, when nobody is told of it.
    pub(crate) fn of(new: NewLead, id: LeadId, actor: &Actor, now: Timestamp) -> Result<Self> {
        Ok(Self {
            id,
            org_id: actor.org_id,
            name: new.name,
            email: new.email,
            phone: new.phone,
            company: new.company,
            source: new.source,
            status: new.status.unwrap_or(LeadStatus::New),
            value: value_in(new.value, actor.currency)?,
            notes: new.notes,
            external_id: new.external_id,
            owner_id: new.owner_id.unwrap_or(actor.user_id),
            assigned_to_id: new.assigned_to_id,
            version: 1,
            created_at: now,
            updated_at: now,
            is_converted: false,
        })
    }

    /// This lead with a patch applied, and one event for each changed aspect; none when nothing changed.
    ///
    /// # Errors
    ///
    /// A field error when the value does not fit the currency.
    pub fn update(&self, patch: LeadPatch, actor: &Actor, now: Timestamp) -> Result<(Self, Vec<Event>)> {
        let mut lead = self.clone();
        if let Some(name) = patch.name {
            lead.name = name;
        }
        if let Some(status) = patch.status {
            lead.status = status;
        }
        if let Some(owner) = patch.owner_id {
            lead.owner_id = owner;
        }
        if !patch.value.is_keep() {
            lead.value = value_in(patch.value.value().copied(), actor.currency)?;
        }
        patch.email.apply(&mut lead.email);
        patch.phone.apply(&mut lead.phone);
        patch.company.apply(&mut lead.company);
        patch.source.apply(&mut lead.source);
        patch.notes.apply(&mut lead.notes);
        patch.external_id.apply(&mut lead.external_id);
        patch.assigned_to_id.apply(&mut lead.assigned_to_id);
        Ok(lead.changed_since(self, now))
    }

    /// This lead as WON, after a deal was made of it.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when it is LOST or was converted before.
    pub fn convert(&self, now: Timestamp) -> Result<(Self, Vec<Event>)> {
        if self.is_converted {
            return Err(Error::conflict("This lead has been converted already."));
        }
        if self.status == LeadStatus::Lost {
            return Err(Error::conflict("A lost lead cannot be converted: change its status first."));
        }
        let lead = Self { status: LeadStatus::Won, is_converted: true, ..self.clone() };
        let (mut lead, events) = lead.changed_since(self, now);
        lead.version = self.version + 1;
        lead.updated_at = now;
        Ok((lead, events))
    }

    /// The deal that a conversion makes; its assignee is the command's.
    pub fn deal_to_make(&self, convert: ConvertLead) -> NewDeal {
        NewDeal {
            title: convert.title.unwrap_or_else(|| self.company.clone().unwrap_or_else(|| self.name.clone())),
            value: convert.value.or_else(|| Some(self.value.amount())),
            stage: Some(convert.stage.unwrap_or(DealStage::Qualification)),
            expected_close: convert.expected_close,
            lead_id: Some(self.id),
            assigned_to_id: convert.assigned_to_id,
            ..NewDeal::default()
        }
    }

    /// That a deal was made of this lead.
    pub fn converted(&self, deal: &Deal, actor: &Actor) -> Event {
        let message = format!("{} converted lead {} to deal {}", actor.name, self.name, deal.title);
        let to = [Some(self.owner_id), self.assigned_to_id, deal.assigned_to_id];
        Event::about(EventKind::LeadConverted, self)
            .with("deal", deal)
            .audited_as(serde_json::json!({ "leadId": self.id, "dealId": deal.id, "dealTitle": deal.title }))
            .notifying(Notice::to(to, NotificationType::DealUpdated, message).linking(Deal::link(deal.id)))
    }

    /// Where the console shows a lead.
    pub fn link(id: LeadId) -> String {
        format!("/leads/{id}")
    }

    /// That this lead was deleted.
    pub fn deleted(&self) -> Event {
        Event::about(EventKind::LeadDeleted, self)
    }

    /// That an activity was added.
    pub fn activity_added(&self, activity: &Activity) -> Event {
        let details = serde_json::to_value(activity).unwrap_or(Value::Null);
        Event::about(EventKind::LeadActivityAdded, self).with("activity", activity).audited_as(details)
    }

    fn assigned(&self) -> Event {
        let message = format!("You've been assigned lead: {}", self.name);
        Event::about(EventKind::LeadAssigned, self).notifying(
            Notice::to([self.assigned_to_id], NotificationType::LeadAssigned, message)
                .linking(Self::link(self.id)),
        )
    }

    fn changed_since(mut self, before: &Self, now: Timestamp) -> (Self, Vec<Event>) {
        let mut aspects: Vec<EventKind> = Vec::new();
        let (plain, _) = crate::events::difference(before, &self, is_plain_field);
        if !plain.is_empty() {
            aspects.push(EventKind::LeadUpdated);
        }
        if self.status != before.status {
            aspects.push(EventKind::LeadStatusChanged);
        }
        if self.assigned_to_id != before.assigned_to_id {
            aspects.push(EventKind::LeadAssigned);
        }
        if !aspects.is_empty() {
            self.version = before.version + 1;
            self.updated_at = now;
        }
        let event = |kind: &EventKind| match kind {
            EventKind::LeadUpdated => Event::about(*kind, &self).since(before, &self, is_plain_field),
            EventKind::LeadStatusChanged => {
                Event::about(*kind, &self).since(before, &self, |name| name == "status")
            }
            _ => self.assigned().since(before, &self, |name| name == "assignedToId"),
        };
        let events = aspects.iter().map(event).collect();
        (self, events)
    }
}
