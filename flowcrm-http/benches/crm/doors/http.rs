//! The server, in a process of its own, asked over HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::wire::Connection;
use super::{ROWS_EXPORTED, ROWS_PER_FILE, RowsMeasured, measure};
use crate::operations::Operation;
use crate::report::Measured;
use crate::support::process::ServerProcess;
use crate::support::{Client, TestDatabase};
use crate::world::{Tenant, World};
use crate::{database, files, machine};

const STARTS: usize = 10;

/// How long an import may take that waits behind others.
const PATIENCE: Duration = Duration::from_mins(14);

/// A server on a database, and the clients that ask it.
pub(crate) struct Http<'a> {
    runtime: &'a Runtime,
    server: ServerProcess,
}

impl<'a> Http<'a> {
    pub(crate) fn start(runtime: &'a Runtime, database: &TestDatabase) -> Self {
        let server = ServerProcess::start(database);
        server.seconds_to_first_answer();
        Self { runtime, server }
    }

    /// Registers organizations that have so many leads together, and a fifth as many deals, by importing files; tells
    /// how fast the leads came in.
    pub(crate) fn fill(
        &self,
        database: &TestDatabase,
        leads: usize,
        organizations: usize,
    ) -> (World, Measured) {
        let each = leads / organizations;
        let owners = self.runtime.block_on(async {
            let mut owners = Vec::new();
            for number in 0..organizations {
                owners.push(self.server.client().register(&format!("bench{number}")).await);
            }
            owners
        });
        let rows = RowsMeasured::begin(self.server.id());
        for first in (0..each).step_by(ROWS_PER_FILE) {
            self.import(&owners, "leads", &files::leads(first..each.min(first + ROWS_PER_FILE)));
        }
        let imported = rows.end((each * organizations) as u64);
        let owners = self.signed_in_again(&owners);
        for first in (0..each / 5).step_by(ROWS_PER_FILE) {
            self.import(&owners, "deals", &files::deals(ROWS_PER_FILE.min(each / 5 - first)));
        }
        let owners = self.signed_in_again(&owners);
        let tenant = |(number, owner): (usize, &Client)| self.tenant(database, number, owner);
        let tenants = owners.iter().enumerate().map(tenant).collect();
        (World::new(tenants), imported)
    }

    /// The same clients; filling may take longer than an access token is good for.
    fn signed_in_again(&self, owners: &[Client]) -> Vec<Client> {
        self.runtime.block_on(async {
            let mut again = Vec::new();
            for owner in owners {
                again.push(owner.sign_in(owner.user["email"].as_str().expect("an address")).await);
            }
            again
        })
    }

    /// Uploads a file to one organization after the other, and waits until all are taken in.
    fn import(&self, owners: &[Client], kind: &str, file: &[u8]) {
        self.runtime.block_on(async {
            let mut accepted = Vec::new();
            for owner in owners {
                let reply = owner.upload(kind, &json!({}), file.to_vec()).await;
                assert_eq!(reply.status, 202, "{:?}", reply.body);
                accepted.push((owner, reply.body["id"].as_str().expect("an id").to_owned()));
            }
            for (owner, id) in accepted {
                let import = ended(owner, &id).await;
                assert_eq!((&import["state"], &import["rejected"]), (&json!("DONE"), &json!(0)), "{import}");
            }
        });
    }

    fn tenant(&self, database: &TestDatabase, number: usize, owner: &Client) -> Tenant {
        let email = owner.user["email"].as_str().expect("an address").to_owned();
        let org: Uuid = owner.user["orgId"].as_str().expect("an id").parse().expect("an id");
        self.runtime.block_on(async {
            Tenant {
                number,
                org,
                owner: owner.id().parse().expect("an id"),
                token: owner.token().to_owned(),
                email,
                leads: database::ids(&database.url, "leads", org).await,
                deals: database::ids(&database.url, "deals", org).await,
            }
        })
    }

    pub(crate) fn measure(&self, world: &Arc<World>, operation: Operation, length: Duration) -> Measured {
        let clients = async || {
            let mut clients = Vec::new();
            for _ in 0..operation.connections() {
                clients.push(Connection::open(self.server.address()).await);
            }
            clients
        };
        self.runtime.block_on(measure(clients, world, operation, length, self.server.id()))
    }

    /// Takes leads out of one organization after the other.
    pub(crate) fn export(&self, world: &World) -> Measured {
        let rows = RowsMeasured::begin(self.server.id());
        let written = self.runtime.block_on(async {
            let mut written = 0;
            for tenant in &world.tenants {
                let request = self.server.client().request(reqwest::Method::GET, "/api/leads/export");
                let request = request.bearer_auth(&tenant.token);
                let mut response =
                    request.send().await.and_then(reqwest::Response::error_for_status).expect("a file");
                while written < ROWS_EXPORTED
                    && let Some(chunk) = response.chunk().await.expect("a whole file")
                {
                    written += chunk.split(|byte| *byte == b'\n').count() as u64 - 1;
                }
            }
            written
        });
        rows.end(written)
    }

    pub(crate) fn resident_megabytes(&self) -> Option<f64> {
        machine::megabytes(self.server.id(), "VmRSS")
    }

    pub(crate) fn most_megabytes(&self) -> Option<f64> {
        machine::megabytes(self.server.id(), "VmHWM")
    }
}

/// The import, once it has come to its end.
async fn ended(owner: &Client, id: &str) -> Value {
    let begun = Instant::now();
    loop {
        let import = owner.get(&format!("/api/imports/{id}")).await.body;
        if import["state"] == "DONE" || import["state"] == "FAILED" {
            return import;
        }
        assert!(begun.elapsed() < PATIENCE, "an import does not end: {import}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The median seconds from starting the process on a database that is up to date to its first good answer.
pub(crate) fn start_up(database: &TestDatabase) -> f64 {
    drop(ServerProcess::start(database));
    let mut seconds: Vec<f64> =
        (0..STARTS).map(|_| ServerProcess::start(database).seconds_to_first_answer()).collect();
    seconds.sort_by(f64::total_cmp);
    f64::midpoint(seconds[STARTS / 2 - 1], seconds[STARTS / 2])
}
