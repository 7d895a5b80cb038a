use super::{Deal, DealDetail, DealPatch, DealQuery, NewDeal};
use crate::access::Action;
use crate::bulk::{BulkChange, BulkOutcome, in_lock_order};
use crate::caller::Caller;
use crate::error::{Error, OrNotFound, Result};
use crate::ids::DealId;
use crate::input::{Asked, Body, Input};
use crate::leads::LeadView;
use crate::page::Page;
use crate::work::{Work, check_version};

/// What a caller may do with deals.
#[derive(Debug)]
pub struct Deals<'a> {
    caller: &'a Caller,
}

impl<'a> Deals<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists deals.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<DealQuery>>) -> Result<Page<Deal>> {
        let mut work = self.caller.read().await?;
        work.actor().require(Action::ReadDeal)?;
        let query = query.into().read(work.actor().currency)?;
        let total = if query.list.count { Some(work.deals().count(&query).await?) } else { None };
        let deals = work.deals().list(&query).await?;
        Ok(Page::cut(deals, &query.list, total))
    }

    /// Reads a deal with its lead, its people and its tasks, as far as the caller may see them.
    ///
    /// # Errors
    ///
    /// `not_found`.
    pub async fn get(&self, id: DealId) -> Result<DealDetail> {
        let mut work = self.caller.read().await?;
        let deal = visible(work.deals().find(id).await?, &work)?;
        let people = work.names(&[Some(deal.owner_id), deal.assigned_to_id]).await?;
        let lead = match deal.lead_id {
            Some(lead) => work.leads().find(lead).await?,
            None => None,
        };
        let visible_tasks = work.actor().visibility(Action::ReadTask);
        let tasks = work.tasks().of_deal(visible_tasks, id, 200).await?;
        let person = |user| people.iter().find(|person| Some(person.id) == user).cloned();
        Ok(DealDetail {
            lead: lead.map(|lead| LeadView::of(lead, work.actor())),
            owner: person(Some(deal.owner_id)).or_not_found("user")?,
            assigned_to: person(deal.assigned_to_id),
            tasks,
            deal,
        })
    }

    /// Creates a deal.
    ///
    /// # Errors
    ///
    /// `validation_failed`; `forbidden` when the caller may not name that owner or assignee.
    pub async fn create(&self, new: impl Input<NewDeal>) -> Result<Deal> {
        let body = new.into_body()?;
        let mut work = self.caller.write().await?;
        work.actor().require(Action::CreateDeal)?;
        if let Some(deal) = work.replay("deals.create", &body).await? {
            return Ok(deal);
        }
        let new: NewDeal = work.decode(body).await?;
        for user in [new.owner_id, new.assigned_to_id].into_iter().flatten() {
            work.authorize_naming(Action::CreateDeal, user).await?;
        }
        let (deal, events) = Deal::create(new, work.env().id(), work.actor(), work.env().now())?;
        work.deals().insert(&deal).await?;
        work.record(events);
        work.answer(deal).await
    }

    /// Changes or moves a deal; with `version`, only if it is still at that version.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `stale_version`, `validation_failed`.
    pub async fn update(
        &self,
        id: DealId,
        patch: impl Input<DealPatch>,
        version: Option<i64>,
    ) -> Result<Deal> {
        let body = patch.into_body()?;
        let mut work = self.caller.write().await?;
        let deal = change(&mut work, id, body, version).await?;
        work.commit().await?;
        Ok(deal)
    }

    /// Deletes a deal; its tasks stay, without it.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`.
    pub async fn delete(&self, id: DealId) -> Result<()> {
        let mut work = self.caller.write().await?;
        remove(&mut work, id).await?;
        work.commit().await
    }

    /// Changes or deletes up to 500 deals, each by the caller's right on it.
    ///
    /// # Errors
    ///
    /// `validation_failed`; what is wrong with a single deal stands in its outcome.
    pub async fn bulk(&self, bulk: Body) -> Result<Vec<BulkOutcome>> {
        let mut work = self.caller.write().await?;
        let (ids, bulk): (Vec<DealId>, _) = work.decode_bulk::<_, DealPatch>(bulk).await?;
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
}

/// The deal, if it is there and the actor may see it.
fn visible(deal: Option<Deal>, work: &Work) -> Result<Deal> {
    deal.filter(|deal| work.actor().may(Action::ReadDeal, deal)).or_not_found("deal")
}

async fn change(work: &mut Work, id: DealId, body: Body, version: Option<i64>) -> Result<Deal> {
    let deal = visible(work.deals().lock(id).await?, work)?;
    work.actor().authorize(Action::UpdateDeal, &deal)?;
    check_version(deal.version, version)?;
    let patch = work.decode(body).await?;
    apply(work, &deal, patch).await
}

async fn apply(work: &mut Work, deal: &Deal, patch: DealPatch) -> Result<Deal> {
    let (changed, events) = deal.update(patch, work.actor(), work.env().now())?;
    let new_owner = Some(changed.owner_id).filter(|owner| *owner != deal.owner_id);
    let new_assignee = changed.assigned_to_id.filter(|assignee| Some(*assignee) != deal.assigned_to_id);
    if new_owner.is_some() || changed.assigned_to_id != deal.assigned_to_id {
        work.actor().require(Action::AssignDeal)?;
    }
    for user in [new_owner, new_assignee].into_iter().flatten() {
        work.authorize_naming(Action::AssignDeal, user).await?;
    }
    if let Some(external_id) =
        changed.external_id.as_deref().filter(|new| Some(*new) != deal.external_id.as_deref())
        && work.deals().find_by_external_id(external_id).await?.is_some()
    {
        return Err(Error::field("externalId", "belongs to another deal"));
    }
    if !events.is_empty() {
        work.deals().update(&changed).await?;
        work.record(events);
    }
    Ok(changed)
}

async fn remove(work: &mut Work, id: DealId) -> Result<()> {
    let deal = visible(work.deals().lock(id).await?, work)?;
    work.actor().authorize(Action::DeleteDeal, &deal)?;
    work.deals().delete(id).await?;
    work.record([deal.deleted()]);
    Ok(())
}
