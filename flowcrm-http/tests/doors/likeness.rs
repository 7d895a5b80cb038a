//! What is the same about two outcomes, although ids and times differ.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::story::Outcome;

/// Outcomes with ids numbered by their first appearance, and moments told by whether they are there.
pub(crate) fn of(outcomes: &[Outcome]) -> Vec<Value> {
    let mut ids = BTreeMap::new();
    let plain = |outcome: &Outcome| match outcome {
        Outcome::Answered { answer } => json!({"answer": strip(answer, &mut ids)}),
        Outcome::Refused { .. } => outcome.refusal(),
    };
    outcomes.iter().map(plain).collect()
}

fn strip(value: &Value, ids: &mut BTreeMap<String, usize>) -> Value {
    match value {
        Value::String(text) => strip_text(text, ids).into(),
        Value::Array(items) => items.iter().map(|item| strip(item, ids)).collect(),
        Value::Object(object) => {
            // Where a caller comes from is what differs between doors.
            let differs = ["ipAddress", "ip", "userAgent"];
            let same = object.iter().filter(|(name, _)| !differs.contains(&name.as_str()));
            same.map(|(name, value)| (name.clone(), strip(value, ids))).collect()
        }
        // `12`, `12.0` and `12.00` are one number; an f64 tells cents apart up to some trillions.
        Value::Number(number) => number.as_f64().map_or(Value::Null, |number| json!(number)),
        other => other.clone(),
    }
}

/// Replaces ids and moments, wherever they stand in a text.
fn strip_text(text: &str, ids: &mut BTreeMap<String, usize>) -> String {
    let is_separator = |character: char| matches!(character, ',' | '\n' | '\r' | ' ' | '/' | '"');
    let mut stripped = String::new();
    for piece in text.split_inclusive(is_separator) {
        let word = piece.trim_end_matches(is_separator);
        if word.len() == 36 && word.matches('-').count() == 4 {
            let next = ids.len();
            let number = *ids.entry(word.to_owned()).or_insert(next);
            stripped.push_str(&format!("#{number}{}", &piece[word.len()..]));
        } else if word.len() == 24 && word.ends_with('Z') && word.contains('T') && !word.starts_with("2027") {
            // Moments of the story itself lie in 2027 and stay.
            stripped.push_str(&format!("<moment>{}", &piece[word.len()..]));
        } else {
            stripped.push_str(piece);
        }
    }
    stripped
}
