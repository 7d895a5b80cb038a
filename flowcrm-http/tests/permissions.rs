//! The permission matrix, walked cell by cell through HTTP: every role, every action, and records of one's own, of the
//! same organization and of another one.
mod support;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, PASSWORD, Reply, TestServer};

/// Who may do what, as the specification's table says it. The columns are those of [`ROLES`].
const MATRIX: &[(&str, [&str; 4])] = &[
    ("lead list, read", ["org", "org", "org", "own"]),
    ("lead update", ["org", "org", "org", "own"]),
    ("lead activities", ["org", "org", "org", "own"]),
    ("lead convert", ["org", "org", "org", "own"]),
    ("lead create", ["anyone", "anyone", "SALES or self", "self"]),
    ("lead assign, change owner", ["anyone", "anyone", "SALES or self", "no"]),
    ("lead delete", ["org", "org", "no", "no"]),
    ("deal list, read", ["org", "org", "org", "org"]),
    ("deal create", ["anyone", "anyone", "SALES or self", "self"]),
    ("deal assign, change owner", ["anyone", "anyone", "SALES or self", "no"]),
    ("deal update, move", ["org", "org", "org", "own"]),
    ("deal delete", ["org", "org", "no", "no"]),
    ("task list, read", ["org", "org", "org", "own"]),
    ("task create, reassign", ["anyone", "anyone", "SALES or self", "no"]),
    ("task update: status and priority", ["org", "org", "org", "own"]),
    ("task update: the rest", ["org", "org", "org", "no"]),
    ("task delete", ["org", "org", "org", "no"]),
    ("import", ["yes", "yes", "yes", "no"]),
    ("user list, user read", ["full", "full", "id, name, role, active", "id, name, role, active"]),
    ("user create, update role, deactivate, reactivate", ["all roles", "MANAGER, SALES", "no", "no"]),
    ("own name and password", ["yes", "yes", "yes", "yes"]),
    ("organization read", ["yes", "yes", "yes", "yes"]),
    ("organization settings update", ["yes", "yes", "no", "no"]),
    ("platform", ["no", "no", "no", "no"]),
    ("announce", ["yes", "yes", "no", "no"]),
    ("dashboard, events", ["yes", "yes", "yes", "yes"]),
    ("team performance", ["yes", "yes", "yes", "no"]),
    ("audit log", ["yes", "yes", "no", "no"]),
    ("notifications, sessions", ["own", "own", "own", "own"]),
];

const ROLES: [&str; 4] = ["OWNER", "ADMIN", "MANAGER", "SALES"];

/// What a request does to one record.
struct Deed {
    /// Its row of the matrix.
    row: &'static str,
    /// `lead`, `deal` or `task`.
    kind: &'static str,
    method: &'static str,
    /// What follows the record's id in the path.
    path: &'static str,
    body: &'static str,
    /// The status when it is done.
    done: u16,
}

const fn deed(
    row: &'static str,
    kind: &'static str,
    method: &'static str,
    path: &'static str,
    body: &'static str,
    done: u16,
) -> Deed {
    Deed { row, kind, method, path, body, done }
}

/// What can be done to one record without naming a person.
const DEEDS: &[Deed] = &[
    deed("lead list, read", "lead", "GET", "", "", 200),
    deed("lead update", "lead", "PUT", "", r#"{"phone": "030 1234"}"#, 200),
    deed("lead update", "lead", "PUT", "", r#"{"status": "CONTACTED"}"#, 200),
    deed("lead activities", "lead", "GET", "/activities", "", 200),
    deed("lead activities", "lead", "POST", "/activities", r#"{"type": "NOTE", "content": "Hello"}"#, 201),
    deed("lead convert", "lead", "POST", "/convert", "{}", 201),
    deed("lead delete", "lead", "DELETE", "", "", 200),
    deed("deal list, read", "deal", "GET", "", "", 200),
    deed("deal update, move", "deal", "PUT", "", r#"{"notes": "Soon"}"#, 200),
    deed("deal update, move", "deal", "PUT", "", r#"{"stage": "PROPOSAL"}"#, 200),
    deed("deal delete", "deal", "DELETE", "", "", 200),
    deed("task list, read", "task", "GET", "", "", 200),
    deed("task update: status and priority", "task", "PUT", "", r#"{"status": "DONE"}"#, 200),
    deed("task update: status and priority", "task", "PUT", "", r#"{"priority": "HIGH"}"#, 200),
    deed("task update: the rest", "task", "PUT", "", r#"{"title": "Call back"}"#, 200),
    deed("task update: the rest", "task", "PUT", "", r#"{"status": "DONE", "dueDate": null}"#, 200),
    deed("task delete", "task", "DELETE", "", "", 200),
];

/// Whose a record is, as the one who acts sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The actor owns it.
    Owned,
    /// The actor has it to work on.
    Assigned,
    /// Others' of the same organization.
    Colleagues,
    /// Another organization's.
    Strangers,
}

impl Whose {
    const ALL: [Self; 4] = [Self::Owned, Self::Assigned, Self::Colleagues, Self::Strangers];

    fn is_own(self) -> bool {
        matches!(self, Self::Owned | Self::Assigned)
    }
}

/// What the matrix grants a role.
fn granted(row: &str, role: usize) -> &'static str {
    let (_, cells) = MATRIX.iter().find(|(name, _)| *name == row).unwrap_or_else(|| panic!("no row {row}"));
    cells[role]
}

/// Whether a role sees a record of this kind.
fn sees(kind: &str, role: usize, whose: Whose) -> bool {
    whose != Whose::Strangers && (whose.is_own() || granted(&format!("{kind} list, read"), role) == "org")
}

/// What a deed must answer: invisible is 404, visible but not allowed 403.
fn expected(deed: &Deed, role: usize, whose: Whose) -> u16 {
    if !sees(deed.kind, role, whose) {
        return 404;
    }
    match granted(deed.row, role) {
        "org" => deed.done,
        "own" if whose.is_own() => deed.done,
        "own" | "no" => 403,
        other => panic!("{}: {other}", deed.row),
    }
}

/// Whether a grant lets the actor name a person of some role.
fn may_name(grant: &str, is_self: bool, role: &str) -> bool {
    match grant {
        "anyone" => true,
        "SALES or self" => is_self || role == "SALES",
        "self" => is_self,
        "no" => false,
        other => panic!("{other} says nothing of persons"),
    }
}

/// What was found, cell by cell.
#[derive(Default)]
struct Findings {
    cells: usize,
    wrong: Vec<String>,
}

impl Findings {
    fn cell(&mut self, role: usize, what: &str, found: u16, expected: u16) {
        self.that(role, what, &found, &expected);
    }

    fn that<T: PartialEq + std::fmt::Debug>(&mut self, role: usize, what: &str, found: &T, expected: &T) {
        self.cells += 1;
        if found != expected {
            self.wrong.push(format!("{} · {what}: {found:?}, not {expected:?}", ROLES[role]));
        }
    }

    fn conclude(self, engine: &str, at_least: usize) {
        assert!(
            self.wrong.is_empty(),
            "{engine}: {} of {} cells:\n{}",
            self.wrong.len(),
            self.cells,
            self.wrong.join("\n")
        );
        assert!(self.cells >= at_least, "{engine}: only {} cells were looked at", self.cells);
    }
}

/// Two organizations: one with two people of every role, and a stranger's.
struct World {
    /// One of every role, signed in.
    actors: Vec<Client>,
    /// The ids of one more of every role.
    colleagues: Vec<String>,
    /// Rules the other organization.
    stranger: Client,
}

impl World {
    async fn on(server: &TestServer) -> Self {
        let owner = server.register("ours").await;
        let stranger = server.register("theirs").await;
        let (mut actors, mut colleagues) = (vec![owner.clone()], Vec::new());
        for role in ROLES {
            let word = role.to_lowercase();
            if role != "OWNER" {
                actors.push(owner.add_user(role, &format!("{word}@ours.example")).await);
            }
            let body = json!({"name": role, "email": format!("{word}.2@ours.example"), "role": role, "password": PASSWORD});
            colleagues.push(id(&owner.create("/api/users", body).await));
        }
        Self { actors, colleagues, stranger }
    }

    fn owner(&self) -> &Client {
        &self.actors[0]
    }

    /// A new record, made by somebody who may make any.
    async fn record(&self, kind: &str, whose: Whose, actor: &Client) -> String {
        // Somebody whom no test names, so that naming always changes something.
        let holder = if actor.id() == self.owner().id() { self.actors[1].id() } else { self.owner().id() };
        let (maker, owner, assignee) = match whose {
            Whose::Owned => (self.owner(), actor.id(), None),
            Whose::Assigned => (self.owner(), holder, Some(actor.id())),
            Whose::Colleagues => (self.owner(), holder, Some(holder)),
            Whose::Strangers => (&self.stranger, self.stranger.id(), Some(self.stranger.id())),
        };
        let body = match kind {
            "lead" => json!({"name": "Lead", "ownerId": owner, "assignedToId": assignee}),
            "deal" => json!({"title": "Deal", "ownerId": owner, "assignedToId": assignee}),
            _ => json!({"title": "Task", "assignedToId": assignee.unwrap_or(owner)}),
        };
        id(&maker.create(&format!("/api/{kind}s"), body).await)
    }

    /// Everybody who can be named: what they are called here, their id, and their role in the organization.
    fn people<'a>(&'a self, actor: &'a Client) -> Vec<(&'static str, &'a str, Option<&'static str>)> {
        let colleagues =
            ROLES.iter().zip(&self.colleagues).map(|(role, id)| (*role, id.as_str(), Some(*role)));
        let mut people: Vec<_> = colleagues.collect();
        people.push(("self", actor.id(), None));
        people.push(("stranger", self.stranger.id(), None));
        people
    }
}

fn id(record: &Value) -> String {
    record["id"].as_str().expect("an id").to_owned()
}

async fn send(client: &Client, method: &str, path: &str, body: &str) -> Reply {
    let request = client.request(method.parse::<Method>().expect("a method"), path);
    let request = match body {
        "" => request,
        body => request.header("content-type", "application/json").body(body.to_owned()),
    };
    client.send(request).await
}

/// Kinds of records; a task has no owner, its assignee is who it belongs to.
const KINDS: [&str; 3] = ["lead", "deal", "task"];

fn relations(kind: &str) -> impl Iterator<Item = Whose> {
    let has_owner = kind != "task";
    Whose::ALL.into_iter().filter(move |whose| has_owner || *whose != Whose::Owned)
}

#[tokio::test]
async fn single_records_obey_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for deed in DEEDS {
                for whose in relations(deed.kind) {
                    let record = world.record(deed.kind, whose, actor).await;
                    let path = format!("/api/{}s/{record}{}", deed.kind, deed.path);
                    let reply = send(actor, deed.method, &path, deed.body).await;
                    let what = format!("{} {} {} {}, {whose:?}", deed.row, deed.method, deed.path, deed.body);
                    findings.cell(role, &what, reply.status, expected(deed, role, whose));
                }
            }
        }
        findings.conclude(server.database.engine, 4 * (11 * 4 + 6 * 3));
    }
}

#[tokio::test]
async fn rows_of_bulk_commands_obey_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for deed in DEEDS.iter().filter(|deed| matches!((deed.method, deed.path), ("PUT" | "DELETE", "")))
            {
                let mut records = BTreeMap::new();
                for whose in relations(deed.kind) {
                    records.insert(world.record(deed.kind, whose, actor).await, whose);
                }
                let mut body = json!({"ids": records.keys().collect::<Vec<_>>()});
                match deed.method {
                    "PUT" => body["set"] = serde_json::from_str(deed.body).expect("a body"),
                    _ => body["delete"] = json!(true),
                }
                let reply = actor.post(&format!("/api/{}s/bulk", deed.kind), body).await;
                findings.cell(role, &format!("bulk {}", deed.row), reply.status, 200);
                let outcomes = reply.body.as_array().cloned().unwrap_or_default();
                assert_eq!(outcomes.len(), records.len(), "{:?}", reply.body);
                for outcome in outcomes {
                    let whose = records[outcome["id"].as_str().expect("an id")];
                    let expected = match expected(deed, role, whose) {
                        200 => (json!(true), Value::Null),
                        403 => (json!(false), json!("forbidden")),
                        404 => (json!(false), json!("not_found")),
                        other => panic!("{other}"),
                    };
                    let what = format!("bulk {} {} {}, {whose:?}", deed.row, deed.method, deed.body);
                    findings.that(role, &what, &(outcome["ok"].clone(), outcome["code"].clone()), &expected);
                }
            }
        }
        findings.conclude(server.database.engine, 4 * (5 * 5 + 5 * 4));
    }
}

#[tokio::test]
async fn lists_show_what_may_be_read() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for kind in KINDS {
                let mut records = Vec::new();
                for whose in relations(kind) {
                    records.push((whose, world.record(kind, whose, actor).await));
                }
                let listed = actor.walk(&format!("/api/{kind}s")).await;
                for (whose, record) in records {
                    let is_listed = listed.iter().any(|listed| listed["id"] == record.as_str());
                    findings.that(
                        role,
                        &format!("{kind} list, {whose:?}"),
                        &is_listed,
                        &sees(kind, role, whose),
                    );
                }
            }
        }
        findings.conclude(server.database.engine, 4 * (4 + 4 + 3));
    }
}

/// The ways to name a person for a record that is there.
fn namings(kind: &str) -> Vec<(&'static str, &'static str, &'static str, Whose)> {
    // Method, path, field, and the own record in which the actor does not stand in that field yet.
    match kind {
        "lead" => vec![
            ("PUT", "", "assignedToId", Whose::Owned),
            ("POST", "/assign", "assignedToId", Whose::Owned),
            ("PUT", "", "ownerId", Whose::Assigned),
        ],
        "deal" => vec![("PUT", "", "assignedToId", Whose::Owned), ("PUT", "", "ownerId", Whose::Assigned)],
        _ => vec![("PUT", "", "assignedToId", Whose::Assigned)],
    }
}

#[tokio::test]
async fn assigning_and_changing_owners_obeys_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for kind in KINDS {
                let row = if kind == "task" {
                    "task create, reassign".to_owned()
                } else {
                    format!("{kind} assign, change owner")
                };
                let grant = granted(&row, role);
                for (method, path, field, own) in namings(kind) {
                    for whose in [own, Whose::Colleagues, Whose::Strangers] {
                        for (called, person, of_role) in world.people(actor) {
                            let is_self = called == "self";
                            // One's own task is one's own already; whether a right or the body is looked at first
                            // is left open where both are wrong.
                            let is_idle = kind == "task" && whose.is_own() && is_self;
                            if is_idle || called == "stranger" && grant == "no" {
                                continue;
                            }
                            let expected = if !sees(kind, role, whose) {
                                404
                            } else if called == "stranger" {
                                400
                            } else if may_name(grant, is_self, of_role.unwrap_or(ROLES[role])) {
                                200
                            } else {
                                403
                            };
                            let record = world.record(kind, whose, actor).await;
                            let body = json!({field: person}).to_string();
                            let reply =
                                send(actor, method, &format!("/api/{kind}s/{record}{path}"), &body).await;
                            let what = format!("{row} {method} {path} {field} = {called}, {whose:?}");
                            findings.cell(role, &what, reply.status, expected);
                            if expected == 400 {
                                findings.that(role, &what, &reply.bad_fields(), &vec![field]);
                            }
                        }
                    }
                }
                if kind != "task" {
                    let record = world.record(kind, Whose::Assigned, actor).await;
                    let reply =
                        actor.put(&format!("/api/{kind}s/{record}"), json!({"assignedToId": null})).await;
                    let expected = if grant == "no" { 403 } else { 200 };
                    findings.cell(role, &format!("{row}: to nobody"), reply.status, expected);
                }
            }
        }
        findings.conclude(server.database.engine, 300);
    }
}

#[tokio::test]
async fn creating_obeys_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for (kind, row, name, fields) in [
                ("lead", "lead create", "name", &["ownerId", "assignedToId"][..]),
                ("deal", "deal create", "title", &["ownerId", "assignedToId"]),
                ("task", "task create, reassign", "title", &["assignedToId"]),
            ] {
                let grant = granted(row, role);
                let path = format!("/api/{kind}s");
                if kind != "task" {
                    let reply = actor.post(&path, json!({name: "New"})).await;
                    findings.cell(role, &format!("{row}, nobody named"), reply.status, 201);
                    findings.that(
                        role,
                        &format!("{row}: the creator owns it"),
                        &reply.body["ownerId"],
                        &actor.user["id"],
                    );
                }
                for field in fields {
                    for (called, person, of_role) in world.people(actor) {
                        let is_self = called == "self";
                        let expected = match called {
                            "stranger" if grant == "no" => 403,
                            "stranger" => 400,
                            _ if may_name(grant, is_self, of_role.unwrap_or(ROLES[role])) => 201,
                            _ => 403,
                        };
                        let reply = actor.post(&path, json!({name: "New", *field: person})).await;
                        findings.cell(role, &format!("{row} {field} = {called}"), reply.status, expected);
                        if expected == 400 {
                            findings.that(
                                role,
                                &format!("{row} names {field}"),
                                &reply.bad_fields(),
                                &vec![*field],
                            );
                        }
                    }
                }
            }
        }
        findings.conclude(server.database.engine, 4 * (5 * 6 + 4));
    }
}

#[tokio::test]
async fn a_body_may_refer_to_what_its_sender_sees() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for whose in Whose::ALL {
                let lead = world.record("lead", whose, actor).await;
                let created = actor.post("/api/deals", json!({"title": "Deal", "leadId": lead})).await;
                let deal = world.record("deal", Whose::Owned, actor).await;
                let changed = actor.put(&format!("/api/deals/{deal}"), json!({"leadId": lead})).await;
                for (reply, done) in [(created, 201), (changed, 200)] {
                    let what = format!("a deal with a lead of {whose:?}");
                    if sees("lead", role, whose) {
                        findings.cell(role, &what, reply.status, done);
                    } else {
                        findings.that(
                            role,
                            &what,
                            &(reply.status, reply.bad_fields()),
                            &(400, vec!["leadId"]),
                        );
                    }
                }
                if granted("task create, reassign", role) == "no" {
                    continue;
                }
                let deal = world.record("deal", whose, actor).await;
                let task =
                    json!({"title": "Task", "assignedToId": actor.id(), "leadId": lead, "dealId": deal});
                let reply = actor.post("/api/tasks", task).await;
                let expected =
                    if whose == Whose::Strangers { (400, vec!["leadId", "dealId"]) } else { (201, vec![]) };
                let found = (reply.status, reply.bad_fields());
                findings.that(role, &format!("a task with records of {whose:?}"), &found, &expected);
            }
        }
        findings.conclude(server.database.engine, 4 * 8 + 3 * 4);
    }
}

/// The users whom a role may make and unmake.
fn manages(role: usize, other: &str) -> bool {
    match granted("user create, update role, deactivate, reactivate", role) {
        "all roles" => true,
        "MANAGER, SALES" => matches!(other, "MANAGER" | "SALES"),
        _ => false,
    }
}

#[tokio::test]
async fn users_are_managed_by_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        let status = |allowed: bool, done: u16| if allowed { done } else { 403 };
        for (role, actor) in world.actors.iter().enumerate() {
            for (other, colleague) in ROLES.iter().zip(&world.colleagues) {
                let path = format!("/api/users/{colleague}");
                let email = format!("{}.{role}@new.example", other.to_lowercase());
                let new = json!({"name": "New", "email": email, "role": other, "password": PASSWORD});
                let allowed = manages(role, other);
                findings.cell(
                    role,
                    &format!("create {other}"),
                    actor.post("/api/users", new).await.status,
                    status(allowed, 201),
                );

                let renamed = actor.put(&path, json!({"name": *other})).await;
                findings.cell(role, &format!("rename {other}"), renamed.status, status(allowed, 200));
                for becoming in ROLES.iter().filter(|becoming| *becoming != other) {
                    let reply = actor.put(&path, json!({"role": becoming})).await;
                    let allowed = allowed && manages(role, becoming);
                    findings.cell(
                        role,
                        &format!("make {other} {becoming}"),
                        reply.status,
                        status(allowed, 200),
                    );
                    let back = world.owner().put(&path, json!({"role": other})).await;
                    assert_eq!(back.status, 200, "{:?}", back.body);
                }
                let gone = actor.delete(&path).await;
                findings.cell(role, &format!("deactivate {other}"), gone.status, status(allowed, 200));
                assert_eq!(world.owner().put(&path, json!({"active": false})).await.status, 200);
                let back = actor.put(&path, json!({"active": true})).await;
                findings.cell(role, &format!("reactivate {other}"), back.status, status(allowed, 200));
                assert_eq!(world.owner().put(&path, json!({"active": true})).await.status, 200);
            }
            let own = format!("/api/users/{}", actor.id());
            for becoming in ROLES.iter().filter(|becoming| **becoming != ROLES[role]) {
                let reply = actor.put(&own, json!({"role": becoming})).await;
                findings.cell(role, &format!("make oneself {becoming}"), reply.status, 403);
            }
            let foreign = format!("/api/users/{}", world.stranger.id());
            findings.cell(role, "read a stranger", actor.get(&foreign).await.status, 404);
            findings.cell(
                role,
                "rename a stranger",
                actor.put(&foreign, json!({"name": "Mine"})).await.status,
                404,
            );
            findings.cell(role, "deactivate a stranger", actor.delete(&foreign).await.status, 404);
        }
        findings.conclude(server.database.engine, 4 * (4 * 7 + 6));
    }
}

#[tokio::test]
async fn users_are_shown_by_the_matrix() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        let keys = |user: &Value| {
            user.as_object().map(|user| user.keys().cloned().collect::<Vec<_>>()).unwrap_or_default()
        };
        for (role, actor) in world.actors.iter().enumerate() {
            let expected: Vec<String> = match granted("user list, user read", role) {
                "full" => [
                    "active",
                    "createdAt",
                    "email",
                    "id",
                    "lastLoginAt",
                    "name",
                    "orgId",
                    "role",
                    "twoFactorEnabled",
                    "updatedAt",
                    "version",
                ]
                .map(str::to_owned)
                .to_vec(),
                _ => ["active", "id", "name", "role"].map(str::to_owned).to_vec(),
            };
            let listed = actor.walk("/api/users").await;
            assert_eq!(listed.len(), 8, "{listed:?}");
            for user in &listed {
                findings.that(role, "user list", &keys(user), &expected);
            }
            for id in world.colleagues.iter().map(String::as_str).chain([actor.id()]) {
                let reply = actor.get(&format!("/api/users/{id}")).await;
                findings.that(role, "user read", &keys(&reply.body), &expected);
            }
        }
        findings.conclude(server.database.engine, 4 * 13);
    }
}

#[tokio::test]
async fn what_is_about_no_record_obeys_the_matrix() {
    let everything: &[(&str, &str, &str, &str, u16)] = &[
        ("own name and password", "GET", "/api/auth/me", "", 200),
        ("own name and password", "PUT", "/api/auth/me", r#"{"name": "Renamed"}"#, 200),
        ("organization read", "GET", "/api/organization", "", 200),
        ("organization settings update", "PUT", "/api/organization", r#"{"name": "Renamed"}"#, 200),
        ("platform", "GET", "/api/organizations", "", 200),
        ("announce", "POST", "/api/notifications/announce", r#"{"message": "Cake"}"#, 200),
        ("dashboard, events", "GET", "/api/events", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/stats", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/weekly", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/pipeline", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/lead-status", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/lead-sources", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/task-status", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/overdue-tasks", "", 200),
        ("dashboard, events", "GET", "/api/dashboard/activity", "", 200),
        ("team performance", "GET", "/api/dashboard/team-performance", "", 200),
        ("audit log", "GET", "/api/audit-logs", "", 200),
        ("import", "GET", "/api/imports", "", 200),
        ("notifications, sessions", "GET", "/api/notifications", "", 200),
        ("notifications, sessions", "PUT", "/api/notifications/read-all", "", 200),
        ("notifications, sessions", "GET", "/api/auth/sessions", "", 200),
    ];
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        for (role, actor) in world.actors.iter().enumerate() {
            for (row, method, path, body, done) in everything {
                let expected = if granted(row, role) == "no" { 403 } else { *done };
                let reply = send(actor, method, path, body).await;
                findings.cell(role, &format!("{row}: {method} {path}"), reply.status, expected);
            }
            for org in [&actor.user["orgId"], &world.stranger.user["orgId"]] {
                let path = format!("/api/organizations/{}", org.as_str().expect("an id"));
                findings.cell(role, "platform: GET", actor.get(&path).await.status, 403);
                findings.cell(role, "platform: DELETE", actor.delete(&path).await.status, 403);
            }
            for kind in ["leads", "deals"] {
                let file = "title,name,externalId\nA,A,x\n".as_bytes().to_vec();
                let reply = actor.upload(kind, &json!({}), file).await;
                let expected = if granted("import", role) == "no" { 403 } else { 202 };
                findings.cell(role, &format!("import {kind}"), reply.status, expected);
            }
        }
        findings.conclude(server.database.engine, 4 * (21 + 6));
    }
}

#[tokio::test]
async fn imports_notifications_and_sessions_of_others_are_not_there() {
    for server in TestServer::on_each_engine().await {
        let world = World::on(&server).await;
        let mut findings = Findings::default();
        let file = || "name\nAda\n".as_bytes().to_vec();
        let ours = id(&world.owner().upload("leads", &json!({}), file()).await.body);
        let theirs = id(&world.stranger.upload("leads", &json!({}), file()).await.body);
        for client in [world.owner(), &world.stranger] {
            assert_eq!(
                client.post("/api/notifications/announce", json!({"message": "Cake"})).await.status,
                200
            );
        }
        let mut inboxes = Vec::new();
        let mut sessions = Vec::new();
        for client in world.actors.iter().chain([&world.stranger]) {
            inboxes.push(id(&client.get("/api/notifications?limit=1").await.body[0]));
            sessions.push(id(&client.get("/api/auth/sessions").await.body[0]));
        }
        for (role, actor) in world.actors.iter().enumerate() {
            if granted("import", role) == "yes" {
                for part in ["", "/rejected"] {
                    let of_ours = actor.get(&format!("/api/imports/{ours}{part}")).await.status;
                    findings.cell(role, "import of the organization", of_ours, 200);
                    let of_theirs = actor.get(&format!("/api/imports/{theirs}{part}")).await.status;
                    findings.cell(role, "import of strangers", of_theirs, 404);
                }
            } else {
                findings.cell(role, "import", actor.get(&format!("/api/imports/{ours}")).await.status, 403);
            }
            // Own ones last: ending one's own session ends it all.
            let others_first = (0..inboxes.len()).filter(|index| *index != role).chain([role]);
            for index in others_first {
                let expected = if index == role { 200 } else { 404 };
                let read =
                    send(actor, "PUT", &format!("/api/notifications/{}/read", inboxes[index]), "").await;
                findings.cell(role, &format!("read notification {index}"), read.status, expected);
                let ended = actor.delete(&format!("/api/auth/sessions/{}", sessions[index])).await;
                findings.cell(role, &format!("end session {index}"), ended.status, expected);
            }
            findings.cell(role, "after the own session", actor.get("/api/auth/me").await.status, 401);
        }
        assert_eq!(world.stranger.get("/api/auth/me").await.status, 200);
        findings.conclude(server.database.engine, 3 * 4 + 1 + 4 * 11);
    }
}
