//! Email addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

/// An email address: trimmed, at most 254 bytes (RFC 5321), kept as written and compared without case.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// Reads an address that a program gives.
    ///
    /// # Errors
    ///
    /// A field error for `email`.
    pub fn read(text: &str) -> crate::Result<Self> {
        text.parse().map_err(|message: String| crate::Error::field("email", message))
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands for an address that could not be read, until the whole command is refused.
    pub(crate) fn unread() -> Self {
        Self(String::new())
    }

    /// The folded form that equal addresses share: what is stored beside the address and looked up.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Email {
    type Err = String;

    /// Takes what mail servers deliver to: one `@`, a local part of at most 64 bytes, a domain of
    /// letters, digits, hyphens and dots; no spaces, quotes or control characters.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() > 254 {
            return Err("must be at most 254 bytes".to_owned());
        }
        let parts = text.split_once('@').filter(|(local, domain)| is_local_part(local) && is_domain(domain));
        match parts {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err("must be an email address, like ada@example.com".to_owned()),
        }
    }
}

fn is_local_part(local: &str) -> bool {
    let is_allowed = |character: char| {
        !character.is_whitespace() && !character.is_control() && !"@\"(),:;<>[\\]".contains(character)
    };
    !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(is_allowed)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character.is_alphanumeric() || character == '-')
    };
    domain.contains('.') && domain.split('.').all(is_label)
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Email {}

impl fmt::Display for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
crate::openapi::scalar!(Email, "string", "email");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_compared_without_case() {
        for good in ["ada@example.com", " Ada.L+crm@Sub.Example.co.uk ", "用户@例子.公司", "o'neil@x-y.org"]
        {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "@x.com",
            "ada@",
            "ada@x",
            "a b@x.com",
            "a@b@c.com",
            "ada@-x.com",
            ".a@x.com",
            "a@x..com",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
        assert!(format!("{}@example.com", "a".repeat(300)).parse::<Email>().is_err());
        assert_eq!("ADA@example.com".parse::<Email>(), "ada@EXAMPLE.com".parse::<Email>());
    }
}
