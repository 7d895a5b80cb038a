//! Names: `assignedToId` in the core is `assigned_to_id` in Python.

use flowcrm_core::operations::{OPERATIONS, Operation};
use flowcrm_core::{Error, Result};
use pyo3::prelude::*;

/// A name of the core as Python writes it; words that are no such name stay.
pub(crate) fn snake_case(name: &str) -> String {
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) && name != "Idempotency-Key" {
        return name.to_owned();
    }
    let mut written = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character == '-' {
            written.push('_');
        } else if character.is_ascii_uppercase() {
            if !written.is_empty() && !written.ends_with('_') {
                written.push('_');
            }
            written.push(character.to_ascii_lowercase());
        } else {
            written.push(character);
        }
    }
    written
}

/// A name of Python as the core writes it; none for one that only the core would write.
pub(crate) fn camel_case(name: &str) -> Option<String> {
    if name.chars().any(|character| character.is_ascii_uppercase()) {
        return None;
    }
    // `from_` steps aside for a word of the language.
    let mut words = name.strip_suffix('_').unwrap_or(name).split('_');
    let first = words.next().unwrap_or_default().to_owned();
    Some(words.fold(first, |mut written, word| {
        let mut letters = word.chars();
        written.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        written.push_str(letters.as_str());
        written
    }))
}

/// The operation with this id.
pub(crate) fn operation(id: &str) -> Result<&'static Operation> {
    let found = OPERATIONS.iter().find(|operation| operation.id == id);
    found.ok_or_else(|| Error::not_found("operation"))
}

/// All operations: group, name in Python, and id.
#[pyfunction]
pub(crate) fn operations() -> Vec<(&'static str, &'static str, &'static str)> {
    OPERATIONS.iter().map(|operation| (operation.group, operation.name, operation.id)).collect()
}
