use super::people::People;
use super::sheet::Sheet;
use crate::access::Action;
use crate::error::Result;
use crate::page::{Cursor, Page};
use crate::tasks::TaskQuery;
use crate::time::Timestamp;
use crate::work::Work;

/// The columns of a file of tasks.
pub(super) const COLUMNS: &[&str] = &[
    "id",
    "title",
    "description",
    "status",
    "priority",
    "dueDate",
    "leadId",
    "dealId",
    "assignedTo",
    "createdBy",
    "completedAt",
    "createdAt",
    "updatedAt",
];

/// Writes the page of tasks that a query asks for, overdue or not as of `now`; answers where the next one begins.
pub(super) async fn write(
    work: &mut Work,
    query: &TaskQuery,
    now: Timestamp,
    people: &mut People,
    sheet: &mut Sheet,
) -> Result<Option<Cursor>> {
    let visibility = work.actor().visibility(Action::ReadTask);
    let page = Page::cut(work.tasks().list(visibility, query, now).await?, &query.list, None);
    let users: Vec<_> =
        page.items.iter().flat_map(|task| [task.assigned_to_id, task.created_by_id]).map(Some).collect();
    people.look_up(work, &users).await?;
    for task in &page.items {
        sheet.row([
            Some(&task.id.to_string()),
            Some(&task.title),
            task.description.as_deref(),
            Some(task.status.as_str()),
            Some(task.priority.as_str()),
            task.due_date.map(|moment| moment.to_string()).as_deref(),
            task.lead_id.map(|lead| lead.to_string()).as_deref(),
            task.deal_id.map(|deal| deal.to_string()).as_deref(),
            people.called(Some(task.assigned_to_id)),
            people.called(Some(task.created_by_id)),
            task.completed_at.map(|moment| moment.to_string()).as_deref(),
            Some(&task.created_at.to_string()),
            Some(&task.updated_at.to_string()),
        ]);
    }
    Ok(page.next)
}
