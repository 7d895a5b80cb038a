//! Clients that write without a pause, and remember what they were told.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Client;

/// A change of a record that the server has acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    /// What was changed: `lead`, `deal` or `task`.
    pub(crate) entity: &'static str,
    /// The record, as it was answered.
    pub(crate) record: Value,
    /// The events that the change makes, in order.
    pub(crate) events: &'static [&'static str],
}

impl Written {
    pub(crate) fn id(&self) -> String {
        self.record["id"].as_str().expect("a record has an id").to_owned()
    }

    pub(crate) fn version(&self) -> i64 {
        self.record["version"].as_i64().expect("a record has a version")
    }
}

/// One request that writes.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    method: Method,
    path: String,
    body: Value,
    /// What it changes, with the events of each change.
    changes: &'static [(&'static str, &'static [&'static str])],
    /// How many notifications it sends.
    notices: i64,
    idempotency_key: Option<String>,
}

impl Command {
    /// How many events it makes; each notification is an event too.
    pub(crate) fn events(&self) -> i64 {
        let of_records: usize = self.changes.iter().map(|(_, events)| events.len()).sum();
        self.notices + i64::try_from(of_records).expect("a few")
    }
}

/// A client who writes one thing after the other, all of them its own.
pub(crate) struct Writer {
    /// The OWNER whom it writes as.
    pub(crate) client: Client,
    /// All that it was told of.
    pub(crate) told: Vec<Written>,
    /// What it had asked for when the connection broke; whether that was done, it does not know.
    pub(crate) unanswered: Option<Command>,
    name: String,
    colleague: String,
    count: usize,
    lead: String,
    deal: String,
    task: String,
}

impl Writer {
    pub(crate) fn new(client: &Client, colleague: &Client, name: String) -> Self {
        let colleague = colleague.id().to_owned();
        let (lead, deal, task) = (String::new(), String::new(), String::new());
        Self {
            client: client.clone(),
            told: Vec::new(),
            unanswered: None,
            name,
            colleague,
            count: 0,
            lead,
            deal,
            task,
        }
    }

    /// Writes until the server is gone.
    pub(crate) async fn write_until_cut_off(&mut self) {
        while self.unanswered.is_none() {
            let command = self.next_command();
            self.run(command).await;
        }
    }

    /// Asks again for what was not answered; answers what that was.
    pub(crate) async fn ask_again(&mut self) -> Command {
        let command = self.unanswered.take().expect("a client that was cut off");
        self.run(command.clone()).await;
        assert!(self.unanswered.is_none(), "the server is there again");
        command
    }

    /// Sends a command; remembers what it did, or that there was no answer.
    async fn run(&mut self, command: Command) {
        let Some((status, body)) = self.send(&command).await else {
            self.unanswered = Some(command);
            return;
        };
        assert!(matches!(status, 200 | 201), "{command:?}: {status} {body}");
        for (entity, events) in command.changes {
            let record = if command.changes.len() == 1 { body.clone() } else { body[entity].clone() };
            let written = Written { entity, record, events };
            match *entity {
                "lead" => self.lead = written.id(),
                "deal" => self.deal = written.id(),
                _ => self.task = written.id(),
            }
            self.told.push(written);
        }
    }

    /// The whole answer, or none: an answer that breaks off acknowledges nothing.
    async fn send(&self, command: &Command) -> Option<(u16, Value)> {
        let mut request = self.client.request(command.method.clone(), &command.path).json(&command.body);
        if let Some(key) = &command.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.json().await.ok()?))
    }

    fn next_command(&mut self) -> Command {
        let round = self.count / 7;
        let step = self.count % 7;
        self.count += 1;
        let title = format!("{} {round}", self.name);
        let post = |path: &str, body, changes, notices| Command {
            method: Method::POST,
            path: path.to_owned(),
            body,
            changes,
            notices,
            idempotency_key: Some(format!("{title} {step}")),
        };
        let put = |path: String, body, changes, notices| Command {
            method: Method::PUT,
            path,
            body,
            changes,
            notices,
            idempotency_key: None,
        };
        match step {
            0 => post("/api/leads", json!({"name": title, "value": 10.5}), &[("lead", &["lead:created"])], 0),
            1 => post(
                &format!("/api/leads/{}/convert", self.lead),
                json!({}),
                &[("lead", &["lead:status_changed", "lead:converted"]), ("deal", &["deal:created"])],
                0,
            ),
            2 => post(
                "/api/deals",
                json!({"title": title, "value": 99.01, "assignedToId": self.colleague}),
                &[("deal", &["deal:created", "deal:assigned"])],
                1,
            ),
            3 => put(
                format!("/api/deals/{}", self.deal),
                json!({"stage": "NEGOTIATION"}),
                &[("deal", &["deal:stage_changed"])],
                1,
            ),
            4 => put(
                format!("/api/deals/{}", self.deal),
                json!({"stage": "CLOSED_WON"}),
                &[("deal", &["deal:stage_changed", "deal:won"])],
                1,
            ),
            5 => post(
                "/api/tasks",
                json!({"title": title, "assignedToId": self.colleague, "dealId": self.deal}),
                &[("task", &["task:created", "task:assigned"])],
                1,
            ),
            _ => put(
                format!("/api/tasks/{}", self.task),
                json!({"status": "DONE"}),
                &[("task", &["task:status_changed", "task:completed"])],
                0,
            ),
        }
    }
}
