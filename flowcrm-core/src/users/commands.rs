//! What clients may ask of users, and how it is read.

use serde::Serialize;

use super::UserSort;
use crate::access::Role;
use crate::auth::Password;
use crate::email::Email;
use crate::error::Result;
use crate::ids::UserId;
use crate::input::{
    Command, Fields, Reference, boolean, id, in_query, required_email, required_password, spelled, text,
};
use crate::page::Listing;

/// A user to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct NewUser {
    /// The user's name, 1 to 200 characters.
    pub name: String,
    /// What the user signs in with; unique over the whole deployment.
    pub email: Email,
    /// The user's role; SALES when absent.
    pub role: Option<Role>,
    /// What the user signs in with, 8 to 256 characters.
    #[serde(serialize_with = "Password::write_in_body")]
    #[cfg_attr(feature = "openapi", oai(write_only))]
    pub password: Password,
}

impl NewUser {
    /// A user to create, out of texts.
    ///
    /// # Errors
    ///
    /// A field error for `email`; the other fields are checked when the user is created.
    pub fn new(name: &str, email: &str, role: Role, password: &str) -> Result<Self> {
        let email = Email::read(email)?;
        Ok(Self { name: name.to_owned(), email, role: Some(role), password: password.into() })
    }
}

impl Command for NewUser {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            name: fields.required("name", text(1..=200)).unwrap_or_default(),
            email: required_email(fields, "email"),
            role: fields.optional("role", spelled),
            password: required_password(fields, "password"),
        }
    }
}

/// What an update changes; absent fields stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct UpdateUser {
    /// The user's name, 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's role; nobody changes their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether the user may sign in: `false` deactivates, `true` brings back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

impl Command for UpdateUser {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            name: fields.change("name", text(1..=200)),
            role: fields.change("role", spelled),
            active: fields.change("active", boolean),
        }
    }
}

/// How a user is deactivated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct DeactivateUser {
    /// Who takes over the user's open leads, deals and tasks; they stay with the user when absent.
    pub reassign_to: Option<UserId>,
}

impl Command for DeactivateUser {
    fn decode(fields: &mut Fields) -> Self {
        let deactivate = Self { reassign_to: fields.optional("reassignTo", id) };
        fields.refer("reassignTo", deactivate.reassign_to.map(Reference::Member));
        deactivate
    }
}

/// Which users are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct UserQuery {
    /// Only of this role.
    pub role: Option<Role>,
    /// Only those who may sign in (`true`), or may not (`false`).
    pub active: Option<bool>,
    /// Only those where every word begins a word of name or email.
    pub q: Option<String>,
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<UserSort>,
}

impl Command for UserQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            role: fields.optional("role", spelled),
            active: fields.optional("active", in_query(boolean)),
            q: fields.optional("q", text(0..=200)),
            list: Listing::decode(fields),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Input;

    #[test]
    fn a_typed_command_reads_as_it_was_written() {
        let new = NewUser {
            name: "Ada".into(),
            email: "ada@example.com".parse().unwrap(),
            role: None,
            password: " 8 chars ".into(),
        };
        assert_eq!(new.clone().into_body().unwrap().decode::<NewUser>().unwrap(), new);
        let change = UpdateUser { active: Some(false), ..UpdateUser::default() };
        assert_eq!(change.clone().into_body().unwrap().decode::<UpdateUser>().unwrap(), change);
    }

    #[test]
    fn a_bad_user_names_every_field() {
        let body = serde_json::json!({"name": " ", "email": "ada", "role": "BOSS", "password": "short"});
        let error = crate::input::Body::try_from(body).unwrap().decode::<NewUser>().unwrap_err();
        let fields: Vec<&str> = error.fields().iter().map(|field| field.field.as_str()).collect();
        assert_eq!(fields, ["name", "email", "role", "password"]);
    }
}
