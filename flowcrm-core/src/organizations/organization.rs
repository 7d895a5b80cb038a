//! The organization: its settings and their rules.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::TimeZone;
use crate::access::Role;
use crate::auth::Password;
use crate::email::Email;
use crate::error::{Error, Result};
use crate::events::{Audience, Circle, EntityType, Event, EventKind, Subject};
use crate::ids::OrgId;
use crate::input::{Command, Fields, list, required_email, required_password, spelled, text};
use crate::money::Currency;
use crate::page::{Listing, SortValue, Sortable, sort_keys};
use crate::time::Timestamp;

/// An organization: a tenant with its users and everything that is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Organization {
    /// The organization's id.
    pub id: OrgId,
    /// Its name.
    pub name: String,
    /// Whose days, weeks and months its figures count by.
    pub time_zone: TimeZone,
    /// The currency of all its amounts; fixed once a lead or deal has a value.
    pub currency: Currency,
    /// The roles that must sign in with a second factor.
    #[serde(rename = "require2fa")]
    #[cfg_attr(feature = "openapi", oai(rename = "require2fa"))]
    pub require_2fa: Vec<Role>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its settings were last changed.
    pub updated_at: Timestamp,
}

impl Subject for Organization {
    const ENTITY: EntityType = EntityType::Organization;

    fn entity_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn readers(&self) -> Audience {
        Audience { circle: Circle::Everyone, users: Vec::new() }
    }
}

impl Organization {
    /// A new organization, in UTC and US dollars.
    pub fn create(id: OrgId, name: String, now: Timestamp) -> Self {
        Self {
            id,
            name,
            time_zone: TimeZone::UTC,
            currency: Currency::USD,
            require_2fa: Vec::new(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// That this organization was created.
    pub fn created(&self) -> Event {
        Event::about(EventKind::OrganizationCreated, self)
    }

    /// This organization with its settings changed, and the event that says so; none when nothing changed.
    /// `has_values` says whether any lead or deal has a value.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Conflict`](crate::ErrorCode::Conflict) when amounts would change their currency.
    pub fn update(
        &self,
        change: UpdateOrganization,
        has_values: bool,
        now: Timestamp,
    ) -> Result<(Self, Option<Event>)> {
        let mut changed = Self {
            name: change.name.unwrap_or_else(|| self.name.clone()),
            time_zone: change.time_zone.unwrap_or(self.time_zone),
            currency: change.currency.unwrap_or(self.currency),
            require_2fa: change.require_2fa.map_or_else(|| self.require_2fa.clone(), in_order),
            ..self.clone()
        };
        if changed == *self {
            return Ok((changed, None));
        }
        if changed.currency != self.currency && has_values {
            return Err(Error::conflict(
                "The currency cannot change any more: leads or deals have values in it.",
            ));
        }
        changed.version += 1;
        changed.updated_at = now;
        let event =
            Event::about(EventKind::OrganizationSettingsUpdated, &changed).since(self, &changed, |_| true);
        Ok((changed, Some(event)))
    }
}

/// Each role once, the highest first.
fn in_order(mut roles: Vec<Role>) -> Vec<Role> {
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// Which settings an update changes; absent fields stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct UpdateOrganization {
    /// The organization's name, 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A time zone of the IANA database: `Europe/Berlin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<TimeZone>,
    /// A currency of ISO 4217; it cannot change once a lead or deal has a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The roles that must sign in with a second factor.
    #[serde(rename = "require2fa", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", oai(rename = "require2fa"))]
    pub require_2fa: Option<Vec<Role>>,
}

impl Command for UpdateOrganization {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            name: fields.change("name", text(1..=200)),
            time_zone: fields.change("timeZone", spelled),
            currency: fields.change("currency", spelled),
            require_2fa: fields.change("require2fa", list(0..=Role::ALL.len(), spelled)),
        }
    }
}

/// An organization to create, with its first OWNER.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct NewOrganization {
    /// The organization's name, 1 to 200 characters.
    pub name: String,
    /// The OWNER's name, 1 to 200 characters.
    pub owner_name: String,
    /// What the OWNER signs in with; unique over the whole deployment.
    pub owner_email: Email,
    /// What the OWNER signs in with, 8 to 256 characters.
    #[serde(serialize_with = "Password::write_in_body")]
    #[cfg_attr(feature = "openapi", oai(write_only))]
    pub owner_password: Password,
}

impl Command for NewOrganization {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            name: fields.required("name", text(1..=200)).unwrap_or_default(),
            owner_name: fields.required("ownerName", text(1..=200)).unwrap_or_default(),
            owner_email: required_email(fields, "ownerEmail"),
            owner_password: required_password(fields, "ownerPassword"),
        }
    }
}

sort_keys! {
    /// What organizations can be sorted by.
    OrganizationSort {
        /// By name.
        Name = "name" Text,
    }
}

impl Sortable<OrganizationSort> for Organization {
    fn position(&self, key: OrganizationSort) -> (SortValue, Uuid) {
        let value = match key {
            OrganizationSort::CreatedAt => SortValue::Time(self.created_at),
            OrganizationSort::UpdatedAt => SortValue::Time(self.updated_at),
            OrganizationSort::Name => SortValue::Text(self.name.clone()),
        };
        (value, self.id.as_uuid())
    }
}

/// How much of the list of all organizations is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct OrganizationQuery {
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<OrganizationSort>,
}

impl Command for OrganizationQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { list: Listing::decode(fields) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn acme() -> Organization {
        Organization::create(Uuid::from_u128(1).into(), "Acme".into(), Timestamp::from_unix(0))
    }

    #[test]
    fn amounts_keep_their_currency() {
        let to_euros = UpdateOrganization { currency: "EUR".parse().ok(), ..UpdateOrganization::default() };
        let now = Timestamp::from_unix(1);
        assert_eq!(acme().update(to_euros.clone(), true, now).unwrap_err().code(), ErrorCode::Conflict);
        assert_eq!(acme().update(to_euros, false, now).unwrap().0.currency.code(), "EUR");
        let to_dollars =
            UpdateOrganization { currency: Some(Currency::USD), ..UpdateOrganization::default() };
        assert!(acme().update(to_dollars, true, now).unwrap().1.is_none());
    }

    #[test]
    fn settings_are_told_with_what_they_were() {
        let change = UpdateOrganization {
            time_zone: "Europe/Berlin".parse().ok(),
            require_2fa: Some(vec![Role::Admin, Role::Owner, Role::Admin]),
            ..UpdateOrganization::default()
        };
        let (changed, event) = acme().update(change, true, Timestamp::from_unix(1)).unwrap();
        assert_eq!(changed.version, 2);
        let expected = serde_json::json!({
            "before": { "timeZone": "UTC", "require2fa": [] },
            "after": { "timeZone": "Europe/Berlin", "require2fa": ["OWNER", "ADMIN"] },
        });
        assert_eq!(event.unwrap().details, expected);
    }
}
