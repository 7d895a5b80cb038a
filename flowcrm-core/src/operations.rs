//! Everything that a signed-in caller may ask for, in one list: what the doors of other languages are made from, and what
//! the HTTP routes are checked against.
//!
//! To add an operation is to write its service function and its line here.
//!
//! ```
//! use flowcrm_core::operations::{OPERATIONS, Operation};
//! let create = Operation::named("leads", "create").unwrap();
//! assert_eq!((create.id, create.input, create.writes()), ("createLead", Some("NewLead"), true));
//! assert!(OPERATIONS.iter().all(|operation| operation.output != ""));
//! ```

mod datum;

use std::fmt;
use std::pin::Pin;
use std::str::FromStr;

use serde::Serialize;

pub use self::datum::{Datum, NoDatum};
pub(crate) use self::datum::{MOMENT, MONEY};

use crate::access::Action;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::input::Body;
use crate::notifications::{Inbox, Notification};
use crate::page::Page;

/// What an operation is about to be asked with.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    /// The record's id.
    pub id: Option<String>,
    /// The fields of its command or query, unchecked.
    pub fields: Body,
    /// The version that the caller knows of the record; another one is refused as `stale_version`.
    pub version: Option<i64>,
    /// Makes an operation that creates safe to repeat; see [`Caller::with_idempotency_key`].
    pub idempotency_key: Option<String>,
}

/// What an operation answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// A record, or the records of a page.
    pub value: Datum,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many records there are in all, when asked with `count`.
    pub total: Option<u64>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It answers something that is there, and changes nothing.
    Reads,
    /// It answers a page of a list, and changes nothing.
    Lists,
    /// It changes something.
    Writes,
    /// It makes something, once per idempotency key.
    Creates,
}

/// One thing that a caller may ask for.
#[derive(Clone, Copy)]
pub struct Operation {
    /// What it is about: `leads`, `dashboard`.
    pub group: &'static str,
    /// What it does: `create`.
    pub name: &'static str,
    /// Its `operationId` in the OpenAPI document.
    pub id: &'static str,
    /// Whether it reads, lists or writes.
    pub kind: Kind,
    /// Whether it is about one record, which has to be named by its id.
    pub takes_id: bool,
    /// Whether it can be bound to the version of a record.
    pub takes_version: bool,
    /// The command or query that it takes, as the OpenAPI document calls a command.
    pub input: Option<&'static str>,
    /// The resource that it answers, or lists, as the OpenAPI document calls it.
    pub output: &'static str,
    /// What the caller must be allowed to do, at least; none where it is for platform operators.
    pub action: Option<Action>,
    call: fn(Caller, Arguments) -> Pending,
}

type Pending = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

impl Operation {
    /// The operation of a group with this name.
    pub fn named(group: &str, name: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.group == group && operation.name == name)
    }

    /// Whether it changes something.
    pub const fn writes(&self) -> bool {
        matches!(self.kind, Kind::Writes | Kind::Creates)
    }

    /// Asks for it.
    ///
    /// # Errors
    ///
    /// Those of the service's function; `validation_failed` for an `id` that is missing, or for what it does not take:
    /// fields, a version, a key; `not_found` for an `id` that is none.
    pub async fn call(&self, caller: &Caller, mut arguments: Arguments) -> Result<Answer> {
        if self.input.is_none() {
            arguments = arguments.without_fields()?;
        }
        if !self.takes_id && arguments.id.is_some() {
            return Err(Error::field("id", "is not taken here"));
        }
        if !self.takes_version && arguments.version.is_some() {
            return Err(Error::field("version", "is not taken here"));
        }
        let caller = match arguments.idempotency_key.take() {
            None => caller.clone(),
            Some(key) if self.kind == Kind::Creates => caller.clone().with_idempotency_key(key)?,
            Some(_) => return Err(Error::field("Idempotency-Key", "is not taken here")),
        };
        (self.call)(caller, arguments).await
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.group, self.name)
    }
}

impl Arguments {
    fn id<T: FromStr>(&self) -> Result<T> {
        let id = self.id.as_deref().ok_or_else(|| Error::field("id", "is required"))?;
        id.parse().map_err(|_| Error::not_found("record"))
    }

    /// Refuses fields where none are taken.
    fn without_fields(self) -> Result<Self> {
        Ok(Self { fields: self.fields.decode::<Nothing>().map(|Nothing| Body::default())?, ..self })
    }
}

/// A command without fields.
struct Nothing;

impl crate::input::Command for Nothing {
    fn decode(_: &mut crate::input::Fields) -> Self {
        Self
    }
}

impl Answer {
    fn record(record: impl Serialize) -> Result<Self> {
        let value = Datum::of(&record).map_err(Error::internal)?;
        Ok(Self { value, next: None, total: None })
    }

    fn page<T: Serialize>(page: impl Into<Page<T>>) -> Result<Self> {
        let Page { items, next, total } = page.into();
        let value = Datum::of(&items).map_err(Error::internal)?;
        Ok(Self { value, next: next.map(|cursor| cursor.to_string()), total })
    }
}

impl From<Inbox> for Page<Notification> {
    fn from(inbox: Inbox) -> Self {
        inbox.page
    }
}

macro_rules! argument {
    ($arguments:ident id) => {
        $arguments.id()?
    };
    ($arguments:ident fields) => {
        $arguments.fields.clone()
    };
    ($arguments:ident version) => {
        $arguments.version
    };
}

macro_rules! answer {
    (Lists $answer:expr) => {
        Answer::page($answer)
    };
    ($kind:ident $answer:expr) => {
        Answer::record($answer)
    };
}

macro_rules! input {
    () => {
        None
    };
    ($input:literal) => {
        Some($input)
    };
}

macro_rules! action {
    (Operator) => {
        None
    };
    ($action:ident) => {
        Some(Action::$action)
    };
}

macro_rules! operations {
    ($(
        $group:ident { $(
            $name:ident = $id:literal $kind:ident ($($argument:ident),*) $([$input:literal])? -> $output:literal, $action:ident;
        )* }
    )*) => {
        /// All operations, group by group.
        pub const OPERATIONS: &[Operation] = &[$($(
            Operation {
                group: stringify!($group),
                name: stringify!($name),
                id: $id,
                kind: Kind::$kind,
                takes_id: contains(&[$(stringify!($argument)),*], "id"),
                takes_version: contains(&[$(stringify!($argument)),*], "version"),
                input: input!($($input)?),
                output: $output,
                action: action!($action),
                call: |caller, arguments| {
                    Box::pin(async move {
                        let _ = &arguments;
                        let answer = caller.$group().$name($(argument!(arguments $argument)),*).await?;
                        answer!($kind answer)
                    })
                },
            },
        )*)*];
    };
}

/// Whether a name is among some, known when it is compiled.
const fn contains(names: &[&str], name: &str) -> bool {
    let mut index = 0;
    while index < names.len() {
        // Each argument's name begins with another letter.
        if names[index].as_bytes()[0] == name.as_bytes()[0] {
            return true;
        }
        index += 1;
    }
    false
}

operations! {
    leads {
        list = "listLeads" Lists (fields) ["LeadQuery"] -> "Lead", ReadLead;
        get = "getLead" Reads (id) -> "LeadDetail", ReadLead;
        create = "createLead" Creates (fields) ["NewLead"] -> "Lead", CreateLead;
        update = "updateLead" Writes (id, fields, version) ["LeadPatch"] -> "Lead", UpdateLead;
        delete = "deleteLead" Writes (id) -> "null", DeleteLead;
        bulk = "bulkLeads" Writes (fields) ["BulkLeads"] -> "BulkOutcome", ReadLead;
        assign = "assignLead" Writes (id, fields) ["AssignLead"] -> "Lead", AssignLead;
        convert = "convertLead" Creates (id, fields) ["ConvertLead"] -> "Conversion", ConvertLead;
        activities = "listLeadActivities" Lists (id, fields) ["ActivityQuery"] -> "Activity", ReadLead;
        add_activity = "addLeadActivity" Creates (id, fields) ["NewActivity"] -> "Activity", AddActivity;
    }
    deals {
        list = "listDeals" Lists (fields) ["DealQuery"] -> "Deal", ReadDeal;
        get = "getDeal" Reads (id) -> "DealDetail", ReadDeal;
        create = "createDeal" Creates (fields) ["NewDeal"] -> "Deal", CreateDeal;
        update = "updateDeal" Writes (id, fields, version) ["DealPatch"] -> "Deal", UpdateDeal;
        delete = "deleteDeal" Writes (id) -> "null", DeleteDeal;
        bulk = "bulkDeals" Writes (fields) ["BulkDeals"] -> "BulkOutcome", ReadDeal;
    }
    tasks {
        list = "listTasks" Lists (fields) ["TaskQuery"] -> "Task", ReadTask;
        get = "getTask" Reads (id) -> "TaskDetail", ReadTask;
        create = "createTask" Creates (fields) ["NewTask"] -> "Task", AssignTask;
        update = "updateTask" Writes (id, fields, version) ["TaskPatch"] -> "Task", UpdateTask;
        delete = "deleteTask" Writes (id) -> "null", DeleteTask;
        bulk = "bulkTasks" Writes (fields) ["BulkTasks"] -> "BulkOutcome", ReadTask;
    }
    users {
        list = "listUsers" Lists (fields) ["UserQuery"] -> "UserView", ReadUser;
        get = "getUser" Reads (id) -> "UserView", ReadUser;
        create = "createUser" Creates (fields) ["NewUser"] -> "User", ManageUser;
        update = "updateUser" Writes (id, fields, version) ["UpdateUser"] -> "User", ManageUser;
        deactivate = "deactivateUser" Writes (id, fields) ["DeactivateUser"] -> "null", ManageUser;
    }
    account {
        get = "getMe" Reads () -> "User", UpdateSelf;
        update = "updateMe" Writes (fields, version) ["UpdateMe"] -> "User", UpdateSelf;
        sessions = "listSessions" Reads () -> "Session", ReadOwnInbox;
        end_session = "endSession" Writes (id) -> "null", ReadOwnInbox;
    }
    organization {
        get = "getOrganization" Reads () -> "Organization", ReadOrganization;
        update = "updateOrganization" Writes (fields, version) ["UpdateOrganization"] -> "Organization", UpdateOrganization;
    }
    organizations {
        list = "listOrganizations" Lists (fields) ["OrganizationQuery"] -> "Organization", Operator;
        get = "getOrganizationById" Reads (id) -> "Organization", Operator;
        create = "createOrganization" Creates (fields) ["NewOrganization"] -> "Organization", Operator;
        delete = "deleteOrganization" Writes (id) -> "null", Operator;
    }
    notifications {
        list = "listNotifications" Lists (fields) ["NotificationQuery"] -> "Notification", ReadOwnInbox;
        mark_read = "readNotification" Writes (id) -> "Notification", ReadOwnInbox;
        mark_all_read = "readAllNotifications" Writes () -> "integer", ReadOwnInbox;
        announce = "announce" Writes (fields) ["Announce"] -> "integer", Announce;
    }
    imports {
        list = "listImports" Lists (fields) ["ImportQuery"] -> "Import", Import;
        get = "getImport" Reads (id) -> "Import", Import;
        undo = "undoImport" Writes (id) -> "Import", Import;
        rejected = "listRejectedRows" Lists (id, fields) ["RejectionQuery"] -> "Rejection", Import;
        kept = "listKeptRecords" Lists (id, fields) ["KeptQuery"] -> "KeptRecord", Import;
    }
    dashboard {
        stats = "dashboardStats" Reads () -> "DashboardStats", ReadDashboard;
        weekly = "dashboardWeekly" Reads () -> "WeeklyFigures", ReadDashboard;
        pipeline = "dashboardPipeline" Reads () -> "StageFigures", ReadDashboard;
        lead_status = "dashboardLeadStatus" Reads () -> "LeadStatusFigures", ReadDashboard;
        lead_sources = "dashboardLeadSources" Reads () -> "LeadSourceFigures", ReadDashboard;
        task_status = "dashboardTaskStatus" Reads () -> "TaskStatusFigures", ReadDashboard;
        overdue_tasks = "dashboardOverdueTasks" Reads (fields) ["OverdueQuery"] -> "Task", ReadDashboard;
        team_performance = "dashboardTeamPerformance" Reads () -> "MemberFigures", ReadTeamPerformance;
        activity = "dashboardActivity" Reads (fields) ["FeedQuery"] -> "Event", ReadDashboard;
    }
    events {
        list = "listEvents" Reads (fields) ["EventQuery"] -> "Event", ReadDashboard;
    }
    audit {
        list = "listAuditLogs" Lists (fields) ["AuditQuery"] -> "AuditEntry", ReadAuditLog;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_names_of_its_own() {
        let ids: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.id).collect();
        let names: BTreeSet<_> =
            OPERATIONS.iter().map(|operation| (operation.group, operation.name)).collect();
        assert_eq!((ids.len(), names.len()), (OPERATIONS.len(), OPERATIONS.len()));
        let update = Operation::named("deals", "update").expect("an operation");
        assert!(update.takes_id && update.takes_version && update.writes());
        assert!(!Operation::named("deals", "list").expect("an operation").takes_id);
        assert!(Operation::named("deals", "steal").is_none());
    }
}
