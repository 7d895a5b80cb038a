//! Bad input for every operation, made from what the document says that it takes.

use flowcrm_core::operations::OPERATIONS;
use flowcrm_http::openapi_yaml;
use serde_json::{Map, Value, json};

use super::story::Step;

const NOBODY: &str = "018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d";

/// A small world, then every operation with every field wrong in some ways.
pub(crate) fn steps() -> Vec<Step> {
    let mut steps = world();
    let document: Value = serde_saphyr::from_str(&openapi_yaml()).expect("YAML");
    for operation in OPERATIONS {
        let what = format!("{}.{}", operation.group, operation.name);
        let described = described(&document, operation.id);
        let (fields, is_body) = fields(&document, &described);
        // Only what changes nothing but the record itself is tried on one that is there.
        let record = match (operation.group, operation.name) {
            ("leads" | "deals" | "tasks", "get" | "update" | "assign" | "add_activity" | "activities") => {
                format!("${}.id", operation.group)
            }
            _ => NOBODY.to_owned(),
        };
        let step = |fields: Value| Step {
            what: what.clone(),
            who: "owner".to_owned(),
            id: operation.takes_id.then(|| record.clone().into()),
            fields: fields.as_object().cloned().unwrap_or_default(),
            ..Step::default()
        };
        if operation.takes_id {
            for id in ["42", NOBODY, "'; DROP TABLE leads; --"] {
                steps.push(Step { id: Some(id.into()), ..step(json!({})) });
            }
        }
        if operation.takes_version {
            steps.push(Step { version: Some(99.into()), ..step(json!({})) });
        }
        if operation.input.is_none() {
            continue;
        }
        steps.push(step(json!({"colour": 1})));
        if is_body {
            steps.push(step(json!({})));
        }
        let wrong = if is_body {
            vec![
                json!({"a": 1}),
                json!(-1),
                json!("x".repeat(20_001)),
                json!("\u{0}"),
                json!([[]]),
                json!(1e300),
            ]
        } else {
            vec![json!("!"), json!("-1"), json!("9".repeat(50)), json!("")]
        };
        for field in fields {
            for value in &wrong {
                steps.push(step(json!({ field.as_str(): value })));
            }
        }
    }
    steps
}

/// An owner, and a record of each kind.
fn world() -> Vec<Step> {
    let owner = json!({"name": "Ada", "email": "ada@x.example", "password": "correct horse", "orgName": "x"});
    let step = |what: &str, save: &str, fields: Value| Step {
        what: what.to_owned(),
        who: "owner".to_owned(),
        save: Some(save.to_owned()),
        fields: fields.as_object().cloned().unwrap_or_default(),
        ..Step::default()
    };
    vec![
        step("register", "owner", owner),
        step("account.get", "me", json!({})),
        step("leads.create", "leads", json!({"name": "Eve"})),
        step("deals.create", "deals", json!({"title": "Engine"})),
        step("tasks.create", "tasks", json!({"title": "Call", "assignedToId": "$me.id"})),
    ]
}

/// How the document describes an operation.
fn described(document: &Value, id: &str) -> Value {
    let paths = document["paths"].as_object().expect("paths");
    let mut methods = paths.values().filter_map(Value::as_object).flat_map(Map::values);
    methods.find(|described| described["operationId"] == id).cloned().expect("a route")
}

/// The fields that an operation takes, and whether in a body.
fn fields(document: &Value, described: &Value) -> (Vec<String>, bool) {
    if let Some(content) = described["requestBody"]["content"].as_object() {
        let reference = content.values().find_map(|media| media["schema"]["$ref"].as_str()).expect("a name");
        let name = reference.rsplit('/').next().unwrap_or_default();
        let properties = document["components"]["schemas"][name]["properties"].as_object().expect("fields");
        return (properties.keys().cloned().collect(), true);
    }
    let parameters = described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let asked = parameters.iter().filter(|parameter| parameter["in"] == "query");
    (asked.filter_map(|parameter| parameter["name"].as_str()).map(str::to_owned).collect(), false)
}
