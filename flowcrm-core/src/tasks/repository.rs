use async_trait::async_trait;

use super::{Task, TaskQuery};
use crate::access::Visibility;
use crate::error::Result;
use crate::ids::{DealId, TaskId, UserId};
use crate::time::Timestamp;

/// Where tasks are kept. Every method sees the transaction's organization only.
#[async_trait]
pub trait TaskRepository: Send {
    /// The task, if it is there.
    async fn find(&mut self, id: TaskId) -> Result<Option<Task>>;

    /// The task, held against other writers until the transaction ends.
    async fn lock(&mut self, id: TaskId) -> Result<Option<Task>>;

    /// The visible tasks of a deal, newest first, at most so many.
    async fn of_deal(&mut self, visibility: Visibility, deal: DealId, limit: usize) -> Result<Vec<Task>>;

    /// The tasks that a query selects among the visible ones, overdue or not as of `now`: one more than the limit if
    /// there are more.
    async fn list(&mut self, visibility: Visibility, query: &TaskQuery, now: Timestamp) -> Result<Vec<Task>>;

    /// How many tasks a query selects as of `now`, whatever the page.
    async fn count(&mut self, visibility: Visibility, query: &TaskQuery, now: Timestamp) -> Result<u64>;

    /// Adds a task.
    async fn insert(&mut self, task: &Task) -> Result<()>;

    /// Writes a changed task over its former version.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when the former version is no longer there.
    async fn update(&mut self, task: &Task) -> Result<()>;

    /// Deletes a task.
    async fn delete(&mut self, id: TaskId) -> Result<()>;

    /// Gives a user's open tasks (not DONE) to another, as assignee; answers which.
    async fn hand_over(&mut self, from: UserId, to: UserId, at: Timestamp) -> Result<Vec<TaskId>>;
}
