//! The permission matrix, walked cell by cell through HTTP: every role, every action, and records of one's own, of the
//! same organization and of another one.
mod support;

#[path = "permissions/naming.rs"]
mod naming;
#[path = "permissions/organization.rs"]
mod organization;
#[path = "permissions/records.rs"]
mod records;
#[path = "permissions/users.rs"]
mod users;

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
