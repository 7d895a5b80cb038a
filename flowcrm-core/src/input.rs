//! How a command is read from what a client sent: every field checked, all errors at once.
//!
//! A [`Command`] names its fields and what each may be; [`Fields`] collects whatever is wrong. The same reading
//! serves JSON bodies, query strings and typed commands of embedders, so all doors answer alike.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::auth::Password;
use crate::email::Email;
use crate::error::{Error, ErrorCode, FieldError, Result};
use crate::ids::{DealId, LeadId, UserId};
use crate::money::{Amount, Currency, Money};
use crate::patch::Patch;

/// A command or query that can be read from [`Fields`].
pub trait Command: Sized {
    /// Reads the command. Fields that are not valid get any value: [`Fields`] then refuses the whole.
    fn decode(fields: &mut Fields) -> Self;
}

/// What a command is given as: the typed command itself, or a [`Body`] that a client sent.
pub trait Input<T> {
    /// The JSON object of the command.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Malformed`] when it is no object.
    fn into_body(self) -> Result<Body>;
}

/// A JSON object from a client, not checked yet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Body {
    object: Map<String, Value>,
    /// What is wrong with it before any field is looked at.
    findings: Vec<FieldError>,
}

impl Body {
    /// Reads JSON text.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Malformed`] when it is no JSON, or no object; says where.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            let detail =
                format!("The body is not valid JSON (line {}, column {}).", error.line(), error.column());
            Error::new(ErrorCode::Malformed, detail)
        })?;
        Self::try_from(value)
    }

    /// Reads the pairs of a query string; values stay text. One that is given twice is refused with whatever else is
    /// wrong when a command is read.
    pub fn from_query(pairs: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>) -> Self {
        let mut object = Map::new();
        let mut repeated = BTreeSet::new();
        for (name, value) in pairs {
            let name = name.into();
            if object.insert(name.clone(), Value::String(value.into())).is_some() {
                repeated.insert(name);
            }
        }
        object.retain(|name, _| !repeated.contains(name));
        let twice = repeated.iter().map(|name| FieldError::new(recognizable(name), "is given twice"));
        Self { object, findings: twice.collect() }
    }

    /// The same object, to be refused for these fields too when a command is read.
    #[must_use]
    pub fn refusing(mut self, findings: impl IntoIterator<Item = FieldError>) -> Self {
        self.findings.extend(findings);
        self
    }

    /// The same object without these fields, to be refused for each that it had.
    #[must_use]
    pub(crate) fn refusing_any_of(mut self, names: &[&str], message: &str) -> Self {
        for name in names {
            if self.object.remove(*name).is_some() {
                self.findings.push(FieldError::new(*name, message));
            }
        }
        self
    }

    /// The same object with the text of a field replaced: a secret by what stands in for it.
    #[must_use]
    pub(crate) fn sealing(mut self, name: &str, seal: impl FnOnce(&str) -> String) -> Self {
        if let Some(Value::String(secret)) = self.object.get_mut(name) {
            *secret = seal(secret);
        }
        self
    }

    /// The same object with another value of a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.object.insert(name.to_owned(), value.into());
        self
    }

    /// Whether it has a field of this name.
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// The object, as text that is equal for equal bodies.
    pub fn canonical(&self) -> String {
        // `serde_json` sorts the keys of its maps.
        serde_json::to_string(&self.object).unwrap_or_default()
    }

    /// Reads a command that needs nothing but these fields: no money, no references.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Invalid`] with all bad fields.
    pub fn decode<T: Command>(self) -> Result<T> {
        Asked::Sent(self).read(Currency::USD)
    }
}

impl TryFrom<Value> for Body {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        match value {
            Value::Object(object) => Ok(Self { object, findings: Vec::new() }),
            _ => Err(Error::new(ErrorCode::Malformed, "The body must be a JSON object.")),
        }
    }
}

impl<T: Command> Input<T> for Body {
    fn into_body(self) -> Result<Body> {
        Ok(self)
    }
}

impl<T: Command + Serialize> Input<T> for T {
    fn into_body(self) -> Result<Body> {
        serde_json::to_value(self).map_err(Error::internal)?.try_into()
    }
}

/// A query: typed by an embedder, or as a client sent it.
#[derive(Debug, Clone)]
pub enum Asked<T> {
    /// Typed.
    Typed(T),
    /// Sent, to be read.
    Sent(Body),
}

impl<T: Command> From<T> for Asked<T> {
    fn from(query: T) -> Self {
        Self::Typed(query)
    }
}

impl<T: Command> From<Body> for Asked<T> {
    fn from(body: Body) -> Self {
        Self::Sent(body)
    }
}

impl<T: Command> Asked<T> {
    /// Reads the query; amounts are of `currency`.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Invalid`] with all bad parameters.
    pub fn read(self, currency: Currency) -> Result<T> {
        match self {
            Self::Typed(query) => Ok(query),
            Self::Sent(body) => {
                let mut fields = Fields::new(body, currency);
                let query = T::decode(&mut fields);
                fields.finish()?;
                Ok(query)
            }
        }
    }
}

/// A record that a command refers to; it must be there, in the same organization, and visible to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// An active member.
    Member(UserId),
    /// A lead.
    Lead(LeadId),
    /// A deal.
    Deal(DealId),
}

/// The fields of one body while it is read.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
    references: Vec<(&'static str, Reference)>,
    currency: Currency,
}

/// How a field's value is read: a value, or what is wrong with it.
pub type Parsed<T> = Result<T, String>;

impl Fields {
    /// Begins to read `body`; amounts are of `currency`.
    pub fn new(body: Body, currency: Currency) -> Self {
        let Body { object, findings } = body;
        Self { object, known: Vec::new(), errors: findings, references: Vec::new(), currency }
    }

    /// The currency of amounts.
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// Whether the body has this field at all, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        if !self.has(name) {
            self.refuse(name, "is required");
        }
        self.read(name, parse)
    }

    /// A field that may be absent or `null`.
    pub fn optional<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        if self.is_null(name) { None } else { self.read(name, parse) }
    }

    /// A field that an update may set, but not clear: absent leaves it alone, `null` is refused.
    pub fn change<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        self.read(name, parse)
    }

    /// A field that an update may set or clear.
    pub fn patch<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Patch<T> {
        if self.is_null(name) { Patch::Clear } else { self.read(name, parse).map_or(Patch::Keep, Patch::Set) }
    }

    /// Text that may be absent; blank text counts as `null`.
    pub fn optional_text(&mut self, name: &'static str, longest: usize) -> Option<String> {
        self.optional(name, text(0..=longest)).filter(|text| !text.is_empty())
    }

    /// Text that an update may set or clear; blank text clears.
    pub fn patch_text(&mut self, name: &'static str, longest: usize) -> Patch<String> {
        match self.patch(name, text(0..=longest)) {
            Patch::Set(text) if text.is_empty() => Patch::Clear,
            patch => patch,
        }
    }

    /// Notes that `name` refers to a record, which is looked up before the command runs.
    pub fn refer(&mut self, name: &'static str, reference: Option<Reference>) {
        self.references.extend(reference.map(|reference| (name, reference)));
    }

    /// Refuses a field with a message.
    pub fn refuse(&mut self, name: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError::new(name, message));
    }

    /// Ends the reading: fields that nobody asked for are refused too.
    ///
    /// # Errors
    ///
    /// [`ErrorCode::Invalid`] with all bad fields.
    pub fn finish(self) -> Result<()> {
        let (_, errors) = self.into_findings();
        if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
    }

    /// Ends the reading with the references to look up and the bad fields so far.
    pub fn into_findings(mut self) -> (Vec<(&'static str, Reference)>, Vec<FieldError>) {
        for name in self.object.keys().filter(|name| !self.known.contains(&name.as_str())) {
            self.errors.push(FieldError::new(recognizable(name), "is not a field here"));
        }
        (self.references, self.errors)
    }

    fn is_null(&mut self, name: &'static str) -> bool {
        self.known.push(name);
        self.object.get(name).is_some_and(Value::is_null)
    }

    /// The field's value, if it is there and not refused.
    fn read<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Parsed<T>) -> Option<T> {
        self.known.push(name);
        let parsed = parse(self.object.get(name)?);
        parsed.map_err(|message| self.errors.push(FieldError::new(name, message))).ok()
    }
}

/// Enough of a name that a client made up to recognize it: it may be anything.
pub fn recognizable(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(60).collect()
}

/// Text of so many characters: trimmed, line ends made `\n`, control characters refused.
pub fn text(length: RangeInclusive<usize>) -> impl Fn(&Value) -> Parsed<String> {
    move |value| clean_text(value.as_str().ok_or("must be text")?, &length)
}

/// Trims and checks text; see [`text`].
///
/// # Errors
///
/// What is wrong with it.
pub fn clean_text(raw: &str, length: &RangeInclusive<usize>) -> Parsed<String> {
    let text = raw.trim().replace("\r\n", "\n");
    if text.chars().any(|character| character.is_control() && !matches!(character, '\t' | '\n')) {
        return Err("must not contain control characters".to_owned());
    }
    match text.chars().count() {
        0 if *length.start() > 0 => Err("must not be empty".to_owned()),
        count if count < *length.start() => Err(format!("must be at least {} characters", length.start())),
        count if count > *length.end() => Err(format!("must be at most {} characters", length.end())),
        _ => Ok(text),
    }
}

/// A secret: any characters, never trimmed or cut, of so many characters.
pub fn secret(length: RangeInclusive<usize>) -> impl Fn(&Value) -> Parsed<String> {
    move |value| {
        let secret = value.as_str().ok_or("must be text")?;
        if length.contains(&secret.chars().count()) {
            Ok(secret.to_owned())
        } else {
            Err(format!("must be {} to {} characters", length.start(), length.end()))
        }
    }
}

/// Text that spells a value: an email, a date, an id, a time zone.
pub fn spelled<T: FromStr<Err: Display>>(value: &Value) -> Parsed<T> {
    value.as_str().ok_or("must be text")?.trim().parse().map_err(|error: T::Err| error.to_string())
}

/// An id: a hyphenated UUID.
pub fn id<T: FromStr>(value: &Value) -> Parsed<T> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| "must be an id".to_owned())
}

/// An amount of money in `currency`: a JSON number or a decimal string.
pub fn money(currency: Currency) -> impl Fn(&Value) -> Parsed<Money> {
    move |value| {
        let spelled = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_owned(),
            _ => return Err("must be a number".to_owned()),
        };
        spelled.parse::<Amount>()?.in_currency(currency)
    }
}

/// `true` or `false`.
pub fn boolean(value: &Value) -> Parsed<bool> {
    value.as_bool().ok_or_else(|| "must be true or false".to_owned())
}

/// A whole number in a range.
pub fn integer(range: RangeInclusive<i64>) -> impl Fn(&Value) -> Parsed<i64> {
    move |value| {
        let message = || format!("must be a whole number from {} to {}", range.start(), range.end());
        value.as_i64().filter(|number| range.contains(number)).ok_or_else(message)
    }
}

/// A list of at most so many values, each read by `parse`.
pub fn list<T>(
    length: RangeInclusive<usize>,
    parse: impl Fn(&Value) -> Parsed<T>,
) -> impl Fn(&Value) -> Parsed<Vec<T>> {
    move |value| {
        let items = value.as_array().ok_or("must be a list")?;
        if !length.contains(&items.len()) {
            return Err(format!("must have {} to {} items", length.start(), length.end()));
        }
        let read = |(index, item)| parse(item).map_err(|message| format!("item {}: {message}", index + 1));
        items.iter().enumerate().map(read).collect()
    }
}

/// A value of a query: text in a query string, read as if JSON had said it (`true`, `12`), or JSON already.
pub fn in_query<T>(parse: impl Fn(&Value) -> Parsed<T>) -> impl Fn(&Value) -> Parsed<T> {
    move |value| {
        let Some(text) = value.as_str() else {
            return parse(value);
        };
        match serde_json::from_str::<Value>(text).ok() {
            Some(json @ (Value::Bool(_) | Value::Number(_))) => parse(&json),
            _ => parse(&Value::Null),
        }
    }
}

/// An email address that must be there.
pub(crate) fn required_email(fields: &mut Fields, name: &'static str) -> Email {
    fields.required(name, spelled).unwrap_or_else(Email::unread)
}

/// A new password, which must be there: 8 to 256 characters, never trimmed or cut.
pub(crate) fn required_password(fields: &mut Fields, name: &'static str) -> Password {
    fields.required(name, Password::parse_new).unwrap_or_default()
}

/// An optional email address; blank text counts as absent.
pub(crate) fn optional_email(fields: &mut Fields) -> Option<Email> {
    fields.optional("email", blank_or_email).flatten()
}

/// An email address that an update may set or clear; blank text clears.
pub(crate) fn patch_email(fields: &mut Fields) -> Patch<Email> {
    match fields.patch("email", blank_or_email) {
        Patch::Keep => Patch::Keep,
        Patch::Clear | Patch::Set(None) => Patch::Clear,
        Patch::Set(Some(email)) => Patch::Set(email),
    }
}

fn blank_or_email(value: &Value) -> Result<Option<Email>, String> {
    match value.as_str() {
        Some(text) if text.trim().is_empty() => Ok(None),
        _ => spelled(value).map(Some),
    }
}

/// An amount of money in `value` that an update may set, or clear to nothing.
pub(crate) fn patch_amount(fields: &mut Fields) -> Patch<Amount> {
    let currency = fields.currency();
    fields.patch("value", |value| money(currency)(value).map(Money::amount))
}

/// The amount in `value` as money of `currency`; absent is nothing.
pub(crate) fn value_in(amount: Option<Amount>, currency: Currency) -> Result<Money> {
    match amount {
        None => Ok(Money::zero(currency)),
        Some(amount) => amount.in_currency(currency).map_err(|message| Error::field("value", message)),
    }
}

/// Declares an enum whose values are SCREAMING words on the wire and in the database.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(poem_openapi::Enum))]
        pub enum $name {
            $(
                $(#[$variant_doc])*
                #[serde(rename = $word)]
                #[cfg_attr(feature = "openapi", oai(rename = $word))]
                $variant,
            )*
        }

        impl $name {
            /// All values, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> std::result::Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("must be one of {}", [$($word),*].join(", "))),
                }
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Sample {
        name: Option<String>,
        notes: Patch<String>,
        value: Option<Money>,
        percent: Option<i64>,
    }

    impl Command for Sample {
        fn decode(fields: &mut Fields) -> Self {
            let currency = fields.currency();
            Self {
                name: fields.required("name", text(1..=5)),
                notes: fields.patch_text("notes", 10),
                value: fields.optional("value", money(currency)),
                percent: fields.change("percent", integer(0..=100)),
            }
        }
    }

    fn decode(value: Value) -> Result<Sample> {
        Body::try_from(value)?.decode()
    }

    fn bad_fields(value: Value) -> Vec<String> {
        decode(value).unwrap_err().fields().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn all_bad_fields_are_named_at_once() {
        let body = json!({"name": "", "notes": 5, "value": -1, "percent": null, "colour": "red"});
        assert_eq!(bad_fields(body), ["name", "notes", "value", "percent", "colour"]);
        assert_eq!(bad_fields(json!({"name": "a\u{0}b", "value": "1e2x"})), ["name", "value"]);
    }

    #[test]
    fn text_is_trimmed_and_counted_in_characters() {
        assert_eq!(decode(json!({"name": "  Zoë-e "})).unwrap().name.as_deref(), Some("Zoë-e"));
        assert_eq!(bad_fields(json!({"name": "sechs!"})), ["name"]);
        assert_eq!(decode(json!({"name": "a", "notes": "  "})).unwrap().notes, Patch::Clear);
    }

    #[test]
    fn numbers_of_a_query_string_are_spelled() {
        assert_eq!(in_query(integer(1..=200))(&json!("25")), Ok(25));
        assert!(in_query(integer(1..=200))(&json!("\"25\"")).is_err());
        assert_eq!(in_query(boolean)(&json!("true")), Ok(true));
    }

    #[test]
    fn a_body_that_is_no_object_is_malformed() {
        for bytes in [&b"[]"[..], b"nul", b"", b"{\"a\":", b"\"text\""] {
            assert_eq!(Body::parse(bytes).unwrap_err().code(), ErrorCode::Malformed);
        }
    }
}
