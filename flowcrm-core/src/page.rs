//! Lists: one page at a time, by keyset cursors.
//!
//! A cursor names the last record of a page by its sort key and id; the next page begins behind it. Records that come
//! and go meanwhile cannot shift the others, so a walk by `createdAt` shows no record twice and misses none.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::input::{Fields, boolean, in_query, integer, spelled};
use crate::time::Timestamp;

/// The most records that a page may have.
pub const MAX_LIMIT: i64 = 200;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The records, in the order asked for.
    pub items: Vec<T>,
    /// Where the next page begins; none on the last page.
    pub next: Option<Cursor>,
    /// How many records there are in all, when asked with `count`.
    pub total: Option<u64>,
}

impl<T> Page<T> {
    /// Makes a page from up to `limit + 1` records: the one too many says that there is a next page.
    pub fn cut<K: SortKey>(mut items: Vec<T>, list: &Listing<K>, total: Option<u64>) -> Self
    where
        T: Sortable<K>,
    {
        let has_more = items.len() > list.limit;
        items.truncate(list.limit);
        let next = items.last().filter(|_| has_more).map(|last| {
            let (value, id) = last.position(list.sort.key);
            Cursor { sort: list.sort.to_string(), value, id }
        });
        Self { items, next, total }
    }

    /// The same page with other items.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), next: self.next, total: self.total }
    }
}

/// The keys that a kind of record can be sorted by.
pub trait SortKey: Copy + PartialEq + fmt::Debug + 'static {
    /// Each key with its name on the wire.
    const ALL: &'static [(&'static str, Self)];
    /// The sort when none is asked for; by `createdAt`, newest first.
    const DEFAULT: Sort<Self>;

    /// The kind of values that the key has.
    fn kind(self) -> SortKind;
}

/// A record that can be sorted by keys of `K`.
pub trait Sortable<K> {
    /// The record's value of `key`, and its id, which breaks ties.
    fn position(&self, key: K) -> (SortValue, Uuid);
}

/// The kind of a sort key's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKind {
    /// Moments.
    Time,
    /// Whole numbers: minor units of money.
    Number,
    /// Text, compared byte by byte.
    Text,
}

/// A value of a sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortValue {
    /// A moment.
    Time(Timestamp),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

/// An order: a key, ascending or descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<K> {
    /// The key.
    pub key: K,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl<K: SortKey> fmt::Display for Sort<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = K::ALL.iter().find(|(_, key)| *key == self.key).map_or("", |(name, _)| name);
        write!(formatter, "{}{name}", if self.descending { "-" } else { "" })
    }
}

impl<K: SortKey> FromStr for Sort<K> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (descending, name) = text.strip_prefix('-').map_or((false, text), |name| (true, name));
        let names = || K::ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        K::ALL
            .iter()
            .find(|(candidate, _)| *candidate == name)
            .map(|(_, key)| Self { key: *key, descending })
            .ok_or_else(|| format!("must be one of {}, with a - in front for descending", names()))
    }
}

/// Where a page ends and the next begins. Opaque on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    sort: String,
    /// The sort key's value of the last record.
    pub value: SortValue,
    /// The last record's id.
    pub id: Uuid,
}

#[derive(Serialize, Deserialize)]
struct CursorText(String, String, Uuid);

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = match &self.value {
            SortValue::Time(moment) => moment.to_sortable_text(),
            SortValue::Number(number) => number.to_string(),
            SortValue::Text(text) => text.clone(),
        };
        let text =
            serde_json::to_vec(&CursorText(self.sort.clone(), value, self.id)).map_err(|_| fmt::Error)?;
        formatter.write_str(&URL_SAFE_NO_PAD.encode(text))
    }
}

impl Cursor {
    /// Reads a cursor of a list sorted by `sort`.
    fn parse<K: SortKey>(text: &str, sort: Sort<K>) -> Option<Self> {
        if text.len() > 2_000 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let CursorText(for_sort, value, id) = serde_json::from_slice(&bytes).ok()?;
        let value = match sort.key.kind() {
            SortKind::Time if value == Timestamp::FAR_FUTURE.to_sortable_text() => {
                SortValue::Time(Timestamp::FAR_FUTURE)
            }
            SortKind::Time => SortValue::Time(value.parse().ok()?),
            SortKind::Number => SortValue::Number(value.parse().ok()?),
            SortKind::Text => SortValue::Text(Some(value).filter(|value| !value.contains('\0'))?),
        };
        (for_sort == sort.to_string()).then_some(Self { sort: for_sort, value, id })
    }
}

/// How much of a list is wanted, in which order, from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<K> {
    /// The most records of the page, 1 to 200.
    pub limit: usize,
    /// The order.
    pub sort: Sort<K>,
    /// Behind which record the page begins.
    pub cursor: Option<Cursor>,
    /// Whether to count all records too.
    pub count: bool,
}

impl<K: SortKey> Default for Listing<K> {
    fn default() -> Self {
        Self { limit: 50, sort: K::DEFAULT, cursor: None, count: false }
    }
}

impl<K: SortKey> Listing<K> {
    /// Reads `limit`, `sort`, `cursor` and `count` of a query.
    pub fn decode(fields: &mut Fields) -> Self {
        let sort = fields.optional("sort", spelled).unwrap_or(K::DEFAULT);
        let read_cursor = |value: &Value| {
            let cursor = value.as_str().and_then(|text| Cursor::parse(text, sort));
            cursor.ok_or_else(|| "must be a cursor of this list in this order".to_owned())
        };
        Self {
            limit: page_limit(fields, MAX_LIMIT),
            sort,
            cursor: fields.optional("cursor", read_cursor),
            count: fields.optional("count", in_query(boolean)).unwrap_or_default(),
        }
    }

    /// The page after `cursor`.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.cursor = Some(cursor);
        self
    }
}

/// Reads `limit`, from 1 to `most`, 50 when it is not given.
pub fn page_limit(fields: &mut Fields, most: i64) -> usize {
    let limit = fields.optional("limit", in_query(integer(1..=most))).unwrap_or(50);
    usize::try_from(limit).unwrap_or(50)
}

/// Declares the sort keys of a record: `createdAt` and `updatedAt`, which all have, and its own.
macro_rules! sort_keys {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal $kind:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            /// When the record was created; never changes.
            CreatedAt,
            /// When the record was last changed.
            UpdatedAt,
            $($(#[$variant_doc])* $variant,)*
        }

        impl $crate::page::SortKey for $name {
            const ALL: &'static [(&'static str, Self)] = &[
                ("createdAt", Self::CreatedAt),
                ("updatedAt", Self::UpdatedAt),
                $(($word, Self::$variant),)*
            ];
            const DEFAULT: $crate::page::Sort<Self> = $crate::page::Sort { key: Self::CreatedAt, descending: true };

            fn kind(self) -> $crate::page::SortKind {
                match self {
                    Self::CreatedAt | Self::UpdatedAt => $crate::page::SortKind::Time,
                    $(Self::$variant => $crate::page::SortKind::$kind,)*
                }
            }
        }
    };
}

pub(crate) use sort_keys;

#[cfg(feature = "openapi")]
mod described {
    use std::borrow::Cow;

    use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
    use poem_openapi::types::{ParseFromJSON, ParseResult, ToJSON, Type};
    use serde_json::Value;

    use super::{Listing, MAX_LIMIT, SortKey};

    impl<K: SortKey + Send + Sync> Type for Listing<K> {
        const IS_REQUIRED: bool = true;
        type RawValueType = Self;
        type RawElementValueType = Self;

        fn name() -> Cow<'static, str> {
            format!("Listing_{}", std::any::type_name::<K>().rsplit("::").next().unwrap_or_default()).into()
        }

        fn schema_ref() -> MetaSchemaRef {
            MetaSchemaRef::Reference(Self::name().into_owned())
        }

        fn register(registry: &mut Registry) {
            let described = |schema: MetaSchema, description: &'static str| {
                MetaSchemaRef::Inline(Box::new(MetaSchema { description: Some(description), ..schema }))
            };
            let orders =
                K::ALL.iter().flat_map(|(name, _)| [Value::from(*name), Value::from(format!("-{name}"))]);
            let limit = MetaSchema {
                minimum: Some(1.0),
                maximum: Some(f64::from(i32::try_from(MAX_LIMIT).unwrap_or(i32::MAX))),
                ..MetaSchema::new("integer")
            };
            let sort = MetaSchema { enum_items: orders.collect(), ..MetaSchema::new("string") };
            registry.create_schema::<Self, _>(Self::name().into_owned(), |_| MetaSchema {
                properties: vec![
                    ("limit", described(limit, "How many records at most; 50 when absent.")),
                    (
                        "sort",
                        described(sort, "The order; `-` in front for descending; `-createdAt` when absent."),
                    ),
                    (
                        "cursor",
                        described(
                            MetaSchema::new("string"),
                            "Where the page begins: from the `Link` header.",
                        ),
                    ),
                    ("count", described(MetaSchema::new("boolean"), "Whether to answer `X-Total-Count`.")),
                ],
                ..MetaSchema::new("object")
            });
        }

        fn as_raw_value(&self) -> Option<&Self> {
            Some(self)
        }

        fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
            Box::new(std::iter::once(self))
        }
    }

    impl<K: SortKey + Send + Sync> ParseFromJSON for Listing<K> {
        fn parse_from_json(_: Option<Value>) -> ParseResult<Self> {
            Ok(Self::default())
        }
    }

    impl<K: SortKey + Send + Sync> ToJSON for Listing<K> {
        fn to_json(&self) -> Option<Value> {
            None
        }
    }
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro declares keys of records, which are public")]
mod tests {
    use super::*;

    sort_keys! {
        /// Keys of a sample.
        SampleSort {
            /// By name.
            Name = "name" Text,
        }
    }

    #[test]
    fn a_cursor_fits_its_own_order_only() {
        let by_name: Sort<SampleSort> = "-name".parse().unwrap();
        let cursor = Cursor {
            sort: by_name.to_string(),
            value: SortValue::Text("Zoë \"x\"".into()),
            id: Uuid::from_u128(7),
        };
        assert_eq!(Cursor::parse(&cursor.to_string(), by_name), Some(cursor.clone()));
        assert_eq!(Cursor::parse::<SampleSort>(&cursor.to_string(), SampleSort::DEFAULT), None);
        assert_eq!(Cursor::parse("AAAA", by_name), None);
    }

    #[test]
    fn an_order_is_spelled_by_the_keys_name() {
        assert_eq!("-createdAt".parse(), Ok(SampleSort::DEFAULT));
        assert!("colour".parse::<Sort<SampleSort>>().is_err());
        assert!("--name".parse::<Sort<SampleSort>>().is_err());
    }
}
