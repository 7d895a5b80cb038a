//! The list of operations: every route is made of one, and each asks what it says that it asks.

mod support;

use std::collections::BTreeMap;

use flowcrm_core::access::{Grant, Role};
use flowcrm_core::input::Body;
use flowcrm_core::operations::{Arguments, Datum, Kind, OPERATIONS, Operation};
use flowcrm_core::{Caller, ErrorCode};
use flowcrm_http::openapi_yaml;
use serde_json::{Value, json};
use support::{TestDatabase, TestServer};

/// Routes that are no operation of a signed-in caller, and why.
const NO_OPERATIONS: &[(&str, &str)] = &[
    ("register", "makes a caller"),
    ("login", "makes a caller"),
    ("refreshToken", "makes a caller"),
    ("logout", "ends one"),
    ("importLeads", "takes a file, piece by piece"),
    ("importDeals", "takes a file, piece by piece"),
    ("exportLeads", "answers a file, piece by piece"),
    ("exportDeals", "answers a file, piece by piece"),
    ("exportTasks", "answers a file, piece by piece"),
    ("healthLive", "is for who runs the server"),
    ("healthReady", "is for who runs the server"),
];

/// What HTTP answers where an operation answers nothing, or a number.
const ENVELOPES: &[(&str, &str)] = &[("Deleted", "null"), ("Marked", "integer"), ("Announced", "integer")];

/// A route as the OpenAPI document describes it.
struct Route {
    method: String,
    path: String,
    described: Value,
}

fn routes() -> BTreeMap<String, Route> {
    let document: Value = serde_saphyr::from_str(&openapi_yaml()).expect("YAML");
    let mut routes = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, described) in methods.as_object().expect("methods") {
            let Some(id) = described["operationId"].as_str() else { continue };
            let route = Route { method: method.clone(), path: path.clone(), described: described.clone() };
            routes.insert(id.to_owned(), route);
        }
    }
    routes
}

fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

impl Route {
    fn has_parameter(&self, name: &str) -> bool {
        let parameters = self.described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        parameters.iter().any(|parameter| parameter["name"] == name)
    }

    fn takes_id(&self) -> bool {
        self.path.contains("{id}")
    }

    fn body(&self) -> Option<&str> {
        let content = self.described["requestBody"]["content"].as_object()?;
        content.values().find_map(|media| name_of(&media["schema"]))
    }

    /// What it answers, and whether as a list.
    fn answer(&self) -> (String, bool) {
        let responses = self.described["responses"].as_object().expect("responses");
        let (_, good) = responses.iter().find(|(status, _)| status.starts_with('2')).expect("a good answer");
        let schemas = good["content"].as_object().expect("content").values().map(|media| &media["schema"]);
        let found = schemas.filter_map(|schema| match name_of(schema) {
            Some(name) => Some((name.to_owned(), false)),
            None => name_of(&schema["items"]).map(|name| (name.to_owned(), true)),
        });
        let (name, is_list) = found.into_iter().next().expect("a schema with a name");
        let envelope = ENVELOPES.iter().find(|(envelope, _)| *envelope == name);
        (envelope.map_or(name, |(_, plain)| (*plain).to_owned()), is_list)
    }
}

#[test]
fn every_route_is_an_operation_and_the_other_way_round() {
    let routes = routes();
    for operation in OPERATIONS {
        let route = routes.get(operation.id).unwrap_or_else(|| panic!("{operation:?} has no route"));
        assert_eq!(operation.takes_id, route.takes_id(), "{operation:?}: id");
        assert_eq!(operation.takes_version, route.has_parameter("If-Match"), "{operation:?}: version");
        assert_eq!(operation.writes(), route.method != "get", "{operation:?}: writes");
        let takes_key = route.has_parameter("Idempotency-Key");
        assert_eq!(operation.kind == Kind::Creates, takes_key, "{operation:?}: idempotency key");
        let mark = &route.described["x-flowcrm-operation"];
        let names = (mark["group"].as_str(), mark["name"].as_str());
        assert_eq!(names, (Some(operation.group), Some(operation.name)), "{operation:?}: names");
        let (output, is_list) = route.answer();
        assert_eq!(operation.output, output, "{operation:?}: output");
        if operation.kind == Kind::Lists {
            assert!(is_list && route.has_parameter("cursor"), "{operation:?} is a list");
        } else {
            assert!(!route.has_parameter("cursor"), "{operation:?} is no list");
        }
        if let Some(body) = route.body() {
            assert_eq!(operation.input, Some(body), "{operation:?}: input");
        } else {
            let is_query =
                operation.input.is_none_or(|input| input.ends_with("Query") || input == "DeactivateUser");
            assert!(is_query, "{operation:?} takes no body");
        }
    }
    for id in routes.keys() {
        let is_operation = OPERATIONS.iter().any(|operation| operation.id == id);
        let is_other = NO_OPERATIONS.iter().any(|(other, _)| other == id);
        assert!(is_operation != is_other, "{id} is an operation, or no operation for a reason");
    }
}

/// Asks for an operation on the record of its group, with no fields.
async fn ask(operation: &Operation, caller: &Caller, records: &BTreeMap<&str, String>) -> Option<ErrorCode> {
    let id = operation.takes_id.then(|| records.get(operation.group).cloned()).flatten();
    let unknown = || operation.takes_id.then(|| "018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d".to_owned());
    let arguments = Arguments { id: id.or_else(unknown), ..Arguments::default() };
    operation.call(caller, arguments).await.err().map(|error| error.code())
}

#[tokio::test]
async fn an_operation_needs_the_action_that_it_names() {
    let database = TestDatabase::sqlite();
    let server = TestServer::on(database).await;
    let client = server.register("acme").await;
    let owner = server.crm.as_user_with_email("owner@acme.example").await.expect("a caller");
    let sales = client.add_user("SALES", "sales@acme.example").await;
    let sales = server
        .crm
        .as_user_with_email(sales.user["email"].as_str().expect("an email"))
        .await
        .expect("a caller");
    let mine = json!({"name": "Eve", "assignedToId": sales.user_id()});
    let lead = client.create("/api/leads", mine).await["id"].as_str().expect("an id").to_owned();
    let deal = json!({"title": "Engine", "assignedToId": sales.user_id()});
    let deal = client.create("/api/deals", deal).await["id"].as_str().expect("an id").to_owned();
    let task = json!({"title": "Call", "assignedToId": sales.user_id()});
    let task = client.create("/api/tasks", task).await["id"].as_str().expect("an id").to_owned();
    let user = owner.user_id().to_string();
    let records = BTreeMap::from([("leads", lead), ("deals", deal), ("tasks", task), ("users", user)]);
    let mut refused = 0;
    for operation in OPERATIONS {
        let needs_more = operation.action.is_none_or(|action| action.grant(Role::Sales) == Grant::No);
        let code = ask(operation, &sales, &records).await;
        assert_eq!(code == Some(ErrorCode::Forbidden), needs_more, "{operation:?} of SALES: {code:?}");
        refused += usize::from(needs_more);
    }
    assert!(refused > 15, "{refused}");
}

#[tokio::test]
async fn an_operation_answers_as_its_route_does() {
    for server in TestServer::on_each_engine().await {
        let client = server.register("acme").await;
        let caller = server.crm.as_user_with_email("owner@acme.example").await.expect("a caller");
        let call = async |group: &str, name: &str, id: Option<&str>, fields: Value, version: Option<i64>| {
            let operation = Operation::named(group, name).expect("an operation");
            let fields = Body::try_from(fields).expect("an object");
            let id = id.map(str::to_owned);
            operation.call(&caller, Arguments { id, fields, version, ..Arguments::default() }).await
        };
        let lead =
            call("leads", "create", None, json!({"name": "Eve", "value": 0.1}), None).await.expect("a lead");
        let id = lead.value.get("id").and_then(Datum::as_str).expect("an id");
        assert_eq!(lead.value.get("value"), Some(&Datum::Money("0.1".to_owned())), "exact");
        let read = client.get(&format!("/api/leads/{id}")).await.body;
        let detail = call("leads", "get", Some(id), json!({}), None).await.expect("a lead").value;
        assert_eq!(serde_json::to_value(&detail).expect("JSON"), read);
        call("leads", "create", None, json!({"name": "Fay"}), None).await.expect("a lead");
        let page =
            call("leads", "list", None, json!({"limit": 1, "count": true}), None).await.expect("a page");
        assert_eq!(
            (matches!(&page.value, Datum::List(items) if items.len() == 1), page.total, page.next.is_some()),
            (true, Some(2), true)
        );
        let stale =
            call("leads", "update", Some(id), json!({"name": "Eva"}), Some(7)).await.expect_err("stale");
        assert_eq!(stale.code(), ErrorCode::Stale);
        let bad = call("leads", "create", None, json!({"colour": 1}), None).await.expect_err("bad fields");
        let named: Vec<&str> = bad.fields().iter().map(|error| error.field.as_str()).collect();
        let reply = client.post("/api/leads", json!({"colour": 1})).await;
        assert_eq!(named, reply.bad_fields());
        let missing = call("leads", "get", None, json!({}), None).await.expect_err("no id");
        assert_eq!((missing.code(), missing.fields()[0].field.as_str()), (ErrorCode::Invalid, "id"));
        let unknown = call("leads", "get", Some("42"), json!({}), None).await.expect_err("no such lead");
        assert_eq!(unknown.code(), ErrorCode::NotFound);
        let extra =
            call("dashboard", "stats", None, json!({"colour": 1}), None).await.expect_err("no fields");
        assert_eq!((extra.code(), extra.fields()[0].field.as_str()), (ErrorCode::Invalid, "colour"));
        let deleted = call("leads", "delete", Some(id), json!({}), None).await.expect("done");
        assert_eq!(deleted.value, Datum::Null);
        let create = Operation::named("leads", "create").expect("an operation");
        let fields = || Body::try_from(json!({"name": "Once"})).expect("an object");
        let keyed = || Arguments {
            fields: fields(),
            idempotency_key: Some("k-1".to_owned()),
            ..Arguments::default()
        };
        let first = create.call(&caller, keyed()).await.expect("a lead");
        assert_eq!(create.call(&caller, keyed()).await.expect("the same lead"), first);
        for operation in ["get", "update"] {
            let operation = Operation::named("account", operation).expect("an operation");
            let refused = operation.call(&caller, Arguments { fields: Body::default(), ..keyed() }).await;
            assert_eq!(refused.expect_err("no key").fields()[0].field, "Idempotency-Key");
        }
    }
}
