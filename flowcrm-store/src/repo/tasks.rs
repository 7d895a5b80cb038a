use async_trait::async_trait;
use flowcrm_core::access::Visibility;
use flowcrm_core::ids::{DealId, TaskId, UserId};
use flowcrm_core::tasks::{Task, TaskPriority, TaskQuery, TaskRepository, TaskSort, TaskStatus};
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};

use crate::sql::{OrgConnection, Row, Select, Sql, args, statements, words_of};

macro_rules! columns {
    () => {
        "t.org_id, t.id, t.title, t.description, t.status, t.priority, t.due_date, t.lead_id, t.deal_id,
         t.assigned_to_id, t.created_by_id, t.completed_at, t.version, t.created_at, t.updated_at"
    };
}

const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    "
FROM tasks t
WHERE t.org_id = $1"
);

const COUNT: &str = "SELECT COUNT(*) AS count
FROM tasks t
WHERE t.org_id = $1";

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

    INSERT = Sql::both("INSERT INTO tasks (
    org_id, id, title, description, status, priority, due_date, due_key, lead_id, deal_id, assigned_to_id,
    created_by_id, completed_at, search, version, created_at, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)");

    UPDATE = Sql::both("UPDATE tasks
SET title = $4, description = $5, status = $6, priority = $7, due_date = $8, due_key = $9, lead_id = $10,
    deal_id = $11, assigned_to_id = $12, completed_at = $13, search = $14, updated_at = $15, version = $3
WHERE org_id = $1 AND id = $2 AND version = $3 - 1");

    DELETE = Sql::both("DELETE FROM tasks WHERE org_id = $1 AND id = $2");

    HAND_OVER = Sql::both("UPDATE tasks
SET assigned_to_id = $3, updated_at = $4, version = version + 1
WHERE org_id = $1 AND assigned_to_id = $2 AND status <> 'DONE'
RETURNING id");
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

fn visible(head: &'static str, visibility: Visibility) -> Select {
    let mut select = Select::new(head);
    if let Visibility::Own(user) = visibility {
        select.and("t.assigned_to_id = ?", user);
    }
    select
}

fn narrowed(head: &'static str, visibility: Visibility, query: &TaskQuery, now: Timestamp) -> Select {
    let mut select = visible(head, visibility);
    select.and_some("t.status = ?", query.status.map(TaskStatus::as_str));
    select.and_some("t.priority = ?", query.priority.map(TaskPriority::as_str));
    select.and_some("t.assigned_to_id = ?", query.assigned_to_id);
    select.and_some("t.lead_id = ?", query.lead_id);
    select.and_some("t.deal_id = ?", query.deal_id);
    match query.overdue {
        Some(true) => select.and("t.due_key < ? AND t.status <> 'DONE'", now),
        Some(false) => select.and("(t.due_key >= ? OR t.status = 'DONE')", now),
        None => {}
    }
    // The key of a task without a due date lies behind every moment that a client can name.
    select.and_some("t.due_key >= ? AND t.due_date IS NOT NULL", query.due_from);
    select.and_some("t.due_key < ?", query.due_to);
    select.and_words("t.search LIKE ?", query.q.as_deref());
    select
}

fn sort_column(key: TaskSort) -> &'static str {
    match key {
        TaskSort::CreatedAt => "t.created_at",
        TaskSort::UpdatedAt => "t.updated_at",
        TaskSort::Title => "t.title",
        TaskSort::DueDate => "t.due_key",
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
        let mut select = visible(LIST, visibility);
        select.and("t.deal_id = ?", deal);
        let select = select.ending("ORDER BY t.created_at DESC, t.id DESC").limit(limit);
        self.select(select).await?.iter().map(task).collect()
    }

    async fn list(&mut self, visibility: Visibility, query: &TaskQuery, now: Timestamp) -> Result<Vec<Task>> {
        let select = narrowed(LIST, visibility, query, now);
        let select = select.page(&query.list, sort_column(query.list.sort.key), "t.id");
        self.select(select).await?.iter().map(task).collect()
    }

    async fn count(&mut self, visibility: Visibility, query: &TaskQuery, now: Timestamp) -> Result<u64> {
        OrgConnection::count(self, narrowed(COUNT, visibility, query, now)).await
    }

    async fn insert(&mut self, task: &Task) -> Result<()> {
        let values = args![
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
        ];
        self.execute(INSERT, values).await.map(|_| ())
    }

    async fn update(&mut self, task: &Task) -> Result<()> {
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
        match self.execute(UPDATE, values).await? {
            1 => Ok(()),
            _ => Err(Error::conflict("Somebody else has just changed this task: read it again.")),
        }
    }

    async fn delete(&mut self, id: TaskId) -> Result<()> {
        self.execute(DELETE, args![id]).await.map(|_| ())
    }

    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<TaskId>> {
        self.all(HAND_OVER, args![from, to, at]).await?.iter().map(|row| row.id("id")).collect()
    }
}
