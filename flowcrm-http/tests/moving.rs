//! The commands that take data elsewhere, beside a server that goes on serving.
mod support;

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use support::process::ServerProcess;
use support::{Client, SECRET, TestDatabase};
use tempfile::TempDir;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flowcrm"));
    command.args(arguments).env_remove("DATABASE_URL");
    command.env("JWT_SECRET", str::from_utf8(SECRET).expect("a secret of text"));
    command
}

/// Runs `flowcrm` to its end.
fn flowcrm(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the binary runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn succeeds(arguments: &[&str]) -> String {
    let output = flowcrm(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn fails(arguments: &[&str]) -> String {
    let output = flowcrm(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// An organization with three leads.
async fn owner_with_leads(server: &ServerProcess) -> Client {
    let owner = server.client().register("engines").await;
    for (name, status) in [("Ada", "NEW"), ("=Bob", "WON"), ("Eve", "NEW")] {
        owner.create("/api/leads", json!({"name": name, "status": status})).await;
    }
    owner
}

fn names(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("a file");
    text.lines().skip(1).map(|row| row.split(',').nth(1).expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_file_of_records_is_written_by_the_rights_of_a_user() {
    for database in TestDatabase::on_each_engine().await {
        let server = ServerProcess::start(&database);
        owner_with_leads(&server).await;
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("leads.csv");
        let path = file.to_str().expect("a path of text");
        let url = ["--database-url", &database.url, "--as", "owner@engines.example"];
        let done = succeeds(&[&["export", "leads", path], &url[..]].concat());
        assert!(done.contains("3 leads"), "{done}");
        assert_eq!(names(&file), ["Ada", "'=Bob", "Eve"]);
        succeeds(&[&["export", "leads", path, "--filter", "status=NEW"], &url[..]].concat());
        assert_eq!(names(&file), ["Ada", "Eve"], "the file is replaced");
        let printed = flowcrm(&[&["export", "leads", "--filter", "status=WON"], &url[..]].concat());
        let printed = String::from_utf8(printed.stdout).expect("UTF-8");
        assert!(printed.starts_with("id,name,") && printed.lines().count() == 2, "{printed}");
        let refused = fails(&[&["export", "deals", path, "--filter", "colour=red"], &url[..]].concat());
        assert!(refused.contains("colour"), "{refused}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left aside");
        assert_eq!(names(&file), ["Ada", "Eve"], "a file that fails leaves the former one");
    }
}

#[tokio::test]
async fn a_backup_of_a_serving_database_serves_and_goes_back() {
    for database in TestDatabase::on_each_engine().await {
        let server = ServerProcess::start(&database);
        let owner = owner_with_leads(&server).await;
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("backup.db");
        let path = file.to_str().expect("a path of text");
        let done = succeeds(&["backup", path, "--database-url", &database.url]);
        assert!(done.contains("secret"), "says what is missing: {done}");
        assert!(fails(&["backup", path, "--database-url", &database.url]).contains("there already"));
        owner.create("/api/leads", json!({"name": "Too late"})).await;

        let backup = TestDatabase::sqlite();
        let backup_file = backup.url.trim_start_matches("sqlite:");
        std::fs::copy(&file, backup_file).expect("a copy of the file");
        let restored = ServerProcess::start(&backup);
        let owner = restored.client().sign_in("owner@engines.example").await;
        assert_eq!(owner.walk("/api/leads").await.len(), 3);

        let backup_url = format!("sqlite:{path}");
        for target in TestDatabase::on_each_engine().await {
            succeeds(&["copy", "--from", &backup_url, "--to", &target.url, "--migrate"]);
            assert!(fails(&["copy", "--from", &backup_url, "--to", &target.url]).contains("already"));
            let server = ServerProcess::start(&target);
            let owner = server.client().sign_in("owner@engines.example").await;
            assert_eq!(owner.walk("/api/leads").await.len(), 3);
        }
        let org = owner.get("/api/organization").await.body["id"].as_str().expect("an id").to_owned();
        let target = TestDatabase::sqlite();
        succeeds(&["copy", "--from", &backup_url, "--to", &target.url, "--organization", &org]);
        let missing = fails(&["copy", "--from", "sqlite:/no/such/file.db", "--to", &target.url]);
        assert!(missing.contains("--from") && missing.contains("not there"), "{missing}");
    }
}

#[test]
fn a_command_that_nobody_listens_to_ends_quietly() {
    let folder = TempDir::new().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("crm.db").display());
    let mut running = command(&["migrate", "--database-url", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(running.stdout.take());
    let output = running.wait_with_output().expect("an end");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
}
