//! How likely deals are, as files write it: in percent, or as fractions of one.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a column's numbers without a percent sign are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Scale {
    /// 90 is 90 percent.
    Percent,
    /// 0.9 is 90 percent.
    Fraction,
    /// It has nothing but 0 and 1.
    Open,
}

/// What the cells of a column say of its scale.
#[derive(Debug, Clone, Default)]
pub(super) struct ScaleEvidence {
    has_fraction: bool,
    is_above_one: bool,
    has_one: bool,
}

impl ScaleEvidence {
    /// Takes a cell into account; one that is no number, or has a percent sign, says nothing.
    pub(super) fn observe(&mut self, text: &str) {
        let Some(number) = number(text) else { return };
        self.has_fraction |= !number.is_integer();
        self.is_above_one |= number > Decimal::ONE;
        self.has_one |= number == Decimal::ONE;
    }

    /// The scale of the column: fractions where there are some and none is above one; of nothing but zeros and ones, it is
    /// open what the ones are.
    pub(super) const fn decide(&self) -> Scale {
        match (self.is_above_one, self.has_fraction, self.has_one) {
            (false, true, _) => Scale::Fraction,
            (false, false, true) => Scale::Open,
            _ => Scale::Percent,
        }
    }
}

/// A percentage as a client would have sent it: `90`, `90%`, `90.00`, of fractions `0.9`.
///
/// What is no whole percentage stays text, and is refused as any other client's. Errors are sentences without their
/// subject.
pub(super) fn percent(text: &str, scale: Scale) -> Result<Value, String> {
    let (written, scale) = match text.strip_suffix('%') {
        Some(number) => (number.trim_end(), Scale::Percent),
        None => (text, scale),
    };
    let number = number(written);
    if scale == Scale::Open && number == Some(Decimal::ONE) {
        return Err("may be 1 percent or all of it: write 1% or 100%".to_owned());
    }
    let number = if scale == Scale::Fraction { number.and_then(in_percent) } else { number };
    let whole = number.filter(Decimal::is_integer).and_then(|number| i64::try_from(number).ok());
    Ok(whole.map_or_else(|| written.into(), Value::from))
}

/// The cell, written so that it tells by itself what only its column has told.
pub(super) fn told(text: &str, scale: Scale) -> Cow<'_, str> {
    let Some(number) = number(text).filter(|number| !number.is_zero() && *number <= Decimal::ONE) else {
        return text.into();
    };
    match scale {
        Scale::Percent => format!("{text}%").into(),
        Scale::Fraction => in_percent(number).map_or(text.into(), |percent| format!("{percent}%").into()),
        Scale::Open => "1.0".into(),
    }
}

fn in_percent(fraction: Decimal) -> Option<Decimal> {
    fraction.checked_mul(Decimal::ONE_HUNDRED).map(|percent| percent.normalize())
}

/// A number of digits, with decimals behind a point or a comma.
fn number(text: &str) -> Option<Decimal> {
    let (whole, decimals) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let is_number = [whole, decimals]
        .iter()
        .all(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()));
    if is_number { Decimal::from_str_exact(&format!("{whole}.{decimals}")).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ImportKind;
    use super::super::trial::Trial;
    use super::*;

    fn scale(cells: &[&str]) -> Scale {
        let mut evidence = ScaleEvidence::default();
        for cell in cells {
            evidence.observe(cell);
        }
        evidence.decide()
    }

    #[test]
    fn a_column_tells_its_scale() {
        for (cells, expected) in [
            (&["0.1", "0.25", "1.0", "0"][..], Scale::Fraction),
            (&["0,5", "1"], Scale::Fraction),
            (&["10", "25", "100"], Scale::Percent),
            (&["33.27", "0.5"], Scale::Percent),
            (&["0", "1"], Scale::Open),
            (&["1"], Scale::Open),
            (&["0", "0", "0%"], Scale::Percent),
            (&["0", "1", "2"], Scale::Percent),
            (&["1.0", "0.0"], Scale::Open),
            (&["1.00", "1"], Scale::Open),
            (&["0.0"], Scale::Percent),
            (&["0.5%", "2", "likely", "-0.5"], Scale::Percent),
            (&[], Scale::Percent),
        ] {
            assert_eq!(scale(cells), expected, "{cells:?}");
        }
    }

    #[test]
    fn percentages_are_read_exactly_or_left_to_be_refused() {
        for (text, scale, expected) in [
            ("90", Scale::Percent, Value::from(90)),
            ("90 %", Scale::Fraction, 90.into()),
            ("90.00", Scale::Percent, 90.into()),
            ("33.27", Scale::Percent, "33.27".into()),
            ("0.5%", Scale::Fraction, "0.5".into()),
            ("0.29", Scale::Fraction, 29.into()),
            ("1.0", Scale::Fraction, 100.into()),
            ("0,5", Scale::Fraction, 50.into()),
            ("0.333", Scale::Fraction, "0.333".into()),
            ("1%", Scale::Open, 1.into()),
            ("0.0", Scale::Open, 0.into()),
            ("-5", Scale::Percent, "-5".into()),
            ("likely", Scale::Fraction, "likely".into()),
        ] {
            assert_eq!(percent(text, scale), Ok(expected), "{text}");
        }
        for text in ["1.0", "1"] {
            assert!(percent(text, Scale::Open).unwrap_err().contains("100%"), "{text}");
        }
    }

    #[test]
    fn a_cell_told_by_its_column_tells_the_same_alone() {
        for cells in
            [&["0.25", "1.0", "0.333", "0", "1", "7%"][..], &["33", "0.5", "1", "1.0"], &["1", "1.0", "0.0"]]
        {
            let known = scale(cells);
            for cell in cells {
                let alone = told(cell, known);
                let (here, there) = (percent(cell, known), percent(&alone, scale(&[&alone])));
                let whole = |read: &Result<Value, String>| read.clone().ok().filter(Value::is_number);
                assert_eq!(whole(&there), whole(&here), "{cell} {alone}");
            }
        }
    }

    #[test]
    fn a_probability_is_read_by_the_scale_of_its_column() {
        let probability = |rows: &str| -> Vec<Value> {
            let file = format!("title,probability\n{rows}");
            let trial = Trial::of(ImportKind::Deals, &json!({}), file.as_bytes()).unwrap();
            trial.records.iter().map(|record| record["probability"].clone()).collect()
        };
        assert_eq!(probability("A,0.1\nB,1.0\nC,1\nD,0.333\n"), [json!(10), json!(100), json!(100)]);
        assert_eq!(probability("A,10\nB,1.0\nC,1\nD,33.27\n"), [json!(10), json!(1), json!(1)]);
        assert_eq!(probability("A,0.0\nB,1.0\nC,1%\n"), [json!(0), json!(1)]);
    }
}
