//! Who may do what: the roles, the actions, and the one table that says so.

use crate::error::{Error, Result};
use crate::ids::{OrgId, SessionId, UserId};
use crate::input::words;
use crate::money::Currency;
use crate::organizations::Organization;
use crate::users::User;

words! {
    /// What a user is in the organization; each role may do what the table says.
    Role {
        /// Rules the organization.
        Owner = "OWNER",
        /// Administers the organization; makes managers and salespeople.
        Admin = "ADMIN",
        /// Leads a team; assigns work to salespeople.
        Manager = "MANAGER",
        /// Works on their own leads, deals and tasks.
        Sales = "SALES",
    }
}

impl Role {
    /// OWNER or ADMIN: `Admin+` of the specification.
    pub const fn is_admin(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// Everyone but SALES.
    pub const fn is_at_least_manager(self) -> bool {
        !matches!(self, Self::Sales)
    }
}

/// How far a role may go with an action: a cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Not at all.
    No,
    /// Yes, there is nothing to limit.
    Yes,
    /// Every record of the organization.
    Organization,
    /// Records that are one's own: owner or assignee of a lead or deal, assignee of a task.
    Own,
    /// Status and priority of one's own tasks.
    OwnProgress,
    /// Naming anyone of the organization.
    ToAnyone,
    /// Naming salespeople, or oneself.
    ToSalesOrSelf,
    /// Naming oneself only.
    ToSelf,
    /// Id, name, role and whether active.
    Brief,
    /// Users of the roles MANAGER and SALES.
    LowerRoles,
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $action:ident: $owner:ident $admin:ident $manager:ident $sales:ident;)*) => {
        /// What can be done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $action,)*
        }

        /// The permission table: for each action the grants of OWNER, ADMIN, MANAGER and SALES.
        pub const PERMISSIONS: &[(Action, [Grant; 4])] = &[
            $((Action::$action, [Grant::$owner, Grant::$admin, Grant::$manager, Grant::$sales]),)*
        ];
    };
}

permissions! {
    /// List and read leads and their activities.
    ReadLead:           Organization Organization Organization  Own;
    /// Change a lead.
    UpdateLead:         Organization Organization Organization  Own;
    /// Add an activity to a lead.
    AddActivity:        Organization Organization Organization  Own;
    /// Make a deal out of a lead.
    ConvertLead:        Organization Organization Organization  Own;
    /// Create a lead; the grant says who may be its owner and assignee.
    CreateLead:         ToAnyone     ToAnyone     ToSalesOrSelf ToSelf;
    /// Change a lead's owner or assignee.
    AssignLead:         ToAnyone     ToAnyone     ToSalesOrSelf No;
    /// Delete a lead.
    DeleteLead:         Organization Organization No            No;
    /// List and read deals.
    ReadDeal:           Organization Organization Organization  Organization;
    /// Create a deal; the grant says who may be its owner and assignee.
    CreateDeal:         ToAnyone     ToAnyone     ToSalesOrSelf ToSelf;
    /// Change or move a deal.
    UpdateDeal:         Organization Organization Organization  Own;
    /// Change a deal's owner or assignee.
    AssignDeal:         ToAnyone     ToAnyone     ToSalesOrSelf No;
    /// Delete a deal.
    DeleteDeal:         Organization Organization No            No;
    /// List and read tasks.
    ReadTask:           Organization Organization Organization  Own;
    /// Create a task, or give it to somebody else.
    AssignTask:         ToAnyone     ToAnyone     ToSalesOrSelf No;
    /// Change a task.
    UpdateTask:         Organization Organization Organization  OwnProgress;
    /// Delete a task.
    DeleteTask:         Organization Organization Organization  No;
    /// Import, and undo an import.
    Import:             Yes          Yes          Yes           No;
    /// Export what one may list.
    Export:             Yes          Yes          Yes           Yes;
    /// List and read users.
    ReadUser:           Organization Organization Brief         Brief;
    /// Create users, change their roles, deactivate and reactivate them.
    ManageUser:         Organization LowerRoles   No            No;
    /// Change one's own name and password.
    UpdateSelf:         Yes          Yes          Yes           Yes;
    /// Read the organization and its settings.
    ReadOrganization:   Yes          Yes          Yes           Yes;
    /// Change the organization's settings.
    UpdateOrganization: Yes          Yes          No            No;
    /// Send a notification to everyone.
    Announce:           Yes          Yes          No            No;
    /// See figures and events of what one may list.
    ReadDashboard:      Yes          Yes          Yes           Yes;
    /// See how each member is doing.
    ReadTeamPerformance: Yes         Yes          Yes           No;
    /// Read the audit log.
    ReadAuditLog:       Yes          Yes          No            No;
    /// See one's own notifications and sessions.
    ReadOwnInbox:       Yes          Yes          Yes           Yes;
}

impl Action {
    /// What the table grants to `role`.
    pub fn grant(self, role: Role) -> Grant {
        let (_, grants) = PERMISSIONS[self as usize];
        grants[role as usize]
    }
}

/// A record that somebody can call their own.
pub trait Owned {
    /// Whether it is `user`'s: owner or assignee of a lead or deal, assignee of a task.
    fn is_own(&self, user: UserId) -> bool;
}

/// Which records of a kind a viewer may list; every list and figure is narrowed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// All of the organization.
    Organization,
    /// The viewer's own.
    Own(UserId),
}

/// The tenant that a transaction is bound to.
///
/// Only the core makes one: from an authenticated [`Actor`], for a job, or from the account that a sign-in found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrgScope(OrgId);

impl OrgScope {
    pub(crate) const fn new(org: OrgId) -> Self {
        Self(org)
    }

    /// The organization.
    pub const fn org_id(self) -> OrgId {
        self.0
    }
}

/// The user who acts, as the database knows them in the transaction of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The organization.
    pub org_id: OrgId,
    /// The user.
    pub user_id: UserId,
    /// The session, unless a trusted program acts as the user.
    pub session_id: Option<SessionId>,
    /// The user's name.
    pub name: String,
    /// The user's present role.
    pub role: Role,
    /// Whether the user is an operator of the whole platform.
    pub is_operator: bool,
    /// The organization's name.
    pub org_name: String,
    /// The organization's currency.
    pub currency: Currency,
    /// The organization's time zone.
    pub time_zone: chrono_tz::Tz,
}

impl Actor {
    /// A user who founds an organization, signs in or looks after their account: with the account's own rights, and
    /// no operator's.
    pub(crate) fn of_account(organization: &Organization, user: &User) -> Self {
        Self {
            org_id: organization.id,
            user_id: user.id,
            session_id: None,
            name: user.name.clone(),
            role: user.role,
            is_operator: false,
            org_name: organization.name.clone(),
            currency: organization.currency,
            time_zone: organization.time_zone.as_tz(),
        }
    }

    /// What the table grants for `action`.
    pub fn grant(&self, action: Action) -> Grant {
        action.grant(self.role)
    }

    /// Demands that the role may do `action` at all.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden).
    pub fn require(&self, action: Action) -> Result<()> {
        match self.grant(action) {
            Grant::No => Err(self.refusal()),
            _ => Ok(()),
        }
    }

    /// Whether `action` is granted on `record`.
    pub fn may(&self, action: Action, record: &impl Owned) -> bool {
        match self.grant(action) {
            Grant::No => false,
            Grant::Own | Grant::OwnProgress => record.is_own(self.user_id),
            _ => true,
        }
    }

    /// Demands that `action` is granted on `record`, which the actor is known to see.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden).
    pub fn authorize(&self, action: Action, record: &impl Owned) -> Result<()> {
        if self.may(action, record) { Ok(()) } else { Err(self.refusal()) }
    }

    /// Demands that `action` lets the actor name `user` of `role` as owner or assignee.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Forbidden`](crate::ErrorCode::Forbidden).
    pub fn authorize_naming(&self, action: Action, user: UserId, role: Role) -> Result<()> {
        let allowed = match self.grant(action) {
            Grant::ToAnyone => true,
            Grant::ToSalesOrSelf => user == self.user_id || role == Role::Sales,
            Grant::ToSelf => user == self.user_id,
            _ => false,
        };
        let refusal = || Error::forbidden(format!("As {} you may not give this to that person.", self.role));
        if allowed { Ok(()) } else { Err(refusal()) }
    }

    /// Which records the actor may list with `action`, one of the reading ones.
    pub fn visibility(&self, action: Action) -> Visibility {
        match self.grant(action) {
            Grant::Organization | Grant::Yes => Visibility::Organization,
            _ => Visibility::Own(self.user_id),
        }
    }

    fn refusal(&self) -> Error {
        Error::forbidden(format!("As {} you may not do this.", self.role))
    }
}

#[cfg(test)]
impl Actor {
    /// Somebody of `role` in an organization that counts in dollars, for tests of rules.
    pub(crate) fn sample(role: Role) -> Self {
        Self {
            org_id: uuid::Uuid::from_u128(1).into(),
            user_id: uuid::Uuid::from_u128(2).into(),
            session_id: None,
            name: "Ada Byron".to_owned(),
            role,
            is_operator: false,
            org_name: "Engines".to_owned(),
            currency: Currency::USD,
            time_zone: chrono_tz::UTC,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_finds_its_own_row() {
        for (index, (action, _)) in PERMISSIONS.iter().enumerate() {
            assert_eq!(*action as usize, index);
        }
    }
}
