//! What operations answer, in the few shapes that every language has.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{self, Serialize, Serializer};

/// How money and moments announce themselves to [`Datum`]; to other formats they are what they wrap.
pub(crate) const MONEY: &str = "$flowcrm::Money";
pub(crate) const MOMENT: &str = "$flowcrm::Moment";

/// How `serde_json` spells a number of its own.
const JSON_NUMBER: &str = "$serde_json::private::Number";

/// One value of an answer: what JSON has, and beside it money and moments, which each language has its own types for.
///
/// ```
/// use flowcrm_core::operations::Datum;
/// let datum = Datum::of(&serde_json::json!({"rows": [1, 2.5, null]})).unwrap();
/// assert_eq!(datum.get("rows"), Some(&Datum::List(vec![
///     Datum::Integer(1), Datum::Number("2.5".to_owned()), Datum::Null,
/// ])));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number, as JSON spells it.
    Number(String),
    /// An amount of money in major units, as JSON spells it, with every digit.
    Money(String),
    /// A moment, in RFC 3339 with `Z`.
    Moment(String),
    /// Text.
    Text(Cow<'static, str>),
    /// A list.
    List(Vec<Datum>),
    /// Named values, in the order of the record.
    Record(Vec<(Cow<'static, str>, Datum)>),
}

impl Datum {
    /// A value, taken apart.
    ///
    /// # Errors
    ///
    /// When its `Serialize` fails, or writes bytes, which no answer has.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Result<Self, NoDatum> {
        value.serialize(Taker)
    }

    /// The value of this name in a record.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Record(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text of a text or moment.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Moment(text) => Some(text),
            _ => None,
        }
    }

    fn number(spelled: String) -> Self {
        spelled.parse().map_or(Self::Number(spelled), Self::Integer)
    }
}

/// As JSON; money is a number with every digit.
impl Serialize for Datum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Number(spelled) | Self::Money(spelled) => {
                let number: serde_json::Number = spelled.parse().map_err(ser::Error::custom)?;
                number.serialize(serializer)
            }
            Self::Moment(text) => serializer.serialize_str(text),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Record(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}

/// Why a value is no [`Datum`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoDatum(String);

impl ser::Error for NoDatum {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

type Taken = Result<Datum, NoDatum>;

/// Takes a value apart.
struct Taker;

/// The items of a list, so far.
struct Items(Vec<Datum>);

/// The fields of a record, so far.
#[derive(Default)]
struct Record {
    fields: Vec<(Cow<'static, str>, Datum)>,
    name: Option<Cow<'static, str>>,
}

impl Record {
    fn with_capacity(length: usize) -> Self {
        Self { fields: Vec::with_capacity(length), name: None }
    }
}

/// A variant of an enum that holds something: a record of one field, as in JSON.
struct Variant<T>(&'static str, T);

fn variant(name: &'static str, datum: Datum) -> Datum {
    Datum::Record(vec![(name.into(), datum)])
}

impl Serializer for Taker {
    type Ok = Datum;
    type Error = NoDatum;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Variant<Items>;
    type SerializeMap = Record;
    type SerializeStruct = Record;
    type SerializeStructVariant = Variant<Record>;

    fn serialize_bool(self, value: bool) -> Taken {
        Ok(Datum::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Taken {
        Ok(Datum::Integer(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Taken {
        Ok(Datum::Integer(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Taken {
        Ok(Datum::Integer(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Taken {
        Ok(Datum::Integer(value))
    }

    fn serialize_u8(self, value: u8) -> Taken {
        Ok(Datum::Integer(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Taken {
        Ok(Datum::Integer(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Taken {
        Ok(Datum::Integer(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Taken {
        Ok(i64::try_from(value).map_or_else(|_| Datum::Number(value.to_string()), Datum::Integer))
    }

    fn serialize_f32(self, value: f32) -> Taken {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Taken {
        // As in JSON, what is no number is nothing.
        Ok(if value.is_finite() { Datum::Number(value.to_string()) } else { Datum::Null })
    }

    fn serialize_char(self, value: char) -> Taken {
        Ok(Datum::Text(value.to_string().into()))
    }

    fn serialize_str(self, value: &str) -> Taken {
        Ok(Datum::Text(value.to_owned().into()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Taken {
        Err(ser::Error::custom("an answer has no bytes"))
    }

    fn serialize_none(self) -> Taken {
        Ok(Datum::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Taken {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Taken {
        Ok(Datum::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Taken {
        Ok(Datum::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Taken {
        Ok(Datum::Text(name.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Taken {
        let inner = value.serialize(self)?;
        Ok(match (name, inner) {
            (MONEY, Datum::Integer(value)) => Datum::Money(value.to_string()),
            (MONEY, Datum::Number(spelled)) => Datum::Money(spelled),
            (MOMENT, Datum::Text(text)) => Datum::Moment(text.into_owned()),
            (_, inner) => inner,
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Taken {
        Ok(variant(name, value.serialize(self)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, NoDatum> {
        Ok(Items(Vec::with_capacity(length.unwrap_or_default())))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, NoDatum> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, NoDatum> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Variant<Items>, NoDatum> {
        Ok(Variant(name, self.serialize_seq(Some(length))?))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Record, NoDatum> {
        Ok(Record::with_capacity(length.unwrap_or_default()))
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Record, NoDatum> {
        Ok(Record::with_capacity(length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        length: usize,
    ) -> Result<Variant<Record>, NoDatum> {
        Ok(Variant(name, Record::with_capacity(length)))
    }
}

impl ser::SerializeSeq for Items {
    type Ok = Datum;
    type Error = NoDatum;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoDatum> {
        self.0.push(Datum::of(value)?);
        Ok(())
    }

    fn end(self) -> Taken {
        Ok(Datum::List(self.0))
    }
}

impl ser::SerializeTuple for Items {
    type Ok = Datum;
    type Error = NoDatum;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoDatum> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Taken {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for Items {
    type Ok = Datum;
    type Error = NoDatum;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoDatum> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Taken {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleVariant for Variant<Items> {
    type Ok = Datum;
    type Error = NoDatum;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoDatum> {
        ser::SerializeSeq::serialize_element(&mut self.1, value)
    }

    fn end(self) -> Taken {
        Ok(variant(self.0, ser::SerializeSeq::end(self.1)?))
    }
}

impl ser::SerializeStruct for Record {
    type Ok = Datum;
    type Error = NoDatum;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NoDatum> {
        self.fields.push((name.into(), Datum::of(value)?));
        Ok(())
    }

    fn end(mut self) -> Taken {
        if let [(Cow::Borrowed(JSON_NUMBER), Datum::Text(spelled))] = self.fields.as_mut_slice() {
            return Ok(Datum::number(std::mem::take(spelled).into_owned()));
        }
        Ok(Datum::Record(self.fields))
    }
}

impl ser::SerializeStructVariant for Variant<Record> {
    type Ok = Datum;
    type Error = NoDatum;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), NoDatum> {
        ser::SerializeStruct::serialize_field(&mut self.1, name, value)
    }

    fn end(self) -> Taken {
        Ok(variant(self.0, ser::SerializeStruct::end(self.1)?))
    }
}

impl ser::SerializeMap for Record {
    type Ok = Datum;
    type Error = NoDatum;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NoDatum> {
        self.name = Some(match Datum::of(key)? {
            Datum::Text(name) => name,
            Datum::Integer(number) => number.to_string().into(),
            _ => return Err(ser::Error::custom("a name is text")),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NoDatum> {
        let name = self.name.take().ok_or_else(|| NoDatum("a value has a name".to_owned()))?;
        self.fields.push((name, Datum::of(value)?));
        Ok(())
    }

    fn end(self) -> Taken {
        Ok(Datum::Record(self.fields))
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::json;

    use super::*;
    use crate::money::{Currency, Money};
    use crate::time::Timestamp;

    #[derive(Serialize)]
    struct Sample {
        worth: Money,
        on: Timestamp,
        #[serde(flatten)]
        more: More,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct More {
        anything_else: serde_json::Value,
        kind: Option<Kind>,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "UPPERCASE")]
    enum Kind {
        Good,
        Held { by: u64 },
    }

    #[test]
    fn money_and_moments_are_told_from_numbers_and_text() {
        let sample = |kind| Sample {
            worth: Money::new(1_200, Currency::USD),
            on: Timestamp::from_unix(0),
            more: More { anything_else: json!({"a": [12, 0.5, "x"]}), kind },
        };
        let datum = Datum::of(&sample(Some(Kind::Held { by: u64::MAX }))).unwrap();
        assert_eq!(datum.get("worth"), Some(&Datum::Money("12".to_owned())));
        assert_eq!(datum.get("on"), Some(&Datum::Moment("1970-01-01T00:00:00.000Z".to_owned())));
        let list = vec![Datum::Integer(12), Datum::Number("0.5".to_owned()), Datum::Text("x".into())];
        assert_eq!(datum.get("anythingElse").and_then(|it| it.get("a")), Some(&Datum::List(list)));
        let held = datum.get("kind").and_then(|it| it.get("HELD")).and_then(|it| it.get("by"));
        assert_eq!(held, Some(&Datum::Number(u64::MAX.to_string())));
        for value in [sample(None), sample(Some(Kind::Good)), sample(Some(Kind::Held { by: 1 }))] {
            let datum = Datum::of(&value).unwrap();
            assert_eq!(serde_json::to_value(&datum).unwrap(), serde_json::to_value(&value).unwrap());
        }
    }
}
