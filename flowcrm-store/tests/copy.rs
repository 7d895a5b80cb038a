//! Copies from engine to engine, and backups of a database in use.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use flowcrm_core::auth::Register;
use flowcrm_core::demo;
use flowcrm_core::env::{Env, FixedClock};
use flowcrm_core::exports::ExportKind;
use flowcrm_core::ids::OrgId;
use flowcrm_core::imports::ImportKind;
use flowcrm_core::input::Body;
use flowcrm_core::leads::{Lead, NewLead};
use flowcrm_core::log::EventQuery;
use flowcrm_core::{Caller, Crm, ErrorCode, Origin};
use flowcrm_store::{Extent, Opening, SqlStore};
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use support::{SECRET, TestDatabase};
use tempfile::TempDir;

/// What the three demo organizations are administered by.
const OWNERS: [&str; 3] = ["owner@techcorp.com", "owner@startuphub.com", "admin@example.com"];

/// Rows that are there for moments only, or that take an operator to make.
const FLEETING: [&str; 3] = [
    "INSERT INTO import_keys SELECT org_id, id, 'email ä', user_id FROM imports",
    "INSERT INTO import_foreseen SELECT org_id, id, user_id, x'00ff' FROM imports",
    "INSERT INTO operator_log (operator_id, action, org_id, created_at)
     SELECT id, 'organizations.create', org_id, created_at FROM users",
];

/// A SQLite database with rows in every table: two months of three organizations, and whatever else is odd.
async fn full() -> (TestDatabase, Crm) {
    let database = TestDatabase::sqlite();
    let clock = FixedClock::at("2026-03-18T12:00:00.123456Z".parse().unwrap());
    let crm = database.crm_in(Env::seeded(clock, 1)).await;
    demo::seed(&crm).await.unwrap();
    let owner = crm.as_user_with_email(OWNERS[0]).await.unwrap();
    let notes = "tab\there, quotes \"'\", \\ and\nlines; ä 🦀 \u{2028}".to_owned();
    let odd = NewLead {
        name: "=Ångström & Söhne".to_owned(),
        value: "0.01".parse().ok(),
        notes: Some(notes),
        ..NewLead::default()
    };
    let keyed = owner.clone().with_idempotency_key("key 1").unwrap();
    keyed.leads().create(odd).await.unwrap();
    for (dry_run, is_applied) in [(true, true), (false, true), (false, false)] {
        let options = Body::try_from(json!({"dryRun": dry_run})).unwrap();
        let mut staging =
            owner.imports().begin(ImportKind::Leads, options, "x.csv".to_owned()).await.unwrap();
        staging.push(b"name,email\nAda,ada@x.org\nBob,bad mail\n,\"none, \"\"quoted\"\"\"\n").await.unwrap();
        staging.finish().await.unwrap();
        if is_applied {
            assert_eq!(crm.run_waiting_imports().await.unwrap(), 1);
        }
    }
    let stranger =
        Body::try_from(json!({"email": "nobody@example.com", "password": "wrong password"})).unwrap();
    assert!(crm.sign_in(stranger, &Origin::default()).await.is_err());
    write(file_of(&database), &FLEETING).await;
    (database, crm)
}

async fn store_of(database: &TestDatabase) -> SqlStore {
    let store = SqlStore::connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn copy(from: &TestDatabase, to: &TestDatabase, extent: Extent) -> flowcrm_core::Result<u64> {
    let mut last = (0, 0);
    let from = store_of(from).await;
    let copied = from.copy_to(&store_of(to).await, extent, |done, total| last = (done, total)).await?;
    assert_eq!(last, (copied.rows, copied.rows), "the progress ends where the copy does");
    Ok(copied.rows)
}

#[expect(clippy::disallowed_methods, reason = "writes to the file behind the store's back")]
async fn write(file: &Path, statements: &[&'static str]) {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    for statement in statements {
        sqlx::query(*statement).execute(&mut connection).await.unwrap();
    }
}

/// Every row of every table of a SQLite file, each cell as SQLite quotes it.
#[expect(clippy::disallowed_methods, reason = "looks at the file behind the store's back")]
async fn dump(file: &Path) -> BTreeMap<String, Vec<String>> {
    let mut connection = SqliteConnectOptions::new().filename(file).read_only(true).connect().await.unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
        AND name NOT IN ('sessions', '_sqlx_migrations')";
    let mut dumped = BTreeMap::new();
    for table in sqlx::query(tables).fetch_all(&mut connection).await.unwrap() {
        let table: String = table.get(0);
        let columns = format!(
            "SELECT group_concat('quote(\"' || name || '\")', ' || '' '' || ') FROM pragma_table_info('{table}')
             WHERE name NOT LIKE 'lease%'"
        );
        let columns: String =
            sqlx::query(AssertSqlSafe(columns)).fetch_one(&mut connection).await.unwrap().get(0);
        let rows = format!("SELECT {columns} AS row FROM {table} ORDER BY row");
        let rows = sqlx::query(AssertSqlSafe(rows)).fetch_all(&mut connection).await.unwrap();
        dumped.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    dumped
}

fn file_of(database: &TestDatabase) -> &Path {
    Path::new(database.url.strip_prefix("sqlite:").unwrap())
}

fn assert_same(one: &BTreeMap<String, Vec<String>>, other: &BTreeMap<String, Vec<String>>) {
    for (table, rows) in one {
        assert_eq!(rows, &other[table], "{table}");
    }
    assert_eq!(one.len(), other.len());
}

async fn exported(caller: &Caller) -> String {
    let mut text = String::new();
    for kind in ExportKind::ALL {
        let mut export = caller.exports().begin(*kind, Body::default()).await.unwrap();
        while let Some(chunk) = export.next_chunk().await.unwrap() {
            text.push_str(str::from_utf8(&chunk).unwrap());
        }
    }
    text
}

/// What an organization looks like from within: its exports, its events and its audit log.
async fn view(crm: &Crm, email: &str) -> (String, String, String) {
    let caller = crm.as_user_with_email(email).await.unwrap();
    let mut events = Vec::new();
    loop {
        let after = events.last().map(|event: &flowcrm_core::events::LoggedEvent| event.position);
        let more = caller.events().list(EventQuery { after, limit: Some(1_000) }).await.unwrap();
        if more.is_empty() {
            break;
        }
        events.extend(more);
    }
    let mut entries = Vec::new();
    let mut query = flowcrm_core::audit::AuditQuery::default();
    loop {
        let page = caller.audit().list(query.clone()).await.unwrap();
        entries.extend(page.items);
        match page.next {
            Some(next) => query.list = query.list.after(next),
            None => break,
        }
    }
    assert!(events.len() > 50 && entries.len() > 50);
    let text = |value: serde_json::Result<String>| value.unwrap();
    (exported(&caller).await, text(serde_json::to_string(&events)), text(serde_json::to_string(&entries)))
}

#[tokio::test]
async fn a_copy_there_and_back_is_the_same_to_the_byte() {
    let (first, crm) = full().await;
    let before = dump(file_of(&first)).await;
    for (table, rows) in &before {
        assert!(
            !rows.is_empty() || table == "operator_log",
            "{table} is empty, so that nothing is proven of it"
        );
    }
    let mut way = vec![first];
    way.extend(TestDatabase::postgres().await);
    way.push(TestDatabase::sqlite());
    for step in way.windows(2) {
        copy(&step[0], &step[1], Extent::Everything).await.unwrap();
    }
    assert_same(&before, &dump(file_of(&way[way.len() - 1])).await);
    for database in &way[1..] {
        let copied = database.crm().await;
        for email in OWNERS {
            let (one, other) = (view(&crm, email).await, view(&copied, email).await);
            assert!(one == other, "{email} sees something else on {}", database.engine);
        }
    }
}

#[tokio::test]
async fn one_organization_joins_others_and_nothing_else_comes_along() {
    let (from, crm) = full().await;
    let org = crm.as_user_with_email(OWNERS[0]).await.unwrap().organization().get().await.unwrap().id;
    for to in TestDatabase::on_each_engine().await {
        let target = to.crm().await;
        let register = Register::new("Eve", "eve@example.org", "correct horse", "Others").unwrap();
        target.register(register, &Origin::default()).await.unwrap();
        crm.set_operator(OWNERS[0], true).await.unwrap();
        copy(&from, &to, Extent::Organization(org)).await.unwrap();
        assert!(view(&crm, OWNERS[0]).await == view(&target, OWNERS[0]).await, "{}", to.engine);
        // Who looks after all organizations of the one database does not look after those of the other.
        let owner = target.as_user_with_email(OWNERS[0]).await.unwrap();
        let refused = owner.organizations().list(Body::default()).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Forbidden, "on {}", to.engine);
        let owner = crm.as_user_with_email(OWNERS[0]).await.unwrap();
        assert!(owner.organizations().list(Body::default()).await.is_ok());
        let eve = target.as_user_with_email("eve@example.org").await.unwrap();
        assert_eq!(exported(&eve).await.lines().count(), 3, "three headers");
        assert!(target.as_user_with_email(OWNERS[1]).await.is_err());

        for extent in [Extent::Organization(org), Extent::Everything] {
            let refused = copy(&from, &to, extent).await.unwrap_err();
            assert_eq!(refused.code(), ErrorCode::Conflict, "{extent:?} on {}", to.engine);
        }
        // Work goes on where it went.
        let owner = target.as_user_with_email(OWNERS[0]).await.unwrap();
        let new = NewLead { name: "New".to_owned(), ..NewLead::default() };
        let lead: Lead = owner.leads().create(new).await.unwrap();
        let last = target.as_user_with_email(OWNERS[0]).await.unwrap();
        assert!(exported(&last).await.contains(&lead.id.to_string()));
        let unknown = Extent::Organization(OrgId::from(uuid::Uuid::from_u128(7)));
        assert_eq!(copy(&from, &to, unknown).await.unwrap_err().code(), ErrorCode::NotFound);
    }
}

#[tokio::test]
async fn a_copy_that_fails_leaves_nothing() {
    let (from, crm) = full().await;
    let org = crm.as_user_with_email(OWNERS[1]).await.unwrap().organization().get().await.unwrap().id;
    for to in TestDatabase::on_each_engine().await {
        let target = to.crm().await;
        let register = Register::new("Eve", OWNERS[1], "correct horse", "Others").unwrap();
        target.register(register, &Origin::default()).await.unwrap();
        let refused = copy(&from, &to, Extent::Organization(org)).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Conflict);
        assert!(refused.detail().contains("email"), "{refused}");
        let eve = target.as_user_with_email(OWNERS[1]).await.unwrap();
        assert_ne!(eve.organization().get().await.unwrap().id, org);
        // The way is free again: nothing of the first try is in it.
        target.set_operator(OWNERS[1], true).await.unwrap();
        let others = eve.organizations().list(Body::default()).await.unwrap();
        assert_eq!(others.items.len(), 1, "on {}", to.engine);
    }
}

/// Creates a lead, and more until it is told to stop; answers how many it made.
async fn busy(crm: &Crm) -> (tokio::sync::oneshot::Sender<()>, tokio::task::JoinHandle<usize>) {
    let (stop, mut stopped) = tokio::sync::oneshot::channel();
    let owner = crm.as_user_with_email(OWNERS[0]).await.unwrap();
    let first = NewLead { name: "Lead of all".to_owned(), ..NewLead::default() };
    owner.leads().create(first).await.unwrap();
    let writing = tokio::spawn(async move {
        let mut made = 0;
        while stopped.try_recv().is_err() {
            let new = NewLead { name: format!("Lead {made}"), ..NewLead::default() };
            owner.leads().create(new).await.unwrap();
            made += 1;
        }
        made
    });
    (stop, writing)
}

/// Demands that a database shows its organization at one moment: as many leads as were ever created, and no event
/// more or less.
async fn assert_of_one_moment(crm: &Crm) {
    let owner = crm.as_user_with_email(OWNERS[0]).await.unwrap();
    let (_, events, audit) = view(crm, OWNERS[0]).await;
    let named = |text: &str, word: &str| text.matches(word).count();
    let made = named(&exported(&owner).await, ",Lead ");
    assert!(made > 0, "nothing was made before that moment");
    assert_eq!(named(&audit, "\"name\":\"Lead "), made, "audit entries");
    assert!(named(&events, "\"name\":\"Lead ") >= made, "events");
    // The next event takes the next position.
    let new = NewLead { name: "After".to_owned(), ..NewLead::default() };
    owner.leads().create(new).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_a_backup_are_of_one_moment_while_others_write() {
    let (seed, _) = full().await;
    for database in TestDatabase::on_each_engine().await {
        copy(&seed, &database, Extent::Everything).await.unwrap();
        let crm = database.crm().await;
        let (stop, writing) = busy(&crm).await;
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("backup of ä.db");
        let target = TestDatabase::sqlite();
        copy(&database, &target, Extent::Everything).await.unwrap();
        let store = store_of(&database).await;
        store.back_up(&file, |_, _| {}).await.unwrap();
        stop.send(()).unwrap();
        assert!(writing.await.unwrap() > 0, "nobody wrote meanwhile");

        assert_of_one_moment(&target.crm().await).await;
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["backup of ä.db"], "one file, and nothing aside");
        let is_there = store.back_up(&file, |_, _| {}).await.unwrap_err();
        assert_eq!(is_there.code(), ErrorCode::Conflict);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let url = format!("sqlite:{}", file.display());
        let restored = Opening::of(url).secret(Some(SECRET.to_vec())).open().await.unwrap();
        assert_of_one_moment(&restored).await;
    }
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_leaves_nothing() {
    let (database, _crm) = full().await;
    let store = store_of(&database).await;
    let folder = TempDir::new().unwrap();
    assert!(store.back_up(&folder.path().join("no/such/folder.db"), |_, _| {}).await.is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let missing = format!("sqlite:{}", folder.path().join("missing.db").display());
    assert_eq!(SqlStore::connect_existing(&missing).await.unwrap_err().code(), ErrorCode::Invalid);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a source is never made");
}
