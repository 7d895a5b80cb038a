//! The door of HTTP.

use std::collections::BTreeMap;

use flowcrm_core::operations::{Kind, Operation};
use flowcrm_http::openapi_yaml;
use reqwest::Method;
use serde_json::{Value, json};

use super::story::{Outcome, Saved, Step};
use crate::support::{Client, Reply, TestServer, next_page};

/// The routes of the document, by their operation's id: method, path, and whether a body is taken.
struct Routes(BTreeMap<String, (Method, String, bool)>);

/// Plays a story against a server.
pub(crate) async fn play(server: &TestServer, steps: &[Step]) -> Vec<Outcome> {
    let routes = Routes::read();
    let (mut people, mut saved, mut outcomes) = (BTreeMap::new(), Saved::default(), Vec::new());
    for step in steps {
        let step = saved.resolve(step);
        let outcome = take(server, &routes, &mut people, &step).await;
        saved.keep(&step, &outcome);
        outcomes.push(outcome);
    }
    outcomes
}

async fn take(
    server: &TestServer,
    routes: &Routes,
    people: &mut BTreeMap<String, Client>,
    step: &Step,
) -> Outcome {
    let (group, name) = step.what.split_once('.').unwrap_or(("", &step.what));
    let fields = Value::Object(step.fields.clone());
    if let "register" | "signIn" = name {
        let mut client = server.client();
        let path = if name == "register" { "/api/auth/register" } else { "/api/auth/login" };
        let reply = client.post(path, fields).await;
        if reply.status < 300 {
            client.adopt(&reply);
            people.insert(step.save.clone().unwrap_or_default(), client);
            return Outcome::Answered { answer: Value::Null };
        }
        return outcome(&reply, Value::Null);
    }
    let client = &people[&step.who];
    match name {
        "import" => {
            let file = step.file.clone().unwrap_or_default().into_bytes();
            let reply = client.upload(group, &fields, file).await;
            let import = match reply.body["id"].as_str() {
                Some(id) => client.finished_import(id).await,
                None => Value::Null,
            };
            outcome(&reply, import)
        }
        "export" => {
            let request = client.request(Method::GET, &format!("/api/{group}/export")).query(&query(step));
            let text = request.send().await.expect("an answer").text().await.expect("text");
            Outcome::Answered { answer: text.into() }
        }
        _ => operate(routes, client, group, name, step).await,
    }
}

async fn operate(routes: &Routes, client: &Client, group: &str, name: &str, step: &Step) -> Outcome {
    let operation = Operation::named(group, name).expect("an operation");
    let (method, path, takes_body) = &routes.0[operation.id];
    let id = step.id.as_ref().and_then(Value::as_str).unwrap_or_default();
    let mut request = client.request(method.clone(), &path.replace("{id}", id));
    if *takes_body {
        request = request.json(&step.fields);
    } else if !step.fields.is_empty() {
        request = request.query(&query(step));
    }
    if let Some(version) = &step.version {
        request = request.header("If-Match", format!("\"{version}\""));
    }
    if let Some(key) = &step.key {
        request = request.header("Idempotency-Key", key);
    }
    let mut reply = client.send(request).await;
    if operation.kind == Kind::Lists && reply.status < 300 {
        let mut records = Vec::new();
        loop {
            records.extend(reply.body.as_array().expect("a list").iter().cloned());
            let Some(next) = next_page(&reply) else { break };
            reply = client.get(&next).await;
        }
        return Outcome::Answered { answer: records.into() };
    }
    // What HTTP wraps, because an answer is an object there.
    let answer = match operation.output {
        "null" => Value::Null,
        "integer" => {
            reply.body.as_object().and_then(|body| body.values().next()).cloned().unwrap_or_default()
        }
        _ => reply.body.clone(),
    };
    outcome(&reply, answer)
}

fn outcome(reply: &Reply, answer: Value) -> Outcome {
    if reply.status < 300 {
        return Outcome::Answered { answer };
    }
    let code = reply.body["code"].as_str().unwrap_or_else(|| panic!("no problem: {reply:?}")).to_owned();
    Outcome::Refused { code, fields: reply.bad_fields().into_iter().map(str::to_owned).collect() }
}

/// The fields of a step as a query string has them.
fn query(step: &Step) -> Vec<(&String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    step.fields.iter().map(|(name, value)| (name, text(value))).collect()
}

impl Routes {
    fn read() -> Self {
        let document: Value = serde_saphyr::from_str(&openapi_yaml()).expect("YAML");
        let mut routes = BTreeMap::new();
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, described) in methods.as_object().expect("methods") {
                let Some(id) = described["operationId"].as_str() else { continue };
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
                let takes_body = described["requestBody"] != json!(null);
                routes.insert(id.to_owned(), (method, path.clone(), takes_body));
            }
        }
        Self(routes)
    }
}
