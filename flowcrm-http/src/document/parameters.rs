//! Parameters: queries that were described as bodies, and the names of headers.

use serde_json::{Map, Value, json};

use super::{each_operation, referred};
use crate::extract::QUERY_MARKER;

/// Turns the body that [`Query`](crate::extract::Query) describes into query parameters.
pub(super) fn from_queries(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    for (_, operation) in each_operation(document) {
        let marked = operation.get("requestBody").map(|body| &body["content"][QUERY_MARKER]["schema"]);
        let Some(schema) = marked.filter(|schema| !schema.is_null()) else {
            continue;
        };
        let schema = referred(schema).map_or(schema, |name| &schemas[name]);
        let described = query_parameters(schema);
        operation.remove("requestBody");
        add(operation, described);
    }
}

fn query_parameters(schema: &Value) -> Vec<Value> {
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|it| it == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    let parameter = |(name, property): (&String, &Value)| {
        let mut property = property.clone();
        let mut parameter = json!({"name": name, "in": "query", "required": required(name)});
        if let Some(description) =
            property.as_object_mut().and_then(|property| property.remove("description"))
        {
            parameter["description"] = description;
        }
        parameter["schema"] = match property["allOf"].as_array() {
            // A reference had to be wrapped only to be described.
            Some(parts) if referred(&parts[0]).is_some() => parts[0].clone(),
            _ => property,
        };
        parameter
    };
    properties.map(parameter).collect()
}

/// Names header parameters as headers are written: arguments cannot have a `-` in their names.
pub(super) fn name_headers(document: &mut Value) {
    for (_, operation) in each_operation(document) {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "header") {
            let words = parameter["name"].as_str().unwrap_or_default().split('_');
            let capitalized: Vec<String> = words.map(capitalized).collect();
            parameter["name"] = capitalized.join("-").into();
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Describes `Idempotency-Key` where it counts: on signed calls that create a record.
pub(super) fn offer_idempotency(document: &mut Value) {
    for (method, operation) in each_operation(document) {
        let signed = operation.get("security").is_some_and(|schemes| schemes[0]["bearer"].is_array());
        let creates = operation
            .get("responses")
            .is_some_and(|responses| responses["201"].is_object() || responses["202"].is_object());
        if method == "post" && signed && creates {
            let key = json!({
                "name": "Idempotency-Key",
                "in": "header",
                "required": false,
                "description": "Makes the call safe to repeat: for 24 hours the same key and body answer the first result.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
            });
            add(operation, vec![key]);
        }
    }
}

fn add(operation: &mut Map<String, Value>, described: Vec<Value>) {
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.extend(described);
    }
}
