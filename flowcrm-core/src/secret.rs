//! Secrets that clients send: passwords.

use std::fmt;

use serde::Serializer;

/// A secret on its way in: never logged, and not to be serialized but into the body of its own command.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    pub(crate) fn into_inner(self) -> String {
        self.0
    }

    /// Writes the secret into the body of a command, for `#[serde(serialize_with)]`.
    pub(crate) fn write_in_body<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(feature = "openapi")]
crate::openapi::scalar!(secret Secret, "string", "password");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::from("hunter22")), "Secret(…)");
    }
}
