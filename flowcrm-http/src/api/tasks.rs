use flowcrm_core::bulk::BulkOutcome;
use flowcrm_core::ids::TaskId;
use flowcrm_core::tasks::{NewTask, Task, TaskDetail, TaskPatch, TaskQuery};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::bulk::BulkTasks;
use super::{Chapter, Deleted};
use crate::answer::{Answer, Created, ListAnswer, Versioned};
use crate::extract::{IfMatch, JsonBody, Query, Signed};
use crate::problem::Result;

pub(super) struct Tasks;

#[OpenApi(prefix_path = "/api/tasks", tag = "Chapter::Tasks")]
impl Tasks {
    /// Lists tasks.
    #[oai(path = "/", method = "get", operation_id = "listTasks")]
    async fn list(&self, caller: Signed, query: Query<TaskQuery>) -> Result<ListAnswer<Task>> {
        Ok(ListAnswer(caller.0.tasks().list(query.0).await?))
    }

    /// Creates a task.
    #[oai(path = "/", method = "post", operation_id = "createTask")]
    async fn create(&self, caller: Signed, body: JsonBody<NewTask>) -> Result<Created<Task>> {
        Ok(Created(caller.0.tasks().create(body.0).await?))
    }

    /// Changes or deletes up to 500 tasks, each by your right on it.
    #[oai(path = "/bulk", method = "post", operation_id = "bulkTasks")]
    async fn bulk(&self, caller: Signed, body: JsonBody<BulkTasks>) -> Result<Answer<Vec<BulkOutcome>>> {
        Ok(Answer(caller.0.tasks().bulk(body.0).await?))
    }

    /// Reads a task with its people, its lead and its deal.
    #[oai(path = "/:id", method = "get", operation_id = "getTask")]
    async fn get(&self, caller: Signed, id: Path<TaskId>) -> Result<Versioned<TaskDetail>> {
        let record = caller.0.tasks().get(id.0).await?;
        Ok(Versioned { version: Some(record.task.version), record })
    }

    /// Changes a task: absent fields stay, null clears.
    #[oai(path = "/:id", method = "put", operation_id = "updateTask")]
    async fn update(
        &self,
        caller: Signed,
        id: Path<TaskId>,
        if_match: IfMatch,
        body: JsonBody<TaskPatch>,
    ) -> Result<Versioned<Task>> {
        let record = caller.0.tasks().update(id.0, body.0, if_match.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Deletes a task.
    #[oai(path = "/:id", method = "delete", operation_id = "deleteTask")]
    async fn delete(&self, caller: Signed, id: Path<TaskId>) -> Result<Answer<Deleted>> {
        caller.0.tasks().delete(id.0).await?;
        Ok(Answer(Deleted::of(id.0)))
    }
}
