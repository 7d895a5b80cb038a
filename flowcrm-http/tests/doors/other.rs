//! The doors of other languages: a script of each plays the story in a process of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::story::{Outcome, Step};
use crate::support::{SECRET, TestDatabase};

/// Plays a story in Python, if there is one.
pub(crate) fn python(database: &TestDatabase, steps: &[Step]) -> Option<Vec<Outcome>> {
    play("FLOWCRM_PYTHON", "flowcrm-py/tests/player.py", database, steps)
}

/// Plays a story in Node, if there is one.
pub(crate) fn node(database: &TestDatabase, steps: &[Step]) -> Option<Vec<Outcome>> {
    play("FLOWCRM_NODE", "flowcrm-node/test/player.mjs", database, steps)
}

/// Begins to write so many leads in Python, if there is one.
pub(crate) fn writing_in_python(database: &TestDatabase, leads: usize) -> Option<Child> {
    writing("FLOWCRM_PYTHON", "flowcrm-py/tests/writer.py", database, leads)
}

/// Begins to write so many leads in Node, if there is one.
pub(crate) fn writing_in_node(database: &TestDatabase, leads: usize) -> Option<Child> {
    writing("FLOWCRM_NODE", "flowcrm-node/test/writer.mjs", database, leads)
}

fn writing(variable: &str, script: &str, database: &TestDatabase, leads: usize) -> Option<Child> {
    let mut command = command(variable, script)?;
    command.args([&database.url, "owner@acme.example", &leads.to_string()]);
    command.env("JWT_SECRET", std::str::from_utf8(SECRET).expect("text"));
    Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a writer"))
}

/// A script of another language, if it is at hand.
fn command(variable: &str, script: &str) -> Option<Command> {
    let Ok(program) = std::env::var(variable) else {
        eprintln!("SKIPPED {script}: {variable} is not set; `make test` sets it");
        return None;
    };
    let mut command = Command::new(program);
    command.arg(root().join(script));
    Some(command)
}

/// The checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

fn play(variable: &str, script: &str, database: &TestDatabase, steps: &[Step]) -> Option<Vec<Outcome>> {
    let mut command = command(variable, script)?;
    let secret = std::str::from_utf8(SECRET).expect("text");
    let story = json!({"url": database.url, "secret": secret, "steps": steps}).to_string();
    let mut player = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a player");
    let mut input = player.stdin.take().expect("its input");
    let written = std::thread::spawn(move || input.write_all(story.as_bytes()));
    let ended = player.wait_with_output().expect("an end");
    written.join().expect("a writer").expect("a player that listens");
    assert!(ended.status.success(), "{script}: {}", ended.status);
    Some(serde_json::from_slice(&ended.stdout).expect("outcomes"))
}
