//! An organization of the test: its OWNER, a colleague, and clients that write as the OWNER.

use tokio::task::JoinHandle;

use crate::inspection::{Inspected, Inspector};
use crate::support::Client;
use crate::support::process::ServerProcess;
use crate::writers::{Writer, Written};

/// How many clients write at once.
const WRITERS: usize = 4;

pub(crate) struct Team {
    owner: Client,
    writers: Vec<Writer>,
    writing: Vec<JoinHandle<Writer>>,
}

/// How often what had not been answered was found done, and how often not.
#[derive(Default)]
pub(crate) struct Unanswered {
    pub(crate) done: usize,
    pub(crate) undone: usize,
}

impl Team {
    pub(crate) async fn found(server: &ServerProcess, name: &str) -> Self {
        let owner = server.client().register(name).await;
        let colleague = owner.add_user("SALES", &format!("colleague@{name}.example")).await;
        let writer = |number| Writer::new(&owner, &colleague, format!("{name} {number}"));
        Self { writers: (0..WRITERS).map(writer).collect(), owner, writing: Vec::new() }
    }

    /// Has every client write until the server is gone.
    pub(crate) fn begin_to_write(&mut self) {
        let write = |mut writer: Writer| {
            tokio::spawn(async move {
                writer.write_until_cut_off().await;
                writer
            })
        };
        self.writing = self.writers.drain(..).map(write).collect();
    }

    /// Waits until every client has noticed that the server is gone.
    pub(crate) async fn stop_writing(&mut self) {
        for writing in self.writing.drain(..) {
            self.writers.push(writing.await.expect("a client that saw no wrong answer"));
        }
    }

    /// Signs in at the server that was started again.
    pub(crate) async fn return_to(&mut self, server: &ServerProcess) {
        let email = self.owner.user["email"].as_str().expect("an email").to_owned();
        self.owner = server.client().sign_in(&email).await;
        for writer in &mut self.writers {
            writer.client = self.owner.clone();
        }
    }

    /// Lets every client ask again for what it had not been answered: it is done once in all, whenever that was.
    pub(crate) async fn ask_again(&mut self, inspector: &mut Inspector, unanswered: &mut Unanswered) {
        let org = self.owner.user["orgId"].as_str().expect("an organization");
        for writer in &mut self.writers {
            let before = inspector.position(org).await;
            let command = writer.ask_again().await;
            match inspector.position(org).await - before {
                0 => unanswered.done += 1,
                events => {
                    assert_eq!(events, command.events(), "{command:?}");
                    unanswered.undone += 1;
                }
            }
        }
    }

    /// Every change that a client was told of.
    pub(crate) fn told(&self) -> Vec<Written> {
        self.writers.iter().flat_map(|writer| &writer.told).cloned().collect()
    }

    pub(crate) async fn check(&self, inspector: &mut Inspector) -> Inspected {
        inspector.check(&self.owner, &self.told()).await
    }
}
