//! Handing over the open work of a user who goes.

use serde::Serialize;
use serde_json::json;

use super::User;
use crate::deals::Deal;
use crate::error::{OrNotFound, Result};
use crate::events::{Event, EventKind, Subject};
use crate::ids::UserId;
use crate::notifications::{Notice, NotificationType};
use crate::work::Work;

/// The most records of a kind that are told one by one; of more, only how many.
const TOLD_ONE_BY_ONE: usize = 500;

/// What was handed over to whom.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct HandOver {
    to_id: UserId,
    leads: usize,
    deals: usize,
    tasks: usize,
}

/// Gives the open leads, deals and tasks of `from` to another member, and records it.
pub(super) async fn hand_over(work: &mut Work, from: &User, to: UserId) -> Result<()> {
    let now = work.env().now();
    let leads = work.leads().hand_over(from.id, to, now).await?;
    let deals = work.deals().hand_over(from.id, to, now).await?;
    let tasks = work.tasks().hand_over(from.id, to, now).await?;
    let handed = HandOver { to_id: to, leads: leads.len(), deals: deals.len(), tasks: tasks.len() };
    if handed.leads + handed.deals + handed.tasks == 0 {
        return Ok(());
    }
    work.record([handed_over(from, handed)]);
    for id in one_by_one(&leads) {
        let lead = work.leads().find(*id).await?.or_not_found("lead")?;
        work.record([assigned(EventKind::LeadAssigned, &lead, from.id, to)]);
    }
    for id in one_by_one(&deals) {
        let deal: Deal = work.deals().find(*id).await?.or_not_found("deal")?;
        work.record([assigned(EventKind::DealAssigned, &deal, from.id, to)]);
    }
    for id in one_by_one(&tasks) {
        let task = work.tasks().find(*id).await?.or_not_found("task")?;
        work.record([assigned(EventKind::TaskAssigned, &task, from.id, to)]);
    }
    Ok(())
}

fn one_by_one<I>(ids: &[I]) -> &[I] {
    if ids.len() <= TOLD_ONE_BY_ONE { ids } else { &[] }
}

fn handed_over(from: &User, handed: HandOver) -> Event {
    let HandOver { to_id, leads, deals, tasks } = handed;
    let message =
        format!("You took over the open work of {}: leads {leads}, deals {deals}, tasks {tasks}", from.name);
    Event::about(EventKind::UserUpdated, from)
        .with("handedOver", handed)
        .audited_as(json!({ "handedOver": handed }))
        .notifying(Notice::to([Some(to_id)], NotificationType::System, message))
}

fn assigned<S: Subject>(kind: EventKind, record: &S, from: UserId, to: UserId) -> Event {
    Event::about(kind, record).audited_as(json!({ "handedOver": { "fromId": from, "toId": to } }))
}
