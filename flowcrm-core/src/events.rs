//! What happened: the 46 events, and the one table that says who sees each, whether it is audited, and whether it
//! makes dashboards stale.
//!
//! Events are recorded in the transaction of their change and are the log that everything else reads. Each stores
//! its [`Audience`] when it is written; that, not a later look at the record, decides who sees it.

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::access::{Actor, Role};
use crate::ids::UserId;
use crate::input::words;
use crate::notifications::Notice;
use crate::time::Timestamp;

words! {
    /// The kinds of things that events and audit entries are about.
    EntityType {
        /// A lead.
        Lead = "lead",
        /// A deal.
        Deal = "deal",
        /// A task.
        Task = "task",
        /// A user.
        User = "user",
        /// An import.
        Import = "import",
        /// An organization.
        Organization = "organization",
        /// A notification.
        Notification = "notification",
        /// The system itself.
        System = "system",
    }
}

/// Who an event is for, as the table says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceRule {
    /// O: everyone in the organization.
    Everyone,
    /// M: ADMIN and OWNER.
    Admins,
    /// R: those who may read the record before or after the change.
    Readers,
    /// U: the named user.
    User,
    /// M and U.
    AdminsAndUser,
    /// Nobody: kept for the audit log only.
    Nobody,
}

/// A row of the event table.
#[derive(Debug, Clone, Copy)]
pub struct EventRule {
    /// The name on the wire: `lead:created`.
    pub name: &'static str,
    /// What it is about.
    pub entity: EntityType,
    /// Who sees it.
    pub audience: AudienceRule,
    /// Whether it makes an audit entry.
    pub is_audited: bool,
    /// Whether it makes dashboards stale.
    pub makes_dashboards_stale: bool,
}

macro_rules! events {
    ($($variant:ident $name:literal $entity:ident $audience:ident $audited:literal $stale:literal)*) => {
        /// The kinds of events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventKind {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl EventKind {
            /// All kinds, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// This kind's row of the table.
            pub const fn rule(self) -> EventRule {
                match self {
                    $(Self::$variant => EventRule {
                        name: $name,
                        entity: EntityType::$entity,
                        audience: AudienceRule::$audience,
                        is_audited: $audited,
                        makes_dashboards_stale: $stale,
                    },)*
                }
            }
        }
    };
}

events! {
    // Variant              name                          about         audience       audited stale
    LeadCreated             "lead:created"                Lead          Readers        true    true
    LeadUpdated             "lead:updated"                Lead          Readers        true    true
    LeadDeleted             "lead:deleted"                Lead          Readers        true    true
    LeadAssigned            "lead:assigned"               Lead          Readers        true    true
    LeadStatusChanged       "lead:status_changed"         Lead          Readers        true    true
    LeadConverted           "lead:converted"              Lead          Readers        true    true
    LeadActivityAdded       "lead:activity_added"         Lead          Readers        true    true
    DealCreated             "deal:created"                Deal          Everyone       true    true
    DealUpdated             "deal:updated"                Deal          Everyone       true    true
    DealDeleted             "deal:deleted"                Deal          Everyone       true    true
    DealStageChanged        "deal:stage_changed"          Deal          Everyone       true    true
    DealAssigned            "deal:assigned"               Deal          Everyone       true    true
    DealWon                 "deal:won"                    Deal          Everyone       true    true
    DealLost                "deal:lost"                   Deal          Everyone       true    true
    DealReopened            "deal:reopened"               Deal          Everyone       true    true
    TaskCreated             "task:created"                Task          Readers        true    true
    TaskUpdated             "task:updated"                Task          Readers        true    true
    TaskDeleted             "task:deleted"                Task          Readers        true    true
    TaskStatusChanged       "task:status_changed"         Task          Readers        true    true
    TaskReopened            "task:reopened"               Task          Readers        true    true
    TaskAssigned            "task:assigned"               Task          Readers        true    true
    TaskCompleted           "task:completed"              Task          Readers        true    true
    TaskDueSoon             "task:due_soon"               Task          Readers        false   false
    TaskOverdue             "task:overdue"                Task          Readers        false   true
    UserCreated             "user:created"                User          Admins         true    true
    UserUpdated             "user:updated"                User          Admins         true    true
    UserDeleted             "user:deleted"                User          Admins         true    true
    UserReactivated         "user:reactivated"            User          Admins         true    true
    UserRoleChanged         "user:role_changed"           User          AdminsAndUser  true    true
    UserTwoFactorEnabled    "user:2fa_enabled"            User          User           true    false
    UserTwoFactorDisabled   "user:2fa_disabled"           User          User           true    false
    UserPasswordChanged     "user:password_changed"       User          Nobody         true    false
    UserPasswordResetRequested "user:password_reset_requested" User     Nobody         true    false
    UserLogin               "user:login"                  User          Nobody         true    false
    UserLogout              "user:logout"                 User          Nobody         true    false
    UserLoginFailed         "user:login_failed"           User          Nobody         true    false
    UserTokenReuseDetected  "user:token_reuse_detected"   User          Nobody         true    false
    UserSessionsRevoked     "user:sessions_revoked"       User          Nobody         true    false
    ImportCompleted         "import:completed"            Import        AdminsAndUser  true    true
    ImportUndone            "import:undone"               Import        AdminsAndUser  true    true
    OrganizationCreated     "org:created"                 Organization  Admins         true    true
    OrganizationSettingsUpdated "org:settings_updated"    Organization  Admins         true    true
    OrganizationDeleted     "org:deleted"                 Organization  Admins         true    true
    NotificationSent        "notification:sent"           Notification  User           false   false
    NotificationRead        "notification:read"           Notification  User           false   false
    TokensCleaned           "system:tokens_cleaned"       System        Nobody         true    false
}

words! {
    /// The widest circle that sees an event; named users see it besides.
    Circle {
        /// Every member.
        Everyone = "EVERYONE",
        /// MANAGER, ADMIN and OWNER.
        Managers = "MANAGERS",
        /// ADMIN and OWNER.
        Admins = "ADMINS",
        /// Nobody but the named users.
        Nobody = "NOBODY",
    }
}

impl Circle {
    /// Whether a user of `role` stands inside.
    pub const fn includes(self, role: Role) -> bool {
        match self {
            Self::Everyone => true,
            Self::Managers => role.is_at_least_manager(),
            Self::Admins => role.is_admin(),
            Self::Nobody => false,
        }
    }
}

/// Who sees an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// The circle of roles.
    pub circle: Circle,
    /// Users who see it whatever their role.
    pub users: Vec<UserId>,
}

/// Something that events are about.
pub trait Subject: Serialize {
    /// Its kind.
    const ENTITY: EntityType;

    /// Its id.
    fn entity_id(&self) -> Uuid;

    /// Those who may read it beside the managers, or everyone; decides audience R.
    fn readers(&self) -> Audience;
}

/// One event on its way into the log.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its kind.
    pub kind: EventKind,
    /// The id of what it is about.
    pub entity_id: Uuid,
    /// Who sees it.
    pub audience: Audience,
    /// What the audience is told: `{<entity>: record}` and more.
    pub payload: Map<String, Value>,
    /// What the audit log keeps.
    pub details: Value,
    /// Whom it notifies.
    pub notices: Vec<Notice>,
}

impl Event {
    /// An event about `subject` as it is after the change; the audit entry keeps the whole record.
    pub fn about<S: Subject>(kind: EventKind, subject: &S) -> Self {
        let record = serde_json::to_value(subject).unwrap_or_default();
        let readers = subject.readers();
        let audience = match kind.rule().audience {
            AudienceRule::Everyone => Audience { circle: Circle::Everyone, users: Vec::new() },
            AudienceRule::Admins => Audience { circle: Circle::Admins, users: Vec::new() },
            AudienceRule::Readers => readers,
            AudienceRule::User => Audience { circle: Circle::Nobody, ..readers },
            AudienceRule::AdminsAndUser => Audience { circle: Circle::Admins, ..readers },
            AudienceRule::Nobody => Audience { circle: Circle::Nobody, users: Vec::new() },
        };
        Self {
            kind,
            entity_id: subject.entity_id(),
            audience,
            payload: Map::from_iter([(S::ENTITY.as_str().to_owned(), record.clone())]),
            details: record,
            notices: Vec::new(),
        }
    }

    /// A change from `before` to the subject; the audit entry keeps both values of the `fields` that changed, and
    /// those who could read it before see it too.
    #[must_use]
    pub fn since<S: Subject>(mut self, before: &S, after: &S, fields: impl Fn(&str) -> bool) -> Self {
        let (old, new) = difference(before, after, fields);
        self.details = json!({ "before": old, "after": new });
        for user in before.readers().users {
            let is_reader = self.kind.rule().audience == AudienceRule::Readers;
            if is_reader && !self.audience.users.contains(&user) {
                self.audience.users.push(user);
            }
        }
        self
    }

    /// Tells the audience of something more, beside the subject.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.payload.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Has the audit entry keep `details`.
    #[must_use]
    pub fn audited_as(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// Notifies somebody.
    #[must_use]
    pub fn notifying(mut self, notice: Notice) -> Self {
        self.notices.push(notice);
        self
    }
}

/// The fields that differ between two states of a record, as they were and as they are; `version` and `updatedAt`
/// are not changes of their own.
pub fn difference<S: Serialize>(
    before: &S,
    after: &S,
    fields: impl Fn(&str) -> bool,
) -> (Map<String, Value>, Map<String, Value>) {
    let object = |record: &S| match serde_json::to_value(record) {
        Ok(Value::Object(object)) => object,
        _ => Map::new(),
    };
    let (mut old, mut new) = (object(before), object(after));
    let is_change = |name: &String| !matches!(name.as_str(), "version" | "updatedAt") && fields(name);
    let changed: Vec<String> =
        new.keys().filter(|name| is_change(name) && old.get(*name) != new.get(*name)).cloned().collect();
    old.retain(|name, _| changed.contains(name));
    new.retain(|name, _| changed.contains(name));
    (old, new)
}

/// An event as the log keeps it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
#[cfg_attr(feature = "openapi", oai(rename = "Event", rename_all = "camelCase"))]
pub struct LoggedEvent {
    /// Its place in the organization's log, ascending from 1.
    pub position: i64,
    /// Its name, like `lead:created`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", oai(rename = "type"))]
    pub kind: String,
    /// What it is about: `lead`, `deal`, `task`, `user`, `import`, `organization`, `notification`, `system`.
    pub entity_type: EntityType,
    /// The id of what it is about.
    pub entity_id: Uuid,
    /// Who did it; null for the system.
    pub user_id: Option<UserId>,
    /// What happened: `{<entity>: record}` and, for some, more.
    pub payload: Value,
    /// When.
    pub created_at: Timestamp,
}

/// Whose view of the log is wanted.
#[derive(Debug, Clone, Copy)]
pub struct EventViewer {
    /// The viewer.
    pub user_id: UserId,
    /// Their role.
    pub role: Role,
}

impl From<&Actor> for EventViewer {
    fn from(actor: &Actor) -> Self {
        Self { user_id: actor.user_id, role: actor.role }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_46_events_with_names_of_their_own() {
        let names: BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.rule().name).collect();
        assert_eq!((names.len(), EventKind::ALL.len()), (46, 46));
    }

    #[test]
    fn a_difference_leaves_out_what_every_change_changes() {
        let (old, new) = difference(
            &json!({"name": "a", "phone": "1", "version": 1}),
            &json!({"name": "b", "phone": "1", "version": 2}),
            |_| true,
        );
        assert_eq!((json!(old), json!(new)), (json!({"name": "a"}), json!({"name": "b"})));
    }
}
