//! What may be said of a file beside its kind.

use std::collections::BTreeMap;
use std::str::FromStr;

use encoding_rs::Encoding;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::field::ALTERNATIVES;
use super::{DateOrder, DecimalMark, ImportField, ImportKind};
use crate::deals::DealStage;
use crate::error::{Error, FieldError, Result};
use crate::input::{Command, Fields, Parsed, boolean, clean_text, list, spelled, text, words};
use crate::leads::LeadStatus;
use crate::money::Currency;

words! {
    /// What happens to a row whose record is there already, by its external id or else by its email.
    OnDuplicate {
        /// The row is left out.
        Skip = "skip",
        /// The record takes over what the row says; where the row is empty, it stays.
        Update = "update",
        /// Another record is created, but no external id is given twice.
        Create = "create",
    }
}

/// How the characters of a file are encoded: any name of the WHATWG Encoding Standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEncoding(pub(super) &'static Encoding);

impl FromStr for FileEncoding {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Encoding::for_label_no_replacement(name.as_bytes());
        let message = "must be the name of an encoding, like utf-8, utf-16le or windows-1252";
        found.map(Self).ok_or_else(|| message.to_owned())
    }
}

impl Serialize for FileEncoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

/// What separates the columns of a file: an ASCII character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiter(pub(super) u8);

impl FromStr for Delimiter {
    type Err = String;

    /// Reads the character itself, or its name: `comma`, `semicolon`, `tab`, `pipe`.
    fn from_str(text: &str) -> Result<Self, String> {
        let delimiter = match text {
            "comma" => b',',
            "semicolon" => b';',
            "tab" => b'\t',
            "pipe" => b'|',
            _ => match text.as_bytes() {
                [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n\0".contains(byte) => {
                    *byte
                }
                _ => return Err("must be one of comma, semicolon, tab, pipe, or a character".to_owned()),
            },
        };
        Ok(Self(delimiter))
    }
}

impl Serialize for Delimiter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_char(char::from(self.0))
    }
}

/// A column of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its place, the first being 0.
    Index(usize),
}

/// Where a field comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Source {
    /// One column.
    Column(Column),
    /// The first of these columns that is not empty.
    FirstOf(Vec<Column>),
    /// These columns, with a space between those that are not empty.
    Join {
        /// The columns.
        join: Vec<Column>,
    },
}

impl Source {
    /// Whether a column is named by its place.
    pub(super) fn has_index(&self) -> bool {
        let is_index = |column: &Column| matches!(column, Column::Index(_));
        match self {
            Self::Column(column) => is_index(column),
            Self::FirstOf(columns) | Self::Join { join: columns } => columns.iter().any(is_index),
        }
    }
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct ImportOptions {
    /// Where each field comes from: a column's name, its index from 0, a list of columns of which the first non-empty
    /// one wins, or `{"join": [columns]}`. Guessed from the header when absent.
    pub mapping: Option<BTreeMap<ImportField, Source>>,
    /// For each field, words of the file and what they mean here; compared without case.
    #[cfg_attr(feature = "openapi", oai(default))]
    pub values: BTreeMap<ImportField, BTreeMap<String, String>>,
    /// What happens to rows whose record is there already.
    #[cfg_attr(feature = "openapi", oai(default = "skip"))]
    pub on_duplicate: OnDuplicate,
    /// Whether to try only: the same counts and rejections, but no record is written.
    #[cfg_attr(feature = "openapi", oai(default))]
    pub dry_run: bool,
    /// Cells that mean nothing, like `NULL` or `n/a`; compared without case.
    #[cfg_attr(feature = "openapi", oai(default))]
    pub empty_values: Vec<String>,
    /// How the characters are encoded, by any name of the WHATWG Encoding Standard; seen when absent.
    pub encoding: Option<FileEncoding>,
    /// What separates columns: `comma`, `semicolon`, `tab`, `pipe`, or the character; seen when absent.
    pub delimiter: Option<Delimiter>,
    /// Whether the first row names the columns. Without names, columns are mapped by index.
    #[cfg_attr(feature = "openapi", oai(default = "with_header"))]
    pub header: bool,
    /// In which order dates give their numbers; seen, column by column, when absent.
    pub date_order: Option<DateOrder>,
    /// What stands before the decimals of amounts: `.` or `,`; seen, column by column, when absent.
    pub decimal_mark: Option<DecimalMark>,
    /// The currency of the amounts, which must be the organization's.
    pub currency: Option<Currency>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            mapping: None,
            values: BTreeMap::new(),
            on_duplicate: skip(),
            dry_run: false,
            empty_values: Vec::new(),
            encoding: None,
            delimiter: None,
            header: with_header(),
            date_order: None,
            decimal_mark: None,
            currency: None,
        }
    }
}

const fn with_header() -> bool {
    true
}

const fn skip() -> OnDuplicate {
    OnDuplicate::Skip
}

impl Command for ImportOptions {
    fn decode(fields: &mut Fields) -> Self {
        let mapping = fields.optional("mapping", object);
        let values = fields.optional("values", object).unwrap_or_default();
        Self {
            mapping: mapping.map(|mapping| by_field(fields, "mapping", &mapping, source)),
            values: by_field(fields, "values", &values, meanings),
            on_duplicate: fields.optional("onDuplicate", spelled).unwrap_or_else(skip),
            dry_run: fields.optional("dryRun", boolean).unwrap_or_default(),
            empty_values: fields.optional("emptyValues", list(0..=100, text(1..=200))).unwrap_or_default(),
            encoding: fields.optional("encoding", spelled),
            delimiter: fields.optional("delimiter", unspaced),
            header: fields.optional("header", boolean).unwrap_or_else(with_header),
            date_order: fields.optional("dateOrder", spelled),
            decimal_mark: fields.optional("decimalMark", spelled),
            currency: {
                let own = fields.currency();
                fields.optional("currency", |value| in_own(own, spelled(value)?))
            },
        }
    }
}

impl ImportOptions {
    /// Demands that the options fit records of a kind.
    pub(super) fn check(&self, kind: ImportKind) -> Result<()> {
        let mapped = self.mapping.iter().flat_map(BTreeMap::keys);
        let named =
            mapped.map(|field| ("mapping", field)).chain(self.values.keys().map(|field| ("values", field)));
        let mut errors: Vec<FieldError> = named
            .filter(|(_, field)| !ImportField::of(kind).contains(field))
            .map(|(option, field)| {
                FieldError::new(format!("{option}.{field}"), format!("is not a field of {kind}"))
            })
            .collect();
        for (one, other) in ALTERNATIVES {
            if self
                .mapping
                .as_ref()
                .is_some_and(|mapping| mapping.contains_key(&one) && mapping.contains_key(&other))
            {
                errors.push(FieldError::new(format!("mapping.{other}"), format!("cannot go with {one}")));
            }
        }
        for (field, meanings) in &self.values {
            for (word, meaning) in meanings {
                if let Err(message) = is_word_of(*field, meaning) {
                    errors.push(FieldError::new(format!("values.{field}.{}", shown(word)), message));
                }
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
    }
}

/// Whether `word` is one of ours, if the field is an enum.
fn is_word_of(field: ImportField, word: &str) -> Result<(), String> {
    match field {
        ImportField::Status => own_word(word).parse::<LeadStatus>().map(|_| ()),
        ImportField::Stage => own_word(word).parse::<DealStage>().map(|_| ()),
        _ => Ok(()),
    }
}

/// A word of the file, spelled as our enums are: `Closed won` is `CLOSED_WON`.
pub(super) fn own_word(word: &str) -> String {
    word.trim().to_uppercase().replace([' ', '-'], "_")
}

/// A delimiter may be a blank, which is not to be trimmed.
fn unspaced(value: &Value) -> Parsed<Delimiter> {
    value.as_str().ok_or("must be text")?.parse()
}

/// Demands the organization's currency: nothing is converted.
fn in_own(own: Currency, currency: Currency) -> Parsed<Currency> {
    let message = || format!("must be {own}, the organization's currency: amounts are not converted");
    if currency == own { Ok(currency) } else { Err(message()) }
}

fn object(value: &Value) -> Parsed<Map<String, Value>> {
    value.as_object().cloned().ok_or_else(|| "must be an object of fields".to_owned())
}

fn by_field<T>(
    fields: &mut Fields,
    option: &str,
    object: &Map<String, Value>,
    read: impl Fn(&Value) -> Parsed<T>,
) -> BTreeMap<ImportField, T> {
    let mut map = BTreeMap::new();
    for (name, value) in object {
        match (name.parse::<ImportField>(), read(value)) {
            (Ok(field), Ok(value)) => {
                map.insert(field, value);
            }
            (Err(_), _) => {
                fields.refuse(format!("{option}.{}", shown(name)), "is not a field that can be imported");
            }
            (Ok(field), Err(message)) => fields.refuse(format!("{option}.{field}"), message),
        }
    }
    map
}

/// A client may have sent anything as a name: enough of it to recognize, no more.
fn shown(name: &str) -> String {
    name.chars().filter(|character| !character.is_control()).take(60).collect()
}

fn source(value: &Value) -> Parsed<Source> {
    match value {
        Value::Array(_) => columns(value).map(Source::FirstOf),
        Value::Object(object) if object.len() == 1 && object.contains_key("join") => {
            columns(&object["join"]).map(|join| Source::Join { join })
        }
        _ => column(value).map(Source::Column),
    }
}

fn columns(value: &Value) -> Parsed<Vec<Column>> {
    let items = value.as_array().filter(|items| (1..=20).contains(&items.len()));
    items.ok_or("must list 1 to 20 columns")?.iter().map(column).collect()
}

fn column(value: &Value) -> Parsed<Column> {
    let name = value.as_str().map(str::trim).filter(|name| !name.is_empty());
    let index = value.as_u64().and_then(|index| usize::try_from(index).ok());
    name.map(|name| Column::Name(name.to_owned())).or(index.map(Column::Index)).ok_or_else(|| {
        "must be a column's name, its index from 0, a list of these, or {\"join\": [columns]}".to_owned()
    })
}

fn meanings(value: &Value) -> Parsed<BTreeMap<String, String>> {
    let meanings = value.as_object().ok_or("must be an object of the file's words and ours")?;
    if meanings.len() > 1_000 {
        return Err("must have at most 1000 words".to_owned());
    }
    let read = |(word, meaning): (&String, &Value)| match meaning.as_str() {
        _ if word.trim().is_empty() => {
            Err("must not say what an empty cell means: it means nothing".to_owned())
        }
        Some(meaning) => Ok((clean_text(word, &(1..=200))?, clean_text(meaning, &(0..=200))?)),
        None => Err("must give a text for each word".to_owned()),
    };
    meanings.iter().map(read).collect()
}

#[cfg(feature = "openapi")]
crate::openapi::scalar!(write_only FileEncoding, "string", "encoding");
#[cfg(feature = "openapi")]
crate::openapi::scalar!(write_only Delimiter, "string", "delimiter");

#[cfg(feature = "openapi")]
mod described {
    use std::borrow::Cow;

    use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
    use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
    use serde_json::Value;

    use super::Source;

    fn any_of(schemas: Vec<MetaSchemaRef>) -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema { any_of: schemas, ..MetaSchema::ANY }))
    }

    fn plain(kind: &'static str) -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new(kind)))
    }

    impl Type for Source {
        const IS_REQUIRED: bool = true;
        type RawValueType = Self;
        type RawElementValueType = Self;

        fn name() -> Cow<'static, str> {
            "ImportSource".into()
        }

        fn schema_ref() -> MetaSchemaRef {
            let column = || any_of(vec![plain("string"), plain("integer")]);
            let columns = || {
                let list = MetaSchema { items: Some(Box::new(column())), ..MetaSchema::new("array") };
                MetaSchemaRef::Inline(Box::new(list))
            };
            let join = MetaSchema {
                required: vec!["join"],
                properties: vec![("join", columns())],
                ..MetaSchema::new("object")
            };
            any_of(vec![plain("string"), plain("integer"), columns(), MetaSchemaRef::Inline(Box::new(join))])
        }

        fn as_raw_value(&self) -> Option<&Self> {
            Some(self)
        }

        fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
            Box::new(std::iter::once(self))
        }
    }

    impl ParseFromJSON for Source {
        fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
            super::source(&value.unwrap_or_default()).map_err(ParseError::custom)
        }
    }

    impl ToJSON for Source {
        fn to_json(&self) -> Option<Value> {
            serde_json::to_value(self).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::input::{Body, Input};

    fn decode(value: Value) -> Result<ImportOptions> {
        let options: ImportOptions = Body::try_from(value)?.decode()?;
        options.check(ImportKind::Deals)?;
        Ok(options)
    }

    fn bad_fields(value: Value) -> Vec<String> {
        decode(value).unwrap_err().fields().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn options_written_out_are_read_again() {
        let sent = json!({
            "mapping": {"title": "opportunity_id", "value": 7, "notes": {"join": ["a", 1]}, "externalId": ["x", "y"]},
            "values": {"stage": {"Won": "closed_won"}},
            "dryRun": true,
            "onDuplicate": "update",
            "emptyValues": ["NULL", "n/a"],
            "encoding": "cp1252",
            "delimiter": "tab",
            "header": false,
            "dateOrder": "mdy",
            "decimalMark": ",",
            "currency": "USD",
        });
        let options = decode(sent).unwrap();
        let again = Input::<ImportOptions>::into_body(options.clone()).unwrap().decode().unwrap();
        assert_eq!(options, again);
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        let read = json!({
            "onDuplicate": "merge", "encoding": "klingon", "dryRun": "yes", "delimiter": "x", "header": "no",
            "dateOrder": "ydm", "decimalMark": "'", "currency": "EUR", "emptyValues": [""], "undo": true,
            "mapping": {"colour": "x", "title": null, "notes": []},
        });
        let expected = [
            "mapping.colour",
            "mapping.notes",
            "mapping.title",
            "onDuplicate",
            "dryRun",
            "emptyValues",
            "encoding",
            "delimiter",
            "header",
            "dateOrder",
            "decimalMark",
            "currency",
            "undo",
        ];
        assert_eq!(bad_fields(read), expected);
        let checked = json!({
            "mapping": {"email": "Mail", "owner": "A", "ownerId": "B"}, "values": {"stage": {"Won": "GONE"}},
        });
        assert_eq!(bad_fields(checked), ["mapping.email", "mapping.owner", "values.stage.Won"]);
    }
}
