//! The names that operations have in every language.

use flowcrm_core::operations::OPERATIONS;
use serde_json::{Value, json};

use super::each_operation;

/// Where generators of clients find an operation's group, its name in the group, and the name of what it takes.
const MARK: &str = "x-flowcrm-operation";

/// Marks what is an operation of the core's list; signing in, files and probes are none.
pub(super) fn name(document: &mut Value) {
    for (_, described) in each_operation(document) {
        let id = described.get("operationId").and_then(Value::as_str).unwrap_or_default();
        if let Some(operation) = OPERATIONS.iter().find(|operation| operation.id == id) {
            let mark = json!({"group": operation.group, "name": operation.name, "input": operation.input});
            described.insert(MARK.to_owned(), mark);
        }
    }
}
