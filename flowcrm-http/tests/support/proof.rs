//! Long proofs, and what they have proven as figures in a file.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};

/// Whether the long version of a proof is asked for.
pub fn is_long() -> bool {
    std::env::var("FLOWCRM_PROOF").is_ok_and(|proof| proof == "long")
}

/// Writes the figures of a test binary under a name into the file that `FLOWCRM_FIGURES` names, if it does.
pub fn note(test: &str, name: &str, figures: &[Value]) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let Ok(path) = std::env::var("FLOWCRM_FIGURES") else {
        return;
    };
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let known = std::fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok());
    let mut file: Map<String, Value> = known.unwrap_or_default();
    let release = if cfg!(debug_assertions) { "" } else { " --release" };
    let command = format!(
        "FLOWCRM_PROOF=long FLOWCRM_FIGURES=$PWD/docs/figures/{test}.json .ci/with-postgres \
         cargo test{release} --locked --package flowcrm-http --test {test}"
    );
    file.insert("command".to_owned(), json!(command));
    file.insert(name.to_owned(), json!(figures));
    let pretty = serde_json::to_string_pretty(&file).expect("figures are JSON");
    std::fs::write(&path, format!("{pretty}\n")).expect("the file for figures");
}
