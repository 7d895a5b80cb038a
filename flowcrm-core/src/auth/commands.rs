//! What clients may ask of their own account, and how it is read.

use serde::Serialize;

use super::Password;
use crate::email::Email;
use crate::error::Result;
use crate::input::{Command, Fields, required_email, required_password, text};

/// A new organization with its first OWNER.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Register {
    /// The owner's name, 1 to 200 characters.
    pub name: String,
    /// What the owner signs in with; no other user may have it.
    pub email: Email,
    /// The owner's password, 8 to 256 characters.
    #[serde(serialize_with = "Password::write_in_body")]
    #[cfg_attr(feature = "openapi", oai(write_only))]
    pub password: Password,
    /// The organization's name, 1 to 200 characters.
    pub org_name: String,
}

impl Register {
    /// An organization to register, out of texts.
    ///
    /// # Errors
    ///
    /// A field error for `email`; the other fields are checked when it is registered.
    pub fn new(name: &str, email: &str, password: &str, org_name: &str) -> Result<Self> {
        let email = Email::read(email)?;
        Ok(Self { name: name.to_owned(), email, password: password.into(), org_name: org_name.to_owned() })
    }
}

impl Command for Register {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            name: fields.required("name", text(1..=200)).unwrap_or_default(),
            email: required_email(fields, "email"),
            password: required_password(fields, "password"),
            org_name: fields.required("orgName", text(1..=200)).unwrap_or_default(),
        }
    }
}

/// Who wants to sign in.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct SignIn {
    /// The user's email address.
    pub email: Email,
    /// The user's password.
    #[serde(serialize_with = "Password::write_in_body")]
    #[cfg_attr(feature = "openapi", oai(write_only))]
    pub password: Password,
    /// A code of the user's authenticator, or a recovery code; not looked at for users without two-factor sign-in.
    #[serde(serialize_with = "Password::write_if_given")]
    #[cfg_attr(feature = "openapi", oai(write_only))]
    pub two_factor_token: Option<Password>,
}

impl SignIn {
    fn read(fields: &mut Fields, code: &'static str) -> Self {
        Self {
            email: required_email(fields, "email"),
            password: fields.required("password", Password::parse_given).unwrap_or_default(),
            two_factor_token: fields.optional(code, Password::parse_code),
        }
    }
}

impl Command for SignIn {
    fn decode(fields: &mut Fields) -> Self {
        Self::read(fields, "twoFactorToken")
    }
}

/// Who wants to sign in, as the languages that open a CRM in their own process say it: the second factor is `code`.
#[derive(Debug, Clone)]
pub struct SignInWithCode(pub SignIn);

impl Command for SignInWithCode {
    fn decode(fields: &mut Fields) -> Self {
        Self(SignIn::read(fields, "code"))
    }
}

/// What a user changes of their own account; absent fields stay.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct UpdateMe {
    /// The user's name, 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The present password; needed to set a new one.
    #[serde(serialize_with = "Password::write_if_given")]
    #[cfg_attr(feature = "openapi", oai(write_only))]
    pub current_password: Option<Password>,
    /// The new password, 8 to 256 characters. All other sessions of the user end.
    #[serde(serialize_with = "Password::write_if_given")]
    #[cfg_attr(feature = "openapi", oai(write_only))]
    pub new_password: Option<Password>,
}

impl Command for UpdateMe {
    fn decode(fields: &mut Fields) -> Self {
        let is_given = |fields: &mut Fields, name| fields.optional(name, |_| Ok(())).is_some();
        match (is_given(fields, "currentPassword"), is_given(fields, "newPassword")) {
            (false, true) => fields.refuse("currentPassword", "is required to set a new password"),
            (true, false) => fields.refuse("newPassword", "is required with the current password"),
            _ => {}
        }
        Self {
            name: fields.change("name", text(1..=200)),
            current_password: fields.optional("currentPassword", Password::parse_given),
            new_password: fields.optional("newPassword", Password::parse_new),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::input::{Body, Input};

    fn read<T: Command>(value: Value) -> Result<T> {
        Body::try_from(value)?.decode()
    }

    fn bad_fields<T: Command + std::fmt::Debug>(value: Value) -> Vec<String> {
        read::<T>(value).unwrap_err().fields().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn a_typed_command_is_read_as_the_body_that_it_writes() {
        let typed = SignIn {
            email: "ada@example.com".parse().unwrap(),
            password: Password::from("correct horse"),
            two_factor_token: None,
        };
        let read: SignIn = typed.into_body().unwrap().decode().unwrap();
        assert_eq!(read.password.into_inner(), "correct horse");
        let typed = UpdateMe { name: Some("Ada".to_owned()), ..UpdateMe::default() };
        let read: UpdateMe = typed.into_body().unwrap().decode().unwrap();
        assert!(read.name.as_deref() == Some("Ada") && read.new_password.is_none());
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let all = ["name", "email", "password", "orgName"];
        assert_eq!(bad_fields::<Register>(json!({})), all);
        let bad = json!({"name": " ", "email": "ada", "password": "1234567", "orgName": 5});
        assert_eq!(bad_fields::<Register>(bad), all);
        assert_eq!(bad_fields::<SignIn>(json!({"email": "ada@example.com", "password": ""})), ["password"]);
    }

    #[test]
    fn the_current_and_the_new_password_come_together() {
        assert_eq!(bad_fields::<UpdateMe>(json!({"newPassword": "12345678"})), ["currentPassword"]);
        assert_eq!(
            bad_fields::<UpdateMe>(json!({"currentPassword": "x", "newPassword": null})),
            ["newPassword"]
        );
        assert!(read::<UpdateMe>(json!({"currentPassword": "x", "newPassword": "12345678"})).is_ok());
    }

    #[test]
    fn passwords_are_never_trimmed() {
        let body = json!({"email": " Ada@example.com ", "password": " 1234567\u{1F511} "});
        let read: SignIn = read(body).unwrap();
        assert_eq!(read.password.into_inner(), " 1234567\u{1F511} ");
    }
}
