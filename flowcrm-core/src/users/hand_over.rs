//! Handing over the open work of a user who goes.

use serde::Serialize;
use serde_json::json;

use super::User;
use crate::access::Visibility;
use crate::deals::{Deal, DealPatch, DealQuery};
use crate::error::{Error, Result};
use crate::events::{Event, EventKind};
use crate::ids::UserId;
use crate::leads::{Lead, LeadPatch, LeadQuery, LeadStatus};
use crate::page::{Listing, MAX_LIMIT, Page, SortKey, Sortable};
use crate::patch::Patch;
use crate::tasks::{Task, TaskPatch, TaskQuery, TaskStatus};
use crate::work::Work;

/// What was handed over to whom.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct HandOver {
    to_id: UserId,
    leads: usize,
    deals: usize,
    tasks: usize,
}

/// Gives the open leads, deals and tasks of `from` to another member, and records each as any other change.
pub(super) async fn hand_over(work: &mut Work, from: &User, to: UserId) -> Result<()> {
    let handed = HandOver {
        to_id: to,
        leads: leads(work, from.id, to).await?,
        deals: deals(work, from.id, to).await?,
        tasks: tasks(work, from.id, to).await?,
    };
    if handed.leads + handed.deals + handed.tasks > 0 {
        let event = Event::about(EventKind::UserUpdated, from).with("handedOver", handed);
        work.record([event.audited_as(json!({ "handedOver": handed }))]);
    }
    Ok(())
}

async fn leads(work: &mut Work, from: UserId, to: UserId) -> Result<usize> {
    let mut before: Vec<Lead> = Vec::new();
    for query in [
        LeadQuery { owner_id: Some(from), ..LeadQuery::default() },
        LeadQuery { assigned_to_id: Some(from), ..LeadQuery::default() },
    ] {
        let mut query = LeadQuery { list: whole_pages(), ..query };
        loop {
            let found = work.leads().list(Visibility::Organization, &query).await?;
            if !collect(&mut before, found, &mut query.list) {
                break;
            }
        }
    }
    before.retain(|lead| !matches!(lead.status, LeadStatus::Won | LeadStatus::Lost));
    before.sort_by_key(|lead| lead.id);
    before.dedup_by_key(|lead| lead.id);
    let now = work.env().now();
    let moved = work.leads().hand_over(from, to, now).await?;
    all_moved(moved.len(), before.len())?;
    for lead in &before {
        let patch = LeadPatch {
            owner_id: (lead.owner_id == from).then_some(to),
            assigned_to_id: replaced(lead.assigned_to_id, from, to),
            ..LeadPatch::default()
        };
        let (_, events) = lead.update(patch, work.actor(), now)?;
        work.record(events);
    }
    Ok(before.len())
}

async fn deals(work: &mut Work, from: UserId, to: UserId) -> Result<usize> {
    let mut before: Vec<Deal> = Vec::new();
    for query in [
        DealQuery { owner_id: Some(from), ..DealQuery::default() },
        DealQuery { assigned_to_id: Some(from), ..DealQuery::default() },
    ] {
        let mut query = DealQuery { list: whole_pages(), ..query };
        loop {
            let found = work.deals().list(&query).await?;
            if !collect(&mut before, found, &mut query.list) {
                break;
            }
        }
    }
    before.retain(|deal| !deal.stage.is_closed());
    before.sort_by_key(|deal| deal.id);
    before.dedup_by_key(|deal| deal.id);
    let now = work.env().now();
    let moved = work.deals().hand_over(from, to, now).await?;
    all_moved(moved.len(), before.len())?;
    for deal in &before {
        let patch = DealPatch {
            owner_id: (deal.owner_id == from).then_some(to),
            assigned_to_id: replaced(deal.assigned_to_id, from, to),
            ..DealPatch::default()
        };
        let (_, events) = deal.update(patch, work.actor(), now)?;
        work.record(events);
    }
    Ok(before.len())
}

async fn tasks(work: &mut Work, from: UserId, to: UserId) -> Result<usize> {
    let mut before: Vec<Task> = Vec::new();
    let now = work.env().now();
    let mut query = TaskQuery { assigned_to_id: Some(from), list: whole_pages(), ..TaskQuery::default() };
    loop {
        let found = work.tasks().list(Visibility::Organization, &query, now).await?;
        if !collect(&mut before, found, &mut query.list) {
            break;
        }
    }
    before.retain(|task| task.status != TaskStatus::Done);
    let moved = work.tasks().hand_over(from, to, now).await?;
    all_moved(moved.len(), before.len())?;
    for task in &before {
        let patch = TaskPatch { assigned_to_id: Some(to), ..TaskPatch::default() };
        let (_, events) = task.update(patch, work.actor(), now)?;
        work.record(events);
    }
    Ok(before.len())
}

fn whole_pages<K: SortKey>() -> Listing<K> {
    Listing { limit: usize::try_from(MAX_LIMIT).unwrap_or(1), ..Listing::default() }
}

/// Keeps a page; answers whether there is another, which `list` then asks for.
fn collect<K: SortKey, T: Sortable<K>>(kept: &mut Vec<T>, found: Vec<T>, list: &mut Listing<K>) -> bool {
    let page = Page::cut(found, list, None);
    kept.extend(page.items);
    let has_more = page.next.is_some();
    list.cursor = page.next;
    has_more
}

fn replaced(assignee: Option<UserId>, from: UserId, to: UserId) -> Patch<UserId> {
    if assignee == Some(from) { Patch::Set(to) } else { Patch::Keep }
}

/// Demands that no record has come or gone since they were read.
fn all_moved(moved: usize, read: usize) -> Result<()> {
    if moved == read {
        Ok(())
    } else {
        Err(Error::conflict("Work of this user is changing at this moment: try again."))
    }
}
