//! The task: its fields and its rules.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NewTask, TaskPatch};
use crate::access::{Action, Actor, Grant, Owned};
use crate::deals::DealRef;
use crate::error::{Error, Result};
use crate::events::{Audience, Circle, EntityType, Event, EventKind, Subject, difference};
use crate::ids::{DealId, LeadId, OrgId, TaskId, UserId};
use crate::input::words;
use crate::leads::LeadRef;
use crate::notifications::{Notice, NotificationType};
use crate::page::{SortValue, Sortable, sort_keys};
use crate::time::Timestamp;
use crate::users::UserRef;

words! {
    /// How far a task is. Every status may change into every other.
    TaskStatus {
        /// Not begun.
        Todo = "TODO",
        /// Somebody is at it.
        InProgress = "IN_PROGRESS",
        /// Completed.
        Done = "DONE",
    }
}

words! {
    /// How much a task matters.
    TaskPriority {
        /// Can wait.
        Low = "LOW",
        /// Neither can wait nor is urgent.
        Medium = "MEDIUM",
        /// Is urgent.
        High = "HIGH",
    }
}

/// Something that somebody has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Task {
    /// The task's id.
    pub id: TaskId,
    /// The organization.
    pub org_id: OrgId,
    /// What is to be done.
    pub title: String,
    /// What exactly.
    pub description: Option<String>,
    /// How far it is.
    pub status: TaskStatus,
    /// How much it matters.
    pub priority: TaskPriority,
    /// By when it is to be done.
    pub due_date: Option<Timestamp>,
    /// The lead that it is about.
    pub lead_id: Option<LeadId>,
    /// The deal that it is about.
    pub deal_id: Option<DealId>,
    /// Who has to do it.
    pub assigned_to_id: UserId,
    /// Who created it.
    pub created_by_id: UserId,
    /// When it was completed; null unless it is DONE.
    pub completed_at: Option<Timestamp>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A task with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct TaskDetail {
    /// The task itself.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub task: Task,
    /// Who has to do it.
    pub assigned_to: UserRef,
    /// Who created it.
    pub created_by: UserRef,
    /// The lead that it is about.
    pub lead: Option<LeadRef>,
    /// The deal that it is about.
    pub deal: Option<DealRef>,
}

impl Owned for Task {
    fn is_own(&self, user: UserId) -> bool {
        self.assigned_to_id == user
    }
}

impl Subject for Task {
    const ENTITY: EntityType = EntityType::Task;

    fn entity_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn readers(&self) -> Audience {
        Audience { circle: Circle::Managers, users: vec![self.assigned_to_id] }
    }
}

sort_keys! {
    /// What tasks can be sorted by.
    TaskSort {
        /// By title.
        Title = "title" Text,
        /// By due date; tasks without one come behind all others.
        DueDate = "dueDate" Time,
    }
}

impl Sortable<TaskSort> for Task {
    fn position(&self, key: TaskSort) -> (SortValue, Uuid) {
        let value = match key {
            TaskSort::CreatedAt => SortValue::Time(self.created_at),
            TaskSort::UpdatedAt => SortValue::Time(self.updated_at),
            TaskSort::Title => SortValue::Text(self.title.clone()),
            TaskSort::DueDate => SortValue::Time(self.due_key()),
        };
        (value, self.id.as_uuid())
    }
}

/// Everything but the aspects that have an event of their own.
fn is_plain_field(name: &str) -> bool {
    !is_status_field(name) && name != "assignedToId"
}

fn is_status_field(name: &str) -> bool {
    matches!(name, "status" | "completedAt")
}

impl Task {
    /// Where notifications about the task lead.
    pub fn link(id: TaskId) -> String {
        format!("/tasks/{id}")
    }

    /// What the task sorts by: its due date, or the far future.
    pub fn due_key(&self) -> Timestamp {
        self.due_date.unwrap_or(Timestamp::FAR_FUTURE)
    }

    /// A new task of the actor's making.
    pub fn create(new: NewTask, id: TaskId, actor: &Actor, now: Timestamp) -> (Self, Vec<Event>) {
        let status = new.status.unwrap_or(TaskStatus::Todo);
        let task = Self {
            id,
            org_id: actor.org_id,
            title: new.title,
            description: new.description,
            status,
            priority: new.priority.unwrap_or(TaskPriority::Medium),
            due_date: new.due_date,
            lead_id: new.lead_id,
            deal_id: new.deal_id,
            assigned_to_id: new.assigned_to_id,
            created_by_id: actor.user_id,
            completed_at: (status == TaskStatus::Done).then_some(now),
            version: 1,
            created_at: now,
            updated_at: now,
        };
        let mut events = vec![Event::about(EventKind::TaskCreated, &task)];
        if task.assigned_to_id != actor.user_id {
            events.push(task.assigned());
        }
        (task, events)
    }

    /// This task with a patch applied, and one event for each changed aspect; none when nothing changed.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden) when the actor may say how the work is going, and the
    /// patch says more.
    pub fn update(&self, patch: TaskPatch, actor: &Actor, now: Timestamp) -> Result<(Self, Vec<Event>)> {
        if actor.grant(Action::UpdateTask) == Grant::OwnProgress && !patch.is_progress() {
            let role = actor.role;
            return Err(Error::forbidden(format!(
                "As {role} you may change a task's status and priority only."
            )));
        }
        let mut task = self.clone();
        if let Some(status) = patch.status.filter(|status| *status != self.status) {
            task.status = status;
            task.completed_at = (status == TaskStatus::Done).then_some(now);
        }
        if let Some(title) = patch.title {
            task.title = title;
        }
        if let Some(priority) = patch.priority {
            task.priority = priority;
        }
        if let Some(assignee) = patch.assigned_to_id {
            task.assigned_to_id = assignee;
        }
        patch.description.apply(&mut task.description);
        patch.due_date.apply(&mut task.due_date);
        patch.lead_id.apply(&mut task.lead_id);
        patch.deal_id.apply(&mut task.deal_id);
        Ok(task.changed_since(self, actor, now))
    }

    /// That this task was deleted.
    pub fn deleted(&self) -> Event {
        Event::about(EventKind::TaskDeleted, self)
    }

    fn changed_since(mut self, before: &Self, actor: &Actor, now: Timestamp) -> (Self, Vec<Event>) {
        let (plain, _) = difference(before, &self, is_plain_field);
        let mut aspects = Vec::new();
        if !plain.is_empty() {
            aspects.push(EventKind::TaskUpdated);
        }
        if self.status != before.status {
            aspects.push(EventKind::TaskStatusChanged);
        }
        if self.assigned_to_id != before.assigned_to_id {
            aspects.push(EventKind::TaskAssigned);
        }
        match (before.status, self.status) {
            (TaskStatus::Done, TaskStatus::Done) => {}
            (_, TaskStatus::Done) => aspects.push(EventKind::TaskCompleted),
            (TaskStatus::Done, _) => aspects.push(EventKind::TaskReopened),
            _ => {}
        }
        if !aspects.is_empty() {
            self.version = before.version + 1;
            self.updated_at = now;
        }
        let event = |kind: &EventKind| match kind {
            EventKind::TaskUpdated => Event::about(*kind, &self).since(before, &self, is_plain_field),
            EventKind::TaskAssigned => self.assigned().since(before, &self, |name| name == "assignedToId"),
            EventKind::TaskCompleted => self.completed(actor).since(before, &self, is_status_field),
            _ => Event::about(*kind, &self).since(before, &self, is_status_field),
        };
        let events = aspects.iter().map(event).collect();
        (self, events)
    }

    fn assigned(&self) -> Event {
        let message = format!("You've been assigned a new task: {}", self.title);
        let notice = Notice::to([Some(self.assigned_to_id)], NotificationType::TaskAssigned, message);
        Event::about(EventKind::TaskAssigned, self).notifying(notice.linking(Self::link(self.id)))
    }

    fn completed(&self, actor: &Actor) -> Event {
        let message = format!("{} completed your task: {}", actor.name, self.title);
        let notice = Notice::to([Some(self.created_by_id)], NotificationType::System, message);
        Event::about(EventKind::TaskCompleted, self).notifying(notice.linking(Self::link(self.id)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;
    use crate::access::Role;
    use crate::notifications::Recipients;
    use crate::patch::Patch;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn user(number: u128) -> UserId {
        Uuid::from_u128(number).into()
    }

    fn created(assignee: UserId) -> (Task, Vec<Event>) {
        let id = Uuid::from_u128(7).into();
        Task::create(NewTask::new("Call", assignee), id, &Actor::sample(Role::Manager), moment("2026-01-01"))
    }

    fn changed(task: &Task, patch: TaskPatch) -> (Task, Vec<Event>) {
        task.update(patch, &Actor::sample(Role::Manager), moment("2026-01-02")).unwrap()
    }

    fn to(status: TaskStatus) -> TaskPatch {
        TaskPatch { status: Some(status), ..TaskPatch::default() }
    }

    fn names(events: &[Event]) -> Vec<&'static str> {
        events.iter().map(|event| event.kind.rule().name).collect()
    }

    #[test]
    fn a_task_for_somebody_else_is_assigned_at_once() {
        assert_eq!(names(&created(user(3)).1), ["task:created", "task:assigned"]);
        assert_eq!(names(&created(user(2)).1), ["task:created"]);
    }

    #[test]
    fn completing_notes_the_moment_and_reopening_forgets_it() {
        let (task, _) = created(user(3));
        let (done, events) = changed(&task, to(TaskStatus::Done));
        assert_eq!(names(&events), ["task:status_changed", "task:completed"]);
        assert_eq!((done.completed_at, done.version), (Some(moment("2026-01-02")), 2));
        let notice = &events[1].notices[0];
        assert_eq!(notice.recipients, Recipients::Users(vec![task.created_by_id]));
        assert_eq!(notice.message, "Ada Byron completed your task: Call");

        let (reopened, events) = changed(&done, to(TaskStatus::InProgress));
        assert_eq!(names(&events), ["task:status_changed", "task:reopened"]);
        assert_eq!(reopened.completed_at, None);
        assert!(changed(&done, to(TaskStatus::Done)).1.is_empty());
    }

    #[test]
    fn a_reassigned_task_is_seen_by_both_assignees() {
        let (task, _) = created(user(3));
        let patch =
            TaskPatch { assigned_to_id: Some(user(4)), due_date: Patch::Clear, ..to(TaskStatus::Done) };
        let (_, events) = changed(&task, patch);
        assert_eq!(names(&events), ["task:status_changed", "task:assigned", "task:completed"]);
        for event in &events {
            assert_eq!(event.audience.users, [user(4), user(3)]);
        }
        assert_eq!(events[1].notices[0].recipients, Recipients::Users(vec![user(4)]));
    }

    #[test]
    fn sales_say_how_the_work_is_going_and_no_more() {
        let (task, _) = created(user(2));
        let sales = Actor::sample(Role::Sales);
        let progress = TaskPatch { priority: Some(TaskPriority::High), ..to(TaskStatus::InProgress) };
        let (_, events) = task.update(progress.clone(), &sales, moment("2026-01-02")).unwrap();
        assert_eq!(names(&events), ["task:updated", "task:status_changed"]);
        let more = [
            TaskPatch { title: Some(task.title.clone()), ..progress.clone() },
            TaskPatch { due_date: Patch::Clear, ..progress.clone() },
            TaskPatch { assigned_to_id: Some(user(2)), ..progress },
        ];
        for patch in more {
            let refused = task.update(patch, &sales, moment("2026-01-02")).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::Forbidden);
        }
    }
}
