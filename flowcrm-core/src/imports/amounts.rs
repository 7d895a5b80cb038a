//! Amounts of money as files write them.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::currencies::{foreign, is_sign, means};
use crate::input::words;
use crate::money::Currency;

words! {
    /// What stands before the decimals of a number.
    DecimalMark {
        /// 1,234.50
        Point = ".",
        /// 1.234,50
        Comma = ",",
    }
}

/// Words and letters that multiply, as powers of ten.
const MULTIPLIERS: [(&str, u32); 9] = [
    ("K", 3),
    ("M", 6),
    ("MM", 6),
    ("MN", 6),
    ("MIO", 6),
    ("MILLION", 6),
    ("THOUSAND", 3),
    ("BN", 9),
    ("B", 9),
];

/// A number of more digits is none.
const MOST_DIGITS: usize = 25;

/// An amount taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    is_negative: bool,
    /// Digits with points, commas, spaces and apostrophes between them.
    number: String,
    /// The power of ten that a suffix or an exponent multiplies by.
    power: i32,
    /// A sign of another currency.
    foreign: Option<String>,
}

/// An amount as a plain decimal number: `1250.5`.
pub(super) fn plain(text: &str, mark: Option<DecimalMark>, currency: Currency) -> Result<String, String> {
    let no_number = || "must be a number, like 1250.5".to_owned();
    let written = read(text, currency).ok_or_else(no_number)?;
    if let Some(sign) = &written.foreign {
        return Err(foreign(sign, currency));
    }
    let marks = DecimalMark::ALL.iter().filter(|known| mark.is_none_or(|mark| mark == **known));
    let mut values = marks.filter_map(|mark| written.value(*mark));
    let value = values.next().ok_or_else(no_number)?;
    if values.any(|other| other != value) { Err(no_number()) } else { Ok(value.normalize().to_string()) }
}

/// Whether a cell is an amount, whatever its currency and decimal mark.
pub(super) fn is_number(text: &str) -> bool {
    let read = read(text, Currency::USD).filter(|_| !text.contains('+'));
    read.is_some_and(|written| DecimalMark::ALL.iter().any(|mark| written.value(*mark).is_some()))
}

/// The cell, written so that it tells by itself what only its column has told: `1,234` with a decimal comma as `1,2340`.
pub(super) fn told(text: &str, mark: DecimalMark, currency: Currency) -> Cow<'_, str> {
    let mut evidence = AmountEvidence::default();
    evidence.observe(text, currency);
    if !evidence.differ || evidence.decide() == Ok(mark) {
        return text.into();
    }
    let first = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(text.len());
    let number = text[first..].find(['e', 'E']).map_or(text, |exponent| &text[..first + exponent]);
    let end = number.rfind(|letter: char| letter.is_ascii_digit()).map_or(0, |last| last + 1);
    let (number, rest) = text.split_at(end);
    let more = if number[first..].contains(mark.as_str()) { "0".to_owned() } else { format!("{mark}0") };
    format!("{number}{more}{rest}").into()
}

/// What the cells of a column say of its decimal mark.
#[derive(Debug, Clone, Default)]
pub(super) struct AmountEvidence {
    point: Standing,
    comma: Standing,
    differ: bool,
    example: String,
}

/// How one decimal mark fits the cells so far.
#[derive(Debug, Clone, Default)]
struct Standing {
    is_impossible: bool,
    /// Whether an amount has more decimals than the currency.
    is_too_fine: bool,
}

impl AmountEvidence {
    /// Takes a cell into account; one that is no number says nothing.
    pub(super) fn observe(&mut self, text: &str, currency: Currency) {
        let Some(written) = read(text, currency) else { return };
        let values = (written.value(DecimalMark::Point), written.value(DecimalMark::Comma));
        if values == (None, None) {
            return;
        }
        for (standing, value) in [(&mut self.point, values.0), (&mut self.comma, values.1)] {
            standing.is_impossible |= value.is_none();
            standing.is_too_fine |=
                value.is_some_and(|value| value.normalize().scale() > currency.decimals());
        }
        if values.0.is_some() && values.1.is_some() && values.0 != values.1 {
            if !self.differ {
                text.clone_into(&mut self.example);
            }
            self.differ = true;
        }
    }

    /// The decimal mark of the column: by the shape of its numbers, else a point where with a comma an amount would have
    /// more decimals than the currency has. The reverse tells nothing: databases write `1.234` of an amount that they
    /// keep with three decimals.
    pub(super) fn decide(&self) -> Result<DecimalMark, String> {
        match (self.point.is_impossible, self.comma.is_impossible) {
            (true, true) => {
                return Err(
                    "has numbers with decimal points and others with decimal commas: name . or ,".to_owned()
                );
            }
            (false, true) => return Ok(DecimalMark::Point),
            (true, false) => return Ok(DecimalMark::Comma),
            (false, false) if !self.differ => return Ok(DecimalMark::Point),
            (false, false) => {}
        }
        if self.comma.is_too_fine && !self.point.is_too_fine {
            return Ok(DecimalMark::Point);
        }
        Err(format!("has numbers that mean two amounts, like {}: name . or ,", self.example))
    }
}

impl Written {
    fn value(&self, mark: DecimalMark) -> Option<Decimal> {
        let (mark, other) = match mark {
            DecimalMark::Point => ('.', ','),
            DecimalMark::Comma => (',', '.'),
        };
        let (whole, decimals) = self.number.split_once(mark).unwrap_or((&self.number, "0"));
        if !is_digits(decimals) {
            return None;
        }
        let whole = match whole {
            "" => "0".to_owned(),
            whole => ungrouped(whole, other)?,
        };
        let number = Decimal::from_str_exact(&format!("{whole}.{decimals}")).ok()?;
        let scaled = match self.power {
            0 => Some(number),
            power if power > 0 => {
                number.checked_mul(Decimal::from(10_i128.checked_pow(power.unsigned_abs())?))
            }
            power => number.checked_div(Decimal::from(10_i128.checked_pow(power.unsigned_abs())?)),
        };
        scaled.map(|number| if self.is_negative { -number } else { number })
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits without what groups them: by threes, or as in India by twos before the last three.
fn ungrouped(text: &str, mark: char) -> Option<String> {
    let groups = [mark, ' ', '\''].into_iter().find(|separator| text.contains(*separator));
    let Some(separator) = groups else { return is_digits(text).then(|| text.to_owned()) };
    let groups: Vec<&str> = text.split(separator).collect();
    let [first, middle @ .., last] = groups.as_slice() else { return None };
    let is_even = |length: usize| middle.iter().all(|group| group.len() == length);
    let fits = match first.len() {
        1 | 2 => is_even(3) || is_even(2),
        3 => is_even(3),
        _ => false,
    };
    let is_grouped =
        fits && last.len() == 3 && !first.starts_with('0') && groups.iter().all(|group| is_digits(group));
    is_grouped.then(|| groups.concat())
}

fn read(text: &str, currency: Currency) -> Option<Written> {
    let text: String = text.chars().map(usual).collect();
    let digit = |letter: char| letter.is_ascii_digit();
    let (first, last) = (text.find(digit)?, text.rfind(digit)?);
    // `.50`
    let first = if text[..first].ends_with(['.', ',']) { first - 1 } else { first };
    let (before, after) = (&text[..first], &text[last + 1..]);
    let (number, exponent) = with_exponent(&text[first..=last])?;
    let is_number = number.chars().all(|letter| digit(letter) || matches!(letter, '.' | ',' | ' ' | '\''));
    if !is_number || number.chars().filter(|letter| digit(*letter)).count() > MOST_DIGITS {
        return None;
    }
    let around = format!("{before}{after}");
    let signs = around.matches(['-', '+', '(']).count();
    let is_bracketed = before.contains('(') && after.contains(')');
    if signs > 1 || (around.contains(['(', ')']) && (!is_bracketed || around.matches(')').count() > 1)) {
        return None;
    }
    let word = |text: &str| text.replace(['-', '+', '(', ')'], "").trim().to_uppercase();
    let (before, after) = (word(before), word(after));
    let (power, after) = if is_sign(&after) { (0, after) } else { multiplier(&after)? };
    let named = match (before.as_str(), after.as_str()) {
        ("", "") => None,
        (sign, "") | ("", sign) => Some(sign.to_owned()),
        // `US$ 5 USD`
        (one, other) if is_sign(one) && is_sign(other) => {
            Some(if means(one, currency) { other } else { one }.to_owned())
        }
        _ => return None,
    };
    if named.as_ref().is_some_and(|sign| !is_sign(sign)) {
        return None;
    }
    let foreign = named.filter(|sign| !means(sign, currency));
    let is_negative = around.contains(['-', '(']);
    Some(Written { is_negative, number, power: power + exponent, foreign })
}

/// A character as the plain one that it stands for.
fn usual(letter: char) -> char {
    match letter {
        '\u{2212}' | '\u{2013}' => '-',
        '\u{2019}' => '\'',
        letter if letter.is_whitespace() => ' ',
        letter => letter,
    }
}

/// A number and its exponent, as spreadsheets write large ones: `1.25E+05`.
fn with_exponent(text: &str) -> Option<(String, i32)> {
    let Some((number, exponent)) = text.split_once(['e', 'E']) else { return Some((text.to_owned(), 0)) };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_plain =
        number.ends_with(|last: char| last.is_ascii_digit()) && is_digits(digits) && digits.len() <= 2;
    let exponent = exponent.parse().ok().filter(|exponent: &i32| is_plain && exponent.abs() <= 12)?;
    Some((number.to_owned(), exponent))
}

/// A multiplier and the sign behind it.
fn multiplier(after: &str) -> Option<(i32, String)> {
    if after.is_empty() {
        return Some((0, String::new()));
    }
    let found = MULTIPLIERS.iter().filter_map(|(word, power)| {
        let rest = after.strip_prefix(word)?.trim();
        (rest.is_empty() || is_sign(rest)).then(|| (i32::try_from(*power).unwrap_or(0), rest.to_owned()))
    });
    found.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_currency(text: &str, mark: Option<DecimalMark>, code: &str) -> Result<String, String> {
        plain(text, mark, code.parse().unwrap())
    }

    #[test]
    fn amounts_are_read_exactly() {
        let cases = [
            ("1234.5", "1234.5"),
            ("1,234.50", "1234.5"),
            ("$1,234.50", "1234.5"),
            ("US$ 1 234,50", "1234.5"),
            ("1.234.567,89 USD", "1234567.89"),
            ("1'234'567.89", "1234567.89"),
            ("12,34,567.00", "1234567"),
            ("1\u{a0}234\u{202f}567", "1234567"),
            ("1.5K", "1500"),
            ("$ 2.5 m", "2500000"),
            ("0.1", "0.1"),
            (".5", "0.5"),
            ("0,234", "0.234"),
            ("(12.50)", "-12.5"),
            ("($12.50)", "-12.5"),
            ("-$5", "-5"),
            ("5-", "-5"),
            ("1.25E+05", "125000"),
            ("1.005", "1.005"),
        ];
        for (text, expected) in cases {
            let mark = (text == "1.005").then_some(DecimalMark::Point);
            assert_eq!(in_currency(text, mark, "USD").as_deref(), Ok(expected), "{text}");
        }
        for bad in [
            "",
            "abc",
            "12 apples",
            "1,2,3",
            "1..5",
            "1,234",
            "1.2.3",
            "--5",
            "5%",
            "1 2",
            "$",
            "(5",
            "5e99",
            "5K K",
        ] {
            assert!(in_currency(bad, None, "USD").is_err(), "{bad}");
        }
        for (text, code) in [("€5", "USD"), ("5 EUR", "USD"), ("$5", "EUR"), ("5 kr", "EUR"), ("R$ 5", "ZAR")]
        {
            assert!(in_currency(text, None, code).unwrap_err().contains(code), "{text}");
        }
        for (text, code) in [("5 kr", "SEK"), ("€5", "EUR"), ("5 K€", "EUR"), ("R 5", "ZAR"), ("5 Kč", "CZK")]
        {
            assert!(in_currency(text, None, code).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_cell_told_by_its_column_tells_the_same_alone() {
        for mark in DecimalMark::ALL {
            for (text, code) in [
                ("1,234", "USD"),
                ("1.234", "USD"),
                ("1,500", "USD"),
                ("$1,500 K", "USD"),
                ("(1.234)", "USD"),
                ("1,234 EUR", "USD"),
                ("1.500 Kč", "CZK"),
                ("1,234", "KWD"),
                ("1.500E+03", "USD"),
                ("5", "USD"),
                ("1,234.5", "USD"),
                ("n/a", "USD"),
            ] {
                let currency: Currency = code.parse().unwrap();
                let known = |text: &str| plain(text, Some(*mark), currency);
                let alone = told(text, *mark, currency);
                let mut evidence = AmountEvidence::default();
                evidence.observe(&alone, currency);
                assert_eq!(known(&alone), known(text), "{text} {alone}");
                if known(text).is_ok() {
                    let decided = evidence.decide().unwrap();
                    assert_eq!(plain(&alone, Some(decided), currency), known(text), "{text} {alone}");
                }
            }
        }
        assert_eq!(told("1,234", DecimalMark::Point, Currency::USD), "1,234");
        assert_eq!(told("1,234", DecimalMark::Comma, Currency::USD), "1,2340");
    }

    #[test]
    fn a_column_tells_its_decimal_mark_or_is_refused() {
        let decide = |code: &str, cells: &[&str]| {
            let mut evidence = AmountEvidence::default();
            for cell in cells {
                evidence.observe(cell, code.parse().unwrap());
            }
            evidence.decide()
        };
        assert_eq!(decide("USD", &["1", "n/a", "", "1 234"]), Ok(DecimalMark::Point));
        assert_eq!(decide("USD", &["1,234", "0.5"]), Ok(DecimalMark::Point));
        assert_eq!(decide("USD", &["1.234", "0,50"]), Ok(DecimalMark::Comma));
        assert_eq!(
            decide("USD", &["1,500", "1,234"]),
            Ok(DecimalMark::Point),
            "dollars have no third decimal"
        );
        for told in [&["1.234", "1.234.567"][..], &["1.234", "1.234,5"], &["250.000", "5,25"]] {
            assert_eq!(decide("USD", told), Ok(DecimalMark::Comma), "{told:?}");
        }
        for told in [&["1.234", "0.250"][..], &["1.234", "12.5"], &["250.000", "1250.000"]] {
            assert_eq!(decide("USD", told), Ok(DecimalMark::Point), "{told:?}");
        }
        for (code, open) in [
            ("USD", &["1.234", "250.000"][..]),
            ("USD", &["1.500", "1.234"]),
            ("EUR", &["1.234 €"]),
            ("JPY", &["1.500"]),
            ("KWD", &["1.234"]),
        ] {
            assert!(decide(code, open).unwrap_err().contains(open[0]), "{open:?}");
        }
        assert_eq!(decide("JPY", &["1,500"]), Ok(DecimalMark::Point));
        assert!(decide("USD", &["1,500"]).unwrap_err().contains("1,500"));
        assert!(decide("KWD", &["1,234"]).is_err());
        assert!(decide("USD", &["1.5", "1,5"]).is_err());
    }
}
