//! What a file is imported into: leads and deals, as far as an import treats them alike.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::named_leads::NamedLeads;
use super::row::{Draft, RowReader};
use super::{ImportField, ImportKind, Rejection, own_id};
use crate::access::Actor;
use crate::deals::{Deal, DealPatch, DealStage, NewDeal};
use crate::email::Email;
use crate::error::Result;
use crate::ids::{LeadId, UserId};
use crate::input::Command;
use crate::leads::{Lead, LeadPatch, NewLead};
use crate::money::{Currency, Money};
use crate::patch::Patch;
use crate::time::Timestamp;
use crate::work::Work;

/// What a record is found by: its external id if a row gives one, else its email.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Keys {
    pub(super) external_id: Option<String>,
    pub(super) email: Option<String>,
}

/// A record of a kind that can be imported.
#[async_trait]
pub(super) trait Target:
    Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    type New: Command + Send + Sync + 'static;
    type Patch: Command + Send + Sync + 'static;

    const KIND: ImportKind;

    fn id(&self) -> Uuid;
    fn version(&self) -> i64;
    fn keys(&self) -> Keys;

    /// What a row that creates records says of the one that it means.
    fn keys_of(new: &Self::New) -> Keys;

    /// What a row that changes records says of the one that it means.
    fn keys_of_patch(patch: &Self::Patch) -> Keys;

    /// The record that a row asks for; nobody is told.
    fn create(new: Self::New, id: Uuid, times: Times, actor: &Actor, now: Timestamp) -> Result<Self>;

    /// This record with what a row says; the same when that is nothing new.
    fn change(&self, patch: Self::Patch, times: Times, actor: &Actor, now: Timestamp) -> Result<Self>;

    /// This record as the given version, changed now.
    fn with_version(self, version: i64, now: Timestamp) -> Self;

    /// Looks up what rows refer to; rows that refer to nothing are rejected.
    async fn refer(
        work: &mut Work,
        drafts: Vec<Draft<Self::New, Self::Patch>>,
        reader: &RowReader<'_>,
        rejections: &mut Vec<Rejection>,
    ) -> Result<Vec<Draft<Self::New, Self::Patch>>>;

    async fn found(work: &mut Work, external_ids: &[String], emails: &[String]) -> Result<Vec<Self>>;
    async fn insert(work: &mut Work, records: Arc<[Self]>) -> Result<()>;
    async fn update(work: &mut Work, record: &Self) -> Result<()>;

    /// Why a record that others refer to is not taken back.
    const IN_USE: &'static str;

    /// Whose it is: the owner and the assignee.
    fn people(&self) -> [Option<UserId>; 2];
    fn value(&self) -> Money;

    /// The lead that it belongs to.
    fn lead(&self) -> Option<LeadId>;

    /// This record as it was before, but as a version of its own; a value of nothing is in the organization's
    /// currency, and its lead may have gone.
    fn put_back(&self, former: Self, has_lead: bool, currency: Currency) -> Self;

    /// Some records as they are now, locked.
    async fn lock(work: &mut Work, ids: &[Uuid]) -> Result<Vec<Self>>;
    async fn remove(work: &mut Work, records: &[Self]) -> Result<()>;
}

/// The moments that only a file may set.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) created_at: Option<Timestamp>,
    pub(super) closed_at: Option<Timestamp>,
}

#[async_trait]
impl Target for Lead {
    type New = NewLead;
    type Patch = LeadPatch;

    const KIND: ImportKind = ImportKind::Leads;

    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn keys(&self) -> Keys {
        Keys { external_id: self.external_id.clone(), email: self.email.as_ref().map(Email::key) }
    }

    fn keys_of(new: &NewLead) -> Keys {
        Keys { external_id: new.external_id.clone(), email: new.email.as_ref().map(Email::key) }
    }

    fn keys_of_patch(patch: &LeadPatch) -> Keys {
        Keys { external_id: patch.external_id.value().cloned(), email: patch.email.value().map(Email::key) }
    }

    fn create(new: NewLead, id: Uuid, times: Times, actor: &Actor, now: Timestamp) -> Result<Self> {
        let lead = Self::of(new, id.into(), actor, now)?;
        Ok(Self { created_at: times.created_at.unwrap_or(now), ..lead })
    }

    fn change(&self, patch: LeadPatch, times: Times, actor: &Actor, now: Timestamp) -> Result<Self> {
        let external_id = other_than(self.id(), patch.external_id);
        let (lead, _) = self.update(LeadPatch { external_id, ..patch }, actor, now)?;
        Ok(Self { created_at: moved(self.created_at, times.created_at), ..lead })
    }

    fn with_version(self, version: i64, now: Timestamp) -> Self {
        Self { version, updated_at: now, ..self }
    }

    async fn refer(
        _: &mut Work,
        drafts: Vec<Draft<NewLead, LeadPatch>>,
        _: &RowReader<'_>,
        _: &mut Vec<Rejection>,
    ) -> Result<Vec<Draft<NewLead, LeadPatch>>> {
        Ok(drafts)
    }

    async fn found(work: &mut Work, external_ids: &[String], emails: &[String]) -> Result<Vec<Self>> {
        work.imports().leads_with(external_ids, emails).await
    }

    async fn insert(work: &mut Work, records: Arc<[Self]>) -> Result<()> {
        work.imports().insert_leads(records).await
    }

    async fn update(work: &mut Work, record: &Self) -> Result<()> {
        work.leads().update(record).await
    }

    const IN_USE: &'static str = "has activities, deals or tasks";

    fn people(&self) -> [Option<UserId>; 2] {
        [Some(self.owner_id), self.assigned_to_id]
    }

    fn value(&self) -> Money {
        self.value
    }

    fn lead(&self) -> Option<LeadId> {
        None
    }

    fn put_back(&self, former: Self, _: bool, currency: Currency) -> Self {
        Self {
            value: Money::new(former.value.minor(), currency),
            version: self.version + 1,
            // It is not in what is noted of a record, and no import changes it.
            is_converted: self.is_converted,
            ..former
        }
    }

    async fn lock(work: &mut Work, ids: &[Uuid]) -> Result<Vec<Self>> {
        work.imports().lock_leads(ids).await
    }

    async fn remove(work: &mut Work, records: &[Self]) -> Result<()> {
        work.imports().remove_leads(records).await
    }
}

#[async_trait]
impl Target for Deal {
    type New = NewDeal;
    type Patch = DealPatch;

    const KIND: ImportKind = ImportKind::Deals;

    fn id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn keys(&self) -> Keys {
        Keys { external_id: self.external_id.clone(), email: None }
    }

    fn keys_of(new: &NewDeal) -> Keys {
        Keys { external_id: new.external_id.clone(), email: None }
    }

    fn keys_of_patch(patch: &DealPatch) -> Keys {
        Keys { external_id: patch.external_id.value().cloned(), email: None }
    }

    fn create(new: NewDeal, id: Uuid, times: Times, actor: &Actor, now: Timestamp) -> Result<Self> {
        let lost_reason = new.lost_reason.filter(|_| new.stage == Some(DealStage::ClosedLost));
        let deal = Self::of(NewDeal { lost_reason, ..new }, id.into(), actor, now)?;
        // A deal that has just been created in a closed stage was closed now; the file may know better.
        let closed_at = deal.closed_at.map(|now| times.closed_at.unwrap_or(now));
        Ok(Self { created_at: times.created_at.unwrap_or(now), closed_at, ..deal })
    }

    fn change(&self, patch: DealPatch, times: Times, actor: &Actor, now: Timestamp) -> Result<Self> {
        let is_lost = patch.stage.unwrap_or(self.stage) == DealStage::ClosedLost;
        let lost_reason = if is_lost { patch.lost_reason } else { Patch::Keep };
        let external_id = other_than(self.id(), patch.external_id);
        let expected_close = match (patch.expected_close, self.expected_close) {
            (Patch::Set(said), Some(present)) => Patch::Set(moved(present, Some(said))),
            (patch, _) => patch,
        };
        let patch = DealPatch { expected_close, lost_reason, external_id, ..patch };
        let (deal, _) = self.update(patch, actor, now)?;
        let closed_at = deal.closed_at.map(|closed| moved(closed, times.closed_at));
        Ok(Self { created_at: moved(self.created_at, times.created_at), closed_at, ..deal })
    }

    fn with_version(self, version: i64, now: Timestamp) -> Self {
        Self { version, updated_at: now, ..self }
    }

    async fn refer(
        work: &mut Work,
        drafts: Vec<Draft<NewDeal, DealPatch>>,
        reader: &RowReader<'_>,
        rejections: &mut Vec<Rejection>,
    ) -> Result<Vec<Draft<NewDeal, DealPatch>>> {
        let leads = NamedLeads::look_up(work, &drafts).await?;
        let found = |draft| leads.find(draft, reader).map_err(|rejection| rejections.push(*rejection)).ok();
        Ok(drafts.into_iter().filter_map(found).collect())
    }

    async fn found(work: &mut Work, external_ids: &[String], _: &[String]) -> Result<Vec<Self>> {
        work.imports().deals_with(external_ids).await
    }

    async fn insert(work: &mut Work, records: Arc<[Self]>) -> Result<()> {
        work.imports().insert_deals(records).await
    }

    async fn update(work: &mut Work, record: &Self) -> Result<()> {
        work.deals().update(record).await
    }

    const IN_USE: &'static str = "has tasks";

    fn people(&self) -> [Option<UserId>; 2] {
        [Some(self.owner_id), self.assigned_to_id]
    }

    fn value(&self) -> Money {
        self.value
    }

    fn lead(&self) -> Option<LeadId> {
        self.lead_id
    }

    fn put_back(&self, former: Self, has_lead: bool, currency: Currency) -> Self {
        Self {
            value: Money::new(former.value.minor(), currency),
            version: self.version + 1,
            lead_id: former.lead_id.filter(|_| has_lead),
            ..former
        }
    }

    async fn lock(work: &mut Work, ids: &[Uuid]) -> Result<Vec<Self>> {
        work.imports().lock_deals(ids).await
    }

    async fn remove(work: &mut Work, records: &[Self]) -> Result<()> {
        work.imports().remove_deals(records).await
    }
}

impl<N, P> Draft<N, P> {
    /// The moments that the row gives.
    pub(super) fn times(&self) -> Times {
        Times { created_at: self.created_at, closed_at: self.closed_at }
    }
}

/// The external id that a row gives a record; its own id, by which an export names it, is none.
fn other_than(own: Uuid, external_id: Patch<String>) -> Patch<String> {
    if external_id.value().and_then(|id| own_id(id)) == Some(own) { Patch::Keep } else { external_id }
}

/// The moment that a file says, unless it is the one that is there already, of which an export tells no more than
/// milliseconds.
fn moved(present: Timestamp, said: Option<Timestamp>) -> Timestamp {
    said.filter(|said| said.to_string() != present.to_string()).unwrap_or(present)
}

/// The field that a row's record is found by.
pub(super) fn key_field(keys: &Keys) -> ImportField {
    if keys.external_id.is_some() { ImportField::ExternalId } else { ImportField::Email }
}
