use std::collections::HashMap;

use super::people::People;
use super::sheet::Sheet;
use crate::access::Action;
use crate::deals::{Deal, DealQuery};
use crate::error::Result;
use crate::ids::LeadId;
use crate::page::{Cursor, Page};
use crate::work::Work;

/// The columns of a file of deals.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "title",
    "value",
    "stage",
    "probability",
    "expectedClose",
    "closedAt",
    "leadExternalId",
    "notes",
    "lostReason",
    "externalId",
    "owner",
    "assignedTo",
    "createdAt",
    "updatedAt",
];

/// Writes the page of deals that a query asks for; answers where the next one begins.
pub(super) async fn write(
    work: &mut Work,
    query: &DealQuery,
    people: &mut People,
    sheet: &mut Sheet,
) -> Result<Option<Cursor>> {
    let page = Page::cut(work.deals().list(query).await?, &query.list, None);
    let users: Vec<_> =
        page.items.iter().flat_map(|deal| [Some(deal.owner_id), deal.assigned_to_id]).collect();
    people.look_up(work, &users).await?;
    let leads = external_ids_of_leads(work, &page.items).await?;
    for deal in &page.items {
        let id = deal.id.to_string();
        let lead = deal.lead_id.map(|lead| leads.get(&lead).cloned().unwrap_or_else(|| lead.to_string()));
        sheet.row([
            Some(&id),
            Some(&deal.title),
            Some(&deal.value.to_string()),
            Some(deal.stage.as_str()),
            Some(&deal.probability.to_string()),
            deal.expected_close.map(|moment| moment.to_string()).as_deref(),
            deal.closed_at.map(|moment| moment.to_string()).as_deref(),
            lead.as_deref(),
            deal.notes.as_deref(),
            deal.lost_reason.as_deref(),
            // To the system that imports it, this one is another system.
            Some(deal.external_id.as_ref().unwrap_or(&id)),
            people.called(Some(deal.owner_id)),
            people.called(deal.assigned_to_id),
            Some(&deal.created_at.to_string()),
            Some(&deal.updated_at.to_string()),
        ]);
    }
    Ok(page.next)
}

/// What the leads of some deals are known by elsewhere, as far as the caller may read them.
async fn external_ids_of_leads(work: &mut Work, deals: &[Deal]) -> Result<HashMap<LeadId, String>> {
    let mut ids: Vec<LeadId> = deals.iter().filter_map(|deal| deal.lead_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let leads = work.leads().find_many(&ids).await?;
    let readable = leads.into_iter().filter(|lead| work.actor().may(Action::ReadLead, lead));
    Ok(readable.map(|lead| (lead.id, super::leads::external_id(&lead))).collect())
}
