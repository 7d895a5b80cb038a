use async_trait::async_trait;
use flowcrm_core::access::Visibility;
use flowcrm_core::ids::{DealId, TaskId, UserId};
use flowcrm_core::page::Listing;
use flowcrm_core::tasks::{Task, TaskPriority, TaskQuery, TaskRepository, TaskSort, TaskStatus};
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};

use super::terms;
use crate::sql::{Index, List, OrgConnection, Row, Sql, Table, Value, args, statements, words_of};

macro_rules! columns {
    () => {
        "t.org_id, t.id, t.title, t.description, t.status, t.priority, t.due_date, t.lead_id, t.deal_id,
         t.assigned_to_id, t.created_by_id, t.completed_at, t.version, t.created_at, t.updated_at"
    };
}

static TABLE: Table =
    Table { name: "tasks", alias: "t", columns: columns!(), joins: "", terms: "task_terms" };

const BY_CREATION: Index = Index { name: "tasks_by_creation", order: "t.created_at" };
const BY_CHANGE: Index = Index { name: "tasks_by_change", order: "t.updated_at" };
const BY_TITLE: Index = Index { name: "tasks_by_title", order: "t.title" };
const BY_DUE_DATE: Index = Index { name: "tasks_by_due_date", order: "t.due_key" };
const UNDONE: Index = Index { name: "tasks_undone", order: "t.due_key" };
const BY_STATUS: Index = Index { name: "tasks_by_status", order: "t.created_at" };
const BY_PRIORITY: Index = Index { name: "tasks_by_priority", order: "t.created_at" };
const BY_LEAD: Index = Index { name: "tasks_of_lead", order: "t.created_at" };
const BY_DEAL: Index = Index { name: "tasks_of_deal", order: "t.created_at" };
const BY_ASSIGNEE: &[Index] = &[
    Index { name: "tasks_by_assignee", order: "t.created_at" },
    Index { name: "tasks_by_assignee_and_due_date", order: "t.due_key" },
];

/// The beginning of an insert; [`values`] gives what follows the organization.
const INSERT: &str = "INSERT INTO tasks (
    org_id, id, title, description, status, priority, due_date, due_key, lead_id, deal_id, assigned_to_id,
    created_by_id, completed_at, search, version, created_at, updated_at
)";

statements! {
    FIND = Sql::both(concat!("SELECT ", columns!(), "
FROM tasks t
WHERE t.org_id = $1 AND t.id = $2"));

    LOCK = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM tasks t
WHERE t.org_id = $1 AND t.id = $2
FOR UPDATE"),
        concat!("SELECT ", columns!(), "
FROM tasks t
WHERE t.org_id = $1 AND t.id = $2"),
    );

    UPDATE = Sql::both("UPDATE tasks
SET title = $4, description = $5, status = $6, priority = $7, due_date = $8, due_key = $9, lead_id = $10,
    deal_id = $11, assigned_to_id = $12, completed_at = $13, search = $14, updated_at = $15, version = $3
WHERE org_id = $1 AND id = $2 AND version = $3 - 1");

    DELETE = Sql::both("DELETE FROM tasks WHERE org_id = $1 AND id = $2");

    /// What [`HAND_OVER`] will change, held against other writers.
    TO_HAND_OVER = Sql::pair(
        concat!("SELECT ", columns!(), "
FROM tasks t
WHERE t.org_id = $1 AND t.assigned_to_id = $2 AND t.status <> 'DONE'
FOR UPDATE"),
        concat!("SELECT ", columns!(), "
FROM tasks t
WHERE t.org_id = $1 AND t.assigned_to_id = $2 AND t.status <> 'DONE'"),
    );

    HAND_OVER = Sql::both("UPDATE tasks
SET assigned_to_id = $3, updated_at = $4, version = version + 1
WHERE org_id = $1 AND assigned_to_id = $2 AND status <> 'DONE'");
}

fn task(row: &Row) -> Result<Task> {
    Ok(Task {
        id: row.id("id")?,
        org_id: row.id("org_id")?,
        title: row.text("title")?,
        description: row.optional_text("description")?,
        status: row.spelled("status")?,
        priority: row.spelled("priority")?,
        due_date: row.optional_time("due_date")?,
        lead_id: row.optional_id("lead_id")?,
        deal_id: row.optional_id("deal_id")?,
        assigned_to_id: row.id("assigned_to_id")?,
        created_by_id: row.id("created_by_id")?,
        completed_at: row.optional_time("completed_at")?,
        version: row.int("version")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn search(task: &Task) -> String {
    words_of(&[Some(&task.title)])
}

/// The columns of [`INSERT`] after the organization.
fn values(task: &Task) -> Vec<Value> {
    args![
        task.id,
        &task.title,
        &task.description,
        task.status.as_str(),
        task.priority.as_str(),
        task.due_date,
        task.due_key(),
        task.lead_id,
        task.deal_id,
        task.assigned_to_id,
        task.created_by_id,
        task.completed_at,
        search(task),
        task.version,
        task.created_at,
        task.updated_at,
    ]
}

/// Adds new tasks with their words.
pub(crate) async fn insert_all(connection: &mut OrgConnection, tasks: &[Task]) -> Result<()> {
    connection.insert_many(INSERT, "", tasks.iter().map(values)).await?;
    let words: Vec<String> = tasks.iter().map(search).collect();
    let records = tasks.iter().map(|task| task.id.as_uuid()).zip(words.iter().map(String::as_str));
    terms::TASKS.insert(connection, records).await?;
    for task in tasks {
        connection.figures.task_changed(None, Some(task));
    }
    Ok(())
}

fn visible(visibility: Visibility) -> List {
    let mut list = List::of(&TABLE);
    if let Visibility::Own(user) = visibility {
        list.see("t.assigned_to_id = ?", user, BY_ASSIGNEE);
    }
    list
}

pub(crate) fn narrowed(visibility: Visibility, query: &TaskQuery, now: Timestamp) -> List {
    let mut list = visible(visibility);
    list.only("t.status = ?", query.status.map(TaskStatus::as_str), &[BY_STATUS]);
    list.only("t.priority = ?", query.priority.map(TaskPriority::as_str), &[BY_PRIORITY]);
    list.only("t.assigned_to_id = ?", query.assigned_to_id, BY_ASSIGNEE);
    list.only("t.lead_id = ?", query.lead_id, &[BY_LEAD]);
    list.only("t.deal_id = ?", query.deal_id, &[BY_DEAL]);
    match query.overdue {
        Some(true) => list.only("t.due_key < ? AND t.status <> 'DONE'", Some(now), &[UNDONE]),
        Some(false) => list.only("(t.due_key >= ? OR t.status = 'DONE')", Some(now), &[]),
        None => {}
    }
    // The key of a task without a due date lies behind every moment that a client can name.
    let to = query.due_to.or(query.due_from.map(|_| Timestamp::FAR_FUTURE));
    list.between([("t.due_key >= ?", query.due_from), ("t.due_key < ?", to)], &[BY_DUE_DATE]);
    list.search(query.q.as_deref());
    list
}

pub(crate) const fn order(key: TaskSort) -> Index {
    match key {
        TaskSort::CreatedAt => BY_CREATION,
        TaskSort::UpdatedAt => BY_CHANGE,
        TaskSort::Title => BY_TITLE,
        TaskSort::DueDate => BY_DUE_DATE,
    }
}

#[async_trait]
impl TaskRepository for OrgConnection {
    async fn find(&mut self, id: TaskId) -> Result<Option<Task>> {
        self.optional(FIND, args![id]).await?.as_ref().map(task).transpose()
    }

    async fn lock(&mut self, id: TaskId) -> Result<Option<Task>> {
        self.optional(LOCK, args![id]).await?.as_ref().map(task).transpose()
    }

    async fn of_deal(&mut self, visibility: Visibility, deal: DealId, limit: usize) -> Result<Vec<Task>> {
        let mut list = visible(visibility);
        list.only("t.deal_id = ?", Some(deal), &[BY_DEAL]);
        let listing = Listing { limit, ..Listing::<TaskSort>::default() };
        let mut rows = self.page(&list, &listing, BY_CREATION).await?;
        rows.truncate(limit);
        rows.iter().map(task).collect()
    }

    async fn list(&mut self, visibility: Visibility, query: &TaskQuery, now: Timestamp) -> Result<Vec<Task>> {
        let list = narrowed(visibility, query, now);
        self.page(&list, &query.list, order(query.list.sort.key)).await?.iter().map(task).collect()
    }

    async fn count(&mut self, visibility: Visibility, query: &TaskQuery, now: Timestamp) -> Result<u64> {
        self.total(&narrowed(visibility, query, now)).await
    }

    async fn insert(&mut self, task: &Task) -> Result<()> {
        insert_all(self, std::slice::from_ref(task)).await
    }

    async fn update(&mut self, task: &Task) -> Result<()> {
        let former = TaskRepository::find(self, task.id).await?;
        let outdated = || Error::conflict("Somebody else has just changed this task: read it again.");
        let former = former.filter(|former| former.version == task.version - 1).ok_or_else(outdated)?;
        let values = args![
            task.id,
            task.version,
            &task.title,
            &task.description,
            task.status.as_str(),
            task.priority.as_str(),
            task.due_date,
            task.due_key(),
            task.lead_id,
            task.deal_id,
            task.assigned_to_id,
            task.completed_at,
            search(task),
            task.updated_at,
        ];
        if self.execute(UPDATE, values).await? != 1 {
            return Err(outdated());
        }
        self.figures.task_changed(Some(&former), Some(task));
        terms::TASKS.replace(self, task.id.as_uuid(), &search(&former), &search(task)).await
    }

    async fn delete(&mut self, id: TaskId) -> Result<()> {
        let Some(former) = TaskRepository::find(self, id).await? else {
            return Ok(());
        };
        if self.execute(DELETE, args![id]).await? == 1 {
            self.figures.task_changed(Some(&former), None);
            terms::TASKS.replace(self, id.as_uuid(), &search(&former), "").await?;
        }
        Ok(())
    }

    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<TaskId>> {
        let rows = self.all(TO_HAND_OVER, args![from]).await?;
        let held: Vec<Task> = rows.iter().map(task).collect::<Result<_>>()?;
        if self.execute(HAND_OVER, args![from, to, at]).await? != held.len() as u64 {
            return Err(Error::conflict("More work has just been given to this user: try again."));
        }
        for former in &held {
            let succeeded = Task { assigned_to_id: to, ..former.clone() };
            self.figures.task_changed(Some(former), Some(&succeeded));
        }
        Ok(held.into_iter().map(|task| task.id).collect())
    }
}
