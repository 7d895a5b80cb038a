use super::{NewTask, Task, TaskDetail, TaskPatch, TaskQuery};
use crate::access::Action;
use crate::bulk::{BulkChange, BulkOutcome, in_lock_order};
use crate::caller::Caller;
use crate::deals::DealRef;
use crate::error::{OrNotFound, Result};
use crate::ids::TaskId;
use crate::input::{Asked, Body, Input};
use crate::leads::LeadRef;
use crate::page::Page;
use crate::work::{Work, check_version};

/// What a caller may do with tasks.
#[derive(Debug)]
pub struct Tasks<'a> {
    caller: &'a Caller,
}

impl<'a> Tasks<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists the tasks that the caller may see.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<TaskQuery>>) -> Result<Page<Task>> {
        let mut work = self.caller.read().await?;
        let query = query.into().read(work.actor().currency)?;
        let visibility = work.actor().visibility(Action::ReadTask);
        let now = work.env().now();
        let total =
            if query.list.count { Some(work.tasks().count(visibility, &query, now).await?) } else { None };
        let tasks = work.tasks().list(visibility, &query, now).await?;
        Ok(Page::cut(tasks, &query.list, total))
    }

    /// Reads a task with its people, and the names of its lead and deal.
    ///
    /// # Errors
    ///
    /// `not_found`.
    pub async fn get(&self, id: TaskId) -> Result<TaskDetail> {
        let mut work = self.caller.read().await?;
        let task = visible(work.tasks().find(id).await?, &work)?;
        let people = work.names(&[Some(task.assigned_to_id), Some(task.created_by_id)]).await?;
        let lead = match task.lead_id {
            Some(lead) => work.leads().find(lead).await?,
            None => None,
        };
        let deal = match task.deal_id {
            Some(deal) => work.deals().find(deal).await?,
            None => None,
        };
        let person = |user| people.iter().find(|person| person.id == user).cloned();
        Ok(TaskDetail {
            assigned_to: person(task.assigned_to_id).or_not_found("user")?,
            created_by: person(task.created_by_id).or_not_found("user")?,
            lead: lead.map(LeadRef::from),
            deal: deal.map(DealRef::from),
            task,
        })
    }

    /// Creates a task.
    ///
    /// # Errors
    ///
    /// `validation_failed`; `forbidden` when the caller may not create tasks, or none for that person.
    pub async fn create(&self, new: impl Input<NewTask>) -> Result<Task> {
        let body = new.into_body()?;
        let mut work = self.caller.write().await?;
        work.actor().require(Action::AssignTask)?;
        if let Some(task) = work.replay("tasks.create", &body).await? {
            return Ok(task);
        }
        let new: NewTask = work.decode(body).await?;
        work.authorize_naming(Action::AssignTask, new.assigned_to_id).await?;
        let (task, events) = Task::create(new, work.env().id(), work.actor(), work.env().now());
        work.tasks().insert(&task).await?;
        work.record(events);
        work.answer(task).await
    }

    /// Changes a task; with `version`, only if it is still at that version.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `stale_version`, `validation_failed`.
    pub async fn update(
        &self,
        id: TaskId,
        patch: impl Input<TaskPatch>,
        version: Option<i64>,
    ) -> Result<Task> {
        let body = patch.into_body()?;
        let mut work = self.caller.write().await?;
        let task = change(&mut work, id, body, version).await?;
        work.commit().await?;
        Ok(task)
    }

    /// Deletes a task.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`.
    pub async fn delete(&self, id: TaskId) -> Result<()> {
        let mut work = self.caller.write().await?;
        remove(&mut work, id).await?;
        work.commit().await
    }

    /// Changes or deletes up to 500 tasks, each by the caller's right on it.
    ///
    /// # Errors
    ///
    /// `validation_failed`; what is wrong with a single task stands in its outcome.
    pub async fn bulk(&self, bulk: Body) -> Result<Vec<BulkOutcome>> {
        let mut work = self.caller.write().await?;
        let (ids, bulk): (Vec<TaskId>, _) = work.decode_bulk::<_, TaskPatch>(bulk).await?;
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

/// The task, if it is there and the actor may see it.
fn visible(task: Option<Task>, work: &Work) -> Result<Task> {
    task.filter(|task| work.actor().may(Action::ReadTask, task)).or_not_found("task")
}

async fn change(work: &mut Work, id: TaskId, body: Body, version: Option<i64>) -> Result<Task> {
    let task = visible(work.tasks().lock(id).await?, work)?;
    work.actor().authorize(Action::UpdateTask, &task)?;
    check_version(task.version, version)?;
    let patch = work.decode(body).await?;
    let (changed, events) = task.update(patch, work.actor(), work.env().now())?;
    if changed.assigned_to_id != task.assigned_to_id {
        work.authorize_naming(Action::AssignTask, changed.assigned_to_id).await?;
    }
    if !events.is_empty() {
        work.tasks().update(&changed).await?;
        work.record(events);
    }
    Ok(changed)
}

async fn remove(work: &mut Work, id: TaskId) -> Result<()> {
    let task = visible(work.tasks().lock(id).await?, work)?;
    work.actor().authorize(Action::DeleteTask, &task)?;
    work.tasks().delete(id).await?;
    work.record([task.deleted()]);
    Ok(())
}
