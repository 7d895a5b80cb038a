//! `If-Match` and `Idempotency-Key`.

use serde_json::json;

use super::row::{Row, long, row};

pub(crate) fn rows() -> Vec<Row> {
    [malformed_versions(), stale_versions(), keys()].concat()
}

fn malformed_versions() -> Vec<Row> {
    let put =
        |name: &str| row("PUT", "/api/leads/{lead}", name).json(json!({"phone": "1"})).bad(&["If-Match"]);
    vec![
        put("a version without quotes").header("if-match", "1"),
        put("a version in single quotes").header("if-match", "'1'"),
        put("half a quote").header("if-match", "\"1"),
        put("a version in words").header("if-match", "\"one\""),
        put("an empty version").header("if-match", "\"\""),
        put("an empty If-Match").header("if-match", ""),
        put("a negative version").header("if-match", "\"-1\""),
        put("a version that overflows").header("if-match", "\"99999999999999999999\""),
        put("two versions").header("if-match", "\"1\", \"2\""),
        put("If-Match twice").header("if-match", "\"1\"").header("if-match", "\"1\""),
        put("an If-Match that is not ASCII").header("if-match", b"\"\xff\""),
    ]
}

fn stale_versions() -> Vec<Row> {
    let put = |path: &str| {
        let put = row("PUT", path, "a stale version").json(json!({}));
        put.header("if-match", "\"77\"").answers(412, "stale_version")
    };
    let with_bad_body =
        row("PUT", "/api/leads/{lead}", "a stale version and a bad body").json(json!({"name": ""}));
    let weak = row("PUT", "/api/leads/{lead}", "a stale weak version").json(json!({"phone": "1"}));
    vec![
        put("/api/leads/{lead}"),
        put("/api/deals/{deal}"),
        put("/api/tasks/{task}"),
        put("/api/users/{sales}"),
        put("/api/organization"),
        with_bad_body.header("if-match", "\"0\"").answers(412, "stale_version"),
        weak.header("if-match", "W/\"77\"").answers(412, "stale_version"),
    ]
}

fn keys() -> Vec<Row> {
    let create =
        |name: &str| row("POST", "/api/leads", name).json(json!({"name": "Ada"})).bad(&["Idempotency-Key"]);
    let reused = |path: &str, name: &str, body| {
        let reused = row("POST", path, name).json(body).header("idempotency-key", "used before");
        reused.answers(409, "idempotency_mismatch")
    };
    vec![
        create("an empty key").header("idempotency-key", ""),
        create("a key of 201 characters").header("idempotency-key", long(201)),
        create("a key that is not ASCII").header("idempotency-key", "é"),
        create("two keys").header("idempotency-key", "a").header("idempotency-key", "b"),
        create("a key with a tab").header("idempotency-key", "a\tb"),
        reused("/api/leads", "a key that was used with another body", json!({"name": "Another"})),
        reused("/api/leads", "a key that was used, and a bad body", json!({"name": ""})),
        reused("/api/deals", "a key that was used for another call", json!({"title": "Kept"})),
    ]
}
