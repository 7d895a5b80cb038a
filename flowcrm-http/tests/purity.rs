//! Imports point down only: what each crate reaches, as `cargo tree` knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Web servers and what describes their interfaces.
const WEB: &[&str] =
    &["poem", "poem-openapi", "poem-derive", "poem-openapi-derive", "hyper", "hyper-util", "axum", "tower"];

/// Databases, caches, mail, clients and sockets.
const OUTSIDE: &[&str] = &[
    "sqlx",
    "sqlx-core",
    "sqlx-postgres",
    "sqlx-sqlite",
    "libsqlite3-sys",
    "redis",
    "lettre",
    "reqwest",
    "rustls",
    "mio",
    "socket2",
];

/// TLS that needs a library of the system.
const SYSTEM_TLS: &[&str] = &["openssl", "openssl-sys", "native-tls", "schannel", "security-framework"];

#[test]
fn the_core_reaches_no_server_database_or_network() {
    let reached = packages(&["--package", "flowcrm-core", "--edges", "normal"]);
    assert_eq!(found(&reached, WEB), [""; 0]);
    assert_eq!(found(&reached, OUTSIDE), [""; 0]);
    assert_eq!(found(&reached, SYSTEM_TLS), [""; 0]);
    let ours: Vec<&String> = reached.keys().filter(|name| name.starts_with("flowcrm")).collect();
    assert_eq!(ours, ["flowcrm-core"]);
    // Threads for passwords, locks and a clock to wait by, but no sockets, files or processes.
    let tokio: Vec<&str> = reached["tokio"].iter().map(String::as_str).collect();
    assert_eq!(tokio, ["rt", "sync", "time"]);
}

#[test]
fn the_core_describes_itself_only_when_asked() {
    let asked = packages(&["--package", "flowcrm-core", "--edges", "normal", "--features", "openapi"]);
    assert!(asked.contains_key("poem-openapi"), "the feature `openapi` is there to add it");
    assert_eq!(found(&asked, OUTSIDE.iter().filter(|name| !SOCKETS.contains(name))), [""; 0]);
}

/// Sockets, which poem brings along.
const SOCKETS: &[&str] = &["mio", "socket2"];

#[test]
fn the_store_reaches_no_server() {
    let reached = packages(&["--package", "flowcrm-store", "--edges", "normal"]);
    assert!(reached.contains_key("sqlx") && reached.contains_key("flowcrm-core"));
    assert_eq!(found(&reached, WEB), [""; 0]);
    assert!(!reached.contains_key("flowcrm-http"));
}

#[test]
fn the_doors_of_other_languages_reach_no_server() {
    for door in ["flowcrm-py", "flowcrm-node"] {
        let reached = packages(&["--package", door, "--edges", "normal"]);
        assert!(reached.contains_key("flowcrm-core") && reached.contains_key("flowcrm-store"), "{door}");
        assert_eq!(found(&reached, WEB), [""; 0], "{door}");
        assert!(!reached.contains_key("flowcrm-http"), "{door}");
    }
}

#[test]
fn nothing_needs_the_tls_of_a_system() {
    let all = packages(&["--workspace", "--all-features", "--edges", "normal,build,dev", "--target", "all"]);
    assert!(all.contains_key("flowcrm-http") && all.contains_key("reqwest"));
    assert_eq!(found(&all, SYSTEM_TLS), [""; 0]);
}

/// The packages that `cargo tree` shows, with their features; those of other systems may have to be fetched.
fn packages(arguments: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["tree", "--locked", "--prefix", "none", "--format", "{p}|{f}"])
        .args(arguments)
        .output()
        .expect("cargo");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(tree.stdout).expect("cargo writes UTF-8").lines() {
        // `tokio v1.54.1|rt,sync (*)`; packages of a workspace are separated by blank lines.
        let Some((package, features)) = line.split_once('|') else { continue };
        let name = package.split(' ').next().expect("a name");
        let features =
            features.trim_end_matches("(*)").split(',').map(str::trim).filter(|name| !name.is_empty());
        packages.entry(name.to_owned()).or_default().extend(features.map(str::to_owned));
    }
    packages
}

/// Those of `names` that are there.
fn found<'a>(
    packages: &BTreeMap<String, BTreeSet<String>>,
    names: impl IntoIterator<Item = &'a &'static str>,
) -> Vec<&'static str> {
    names.into_iter().copied().filter(|name| packages.contains_key(*name)).collect()
}
