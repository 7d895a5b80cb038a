//! A database looked at from beside the server: whatever was interrupted, nothing in it may be there by half.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use flowcrm_core::events::EventKind;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

use crate::support::{Client, TestDatabase};
use crate::writers::Written;

/// A connection of the test's own, which no row-level security binds.
pub(crate) enum Inspector {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A row of the event log.
struct Logged {
    position: i64,
    kind: String,
    entity: String,
    entity_id: String,
    user_id: String,
    created_at: String,
    is_for_nobody: bool,
    audience_users: String,
    payload: Value,
}

/// How much there was to inspect in an organization.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Inspected {
    pub(crate) events: usize,
    pub(crate) audit_entries: usize,
    pub(crate) notifications: usize,
}

impl Inspected {
    pub(crate) fn add(&mut self, more: Self) {
        self.events += more.events;
        self.audit_entries += more.audit_entries;
        self.notifications += more.notifications;
    }
}

impl Inspector {
    pub(crate) async fn of(database: &TestDatabase) -> Self {
        let opened = match database.engine {
            "sqlite" => SqliteConnection::connect(&database.url).await.map(Self::Sqlite),
            _ => PgConnection::connect(&database.url).await.map(Self::Postgres),
        };
        opened.expect("the database of the test")
    }

    /// Waits until the last statement of a killed server has ended: Postgres finishes what it has begun.
    pub(crate) async fn settle(&mut self) {
        const OTHERS: &str = "SELECT CAST(COUNT(*) AS TEXT) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
        if matches!(self, Self::Postgres(_)) {
            self.wait_for(OTHERS, "0").await;
        }
    }

    /// Waits, for two minutes at most, until a query answers this text.
    pub(crate) async fn wait_for(&mut self, query: &str, expected: &str) {
        for _ in 0..12_000 {
            if self.text(query).await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{query} does not become {expected}");
    }

    /// The rows of a query whose columns are all text; NULL is shown as nothing.
    #[expect(clippy::disallowed_methods, reason = "the test looks at the tables from outside")]
    pub(crate) async fn rows(&mut self, query: &str) -> Vec<Vec<String>> {
        fn texts<R: sqlx::Row>(row: &R) -> Vec<String>
        where
            usize: sqlx::ColumnIndex<R>,
            for<'r> Option<String>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
        {
            (0..row.len()).map(|column| row.get::<Option<String>, _>(column).unwrap_or_default()).collect()
        }
        let statement = sqlx::raw_sql(AssertSqlSafe(query.to_owned()));
        match self {
            Self::Sqlite(connection) => {
                statement.fetch_all(connection).await.expect(query).iter().map(texts).collect()
            }
            Self::Postgres(connection) => {
                statement.fetch_all(connection).await.expect(query).iter().map(texts).collect()
            }
        }
    }

    /// The only text that a query answers.
    pub(crate) async fn text(&mut self, query: &str) -> String {
        let rows = self.rows(query).await;
        assert_eq!(rows.len(), 1, "{query}");
        rows[0][0].clone()
    }

    /// The only number that a query answers as text.
    pub(crate) async fn number(&mut self, query: &str) -> i64 {
        self.text(query).await.parse().expect(query)
    }

    /// Changes what is there, as the passing of time would.
    #[expect(clippy::disallowed_methods, reason = "the test moves what only time would move")]
    pub(crate) async fn execute(&mut self, statement: &str) {
        let text = AssertSqlSafe(statement.to_owned());
        match self {
            Self::Sqlite(connection) => {
                sqlx::raw_sql(text).execute(connection).await.expect(statement);
            }
            Self::Postgres(connection) => {
                sqlx::raw_sql(text).execute(connection).await.expect(statement);
            }
        }
    }

    /// A column that holds an id, as the digits of its UUID.
    pub(crate) fn id(&self, column: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("LOWER(HEX({column}))"),
            Self::Postgres(_) => format!("REPLACE(CAST({column} AS TEXT), '-', '')"),
        }
    }

    /// The condition that a row is of an organization.
    fn of_organization(&self, org: &str) -> String {
        format!("{} = '{}'", self.id("org_id"), digits(org))
    }

    /// The place of an organization's newest event.
    pub(crate) async fn position(&mut self, org: &str) -> i64 {
        let query = format!(
            "SELECT CAST(position AS TEXT) FROM organizations WHERE {} = '{}'",
            self.id("id"),
            digits(org)
        );
        self.number(&query).await
    }

    /// Demands that the files of the database are sound.
    pub(crate) async fn check_storage(&mut self) {
        if matches!(self, Self::Sqlite(_)) {
            assert_eq!(self.text("PRAGMA integrity_check").await, "ok");
            assert_eq!(self.text("SELECT CAST(COUNT(*) AS TEXT) FROM pragma_foreign_key_check").await, "0");
        }
    }

    /// Demands that an organization's records, events, audit entries and notifications belong together, and that all
    /// that its OWNER was told of is there.
    pub(crate) async fn check(&mut self, owner: &Client, told: &[Written]) -> Inspected {
        let (log, inspected) = self.inspect(owner).await;
        let commands = by_command(&log);
        for entity in ["lead", "deal", "task"] {
            check_records(owner, entity, &commands).await;
        }
        for written in told {
            let events = commands.get(&(digits(&written.id()), written.version()));
            let events = events.unwrap_or_else(|| panic!("lost: {written:?}"));
            let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
            assert_eq!(kinds, written.events, "{written:?}");
            assert_eq!(events[0].payload[written.entity], written.record);
        }
        inspected
    }

    /// Demands that an organization's events, audit entries and notifications belong together.
    pub(crate) async fn check_log(&mut self, owner: &Client) -> Inspected {
        self.inspect(owner).await.1
    }

    async fn inspect(&mut self, owner: &Client) -> (Vec<Logged>, Inspected) {
        let org = owner.user["orgId"].as_str().expect("an organization").to_owned();
        let log = self.log(&org).await;
        self.check_positions(owner, &org, &log).await;
        let audit_entries = self.check_audit_entries(owner, &org, &log).await;
        let notifications = self.check_notifications(&org, &log).await;
        let inspected = Inspected { events: log.len(), audit_entries, notifications };
        (log, inspected)
    }

    async fn log(&mut self, org: &str) -> Vec<Logged> {
        let (entity_id, user_id) = (self.id("entity_id"), self.id("user_id"));
        let of_organization = self.of_organization(org);
        let query = format!(
            "SELECT CAST(position AS TEXT), type, entity_type, {entity_id}, {user_id}, CAST(created_at AS TEXT),
                    circle, audience_users, CAST(payload AS TEXT)
             FROM events WHERE {of_organization} ORDER BY events.position"
        );
        let rows = self.rows(&query).await;
        let logged = |row: Vec<String>| {
            let [position, kind, entity, entity_id, user_id, created_at, circle, audience_users, payload] =
                <[String; 9]>::try_from(row).expect("nine columns");
            Logged {
                position: position.parse().expect("a number"),
                kind,
                entity,
                entity_id,
                user_id,
                created_at,
                is_for_nobody: circle == "NOBODY",
                audience_users,
                payload: serde_json::from_str(&payload).expect("JSON"),
            }
        };
        rows.into_iter().map(logged).collect()
    }

    /// Positions ascend from 1 without a hole, the organization knows the last one, and the OWNER sees every event
    /// but those kept for the audit log and those for another user alone.
    async fn check_positions(&mut self, owner: &Client, org: &str, log: &[Logged]) {
        let positions: Vec<i64> = log.iter().map(|event| event.position).collect();
        let expected: Vec<i64> = (1..=self.position(org).await).collect();
        assert_eq!(positions, expected);
        let is_seen = |event: &&Logged| !event.is_for_nobody || event.audience_users.contains(owner.id());
        let expected: Vec<i64> = log.iter().filter(is_seen).map(|event| event.position).collect();
        assert_eq!(positions_seen_by(owner).await, expected);
    }

    /// Every audited event has its audit entry, and the other way round.
    async fn check_audit_entries(&mut self, owner: &Client, org: &str, log: &[Logged]) -> usize {
        let audited: BTreeSet<&str> = EventKind::ALL
            .iter()
            .map(|kind| kind.rule())
            .filter(|rule| rule.is_audited)
            .map(|rule| rule.name)
            .collect();
        let mut expected: Vec<Vec<String>> = log
            .iter()
            .filter(|event| audited.contains(event.kind.as_str()))
            .map(|event| {
                let texts = [&event.kind, &event.entity, &event.entity_id, &event.user_id, &event.created_at];
                texts.map(Clone::clone).to_vec()
            })
            .collect();
        let (entity_id, user_id) = (self.id("entity_id"), self.id("user_id"));
        let of_organization = self.of_organization(org);
        let query = format!(
            "SELECT action, entity_type, {entity_id}, {user_id}, CAST(created_at AS TEXT)
             FROM audit_entries WHERE {of_organization}"
        );
        let mut entries = self.rows(&query).await;
        expected.sort();
        entries.sort();
        assert_eq!(entries, expected);
        let reply = owner.get("/api/audit-logs?limit=1&count=true").await;
        assert_eq!(reply.headers["x-total-count"].to_str().expect("digits"), entries.len().to_string());
        entries.len()
    }

    /// Every notification has its event, and the other way round; and whoever had to be told of a record was.
    async fn check_notifications(&mut self, org: &str, log: &[Logged]) -> usize {
        let (id, of_organization) = (self.id("id"), self.of_organization(org));
        let query = format!("SELECT {id}, link FROM notifications WHERE {of_organization}");
        let rows = self.rows(&query).await;
        let mut ids: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
        let sent = log.iter().filter(|event| event.kind == "notification:sent");
        let mut sent: Vec<&str> = sent.map(|event| event.entity_id.as_str()).collect();
        ids.sort_unstable();
        sent.sort_unstable();
        assert_eq!(ids, sent);

        let mut links: Vec<String> =
            rows.iter().map(|row| row[1].clone()).filter(|link| is_of_record(link)).collect();
        let mut expected: Vec<String> = log.iter().filter_map(link_to_send).collect();
        links.sort();
        expected.sort();
        assert_eq!(links, expected);
        rows.len()
    }
}

/// The digits of an id.
fn digits(id: &str) -> String {
    id.replace('-', "")
}

/// The events of each change of a record: by its id and the version that it made.
fn by_command(log: &[Logged]) -> BTreeMap<(String, i64), Vec<&Logged>> {
    let mut commands: BTreeMap<_, Vec<&Logged>> = BTreeMap::new();
    for event in log {
        if let Some(version) = event.payload[&event.entity]["version"].as_i64() {
            commands.entry((event.entity_id.clone(), version)).or_default().push(event);
        }
    }
    commands
}

/// Every record has the events of all its versions, the newest of which shows it as it is; and no event is of a record
/// that is not there.
async fn check_records(owner: &Client, entity: &str, commands: &BTreeMap<(String, i64), Vec<&Logged>>) {
    let of_entity = |events: &&Vec<&Logged>| events[0].entity == entity;
    let mut told: BTreeMap<(String, i64), &Value> = BTreeMap::new();
    for ((id, version), events) in commands.iter().filter(|(_, events)| of_entity(events)) {
        told.insert((id.clone(), *version), &events[0].payload[entity]);
    }
    for record in owner.walk(&format!("/api/{entity}s?limit=200")).await {
        let id = digits(record["id"].as_str().expect("an id"));
        let version = record["version"].as_i64().expect("a version");
        assert_eq!(
            told.get(&(id.clone(), version)).copied(),
            Some(&record),
            "the newest event of the {entity}"
        );
        for version in 1..=version {
            assert!(
                told.remove(&(id.clone(), version)).is_some(),
                "no event made version {version} of {record}"
            );
        }
    }
    assert!(told.is_empty(), "events of no {entity}: {told:?}");
}

async fn positions_seen_by(owner: &Client) -> Vec<i64> {
    let mut positions: Vec<i64> = Vec::new();
    loop {
        let after = positions.last().copied().unwrap_or_default();
        let reply = owner.get(&format!("/api/events?limit=1000&after={after}")).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        let events = reply.body.as_array().expect("a list");
        if events.is_empty() {
            return positions;
        }
        positions.extend(events.iter().map(|event| event["position"].as_i64().expect("a position")));
    }
}

fn is_of_record(link: &str) -> bool {
    ["/deals/", "/tasks/", "/imports/"].iter().any(|room| link.starts_with(room))
}

/// Where the notification leads that an event must have sent, given that only the OWNER writes and that there is one
/// colleague, who works on every deal and task.
fn link_to_send(event: &Logged) -> Option<String> {
    let id = event.payload[&event.entity]["id"].as_str()?;
    match event.kind.as_str() {
        "deal:assigned" | "deal:stage_changed" => Some(format!("/deals/{id}")),
        "task:assigned" => Some(format!("/tasks/{id}")),
        "import:completed" => Some(format!("/imports/{id}")),
        _ => None,
    }
}
