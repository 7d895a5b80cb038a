//! A walk through a list by `createdAt` shows no record twice and misses none that was there throughout, while another
//! client creates, updates and deletes.
//!
//! `FLOWCRM_PROOF=long` tries many more cases; `FLOWCRM_FIGURES` names a file for what was walked.
mod support;

use std::cell::Cell;
use std::collections::BTreeSet;

use flowcrm_core::env::FixedClock;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use serde_json::{Value, json};
use support::{Client, PASSWORD, TestServer, next_page, proof};

/// The lists that can be walked; of each its path, and the field that its records are called by.
#[derive(Debug, Clone, Copy)]
enum List {
    Leads,
    Deals,
    Tasks,
    Users,
}

impl List {
    fn path(self) -> &'static str {
        match self {
            Self::Leads => "/api/leads",
            Self::Deals => "/api/deals",
            Self::Tasks => "/api/tasks",
            Self::Users => "/api/users",
        }
    }

    /// A new record, one that the salesperson may list.
    fn body(self, number: usize, sales: &str) -> Value {
        match self {
            // Both branches of what SALES may see, and records in both at once.
            Self::Leads => match number % 3 {
                0 => json!({"name": "Lead", "ownerId": sales}),
                1 => json!({"name": "Lead", "assignedToId": sales}),
                _ => json!({"name": "Lead", "ownerId": sales, "assignedToId": sales}),
            },
            Self::Deals => json!({"title": "Deal", "value": number}),
            Self::Tasks => json!({"title": "Task", "assignedToId": sales}),
            Self::Users => {
                unreachable!("users are not created while they are walked: hashing takes its time")
            }
        }
    }

    /// A change that leaves the record where it is, and moves it in every order but that by `createdAt`.
    fn change(self, number: usize) -> Value {
        match self {
            Self::Leads => json!({"name": format!("Lead {number}"), "value": number}),
            Self::Deals => json!({"title": format!("Deal {number}"), "stage": "PROPOSAL", "value": number}),
            Self::Tasks => json!({"title": format!("Task {number}"), "status": "DONE"}),
            Self::Users => json!({"name": format!("User {number}")}),
        }
    }
}

/// What the other client does.
#[derive(Debug, Clone)]
enum Write {
    /// Creates a record, after so many microseconds.
    Create(i64),
    /// Changes a record.
    Update(Index),
    /// Deletes a record.
    Delete(Index),
}

/// A walk, and what is written meanwhile.
#[derive(Debug, Clone)]
struct Case {
    list: List,
    descending: bool,
    /// Whether a salesperson walks, rather than the owner.
    by_sales: bool,
    /// How many microseconds lie between the first records; none makes ties of them.
    gaps: Vec<i64>,
    /// How many records each page may have, over and over.
    limits: Vec<usize>,
    writes: Vec<Write>,
}

/// Records of the same moment, neighbours on the wire's scale and on the cursor's, and such that lie apart.
fn gap() -> impl Strategy<Value = i64> {
    prop_oneof![3 => Just(0), 2 => Just(1), 1 => 2..1_000_i64, 1 => 1_000..5_000_000_i64]
}

fn write(list: List) -> BoxedStrategy<Write> {
    let update = any::<Index>().prop_map(Write::Update);
    match list {
        List::Users => update.boxed(),
        _ => prop_oneof![
            2 => gap().prop_map(Write::Create),
            2 => update,
            2 => any::<Index>().prop_map(Write::Delete),
        ]
        .boxed(),
    }
}

fn case(most: usize) -> impl Strategy<Value = Case> {
    let list = prop_oneof![3 => Just(List::Leads), 3 => Just(List::Deals), 3 => Just(List::Tasks), 1 => Just(List::Users)];
    list.prop_flat_map(move |list| {
        (
            Just(list),
            any::<bool>(),
            any::<bool>(),
            prop::collection::vec(gap(), 1..most),
            prop::collection::vec(1..8_usize, 1..5),
            prop::collection::vec(write(list), 0..most),
        )
    })
    .prop_map(|(list, descending, by_sales, gaps, limits, writes)| Case {
        list,
        descending,
        by_sales,
        gaps,
        limits,
        writes,
    })
}

/// What was walked in all cases.
#[derive(Default)]
struct Figures {
    walks: Cell<usize>,
    pages: Cell<usize>,
    rows: Cell<usize>,
    writes: Cell<usize>,
    throughout: Cell<usize>,
}

fn add(figure: &Cell<usize>, count: usize) {
    figure.set(figure.get() + count);
}

/// An organization of a case's own.
struct World {
    owner: Client,
    sales: Client,
    clock: FixedClock,
}

impl World {
    async fn on(server: &TestServer, clock: &FixedClock, number: usize) -> Self {
        let owner = server.register(&format!("org-{number}")).await;
        let sales = owner.add_user("SALES", &format!("sales@org-{number}.example")).await;
        Self { owner, sales, clock: clock.clone() }
    }

    async fn create(&self, list: List, number: usize, gap: i64) -> String {
        self.clock.advance(chrono::Duration::microseconds(gap));
        let record = self.owner.create(list.path(), list.body(number, self.sales.id())).await;
        record["id"].as_str().expect("an id").to_owned()
    }

    /// The records of the beginning.
    async fn fill(&self, case: &Case) -> Vec<String> {
        if matches!(case.list, List::Users) {
            let mut users = vec![self.owner.id().to_owned(), self.sales.id().to_owned()];
            for (number, gap) in case.gaps.iter().take(4).enumerate() {
                self.clock.advance(chrono::Duration::microseconds(*gap));
                let email = format!("{number}.{}", self.sales.user["email"].as_str().expect("an email"));
                let body = json!({"name": "User", "email": email, "password": PASSWORD});
                users.push(
                    self.owner.create("/api/users", body).await["id"].as_str().expect("an id").to_owned(),
                );
            }
            return users;
        }
        let mut records = Vec::new();
        for (number, gap) in case.gaps.iter().enumerate() {
            records.push(self.create(case.list, number, *gap).await);
        }
        records
    }

    /// Does all the writing; answers which of the first records were deleted.
    async fn write(&self, case: &Case, mut records: Vec<String>, figures: &Figures) -> BTreeSet<String> {
        let mut deleted = BTreeSet::new();
        for (number, write) in case.writes.iter().enumerate() {
            match write {
                Write::Create(gap) => records.push(self.create(case.list, number, *gap).await),
                Write::Update(_) | Write::Delete(_) if records.is_empty() => continue,
                Write::Update(index) => {
                    let path = format!("{}/{}", case.list.path(), index.get(&records));
                    let reply = self.owner.put(&path, case.list.change(number)).await;
                    assert_eq!(reply.status, 200, "{:?}", reply.body);
                }
                Write::Delete(index) => {
                    let record = records.swap_remove(index.index(records.len()));
                    let reply = self.owner.delete(&format!("{}/{record}", case.list.path())).await;
                    assert_eq!(reply.status, 200, "{:?}", reply.body);
                    deleted.insert(record);
                }
            }
            add(&figures.writes, 1);
        }
        deleted
    }

    /// Walks the list to its end, page by page; answers the records as they were seen.
    async fn walk(&self, case: &Case, figures: &Figures) -> Vec<Value> {
        let walker = if case.by_sales { &self.sales } else { &self.owner };
        let sort = if case.descending { "-createdAt" } else { "createdAt" };
        let mut limits = case.limits.iter().cycle();
        let mut limit = limits.next().copied().unwrap_or(1);
        let mut path = format!("{}?sort={sort}&limit={limit}", case.list.path());
        let mut seen = Vec::new();
        loop {
            let reply = walker.get(&path).await;
            assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
            let page = reply.body.as_array().expect("a list");
            add(&figures.pages, 1);
            add(&figures.rows, page.len());
            assert!(page.len() <= limit, "{} records on a page of {limit}", page.len());
            seen.extend(page.iter().cloned());
            let Some(next) = next_page(&reply) else { return seen };
            assert_eq!(page.len(), limit, "a page that is not the last one is full");
            let following = limits.next().copied().unwrap_or(1);
            path = next.replace(&format!("limit={limit}"), &format!("limit={following}"));
            assert!(path.contains(&format!("limit={following}")), "{path}");
            limit = following;
        }
    }
}

async fn hold(
    server: &TestServer,
    clock: &FixedClock,
    number: usize,
    case: &Case,
    figures: &Figures,
) -> Result<(), TestCaseError> {
    let world = World::on(server, clock, number).await;
    let first = world.fill(case).await;
    let (seen, deleted) = tokio::join!(world.walk(case, figures), world.write(case, first.clone(), figures));
    add(&figures.walks, 1);

    let ids: Vec<&str> = seen.iter().map(|record| record["id"].as_str().expect("an id")).collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    prop_assert_eq!(distinct.len(), ids.len(), "a record was shown twice: {:?}", ids);
    let throughout = || first.iter().filter(|record| !deleted.contains(*record));
    let missed: Vec<_> = throughout().filter(|record| !distinct.contains(record.as_str())).collect();
    prop_assert!(missed.is_empty(), "missed {:?} of {:?}", missed, ids);
    add(&figures.throughout, throughout().count());

    // RFC 3339 in UTC sorts as time does.
    let moments: Vec<&str> = seen.iter().filter_map(|record| record["createdAt"].as_str()).collect();
    let in_order =
        if case.descending { moments.is_sorted_by(|one, next| one >= next) } else { moments.is_sorted() };
    prop_assert!(in_order, "{:?}", moments);
    Ok(())
}

#[test]
fn a_walk_by_creation_shows_nothing_twice_and_misses_nothing() {
    let (cases, most) = if proof::is_long() { (250, 60) } else { (10, 24) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut proven = Vec::new();
    for (server, clock) in runtime.block_on(TestServer::on_each_engine_at("2026-03-15T10:00:00Z")) {
        let engine = server.database.engine;
        let (figures, number) = (Figures::default(), Cell::new(0));
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
        let outcome = TestRunner::new(config).run(&case(most), |case| {
            number.set(number.get() + 1);
            runtime.block_on(hold(&server, &clock, number.get(), &case, &figures))
        });
        if let Err(TestError::Fail(reason, case)) = outcome {
            panic!("{engine}: {reason}\nof {case:#?}");
        }
        outcome.expect("cases to try");
        assert!(figures.writes.get() > 0 && figures.throughout.get() > 0, "{engine}: the walks were idle");
        let Figures { walks, pages, rows, writes, throughout } = figures;
        proven.push(json!({
            "engine": engine,
            "walks": walks.get(),
            "pages": pages.get(),
            "rows": rows.get(),
            "writesMeanwhile": writes.get(),
            "recordsThereThroughout": throughout.get(),
        }));
    }
    proof::note("cursors", "walks", &proven);
}
