//! Schemas: which are used, what may be null, what is always there.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{each_operation, referred};

/// Removes schemas that nothing refers to any more.
pub(super) fn drop_unused(document: &mut Value) {
    let used = reachable(document, &document["paths"]);
    each_schema(document).retain(|name, _| used.contains(name));
}

/// Takes apart what poem wraps to describe a reference: the description stands beside `allOf` already.
pub(super) fn tidy(document: &mut Value) {
    for schema in each_schema(document).values_mut() {
        for (_, property) in properties(schema) {
            let described = property.contains_key("description");
            if let Some(parts) = property.get_mut("allOf").and_then(Value::as_array_mut) {
                let only_describes =
                    |part: &Value| part.as_object().is_some_and(|part| part.keys().eq(["description"]));
                parts.retain(|part| !(described && only_describes(part)));
            }
        }
    }
}

/// Declares that properties which need not be given may be null.
pub(super) fn mark_nullable(document: &mut Value) {
    for schema in each_schema(document).values_mut() {
        let required = required(schema);
        for (_, property) in properties(schema).filter(|(name, _)| !required.contains(name.as_str())) {
            // OpenAPI 3.0 ignores whatever stands beside `$ref`.
            if let Some(reference) = property.remove("$ref") {
                property.insert("allOf".to_owned(), json!([{"$ref": reference}]));
            }
            property.insert("nullable".to_owned(), true.into());
        }
    }
}

/// Declares every property of an answer as required: what there is none of is null, not absent.
pub(super) fn require_answered(document: &mut Value) {
    let mut answers = Vec::new();
    for (_, operation) in each_operation(document) {
        let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
        answers.extend(responses.map(|(_, response)| response.clone()));
    }
    let answered = reachable(document, &Value::Array(answers));
    for (_, schema) in each_schema(document).iter_mut().filter(|(name, _)| answered.contains(*name)) {
        let names: Vec<Value> = properties(schema).map(|(name, _)| Value::from(name.clone())).collect();
        if !names.is_empty() {
            schema["required"] = names.into();
        }
    }
}

/// Declares a body as required when it has required properties.
pub(super) fn require_bodies(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for (_, operation) in each_operation(document) {
        let Some(body) = operation.get_mut("requestBody") else {
            continue;
        };
        let schema = &body["content"]["application/json"]["schema"];
        if let Some(name) = referred(schema) {
            body["required"] = (!required(&schemas[name]).is_empty()).into();
        }
    }
}

fn each_schema(document: &mut Value) -> &mut Map<String, Value> {
    document["components"]["schemas"].as_object_mut().expect("poem writes all schemas there")
}

fn properties(schema: &mut Value) -> impl Iterator<Item = (&String, &mut Map<String, Value>)> {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
    properties.filter_map(|(name, property)| Some((name, property.as_object_mut()?)))
}

fn required(schema: &Value) -> BTreeSet<String> {
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// The names of all schemas that a part of the document leads to.
fn reachable(document: &Value, from: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(value) = open.pop() {
        if let Some(name) = referred(value).filter(|name| !found.contains(*name)) {
            found.insert(name.to_owned());
            open.push(&document["components"]["schemas"][name]);
        }
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(object) => open.extend(object.values()),
            _ => {}
        }
    }
    found
}
