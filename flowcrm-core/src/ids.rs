//! Ids: one type per record, so that a lead's id cannot be handed to a deal's function.
//!
//! Inside they are UUIDs of version 7 (RFC 9562), made by [`Env`](crate::env::Env); on the wire they are strings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The UUID inside.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            /// Takes the hyphenated form only: `018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d`.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // `Uuid` would also take braces, URNs and bare digits: one id, one spelling.
                uuid::fmt::Hyphenated::from_str(text).map(|hyphenated| Self(hyphenated.into_uuid()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, concat!(stringify!($name), "({})"), self.0)
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::scalar!($name, "string", "uuid");
    )*};
}

ids! {
    /// Names an organization, the tenant.
    OrgId
    /// Names a user.
    UserId
    /// Names a lead.
    LeadId
    /// Names a deal.
    DealId
    /// Names a task.
    TaskId
    /// Names an activity on a lead.
    ActivityId
    /// Names a notification.
    NotificationId
    /// Names a session: one family of refresh tokens.
    SessionId
    /// Names an audit entry.
    AuditEntryId
    /// Names an import.
    ImportId
}
