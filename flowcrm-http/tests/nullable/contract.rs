//! The document, read as what every answer has to be.

use std::collections::BTreeSet;

use flowcrm_http::openapi_yaml;
use serde_json::Value;

use crate::support::Reply;

/// A property of a schema: the names of both.
pub(crate) type Field = (String, String);

/// The generated document.
pub(crate) struct Contract {
    document: Value,
    /// The schemas that answers may hold.
    answered: BTreeSet<String>,
}

/// What has been seen in answers so far.
#[derive(Default)]
pub(crate) struct Findings {
    /// What is not as described.
    pub(crate) complaints: Vec<String>,
    /// The schemas that were answered.
    pub(crate) answered: BTreeSet<String>,
    /// The properties that were there, and null.
    pub(crate) nulls: BTreeSet<Field>,
}

impl Contract {
    /// Reads the generated document.
    pub(crate) fn generated() -> Self {
        let document: Value = serde_saphyr::from_str(&openapi_yaml()).expect("YAML");
        let mut answered = BTreeSet::new();
        let operations = document["paths"].as_object().expect("paths").values().filter_map(Value::as_object);
        for operation in operations.flat_map(|operations| operations.values()) {
            reach(&document, &operation["responses"], &mut answered);
        }
        answered.retain(|name| document["components"]["schemas"][name]["properties"].is_object());
        Self { document, answered }
    }

    /// The schemas with properties that answers may hold.
    pub(crate) fn answered(&self) -> &BTreeSet<String> {
        &self.answered
    }

    /// The properties of these that may be null.
    pub(crate) fn nullable(&self) -> BTreeSet<Field> {
        let mut fields = BTreeSet::new();
        for name in &self.answered {
            let properties = self.schema(name)["properties"].as_object().expect("properties");
            let nullable = properties.iter().filter(|(_, property)| property["nullable"] == true);
            fields.extend(nullable.map(|(property, _)| (name.clone(), property.clone())));
        }
        fields
    }

    /// Compares an answer with what is described for its call and status.
    pub(crate) fn compare(&self, method: &str, path: &str, reply: &Reply, findings: &mut Findings) {
        let path = path.split('?').next().expect("a path");
        let call = format!("{method} {path}");
        let template = self.template(path).unwrap_or_else(|| panic!("{call} is not described"));
        let responses = &self.document["paths"][template][method.to_lowercase()]["responses"];
        let described = match &responses[reply.status.to_string()] {
            Value::Null => &responses["default"],
            described => described,
        };
        let media_type = reply.headers["content-type"].to_str().expect("a type");
        let schema = &described["content"][media_type]["schema"];
        assert!(!schema.is_null(), "{call} answers {} {media_type}, which is not described", reply.status);
        self.walk(schema, &reply.body, &call, findings);
    }

    /// The described path, the most literal first.
    fn template(&self, path: &str) -> Option<&str> {
        let fits = |template: &&String| {
            let (template, path) = (template.split('/'), path.split('/'));
            template.clone().count() == path.clone().count()
                && template.zip(path).all(|(part, text)| part.starts_with('{') || part == text)
        };
        let paths = self.document["paths"].as_object()?.keys().filter(fits);
        paths.min_by_key(|template| template.matches('{').count()).map(String::as_str)
    }

    fn schema(&self, name: &str) -> &Value {
        &self.document["components"]["schemas"][name]
    }

    fn walk(&self, schema: &Value, value: &Value, place: &str, findings: &mut Findings) {
        if let Some(name) = referred(schema) {
            let schema = self.schema(name);
            if schema["properties"].is_object() {
                findings.answered.insert(name.to_owned());
            }
            return self.walk_named(name, schema, value, &format!("{place} ({name})"), findings);
        }
        if let Some(whole) = schema["allOf"].as_array() {
            for part in whole {
                self.walk(part, value, place, findings);
            }
            return;
        }
        self.walk_named("", schema, value, place, findings);
    }

    fn walk_named(&self, name: &str, schema: &Value, value: &Value, place: &str, findings: &mut Findings) {
        if let Some(variants) = schema["anyOf"].as_array() {
            let fitting: Vec<&Value> =
                variants.iter().filter(|variant| self.has_keys_of(variant, value)).collect();
            match fitting.as_slice() {
                [variant] => self.walk(variant, value, place, findings),
                _ => findings.complain(format!("{place}: {} variants fit {value}", fitting.len())),
            }
            return;
        }
        if !is_of_type(schema["type"].as_str(), value) {
            findings.complain(format!("{place}: {value} is no {}", schema["type"]));
        }
        if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
            findings.complain(format!("{place}: {value} is none of {words:?}"));
        }
        for item in value.as_array().into_iter().flatten() {
            self.walk(&schema["items"], item, place, findings);
        }
        let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) else {
            return;
        };
        for key in object.keys().filter(|key| !properties.contains_key(*key)) {
            findings.complain(format!("{place}: {key} is not described"));
        }
        for (property, schema) in properties {
            let place = format!("{place}.{property}");
            match object.get(property) {
                None => findings.complain(format!("{place} is absent")),
                Some(Value::Null) if schema["nullable"] == true => {
                    findings.nulls.insert((name.to_owned(), property.clone()));
                }
                Some(Value::Null) if !is_anything(schema) => findings.complain(format!("{place} is null")),
                Some(value) => self.walk(schema, value, &place, findings),
            }
        }
    }

    fn has_keys_of(&self, variant: &Value, value: &Value) -> bool {
        let schema = referred(variant).map_or(variant, |name| self.schema(name));
        let properties =
            schema["properties"].as_object().into_iter().flat_map(|properties| properties.keys());
        value.as_object().is_some_and(|object| properties.eq(object.keys()))
    }
}

impl Findings {
    fn complain(&mut self, complaint: String) {
        self.complaints.push(complaint);
    }
}

fn is_of_type(described: Option<&str>, value: &Value) -> bool {
    match described {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    }
}

fn is_anything(schema: &Value) -> bool {
    schema["type"].is_null() && schema["allOf"].is_null() && referred(schema).is_none()
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/components/schemas/")
}

/// Adds the names of all schemas that a part of the document leads to.
fn reach(document: &Value, from: &Value, found: &mut BTreeSet<String>) {
    if let Some(name) = referred(from).filter(|name| !found.contains(*name)) {
        found.insert(name.to_owned());
        reach(document, &document["components"]["schemas"][name], found);
    }
    match from {
        Value::Array(items) => items.iter().for_each(|item| reach(document, item, found)),
        Value::Object(object) => object.values().for_each(|value| reach(document, value, found)),
        _ => {}
    }
}
