//! What a page costs does not grow with the number of records: for every filter, sort key and role.
//!
//! In its long version it compares a million records with ten thousand, and writes what pages cost into the file that
//! `FLOWCRM_FIGURES` names.
//!
//! Each value that is filtered by is either common, with a fixed share of the records, or seldom, with a fixed number.

use std::cmp::Reverse;

use flowcrm_core::access::{Role, Visibility};
use flowcrm_core::deals::{Deal, DealQuery, DealSort, DealStage};
use flowcrm_core::ids::{LeadId, OrgId, UserId};
use flowcrm_core::leads::{Lead, LeadQuery, LeadSort, LeadStatus};
use flowcrm_core::money::{Currency, Money};
use flowcrm_core::organizations::{Organization, OrganizationRepository};
use flowcrm_core::page::{Listing, Sort, SortKey};
use flowcrm_core::tasks::{Task, TaskPriority, TaskQuery, TaskSort, TaskStatus};
use flowcrm_core::time::Timestamp;
use flowcrm_core::users::{User, UserRepository};
use serde_json::{Value, json};
use uuid::Uuid;

use super::many::insert_all;
use super::support::TestDatabase;
use super::{deals, leads, tasks};
use crate::sql::{Database, Index, List, OrgConnection, RunAs};
use crate::store::SqlStore;

/// How many records have what hardly any has.
const SELDOM: u64 = 25;

fn id<T: From<Uuid>>(number: u64) -> T {
    Uuid::from_u128(0x7000_8000_0000_0000_0000 + u128::from(number)).into()
}

fn organization() -> OrgId {
    id(0)
}

/// A member with a quarter of the records.
fn busy() -> UserId {
    id(3)
}

/// A member with hardly any.
fn idle() -> UserId {
    id(5)
}

fn at(seconds: u64) -> Timestamp {
    let start: Timestamp = "2026-01-01".parse().unwrap();
    Timestamp::new(start.to_utc() + chrono::TimeDelta::seconds(i64::try_from(seconds).unwrap()))
}

fn usd(minor: u64) -> Money {
    Money::new(i64::try_from(minor).unwrap(), Currency::USD)
}

/// Record number `number` of `total`.
struct Record {
    number: u64,
    total: u64,
}

impl Record {
    /// Whether it is one of the few with the peculiarity of this number.
    fn is_seldom(&self, peculiarity: u64) -> bool {
        self.number % (self.total / SELDOM) == peculiarity
    }

    /// A number that looks random, another one for each purpose (the finalizer of `SplitMix64`).
    fn scattered(&self, purpose: u64) -> u64 {
        let mut mixed = (self.number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn owner(&self) -> UserId {
        if self.is_seldom(3) { idle() } else { id(1 + self.scattered(1) % 4) }
    }

    fn assignee(&self) -> Option<UserId> {
        let usual = (!self.number.is_multiple_of(3)).then(|| id(1 + self.scattered(2) % 4));
        if self.is_seldom(5) { Some(idle()) } else { usual }
    }

    fn value(&self) -> Money {
        usd(if self.is_seldom(13) { 900_000_000 } else { self.scattered(3) % 1_000_003 })
    }

    fn changed(&self) -> Timestamp {
        at(self.scattered(4) % self.total)
    }

    fn planned(&self) -> Option<Timestamp> {
        (!self.number.is_multiple_of(3)).then(|| at(self.scattered(5) % self.total))
    }

    fn title(&self) -> String {
        let mut title = format!("t{} w{}", self.scattered(6) % 1_000_003, self.number % 5_003);
        for (word, has) in [
            (" Common", self.scattered(7) % 2 == 1),
            (" Tenth", self.scattered(8) % 10 == 3),
            (" Seldom", self.is_seldom(7)),
        ] {
            title += if has { word } else { "" };
        }
        title
    }

    fn lead(&self) -> Lead {
        let status = match self.number % 10 {
            _ if self.is_seldom(9) => LeadStatus::Lost,
            0..6 => LeadStatus::New,
            6..8 => LeadStatus::Contacted,
            _ => LeadStatus::Won,
        };
        let source = match self.number % 10 {
            _ if self.is_seldom(11) => Some("Fair".to_owned()),
            1 => None,
            _ => Some("Website".to_owned()),
        };
        Lead {
            id: id(self.number),
            org_id: organization(),
            name: self.title(),
            email: format!("lead{}@example.com", self.number).parse().ok(),
            phone: None,
            company: None,
            source,
            status,
            value: self.value(),
            notes: None,
            external_id: None,
            owner_id: self.owner(),
            assigned_to_id: self.assignee(),
            version: 1,
            created_at: at(self.number),
            updated_at: self.changed(),
            is_converted: false,
        }
    }

    fn deal(&self) -> Deal {
        let stage = match self.number % 2 {
            _ if self.is_seldom(9) => DealStage::ClosedLost,
            0 => DealStage::Proposal,
            _ => DealStage::ClosedWon,
        };
        Deal {
            id: id(self.number),
            org_id: organization(),
            title: self.title(),
            value: self.value(),
            stage,
            probability: 50,
            expected_close: self.planned(),
            closed_at: None,
            lead_id: Some(id::<LeadId>(self.number / 8)),
            owner_id: self.owner(),
            assigned_to_id: self.assignee(),
            notes: None,
            lost_reason: None,
            external_id: None,
            version: 1,
            created_at: at(self.number),
            updated_at: self.changed(),
        }
    }

    fn task(&self) -> Task {
        let status = match self.number % 10 {
            _ if self.is_seldom(9) => TaskStatus::InProgress,
            _ if self.number + 150 > self.total => TaskStatus::Todo,
            _ => TaskStatus::Done,
        };
        Task {
            id: id(self.number),
            org_id: organization(),
            title: self.title(),
            description: None,
            status,
            priority: if self.is_seldom(11) { TaskPriority::High } else { TaskPriority::Low },
            due_date: self.planned(),
            lead_id: Some(id(self.number / 8)),
            deal_id: Some(id(self.number / 8)),
            assigned_to_id: self.owner(),
            created_by_id: id(1),
            completed_at: None,
            version: 1,
            created_at: at(self.number),
            updated_at: self.changed(),
        }
    }
}

/// A database with an organization that has so many leads, and a quarter as many deals and tasks.
struct World {
    _database: TestDatabase,
    store: SqlStore,
    total: u64,
    few: usize,
}

impl World {
    async fn of(database: TestDatabase, total: u64, few: usize) -> Self {
        let store = SqlStore::connect(&database.url).await.unwrap();
        store.migrate().await.unwrap();
        let world = Self { _database: database, store, total, few };
        let mut connection = world.connection(true).await;
        let organization = Organization {
            id: organization(),
            name: "Large".into(),
            time_zone: "UTC".parse().unwrap(),
            currency: Currency::USD,
            require_2fa: Vec::new(),
            version: 1,
            created_at: at(0),
            updated_at: at(0),
        };
        OrganizationRepository::insert(&mut connection, &organization).await.unwrap();
        for number in 1..=5 {
            let user = User {
                id: id(number),
                org_id: organization.id,
                name: "User".into(),
                email: format!("user{number}@example.com").parse().unwrap(),
                role: Role::Sales,
                active: true,
                two_factor_enabled: false,
                last_login_at: None,
                version: 1,
                created_at: at(0),
                updated_at: at(0),
            };
            UserRepository::insert(&mut connection, &user, "").await.unwrap();
        }
        let numbers: Vec<u64> = (0..total).collect();
        for chunk in numbers.chunks(5_000) {
            let records = chunk.iter().map(|number| Record { number: *number, total }.lead());
            insert_all::<Lead>(&mut connection, records.collect()).await.unwrap();
        }
        for chunk in numbers[..numbers.len() / 4].chunks(5_000) {
            let total = total / 4;
            let records = chunk.iter().map(|number| Record { number: *number, total });
            let records: Vec<Record> = records.collect();
            let new = records.iter().map(Record::deal).collect();
            insert_all::<Deal>(&mut connection, new).await.unwrap();
            let new: Vec<Task> = records.iter().map(Record::task).collect();
            tasks::insert_all(&mut connection, &new).await.unwrap();
        }
        connection.tx.commit().await.unwrap();
        // What the database does by itself in time: marks the pages that all may see, and gathers statistics.
        if let Database::Postgres(pool) = world.store.database() {
            #[expect(clippy::disallowed_methods, reason = "nothing but a test does so")]
            sqlx::raw_sql("VACUUM").execute(pool).await.unwrap();
        }
        world.store.analyze().await.unwrap();
        world
    }

    async fn connection(&self, writes: bool) -> OrgConnection {
        let run_as = RunAs::Organization(organization());
        let tx = self.store.database().begin(Some(run_as), writes).await.unwrap();
        OrgConnection::new(tx, organization())
    }

    /// What the second page of each list costs: in each order, upwards and downwards.
    async fn costs<K: SortKey>(
        &self,
        lists: Vec<(String, List)>,
        order: fn(K) -> Index,
    ) -> Vec<(String, u64)> {
        let mut costs = Vec::new();
        for (name, list) in lists {
            let list = list.with_few(self.few);
            for (word, key) in K::ALL {
                for descending in [false, true] {
                    let mut connection = self.connection(false).await;
                    let listing = Listing { sort: Sort { key: *key, descending }, ..Listing::default() };
                    let cost = connection.cost_of_page(&list, &listing, order(*key)).await.unwrap();
                    let sign = if descending { "-" } else { "" };
                    costs.push((format!("{name} sort={sign}{word}"), cost));
                }
            }
        }
        costs
    }

    fn leads(&self) -> Vec<(String, List)> {
        let all = LeadQuery::default;
        let day = Some(at(self.total - 100));
        let filters = [
            ("", all()),
            ("status=NEW", LeadQuery { status: Some(LeadStatus::New), ..all() }),
            ("status=LOST", LeadQuery { status: Some(LeadStatus::Lost), ..all() }),
            ("source=Website", LeadQuery { source: Some("Website".into()), ..all() }),
            ("source=Fair", LeadQuery { source: Some("Fair".into()), ..all() }),
            ("ownerId=busy", LeadQuery { owner_id: Some(busy()), ..all() }),
            ("ownerId=idle", LeadQuery { owner_id: Some(idle()), ..all() }),
            ("assignedToId=busy", LeadQuery { assigned_to_id: Some(busy()), ..all() }),
            ("assignedToId=idle", LeadQuery { assigned_to_id: Some(idle()), ..all() }),
            ("minValue=common", LeadQuery { min_value: Some(usd(500_000)), ..all() }),
            ("minValue=seldom", LeadQuery { min_value: Some(usd(800_000_000)), ..all() }),
            ("maxValue", LeadQuery { max_value: Some(usd(500_000)), ..all() }),
            ("createdFrom=early", LeadQuery { created_from: Some(at(self.total / 2)), ..all() }),
            ("createdFrom=late", LeadQuery { created_from: day, ..all() }),
            ("createdTo", LeadQuery { created_to: Some(at(self.total / 2)), ..all() }),
            ("q=common", LeadQuery { q: Some("comm".into()), ..all() }),
            ("q=tenth", LeadQuery { q: Some("ten".into()), ..all() }),
            ("q=seldom", LeadQuery { q: Some("seld".into()), ..all() }),
            ("q=two", LeadQuery { q: Some("exam seld".into()), ..all() }),
        ];
        each_viewer(&filters, leads::narrowed)
    }

    fn deals(&self) -> Vec<(String, List)> {
        let all = DealQuery::default;
        let total = self.total / 4;
        let late = Some(at(total - 100));
        let filters = [
            ("", all()),
            ("stage=PROPOSAL", DealQuery { stage: Some(DealStage::Proposal), ..all() }),
            ("stage=CLOSED_LOST", DealQuery { stage: Some(DealStage::ClosedLost), ..all() }),
            ("leadId", DealQuery { lead_id: Some(id(30)), ..all() }),
            ("ownerId=busy", DealQuery { owner_id: Some(busy()), ..all() }),
            ("ownerId=idle", DealQuery { owner_id: Some(idle()), ..all() }),
            ("assignedToId=busy", DealQuery { assigned_to_id: Some(busy()), ..all() }),
            ("assignedToId=idle", DealQuery { assigned_to_id: Some(idle()), ..all() }),
            ("minValue=seldom", DealQuery { min_value: Some(usd(800_000_000)), ..all() }),
            ("maxValue", DealQuery { max_value: Some(usd(500_000)), ..all() }),
            ("createdFrom", DealQuery { created_from: late, ..all() }),
            ("createdTo", DealQuery { created_to: Some(at(total / 2)), ..all() }),
            ("closeFrom", DealQuery { close_from: late, ..all() }),
            ("closeTo", DealQuery { close_to: Some(at(total / 2)), ..all() }),
            ("q=common", DealQuery { q: Some("comm".into()), ..all() }),
            ("q=seldom", DealQuery { q: Some("seld".into()), ..all() }),
        ];
        let list = |(name, query): &(&str, DealQuery)| (format!("deals {name}"), deals::narrowed(query));
        filters.iter().map(list).collect()
    }

    fn tasks(&self) -> Vec<(String, List)> {
        let all = TaskQuery::default;
        let total = self.total / 4;
        let now = at(total);
        let filters = [
            ("", all()),
            ("status=DONE", TaskQuery { status: Some(TaskStatus::Done), ..all() }),
            ("status=IN_PROGRESS", TaskQuery { status: Some(TaskStatus::InProgress), ..all() }),
            ("priority=LOW", TaskQuery { priority: Some(TaskPriority::Low), ..all() }),
            ("priority=HIGH", TaskQuery { priority: Some(TaskPriority::High), ..all() }),
            ("assignedToId=busy", TaskQuery { assigned_to_id: Some(busy()), ..all() }),
            ("assignedToId=idle", TaskQuery { assigned_to_id: Some(idle()), ..all() }),
            ("leadId", TaskQuery { lead_id: Some(id(30)), ..all() }),
            ("dealId", TaskQuery { deal_id: Some(id(30)), ..all() }),
            ("overdue=true", TaskQuery { overdue: Some(true), ..all() }),
            ("overdue=false", TaskQuery { overdue: Some(false), ..all() }),
            ("dueFrom", TaskQuery { due_from: Some(at(total - 100)), ..all() }),
            ("dueTo", TaskQuery { due_to: Some(at(total / 2)), ..all() }),
            ("q=common", TaskQuery { q: Some("comm".into()), ..all() }),
            ("q=seldom", TaskQuery { q: Some("seld".into()), ..all() }),
        ];
        each_viewer(&filters, |visibility, query| tasks::narrowed(visibility, query, now))
    }

    async fn all_costs(&self) -> Vec<(String, u64)> {
        let mut costs = self.costs::<LeadSort>(self.leads(), leads::order).await;
        costs.extend(self.costs::<DealSort>(self.deals(), deals::order).await);
        costs.extend(self.costs::<TaskSort>(self.tasks(), tasks::order).await);
        costs
    }
}

/// The lists of somebody who sees everything, of a seller with much, and of one with little.
fn each_viewer<Q>(filters: &[(&str, Q)], narrowed: impl Fn(Visibility, &Q) -> List) -> Vec<(String, List)> {
    let viewers = [
        ("all", Visibility::Organization),
        ("busy", Visibility::Own(busy())),
        ("idle", Visibility::Own(idle())),
    ];
    let mut lists = Vec::new();
    for (viewer, visibility) in viewers {
        for (name, query) in filters {
            lists.push((format!("{viewer} {name}"), narrowed(visibility, query)));
        }
    }
    lists
}

#[tokio::test]
async fn a_page_costs_no_more_when_there_are_more_records() {
    let is_long = std::env::var("FLOWCRM_PROOF").is_ok_and(|proof| proof == "long");
    let (few_records, many_records, few) =
        if is_long { (10_000, 1_000_000, 5_000) } else { (2_000, 20_000, 125) };
    let mut figures = Vec::new();
    for (first, second) in
        TestDatabase::on_each_engine().await.into_iter().zip(TestDatabase::on_each_engine().await)
    {
        let engine = first.engine;
        let small = World::of(first, few_records, few).await.all_costs().await;
        let large = World::of(second, many_records, few).await.all_costs().await;
        figures.push(figures_of(engine, &small, &large));
        let grown: Vec<_> = small
            .iter()
            .zip(&large)
            .filter(|((_, small), (_, large))| *large > 2 * *small + 1_500)
            .map(|((name, small), (_, large))| format!("{name}: {small} -> {large}"))
            .collect();
        assert!(grown.is_empty(), "{engine}: {} of {}\n{}", grown.len(), small.len(), grown.join("\n"));
    }
    if let Ok(path) = std::env::var("FLOWCRM_FIGURES") {
        let file = json!({
            "command": "FLOWCRM_PROOF=long FLOWCRM_FIGURES=$PWD/docs/figures/pages.json .ci/with-postgres \
                        cargo test --locked --package flowcrm-store --lib at_size",
            "records": [few_records, many_records],
            "engines": figures,
        });
        std::fs::write(path, format!("{file:#}\n")).unwrap();
    }
}

/// What pages cost with few records and with many: steps of SQLite's machine, buffers of Postgres.
fn figures_of(engine: &str, few: &[(String, u64)], many: &[(String, u64)]) -> Value {
    let spread = |costs: &[(String, u64)]| {
        let mut costs: Vec<u64> = costs.iter().map(|(_, cost)| *cost).collect();
        costs.sort_unstable();
        json!({"median": costs[costs.len() / 2], "largest": costs.last()})
    };
    let mut pairs: Vec<_> =
        few.iter().zip(many).map(|((name, few), (_, many))| (name, *few, *many)).collect();
    pairs.sort_by_key(|(name, few, many)| (Reverse(many.saturating_sub(*few)), *name));
    let most_grown =
        pairs.iter().take(5).map(|(name, few, many)| json!({"list": name, "costs": [few, many]}));
    json!({
        "engine": engine,
        "unit": if engine == "sqlite" { "hundreds of steps" } else { "buffers" },
        "lists": few.len(),
        "withFewRecords": spread(few),
        "withManyRecords": spread(many),
        "mostGrown": most_grown.collect::<Vec<_>>(),
    })
}
