//! The user: fields and rules.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Role;
use crate::email::Email;
use crate::events::{Audience, Circle, EntityType, Subject};
use crate::ids::{OrgId, UserId};
use crate::page::{SortValue, Sortable, sort_keys};
use crate::time::Timestamp;

/// A user, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct UserRef {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub name: String,
}

/// What every member may know of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct UserBrief {
    /// The user's id.
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// The user's role.
    pub role: Role,
    /// Whether the user may sign in.
    pub active: bool,
}

/// A member, as commands that name one look them up.
pub type Member = UserBrief;

/// A user, in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The organization.
    pub org_id: OrgId,
    /// The user's name.
    pub name: String,
    /// What the user signs in with; unique over the whole deployment.
    pub email: Email,
    /// The user's role.
    pub role: Role,
    /// Whether the user may sign in.
    pub active: bool,
    /// Whether sign-in asks for a code.
    pub two_factor_enabled: bool,
    /// When the user last signed in.
    pub last_login_at: Option<Timestamp>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When the user was created.
    pub created_at: Timestamp,
    /// When the user was last changed.
    pub updated_at: Timestamp,
}

/// A user as the viewer may see them: in full to ADMIN and OWNER, in brief to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Union))]
pub enum UserView {
    /// Everything.
    Full(User),
    /// Id, name, role and whether active.
    Brief(UserBrief),
}

impl User {
    /// What every member may know.
    pub fn brief(&self) -> UserBrief {
        UserBrief { id: self.id, name: self.name.clone(), role: self.role, active: self.active }
    }
}

impl Subject for User {
    const ENTITY: EntityType = EntityType::User;

    fn entity_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn readers(&self) -> Audience {
        Audience { circle: Circle::Admins, users: vec![self.id] }
    }
}

sort_keys! {
    /// What users can be sorted by.
    UserSort {
        /// By name.
        Name = "name" Text,
    }
}

impl Sortable<UserSort> for User {
    fn position(&self, key: UserSort) -> (SortValue, Uuid) {
        let value = match key {
            UserSort::CreatedAt => SortValue::Time(self.created_at),
            UserSort::UpdatedAt => SortValue::Time(self.updated_at),
            UserSort::Name => SortValue::Text(self.name.clone()),
        };
        (value, self.id.as_uuid())
    }
}
