use serde::{Deserialize, Serialize};

use super::{AssignLead, ConvertLead, Lead, LeadDetail, LeadPatch, LeadQuery, NewLead};
use crate::access::Action;
use crate::activities::{Activity, ActivityQuery, NewActivity};
use crate::bulk::{BulkChange, BulkOutcome, in_lock_order};
use crate::caller::Caller;
use crate::deals::Deal;
use crate::error::{Error, OrNotFound, Result};
use crate::ids::LeadId;
use crate::input::{Asked, Body, Input};
use crate::page::Page;
use crate::work::{Work, check_version};

/// What a caller may do with leads.
#[derive(Debug)]
pub struct Leads<'a> {
    caller: &'a Caller,
}

/// A lead that became a deal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct Conversion {
    /// The lead, now WON.
    pub lead: Lead,
    /// The deal made of it.
    pub deal: Deal,
}

impl<'a> Leads<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists the leads that the caller may see.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<LeadQuery>>) -> Result<Page<Lead>> {
        let mut work = self.caller.read().await?;
        let query = query.into().read(work.actor().currency)?;
        let visibility = work.actor().visibility(Action::ReadLead);
        let total = if query.list.count { Some(work.leads().count(visibility, &query).await?) } else { None };
        let leads = work.leads().list(visibility, &query).await?;
        Ok(Page::cut(leads, &query.list, total))
    }

    /// Reads a lead with its people, its newest activities and its deals.
    ///
    /// # Errors
    ///
    /// `not_found`.
    pub async fn get(&self, id: LeadId) -> Result<LeadDetail> {
        let mut work = self.caller.read().await?;
        let (lead, traces) = work.leads().find_with_traces(id).await?.or_not_found("lead")?;
        let lead = visible(Some(lead), &work)?;
        let people = work.names(&[Some(lead.owner_id), lead.assigned_to_id]).await?;
        let activities =
            if traces.has_activities { work.activities().newest(id, 20).await? } else { Vec::new() };
        let deals = if traces.has_deals { work.deals().of_lead(id, 200).await? } else { Vec::new() };
        let person = |user| people.iter().find(|person| Some(person.id) == user).cloned();
        Ok(LeadDetail {
            owner: person(Some(lead.owner_id)).or_not_found("user")?,
            assigned_to: person(lead.assigned_to_id),
            activities,
            deals,
            lead,
        })
    }

    /// Creates a lead.
    ///
    /// # Errors
    ///
    /// `validation_failed`; `forbidden` when the caller may not name that owner or assignee.
    pub async fn create(&self, new: impl Input<NewLead>) -> Result<Lead> {
        let body = new.into_body()?;
        let mut work = self.caller.write().await?;
        work.actor().require(Action::CreateLead)?;
        if let Some(lead) = work.replay("leads.create", &body).await? {
            return Ok(lead);
        }
        let new: NewLead = work.decode(body).await?;
        for user in [new.owner_id, new.assigned_to_id].into_iter().flatten() {
            work.authorize_naming(Action::CreateLead, user).await?;
        }
        let (lead, events) = Lead::create(new, work.env().id(), work.actor(), work.env().now())?;
        work.leads().insert(&lead).await?;
        work.record(events);
        work.answer(lead).await
    }

    /// Changes a lead; with `version`, only if it is still at that version.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `stale_version`, `validation_failed`.
    pub async fn update(
        &self,
        id: LeadId,
        patch: impl Input<LeadPatch>,
        version: Option<i64>,
    ) -> Result<Lead> {
        let body = patch.into_body()?;
        let mut work = self.caller.write().await?;
        let lead = change(&mut work, id, body, version).await?;
        work.commit().await?;
        Ok(lead)
    }

    /// Gives a lead to somebody, or to nobody.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `validation_failed`.
    pub async fn assign(&self, id: LeadId, assign: impl Input<AssignLead>) -> Result<Lead> {
        let body = assign.into_body()?;
        let mut work = self.caller.write().await?;
        let lead = visible(work.leads().lock(id).await?, &work)?;
        work.actor().require(Action::AssignLead)?;
        let assign: AssignLead = work.decode(body).await?;
        let patch = LeadPatch { assigned_to_id: assign.assigned_to_id, ..LeadPatch::default() };
        let lead = apply(&mut work, &lead, patch).await?;
        work.commit().await?;
        Ok(lead)
    }

    /// Makes a deal of a lead and sets the lead WON.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `validation_failed`; `conflict` for a LOST or converted lead.
    pub async fn convert(&self, id: LeadId, convert: impl Input<ConvertLead>) -> Result<Conversion> {
        let body = convert.into_body()?;
        let mut work = self.caller.write().await?;
        if let Some(conversion) = work.replay(&format!("leads.convert {id}"), &body).await? {
            return Ok(conversion);
        }
        let lead = visible(work.leads().lock(id).await?, &work)?;
        work.actor().authorize(Action::ConvertLead, &lead)?;
        let mut convert: ConvertLead = work.decode(body).await?;
        match convert.assigned_to_id {
            Some(user) if Some(user) != lead.assigned_to_id => {
                work.authorize_naming(Action::CreateDeal, user).await?;
            }
            Some(_) => {}
            // The lead's own assignee goes on with the deal, unless they have left.
            None => convert.assigned_to_id = work.active_member(lead.assigned_to_id).await?,
        }
        let (won, lead_events) = lead.convert(work.env().now())?;
        let new_deal = lead.deal_to_make(convert);
        let (deal, deal_events) = Deal::create(new_deal, work.env().id(), work.actor(), work.env().now())?;
        work.leads().update(&won).await?;
        work.deals().insert(&deal).await?;
        let converted = won.converted(&deal, work.actor());
        work.record(lead_events);
        work.record(deal_events);
        work.record([converted]);
        work.answer(Conversion { lead: won, deal }).await
    }

    /// Deletes a lead with its activities; its deals and tasks stay, without it.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`.
    pub async fn delete(&self, id: LeadId) -> Result<()> {
        let mut work = self.caller.write().await?;
        remove(&mut work, id).await?;
        work.commit().await
    }

    /// Changes or deletes up to 500 leads, each by the caller's right on it.
    ///
    /// # Errors
    ///
    /// `validation_failed`; what is wrong with a single lead stands in its outcome.
    pub async fn bulk(&self, bulk: Body) -> Result<Vec<BulkOutcome>> {
        let mut work = self.caller.write().await?;
        let (ids, bulk): (Vec<LeadId>, _) = work.decode_bulk::<_, LeadPatch>(bulk).await?;
        let mut outcomes = Vec::with_capacity(ids.len());
        for (place, id) in in_lock_order(&ids) {
            let done = match &bulk {
                BulkChange::Set(patch) => change(&mut work, id, patch.clone(), None).await.map(|_| ()),
                BulkChange::Delete => remove(&mut work, id).await,
            };
            outcomes.push((place, BulkOutcome::of(id, done)?));
        }
        work.commit().await?;
        Ok(BulkOutcome::in_asked_order(outcomes))
    }

    /// Lists a lead's activities, newest first.
    ///
    /// # Errors
    ///
    /// `not_found`; `validation_failed` for a bad query.
    pub async fn activities(
        &self,
        id: LeadId,
        query: impl Into<Asked<ActivityQuery>>,
    ) -> Result<Page<Activity>> {
        let mut work = self.caller.read().await?;
        let query = query.into().read(work.actor().currency)?;
        visible(work.leads().find(id).await?, &work)?;
        let total = if query.list.count { Some(work.activities().count(id).await?) } else { None };
        let activities = work.activities().list(id, &query).await?;
        Ok(Page::cut(activities, &query.list, total))
    }

    /// Adds an activity to a lead.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `validation_failed`.
    pub async fn add_activity(&self, id: LeadId, new: impl Input<NewActivity>) -> Result<Activity> {
        let body = new.into_body()?;
        let mut work = self.caller.write().await?;
        if let Some(activity) = work.replay(&format!("leads.addActivity {id}"), &body).await? {
            return Ok(activity);
        }
        let lead = visible(work.leads().lock(id).await?, &work)?;
        work.actor().authorize(Action::AddActivity, &lead)?;
        let new: NewActivity = work.decode(body).await?;
        let activity = Activity::create(new, work.env().id(), lead.id, work.actor(), work.env().now());
        work.activities().insert(&activity).await?;
        work.record([lead.activity_added(&activity)]);
        work.answer(activity).await
    }
}

/// The lead, if it is there and the actor may see it.
pub(crate) fn visible(lead: Option<Lead>, work: &Work) -> Result<Lead> {
    lead.filter(|lead| work.actor().may(Action::ReadLead, lead)).or_not_found("lead")
}

async fn change(work: &mut Work, id: LeadId, body: Body, version: Option<i64>) -> Result<Lead> {
    let lead = visible(work.leads().lock(id).await?, work)?;
    work.actor().authorize(Action::UpdateLead, &lead)?;
    check_version(lead.version, version)?;
    let patch = work.decode(body).await?;
    apply(work, &lead, patch).await
}

async fn apply(work: &mut Work, lead: &Lead, patch: LeadPatch) -> Result<Lead> {
    let (changed, events) = lead.update(patch, work.actor(), work.env().now())?;
    let new_owner = Some(changed.owner_id).filter(|owner| *owner != lead.owner_id);
    let new_assignee = changed.assigned_to_id.filter(|assignee| Some(*assignee) != lead.assigned_to_id);
    if new_owner.is_some() || changed.assigned_to_id != lead.assigned_to_id {
        work.actor().require(Action::AssignLead)?;
    }
    for user in [new_owner, new_assignee].into_iter().flatten() {
        work.authorize_naming(Action::AssignLead, user).await?;
    }
    if let Some(external_id) =
        changed.external_id.as_deref().filter(|new| Some(*new) != lead.external_id.as_deref())
        && work.leads().find_by_external_id(external_id).await?.is_some()
    {
        return Err(Error::field("externalId", "belongs to another lead"));
    }
    if !events.is_empty() {
        work.leads().update(&changed).await?;
        work.record(events);
    }
    Ok(changed)
}

async fn remove(work: &mut Work, id: LeadId) -> Result<()> {
    let lead = visible(work.leads().lock(id).await?, work)?;
    work.actor().authorize(Action::DeleteLead, &lead)?;
    work.leads().delete(id).await?;
    work.record([lead.deleted()]);
    Ok(())
}
