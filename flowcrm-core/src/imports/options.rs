//! What may be said of a file beside its kind.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::field::ALTERNATIVES;
use super::{ImportField, ImportKind};
use crate::deals::DealStage;
use crate::error::{Error, FieldError, Result};
use crate::input::{Command, Fields, Parsed, boolean, spelled, words};
use crate::leads::LeadStatus;

words! {
    /// What happens to a row whose record is there already, by its external id or else by its email.
    OnDuplicate {
        /// The row is left out.
        Skip = "skip",
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
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self { mapping: None, values: BTreeMap::new(), on_duplicate: skip(), dry_run: false }
    }
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
    let read = |(word, meaning): (&String, &Value)| match meaning.as_str() {
        _ if word.trim().is_empty() => {
            Err("must not say what an empty cell means: it means nothing".to_owned())
        }
        Some(meaning) => Ok((word.clone(), meaning.to_owned())),
        None => Err("must give a text for each word".to_owned()),
    };
    meanings.iter().map(read).collect()
}

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
        });
        let options = decode(sent).unwrap();
        let again = Input::<ImportOptions>::into_body(options.clone()).unwrap().decode().unwrap();
        assert_eq!(options, again);
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        let read = json!({
            "onDuplicate": "update", "encoding": "latin1", "dryRun": "yes",
            "mapping": {"colour": "x", "title": null, "notes": []},
        });
        let expected =
            ["mapping.colour", "mapping.notes", "mapping.title", "onDuplicate", "dryRun", "encoding"];
        assert_eq!(bad_fields(read), expected);
        let checked = json!({
            "mapping": {"email": "Mail", "owner": "A", "ownerId": "B"}, "values": {"stage": {"Won": "GONE"}},
        });
        assert_eq!(bad_fields(checked), ["mapping.email", "mapping.owner", "values.stage.Won"]);
    }
}
