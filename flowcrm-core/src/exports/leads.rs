use super::people::People;
use super::sheet::Sheet;
use crate::access::Action;
use crate::email::Email;
use crate::error::Result;
use crate::leads::{Lead, LeadQuery};
use crate::page::{Cursor, Page};
use crate::work::Work;

/// The columns of a file of leads.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "name",
    "email",
    "phone",
    "company",
    "source",
    "status",
    "value",
    "notes",
    "externalId",
    "owner",
    "assignedTo",
    "createdAt",
    "updatedAt",
];

/// Writes the page of leads that a query asks for; answers where the next one begins.
pub(super) async fn write(
    work: &mut Work,
    query: &LeadQuery,
    people: &mut People,
    sheet: &mut Sheet,
) -> Result<Option<Cursor>> {
    let visibility = work.actor().visibility(Action::ReadLead);
    let page = Page::cut(work.leads().list(visibility, query).await?, &query.list, None);
    let users: Vec<_> =
        page.items.iter().flat_map(|lead| [Some(lead.owner_id), lead.assigned_to_id]).collect();
    people.look_up(work, &users).await?;
    for lead in &page.items {
        let (id, value) = (lead.id.to_string(), lead.value.to_string());
        sheet.row([
            Some(&id),
            Some(&lead.name),
            lead.email.as_ref().map(Email::as_str),
            lead.phone.as_deref(),
            lead.company.as_deref(),
            lead.source.as_deref(),
            Some(lead.status.as_str()),
            Some(&value),
            lead.notes.as_deref(),
            Some(&external_id(lead)),
            people.called(Some(lead.owner_id)),
            people.called(lead.assigned_to_id),
            Some(&lead.created_at.to_string()),
            Some(&lead.updated_at.to_string()),
        ]);
    }
    Ok(page.next)
}

/// What a lead is known by elsewhere: to the system that imports it, this one is another system.
pub(super) fn external_id(lead: &Lead) -> String {
    lead.external_id.clone().unwrap_or_else(|| lead.id.to_string())
}
