//! Money: whole minor units in one currency, never a binary float.

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::operations::MONEY;

/// A currency of ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// US dollars, what a new organization starts with.
    pub const USD: Self = Self(iso_currency::Currency::USD);

    /// The three letters of ISO 4217.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimals an amount may have: 2 for dollars, 0 for yen, 3 for dinars.
    pub fn decimals(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl FromStr for Currency {
    type Err = String;

    /// Reads the three capital letters of ISO 4217.
    fn from_str(code: &str) -> Result<Self, String> {
        iso_currency::Currency::from_code(code)
            .map(Self)
            .ok_or_else(|| "must be a currency of ISO 4217, like USD or EUR".to_owned())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// An exact sum of money: minor units (cents) and their currency.
///
/// On the wire it is a plain JSON number in major units (`125000.5`). Records hold from 0 to
/// 10,000,000,000.00; sums of records may be larger.
///
/// ```
/// use flowcrm_core::money::{Currency, Money};
/// let price = Money::new(12_550, Currency::USD);
/// assert_eq!(price.to_string(), "125.5");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// `minor` units of `currency`: 12,550 of USD are 125.50 dollars.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing at all, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The minor units inside.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount in major units, without its currency.
    pub fn amount(self) -> Amount {
        Amount(Decimal::new(self.minor, self.currency.decimals()).normalize())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.amount().fmt(formatter)
    }
}

impl Serialize for Money {
    /// A number for people; minor units and currency for formats that people do not read.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.amount().serialize(serializer)
        } else {
            (self.minor, self.currency).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Err(de::Error::custom(
                "a number alone does not say its currency: read an Amount instead",
            ));
        }
        <(i64, Currency)>::deserialize(deserializer).map(|(minor, currency)| Self::new(minor, currency))
    }
}

/// An exact decimal number in major units whose currency is known from elsewhere: what a client sends.
///
/// ```
/// use flowcrm_core::money::{Amount, Currency, Money};
/// let amount: Amount = "12.50".parse().unwrap();
/// assert_eq!(amount.in_currency(Currency::USD), Ok(Money::new(1_250, Currency::USD)));
/// assert!(amount.in_currency("JPY".parse().unwrap()).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Amount(Decimal);

impl Amount {
    /// The largest value of a record, in major units.
    pub const MAX_MAJOR: i64 = 10_000_000_000;

    /// This amount as money of `currency`.
    ///
    /// # Errors
    ///
    /// A message when it is negative, above 10,000,000,000, or has more decimals than the currency.
    pub fn in_currency(self, currency: Currency) -> Result<Money, String> {
        let decimals = currency.decimals();
        let number = self.0.normalize();
        if number.is_sign_negative() && !number.is_zero() || number > Decimal::from(Self::MAX_MAJOR) {
            return Err("must be from 0 to 10000000000".to_owned());
        }
        if number.scale() > decimals {
            return Err(format!("must have at most {decimals} decimals, as {currency} has"));
        }
        let scaled = number.mantissa() * 10_i128.pow(decimals - number.scale());
        let minor = i64::try_from(scaled).map_err(|_| "is too large".to_owned())?;
        Ok(Money::new(minor, currency))
    }
}

impl FromStr for Amount {
    type Err = String;

    /// Reads a plain decimal number (`1250.5`) or one with an exponent (`1.25e3`); nothing is rounded.
    fn from_str(text: &str) -> Result<Self, String> {
        let no_number = || "must be a number, like 1250.5".to_owned();
        let spelled =
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        if !spelled || text.len() > 40 {
            return Err(no_number());
        }
        let parsed = if text.contains(['e', 'E']) {
            Decimal::from_scientific(text)
        } else {
            Decimal::from_str_exact(text)
        };
        parsed.map(Self).map_err(|_| no_number())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(formatter)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number: serde_json::Number = self.to_string().parse().map_err(serde::ser::Error::custom)?;
        serializer.serialize_newtype_struct(MONEY, &number)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Number::deserialize(deserializer)?.to_string().parse().map_err(de::Error::custom)
    }
}

#[cfg(feature = "openapi")]
mod described {
    use super::{Amount, Currency, Money};

    crate::openapi::scalar!(Currency, "string", "iso-4217");
    crate::openapi::scalar!(Amount, "number", "decimal");
    crate::openapi::scalar!(write_only Money, "number", "decimal");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_bounded() {
        let yen: Currency = "JPY".parse().unwrap();
        let dinar: Currency = "KWD".parse().unwrap();
        let cases = [
            ("0.1", Currency::USD, Some(10)),
            ("1e3", Currency::USD, Some(100_000)),
            ("1.50", Currency::USD, Some(150)),
            ("1.005", Currency::USD, None),
            ("1.005", dinar, Some(1_005)),
            ("10000000000", Currency::USD, Some(1_000_000_000_000)),
            ("10000000000.01", Currency::USD, None),
            ("-0.01", Currency::USD, None),
            ("7", yen, Some(7)),
            ("7.5", yen, None),
        ];
        for (text, currency, minor) in cases {
            let money = text.parse::<Amount>().unwrap().in_currency(currency);
            assert_eq!(money.ok().map(Money::minor), minor, "{text} {currency}");
        }
        for bad in ["", "1,5", "NaN", "inf", "0x10", " 1", "1_000", "--1", "1e999999999"] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
    }

    #[test]
    fn large_sums_print_every_digit() {
        let sum = Money::new(9_007_199_254_740_993, Currency::USD);
        assert_eq!(serde_json::to_string(&sum).unwrap(), "90071992547409.93");
    }
}
