use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::events::{Audience, Circle, EntityType, Subject};
use crate::ids::{NotificationId, UserId};
use crate::input::{Command, Fields, boolean, in_query, text, words};
use crate::page::{Cursor, Listing, SortValue, Sortable, sort_keys};
use crate::time::Timestamp;

words! {
    /// What a notification is about.
    NotificationType {
        /// A task was given to the user.
        TaskAssigned = "TASK_ASSIGNED",
        /// The user was added to the organization.
        UserAdded = "USER_ADDED",
        /// A lead was given to the user.
        LeadAssigned = "LEAD_ASSIGNED",
        /// A deal of the user's changed.
        DealUpdated = "DEAL_UPDATED",
        /// Anything else.
        System = "SYSTEM",
    }
}

/// A message to one member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Notification {
    /// The notification's id.
    pub id: NotificationId,
    /// Who is told.
    pub user_id: UserId,
    /// What it is about.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", oai(rename = "type"))]
    pub kind: NotificationType,
    /// The sentence.
    pub message: String,
    /// Where it leads, as a path of the console: `/deals/{id}`.
    pub link: Option<String>,
    /// Whether the member has read it.
    pub read: bool,
    /// When it was sent.
    pub created_at: Timestamp,
}

impl Subject for Notification {
    const ENTITY: EntityType = EntityType::Notification;

    fn entity_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn readers(&self) -> Audience {
        Audience { circle: Circle::Nobody, users: vec![self.user_id] }
    }
}

/// Who is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// These users.
    Users(Vec<UserId>),
    /// Every active member.
    ActiveMembers,
}

/// A notification that an event asks for. One recipient gets one per command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Who is told.
    pub recipients: Recipients,
    /// What it is about.
    pub kind: NotificationType,
    /// The sentence.
    pub message: String,
    /// Where it leads.
    pub link: Option<String>,
    /// Whether the actor is told too.
    pub includes_actor: bool,
}

impl Notice {
    /// A notice to `users`; absent ones are left out.
    pub fn to(
        users: impl IntoIterator<Item = Option<UserId>>,
        kind: NotificationType,
        message: String,
    ) -> Self {
        let users = users.into_iter().flatten().collect();
        Self { recipients: Recipients::Users(users), kind, message, link: None, includes_actor: false }
    }

    /// A notice to every active member.
    pub fn to_everyone(kind: NotificationType, message: String) -> Self {
        Self { recipients: Recipients::ActiveMembers, ..Self::to([], kind, message) }
    }

    /// Leads to `link`.
    #[must_use]
    pub fn linking(mut self, link: String) -> Self {
        self.link = Some(link);
        self
    }

    /// Tells the actor too.
    #[must_use]
    pub fn including_actor(mut self) -> Self {
        self.includes_actor = true;
        self
    }
}

sort_keys! {
    /// What notifications can be sorted by.
    NotificationSort {}
}

impl Sortable<NotificationSort> for Notification {
    fn position(&self, _: NotificationSort) -> (SortValue, Uuid) {
        (SortValue::Time(self.created_at), self.id.as_uuid())
    }
}

/// Which of one's own notifications are wanted; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct NotificationQuery {
    /// Only those not read yet (`true`), or only read ones (`false`).
    pub unread: Option<bool>,
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<NotificationSort>,
}

impl Command for NotificationQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { unread: fields.optional("unread", in_query(boolean)), list: Listing::decode(fields) }
    }
}

impl NotificationQuery {
    /// The next page.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.list = self.list.after(cursor);
        self
    }
}

/// A message to everyone in the organization.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Announce {
    /// The sentence, 1 to 1,000 characters.
    pub message: String,
    /// Where it leads: a path like `/deals` or an `https` address, at most 500 characters.
    pub link: Option<String>,
}

impl Command for Announce {
    fn decode(fields: &mut Fields) -> Self {
        let link = fields.optional("link", |value| {
            let link = text(0..=500)(value)?;
            // Browsers take a backslash for a slash: `/\\host` would lead elsewhere.
            let is_path = link.starts_with('/') && !link.starts_with("//") && !link.contains('\\');
            let is_address = link.starts_with("https://");
            if is_path || is_address {
                Ok(link)
            } else {
                Err("must be a path or an https address".to_owned())
            }
        });
        Self { message: fields.required("message", text(1..=1_000)).unwrap_or_default(), link }
    }
}
