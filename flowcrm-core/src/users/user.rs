//! The user: fields and rules.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::UpdateUser;
use crate::access::{Action, Actor, Grant, Role};
use crate::email::Email;
use crate::error::{Error, Result};
use crate::events::{Audience, Circle, EntityType, Event, EventKind, Subject, difference};
use crate::ids::{OrgId, UserId};
use crate::notifications::{Notice, NotificationType};
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

impl UserView {
    /// The user's version, if the viewer may see it.
    pub const fn version(&self) -> Option<i64> {
        match self {
            Self::Full(user) => Some(user.version),
            Self::Brief(_) => None,
        }
    }
}

/// Everything but the aspects that have an event of their own.
fn is_plain_field(name: &str) -> bool {
    !matches!(name, "role" | "active")
}

impl User {
    /// A new user, who may sign in.
    pub fn create(id: UserId, org_id: OrgId, name: String, email: Email, role: Role, now: Timestamp) -> Self {
        Self {
            id,
            org_id,
            name,
            email,
            role,
            active: true,
            two_factor_enabled: false,
            last_login_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// That this user was added to an organization of that name.
    pub fn created(&self, org_name: &str) -> Event {
        let message = format!("Welcome to {org_name}!");
        let notice = Notice::to([Some(self.id)], NotificationType::UserAdded, message).including_actor();
        Event::about(EventKind::UserCreated, self).notifying(notice)
    }

    /// What every member may know.
    pub fn brief(&self) -> UserBrief {
        UserBrief { id: self.id, name: self.name.clone(), role: self.role, active: self.active }
    }

    /// As much as `viewer` may see.
    pub fn seen_by(self, viewer: &Actor) -> UserView {
        match viewer.grant(Action::ReadUser) {
            Grant::Organization => UserView::Full(self),
            _ => UserView::Brief(self.brief()),
        }
    }

    /// This user with a change applied, and one event for each changed aspect; none when nothing changed.
    pub fn update(&self, change: UpdateUser, now: Timestamp) -> (Self, Vec<Event>) {
        let mut user = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            role: change.role.unwrap_or(self.role),
            active: change.active.unwrap_or(self.active),
            ..self.clone()
        };
        let (plain, _) = difference(self, &user, is_plain_field);
        let aspects = [
            (!plain.is_empty(), EventKind::UserUpdated),
            (user.role != self.role, EventKind::UserRoleChanged),
            (user.active && !self.active, EventKind::UserReactivated),
            (!user.active && self.active, EventKind::UserDeleted),
        ];
        let changed: Vec<EventKind> =
            aspects.iter().filter(|(changed, _)| *changed).map(|(_, kind)| *kind).collect();
        if !changed.is_empty() {
            user.version += 1;
            user.updated_at = now;
        }
        let events = changed.into_iter().map(|kind| user.changed(kind, self)).collect();
        (user, events)
    }

    fn changed(&self, kind: EventKind, before: &Self) -> Event {
        let event = Event::about(kind, self);
        match kind {
            EventKind::UserUpdated => event.since(before, self, is_plain_field),
            EventKind::UserRoleChanged => {
                let message = format!("Your role is now {}", self.role);
                let notice = Notice::to([Some(self.id)], NotificationType::System, message);
                event.since(before, self, |name| name == "role").notifying(notice)
            }
            _ => event.since(before, self, |name| name == "active"),
        }
    }

    /// Demands that `actor` may change this user at all: it is they themselves, or one whom they may manage.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden).
    pub fn authorize_change(&self, actor: &Actor) -> Result<()> {
        if self.id == actor.user_id { Ok(()) } else { authorize_managing(actor, self.role) }
    }

    /// Demands that `actor` may make `changed` out of this user, while there are so many active OWNERs.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden) when the role of either is above the actor's reach, or
    /// the actor's own; [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when no active OWNER would remain.
    pub fn authorize_becoming(&self, changed: &Self, actor: &Actor, active_owners: u64) -> Result<()> {
        self.authorize_change(actor)?;
        if changed.role != self.role && self.id == actor.user_id {
            return Err(Error::forbidden("Nobody changes their own role."));
        }
        if changed.role != self.role || changed.active != self.active {
            authorize_managing(actor, self.role)?;
            authorize_managing(actor, changed.role)?;
        }
        if self.is_active_owner() && !changed.is_active_owner() && active_owners <= 1 {
            return Err(Error::conflict("This is the last active OWNER: make another one first."));
        }
        Ok(())
    }

    fn is_active_owner(&self) -> bool {
        self.active && self.role == Role::Owner
    }
}

/// Demands that `actor` may create, change and deactivate users of `role`.
///
/// # Errors
///
/// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden).
pub(super) fn authorize_managing(actor: &Actor, role: Role) -> Result<()> {
    actor.require(Action::ManageUser)?;
    let is_within_reach = actor.grant(Action::ManageUser) == Grant::Organization || !role.is_admin();
    let refusal = || Error::forbidden("Only an OWNER makes, changes or unmakes an ADMIN or OWNER.");
    if is_within_reach { Ok(()) } else { Err(refusal()) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::money::Currency;

    fn user(number: u128, role: Role) -> User {
        let email = format!("{number}@example.com").parse().unwrap();
        let ids = (Uuid::from_u128(number).into(), Uuid::from_u128(1).into());
        User::create(ids.0, ids.1, format!("User {number}"), email, role, Timestamp::from_unix(0))
    }

    fn acting(user: &User) -> Actor {
        Actor {
            org_id: user.org_id,
            user_id: user.id,
            session_id: None,
            name: user.name.clone(),
            role: user.role,
            is_operator: false,
            org_name: "Acme".into(),
            currency: Currency::USD,
            time_zone: chrono_tz::UTC,
        }
    }

    fn attempt(actor: &User, target: &User, change: UpdateUser, owners: u64) -> Result<(), ErrorCode> {
        let (changed, _) = target.update(change, Timestamp::from_unix(1));
        target.authorize_becoming(&changed, &acting(actor), owners).map_err(|error| error.code())
    }

    #[test]
    fn only_an_owner_makes_and_unmakes_admins_and_owners() {
        let (owner, admin, sales) = (user(1, Role::Owner), user(2, Role::Admin), user(3, Role::Sales));
        let to = |role| UpdateUser { role: Some(role), ..UpdateUser::default() };
        let forbidden = Err(ErrorCode::Forbidden);
        for (actor, target, role, outcome) in [
            (&owner, &sales, Role::Owner, Ok(())),
            (&owner, &admin, Role::Sales, Ok(())),
            (&admin, &sales, Role::Manager, Ok(())),
            (&admin, &sales, Role::Admin, forbidden),
            (&admin, &user(4, Role::Admin), Role::Sales, forbidden),
            (&admin, &owner, Role::Sales, forbidden),
            (&sales, &user(5, Role::Sales), Role::Manager, forbidden),
            (&owner, &owner, Role::Sales, forbidden),
            (&admin, &admin, Role::Owner, forbidden),
        ] {
            assert_eq!(attempt(actor, target, to(role), 2), outcome, "{} {} {role}", actor.role, target.role);
        }
    }

    #[test]
    fn the_last_active_owner_stays() {
        let (first, second) = (user(1, Role::Owner), user(2, Role::Owner));
        let deactivate = UpdateUser { active: Some(false), ..UpdateUser::default() };
        assert_eq!(attempt(&first, &first, deactivate.clone(), 1), Err(ErrorCode::Conflict));
        assert_eq!(attempt(&first, &first, deactivate, 2), Ok(()));
        let demote = UpdateUser { role: Some(Role::Admin), ..UpdateUser::default() };
        assert_eq!(attempt(&first, &second, demote, 1), Err(ErrorCode::Conflict));
    }

    #[test]
    fn everybody_changes_their_own_name_and_nothing_more() {
        let sales = user(1, Role::Sales);
        let rename = UpdateUser { name: Some("Ada".into()), ..UpdateUser::default() };
        assert_eq!(attempt(&sales, &sales, rename.clone(), 1), Ok(()));
        assert_eq!(attempt(&sales, &user(2, Role::Sales), rename, 1), Err(ErrorCode::Forbidden));
        let deactivate = UpdateUser { active: Some(false), ..UpdateUser::default() };
        assert_eq!(attempt(&sales, &sales, deactivate, 1), Err(ErrorCode::Forbidden));
    }

    #[test]
    fn each_changed_aspect_has_its_event() {
        let change = UpdateUser { name: Some("Ada".into()), role: Some(Role::Manager), active: Some(false) };
        let (changed, events) = user(1, Role::Sales).update(change.clone(), Timestamp::from_unix(1));
        let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::UserUpdated, EventKind::UserRoleChanged, EventKind::UserDeleted]);
        assert_eq!(changed.version, 2);
        assert!(changed.update(change, Timestamp::from_unix(2)).1.is_empty());
    }
}
