//! Stories: what is done, by whom, and what comes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One thing that somebody does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Step {
    /// An operation (`leads.create`), a file (`leads.import`, `leads.export`), `register` or `signIn`.
    #[serde(rename = "do")]
    pub(crate) what: String,
    /// Who: what `register` or `signIn` was saved as.
    #[serde(rename = "as")]
    pub(crate) who: String,
    /// Which record.
    pub(crate) id: Option<Value>,
    /// With which fields.
    pub(crate) fields: Map<String, Value>,
    /// Of which version.
    pub(crate) version: Option<Value>,
    /// Under which idempotency key.
    pub(crate) key: Option<String>,
    /// The file that is imported.
    pub(crate) file: Option<String>,
    /// What later steps call the answer.
    pub(crate) save: Option<String>,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    /// It was refused.
    Refused {
        /// The code of the error.
        code: String,
        /// All bad fields.
        fields: Vec<String>,
    },
    /// It was answered.
    Answered {
        /// With this.
        answer: Value,
    },
}

impl Outcome {
    /// Code and fields of a refusal, in any order; nothing when it was none.
    pub(crate) fn refusal(&self) -> Value {
        match self {
            Self::Answered { .. } => Value::Null,
            Self::Refused { code, fields } => {
                let mut fields = fields.clone();
                fields.sort_unstable();
                json!({"code": code, "fields": fields})
            }
        }
    }

    fn answer(&self) -> &Value {
        match self {
            Self::Answered { answer } => answer,
            Self::Refused { .. } => &Value::Null,
        }
    }
}

/// The story of `examples/scenario.json`.
pub(crate) fn scenario() -> Vec<Step> {
    #[derive(Deserialize)]
    struct Scenario {
        steps: Vec<Step>,
    }
    let scenario: Scenario =
        serde_json::from_str(include_str!("../../../examples/scenario.json")).expect("a scenario");
    scenario.steps
}

/// What steps have been answered, by the names they were saved under.
#[derive(Debug, Default)]
pub(crate) struct Saved(BTreeMap<String, Value>);

impl Saved {
    /// Saves the outcome of a step that asks for it.
    pub(crate) fn keep(&mut self, step: &Step, outcome: &Outcome) {
        if let Some(name) = &step.save {
            self.0.insert(name.clone(), outcome.answer().clone());
        }
    }

    /// The step with what it refers to put in.
    pub(crate) fn resolve(&self, step: &Step) -> Step {
        let fields = step.fields.iter().map(|(name, value)| (name.clone(), self.value(value))).collect();
        Step {
            id: step.id.as_ref().map(|id| self.value(id)),
            version: step.version.as_ref().map(|version| self.value(version)),
            fields,
            ..step.clone()
        }
    }

    fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) if text.starts_with('$') => {
                let mut path = text[1..].split('.');
                let saved = path.next().and_then(|name| self.0.get(name)).cloned().unwrap_or_default();
                path.fold(saved, |value, part| match part.parse::<usize>() {
                    Ok(index) => value[index].clone(),
                    Err(_) => value[part].clone(),
                })
            }
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(object) => {
                object.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
            }
            other => other.clone(),
        }
    }
}

/// Demands that the scenario came to its end: its deal is won, and its figures say so.
pub(crate) fn demand_the_end(door: &str, steps: &[Step], outcomes: &[Outcome]) {
    let of = |what: &str| {
        let position = steps.iter().position(|step| step.what == what).expect("a step");
        outcomes[position].answer()
    };
    let stats = of("dashboard.stats");
    assert_eq!(stats["dealsWonThisMonth"], 1, "{door}: {stats}");
    assert_eq!(of("leads.import")["created"], 3, "{door}");
    let refused: Vec<Value> = outcomes.iter().map(Outcome::refusal).filter(|it| !it.is_null()).collect();
    let codes: Vec<&str> = refused.iter().filter_map(|refusal| refusal["code"].as_str()).collect();
    let expected = [
        "sign_in_failed",
        "not_found",
        "stale_version",
        "idempotency_mismatch",
        "validation_failed",
        "forbidden",
        "not_found",
        "unauthenticated",
    ];
    assert_eq!(codes, expected, "{door}");
}
