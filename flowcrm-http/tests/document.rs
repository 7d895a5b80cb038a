//! The OpenAPI document: committed as generated, complete, and right about which calls need to be signed in.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use flowcrm_http::openapi_yaml;
use serde_json::{Value, json};
use support::TestServer;

/// Every call of the contract.
const CALLS: &[(&str, &str)] = &[
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh-token"),
    ("POST", "/api/auth/logout"),
    ("GET", "/api/auth/me"),
    ("PUT", "/api/auth/me"),
    ("GET", "/api/auth/sessions"),
    ("DELETE", "/api/auth/sessions/{id}"),
    ("GET", "/api/leads"),
    ("POST", "/api/leads"),
    ("GET", "/api/leads/{id}"),
    ("PUT", "/api/leads/{id}"),
    ("DELETE", "/api/leads/{id}"),
    ("GET", "/api/leads/{id}/activities"),
    ("POST", "/api/leads/{id}/activities"),
    ("POST", "/api/leads/{id}/assign"),
    ("POST", "/api/leads/{id}/convert"),
    ("POST", "/api/leads/bulk"),
    ("POST", "/api/leads/import"),
    ("GET", "/api/leads/export"),
    ("GET", "/api/deals"),
    ("POST", "/api/deals"),
    ("GET", "/api/deals/{id}"),
    ("PUT", "/api/deals/{id}"),
    ("DELETE", "/api/deals/{id}"),
    ("POST", "/api/deals/bulk"),
    ("POST", "/api/deals/import"),
    ("GET", "/api/deals/export"),
    ("GET", "/api/tasks"),
    ("POST", "/api/tasks"),
    ("GET", "/api/tasks/{id}"),
    ("PUT", "/api/tasks/{id}"),
    ("DELETE", "/api/tasks/{id}"),
    ("POST", "/api/tasks/bulk"),
    ("GET", "/api/tasks/export"),
    ("GET", "/api/users"),
    ("POST", "/api/users"),
    ("GET", "/api/users/{id}"),
    ("PUT", "/api/users/{id}"),
    ("DELETE", "/api/users/{id}"),
    ("GET", "/api/organization"),
    ("PUT", "/api/organization"),
    ("GET", "/api/organizations"),
    ("POST", "/api/organizations"),
    ("GET", "/api/organizations/{id}"),
    ("DELETE", "/api/organizations/{id}"),
    ("GET", "/api/notifications"),
    ("PUT", "/api/notifications/{id}/read"),
    ("PUT", "/api/notifications/read-all"),
    ("POST", "/api/notifications/announce"),
    ("GET", "/api/dashboard/stats"),
    ("GET", "/api/dashboard/weekly"),
    ("GET", "/api/dashboard/pipeline"),
    ("GET", "/api/dashboard/lead-status"),
    ("GET", "/api/dashboard/lead-sources"),
    ("GET", "/api/dashboard/task-status"),
    ("GET", "/api/dashboard/overdue-tasks"),
    ("GET", "/api/dashboard/team-performance"),
    ("GET", "/api/dashboard/activity"),
    ("GET", "/api/imports"),
    ("GET", "/api/imports/{id}"),
    ("DELETE", "/api/imports/{id}"),
    ("GET", "/api/imports/{id}/kept"),
    ("GET", "/api/imports/{id}/rejected"),
    ("GET", "/api/audit-logs"),
    ("GET", "/api/events"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
];

/// Calls that need no access token.
const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh-token"),
    ("POST", "/api/auth/logout"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
];

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let committed = std::fs::read_to_string(path).expect("openapi.yaml");
    assert!(committed == openapi_yaml(), "openapi.yaml is out of date: run `make generate`");
}

#[test]
fn every_call_of_the_contract_is_described_and_no_other() {
    let described: BTreeSet<(String, String)> =
        calls().into_iter().map(|call| (call.method, call.path)).collect();
    let contract = CALLS.iter().map(|(method, path)| ((*method).to_owned(), (*path).to_owned()));
    let contract: BTreeSet<(String, String)> = contract.collect();
    assert_eq!(contract.len(), CALLS.len(), "a call is listed twice");
    let missing: Vec<_> = contract.difference(&described).collect();
    let unknown: Vec<_> = described.difference(&contract).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "missing: {missing:?}; unknown to the contract: {unknown:?}"
    );
}

#[test]
fn every_call_says_what_it_does_under_a_name_of_its_own() {
    let mut names = BTreeSet::new();
    for Call { method, path, operation } in calls() {
        let name = operation["operationId"].as_str().unwrap_or_default();
        assert!(!name.is_empty() && names.insert(name.to_owned()), "{method} {path} is called {name:?}");
        assert!(
            !operation["summary"].as_str().unwrap_or_default().is_empty(),
            "{method} {path} has no summary"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{method} {path} is in one chapter");
    }
}

#[test]
fn the_document_says_which_calls_need_a_token() {
    for Call { method, path, operation } in calls() {
        let needs_token = operation["security"][0]["bearer"].is_array();
        assert_eq!(needs_token, !is_public(&method, &path), "{method} {path}: {}", operation["security"]);
    }
}

#[tokio::test]
async fn nothing_but_public_calls_can_be_had_without_a_token() {
    for server in TestServer::on_each_engine().await {
        let nobody = server.client();
        for Call { method, path, .. } in calls() {
            let target = path.replace("{id}", "018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d");
            let request = nobody.request(method.parse().expect("a method"), &target);
            let request = if method == "GET" { request } else { request.json(&json!({})) };
            let reply = nobody.send(request).await;
            let is_refused = reply.status == 401 && reply.body["code"] == "unauthenticated";
            assert_eq!(
                is_refused,
                !is_public(&method, &path),
                "{method} {path}: {} {}",
                reply.status,
                reply.body
            );
        }
    }
}

struct Call {
    method: String,
    path: String,
    operation: Value,
}

fn calls() -> Vec<Call> {
    let document: Value = serde_saphyr::from_str(&openapi_yaml()).expect("YAML");
    let mut calls = Vec::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            calls.push(Call {
                method: method.to_uppercase(),
                path: path.clone(),
                operation: operation.clone(),
            });
        }
    }
    calls
}

fn is_public(method: &str, path: &str) -> bool {
    PUBLIC.contains(&(method, path))
}
