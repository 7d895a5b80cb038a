//! A server that is killed again and again while it imports.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::inspection::Inspector;
use crate::pipeline::{Pipeline, cents};
use crate::random_in;
use crate::support::process::ServerProcess;
use crate::support::{Client, TestDatabase};

/// How many rows a file has that takes a while.
const MANY: usize = 20_000;

pub(crate) struct Importing<'a> {
    pub(crate) kills: usize,
    /// How many of them found an import at work.
    pub(crate) kills_while_running: usize,
    pub(crate) imports: Vec<Accepted>,
    database: &'a TestDatabase,
    server: ServerProcess,
    inspector: Inspector,
    owner: Client,
}

impl<'a> Importing<'a> {
    pub(crate) async fn begin(database: &'a TestDatabase) -> Self {
        let server = ServerProcess::start(database);
        let inspector = Inspector::of(database).await;
        let owner = server.client().register("importer").await;
        Self { kills: 0, kills_while_running: 0, imports: Vec::new(), database, server, inspector, owner }
    }

    /// Kills when half of a file has arrived: nothing is to be seen of it, and in an hour nothing is left.
    pub(crate) async fn kill_during_an_upload(&mut self) {
        let half = upload_half(&self.server, &self.owner, &Pipeline::of("cut-", MANY));
        self.inspector.wait_for("SELECT CAST(COUNT(*) AS TEXT) FROM imports", "1").await;
        self.kill().await;
        drop(half);
        self.restart().await;
        assert_eq!(self.owner.get("/api/imports").await.body, json!([]));
        assert_eq!(self.owner.get("/api/deals").await.body, json!([]));
        let an_hour_passes =
            "UPDATE imports SET created_at = '2020-01-01T00:00:00.000000Z' WHERE NOT is_staged";
        self.inspector.execute(an_hour_passes).await;
        self.inspector.wait_for("SELECT CAST(COUNT(*) AS TEXT) FROM imports", "0").await;
        self.inspector.wait_for("SELECT CAST(COUNT(*) AS TEXT) FROM import_batches", "0").await;
    }

    /// Kills while one import runs and another one waits behind it: both go on, the one that ran when the killed
    /// worker's lease has ended.
    pub(crate) async fn kill_with_one_running_and_one_waiting(&mut self) {
        self.upload(MANY).await;
        self.inspector.wait_for("SELECT CASE WHEN created > 0 THEN 'some' END FROM imports", "some").await;
        self.upload(500).await;
        self.kill().await;
        assert_eq!(self.states().await, ["RUNNING", "QUEUED"]);
        self.restart().await;
        let left = "SELECT CAST(COUNT(*) AS TEXT) FROM imports WHERE state <> 'DONE'";
        self.inspector.wait_for(left, "0").await;
    }

    /// Kills at any row of an import.
    pub(crate) async fn kill_while_running(&mut self) {
        if self.states().await.iter().all(|state| state == "DONE") {
            self.upload(MANY).await;
        }
        let more = random_in(0..5_000);
        let created = self.inspector.number("SELECT CAST(SUM(created) AS TEXT) FROM imports").await;
        let is_further = format!(
            "SELECT CASE WHEN SUM(created) >= {created} + {more}
                           OR COUNT(*) FILTER (WHERE state <> 'DONE') = 0 THEN 'yes' END FROM imports"
        );
        self.inspector.wait_for(&is_further, "yes").await;
        self.kill().await;
        self.end_leases().await;
        self.restart().await;
    }

    /// Demands that every import came to its end, once, and that the deals are those of the files.
    pub(crate) async fn check_results(&mut self) {
        let aimed = self.kills - 1;
        assert!(2 * self.kills_while_running >= aimed, "{} of {aimed}", self.kills_while_running);
        for import in &self.imports {
            import.check_result(&self.owner, &mut self.inspector).await;
        }
        let completed = "SELECT CAST(COUNT(*) AS TEXT) FROM events WHERE type = 'import:completed'";
        assert_eq!(self.inspector.text(completed).await, self.imports.len().to_string());
        self.inspector.check_log(&self.owner).await;

        let mut expected: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (stage, (count, sum)) in self.imports.iter().flat_map(|import| &import.pipeline.stages) {
            let (all, worth) = expected.entry((*stage).to_owned()).or_default();
            *all += count;
            *worth += sum;
        }
        let figures = self.owner.get("/api/dashboard/pipeline").await.body;
        let figures = figures.as_array().expect("a list").iter().map(|figures| {
            let stage = figures["stage"].as_str().expect("a stage").to_owned();
            (stage, (figures["count"].as_i64().expect("a count"), cents(&figures["value"])))
        });
        let found: BTreeMap<String, (i64, i64)> = figures.filter(|(_, (count, _))| *count > 0).collect();
        assert_eq!(found, expected);
    }

    async fn kill(&mut self) {
        self.server.kill();
        self.kills += 1;
        self.inspector.settle().await;
        self.kills_while_running += usize::from(self.states().await.contains(&"RUNNING".to_owned()));
        for import in &self.imports {
            import.check_checkpoint(&mut self.inspector).await;
        }
    }

    async fn restart(&mut self) {
        self.server = ServerProcess::start(self.database);
        self.inspector.check_storage().await;
        self.owner = self.server.client().sign_in("owner@importer.example").await;
    }

    async fn upload(&mut self, rows: usize) {
        let pipeline = Pipeline::of(&format!("{}-", self.imports.len()), rows);
        let reply = self.owner.upload("deals", &Pipeline::options(), pipeline.csv.clone()).await;
        assert_eq!(reply.status, 202, "{:?}", reply.body);
        let id = reply.body["id"].as_str().expect("an id").to_owned();
        self.imports.push(Accepted { pipeline, id });
    }

    async fn states(&mut self) -> Vec<String> {
        let mut states = Vec::new();
        for import in &self.imports {
            states.push(import.column(&mut self.inspector, "state").await);
        }
        states
    }

    /// Demands that what a killed worker holds is soon free, and makes it free.
    async fn end_leases(&mut self) {
        let later = match self.inspector {
            Inspector::Sqlite(_) => "julianday(lease_until) > julianday('now', '+16 seconds')",
            Inspector::Postgres(_) => "lease_until > now() + INTERVAL '16 seconds'",
        };
        let held_longer =
            format!("SELECT CAST(COUNT(*) AS TEXT) FROM imports WHERE state = 'RUNNING' AND {later}");
        assert_eq!(self.inspector.text(&held_longer).await, "0");
        let time_passes =
            "UPDATE imports SET lease_until = '2020-01-01T00:00:00.000Z' WHERE state = 'RUNNING'";
        self.inspector.execute(time_passes).await;
    }
}

/// An import that was accepted.
pub(crate) struct Accepted {
    pub(crate) pipeline: Pipeline,
    id: String,
}

impl Accepted {
    /// One value of the import, as text.
    async fn column(&self, inspector: &mut Inspector, column: &str) -> String {
        let is_it = format!("{} = '{}'", inspector.id("id"), self.id.replace('-', ""));
        inspector.text(&format!("SELECT CAST({column} AS TEXT) FROM imports WHERE {is_it}")).await
    }

    /// How many rows of another table name the import in a column.
    async fn rows(&self, inspector: &mut Inspector, table: &str, column: &str) -> i64 {
        self.sum(inspector, "COUNT(*)", table, column).await
    }

    /// A sum over the rows of a table that name this import in a column.
    async fn sum(&self, inspector: &mut Inspector, sum: &str, table: &str, column: &str) -> i64 {
        let is_it = format!("{} = '{}'", inspector.id(column), self.id.replace('-', ""));
        inspector.number(&format!("SELECT CAST({sum} AS TEXT) FROM {table} WHERE {is_it}")).await
    }

    /// Demands that the counts, the deals and the rows that wait agree, however far the import has come.
    async fn check_checkpoint(&self, inspector: &mut Inspector) {
        let prefix = &self.pipeline.prefix;
        let deals = format!("SELECT CAST(COUNT(*) AS TEXT) FROM deals WHERE external_id LIKE '{prefix}%'");
        let mut counts = BTreeMap::new();
        for column in ["created", "skipped", "rejected", "total"] {
            counts.insert(column, self.column(inspector, column).await.parse::<i64>().expect("a count"));
        }
        assert_eq!(inspector.number(&deals).await, counts["created"]);
        assert_eq!(self.rows(inspector, "import_rejections", "import_id").await, counts["rejected"]);
        let waiting = self.sum(inspector, "COALESCE(SUM(count), 0)", "import_batches", "import_id").await;
        let done = counts["created"] + counts["skipped"] + counts["rejected"];
        assert_eq!(done + waiting, counts["total"]);
    }

    /// Demands that the import came to its end, once, with all that the file says and nothing twice.
    async fn check_result(&self, owner: &Client, inspector: &mut Inspector) {
        let import = owner.finished_import(&self.id).await;
        let expected = json!({
            "state": "DONE",
            "total": self.pipeline.total,
            "created": self.pipeline.created,
            "updated": 0,
            "skipped": self.pipeline.skipped,
            "rejected": self.pipeline.rejected.len(),
        });
        for (name, value) in expected.as_object().expect("an object") {
            assert_eq!(&import[name], value, "{name} of {import}");
        }
        self.check_checkpoint(inspector).await;
        let rejected = owner.walk(&format!("/api/imports/{}/rejected?limit=200", self.id)).await;
        let line = |row: &Value| row["line"].as_i64().expect("a line");
        assert_eq!(rejected.iter().map(line).collect::<Vec<_>>(), self.pipeline.rejected);
        assert_eq!(self.rows(inspector, "import_batches", "import_id").await, 0);
        for log in ["events", "audit_entries"] {
            assert_eq!(self.rows(inspector, log, "entity_id").await, 1, "import:completed in {log}");
        }
    }
}

/// Sends the head of an upload and the first half of its body, and no more.
fn upload_half(server: &ServerProcess, owner: &Client, pipeline: &Pipeline) -> TcpStream {
    let part = |name: &str| format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"");
    let begin = format!(
        "{}\r\n\r\n{}\r\n{}; filename=\"half.csv\"\r\nContent-Type: text/csv\r\n\r\n",
        part("options"),
        Pipeline::options(),
        part("file"),
    );
    let end = "\r\n--cut--\r\n";
    let head = format!(
        "POST /api/deals/import HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: {}\r\n\r\n",
        owner.token(),
        begin.len() + pipeline.csv.len() + end.len(),
    );
    let mut stream = TcpStream::connect(server.address()).expect("the server is there");
    for piece in [head.as_bytes(), begin.as_bytes(), &pipeline.csv[..pipeline.csv.len() / 2]] {
        stream.write_all(piece).expect("the server listens");
    }
    stream
}
