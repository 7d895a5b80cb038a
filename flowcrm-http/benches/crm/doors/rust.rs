//! The Rust crates, called within this process: no server, no sockets, no JSON.

use std::sync::Arc;
use std::time::Duration;

use flowcrm_core::deals::DealPatch;
use flowcrm_core::imports::{ImportKind, ImportOptions, ImportState};
use flowcrm_core::input::Body;
use flowcrm_core::leads::{LeadQuery, LeadStatus, NewLead};
use flowcrm_core::page::Listing;
use flowcrm_core::{Caller, Crm, Origin};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{ROWS_EXPORTED, ROWS_PER_FILE, RowsMeasured, measure};
use crate::files;
use crate::load::Client;
use crate::operations::Operation;
use crate::report::Measured;
use crate::support::{PASSWORD, TestDatabase};
use crate::world::{Ask, Call, World};

/// A CRM, opened in this process.
pub(crate) struct Rust {
    runtime: Runtime,
    crm: Crm,
    /// The owner of each organization.
    owners: Arc<[Caller]>,
}

/// A task of this program that calls it.
struct Task {
    crm: Crm,
    owners: Arc<[Caller]>,
}

impl Rust {
    pub(crate) fn open(database: &TestDatabase, world: &World) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let (crm, owners) = runtime.block_on(async {
            let crm = database.crm().await;
            let mut owners = Vec::new();
            for tenant in &world.tenants {
                owners.push(crm.as_user(tenant.owner.into()).await.expect("the owner"));
            }
            (crm, owners.into())
        });
        Self { runtime, crm, owners }
    }

    pub(crate) fn measure(&self, world: &Arc<World>, operation: Operation, length: Duration) -> Measured {
        let task = || Task { crm: self.crm.clone(), owners: Arc::clone(&self.owners) };
        let clients = async || (0..operation.connections()).map(|_| task()).collect();
        self.runtime.block_on(measure(clients, world, operation, length, std::process::id()))
    }

    /// Takes a file into each organization, as many leads as the database has, 100,000 at most.
    pub(crate) fn import(&self, leads: usize) -> Measured {
        let each = leads.min(ROWS_PER_FILE) / self.owners.len();
        // Behind those that are there already.
        let files: Vec<Vec<u8>> = self.owners.iter().map(|_| files::leads(leads..leads + each)).collect();
        let rows = RowsMeasured::begin(std::process::id());
        self.runtime.block_on(async {
            for (owner, file) in self.owners.iter().zip(files) {
                let (imports, name) = (owner.imports(), "leads.csv".to_owned());
                let begun = imports.begin(ImportKind::Leads, ImportOptions::default(), name).await;
                let mut staging = begun.expect("an import");
                for piece in file.chunks(64 * 1024) {
                    staging.push(piece).await.expect("a list of leads");
                }
                let import = staging.finish().await.expect("a list of leads");
                self.crm.run_waiting_imports().await.expect("the database answers");
                let ended = imports.get(import.id).await.expect("the import");
                assert_eq!((ended.state, ended.rejected), (ImportState::Done, 0), "{ended:?}");
            }
        });
        rows.end((each * self.owners.len()) as u64)
    }

    /// Takes leads out of one organization after the other.
    pub(crate) fn export(&self) -> Measured {
        let rows = RowsMeasured::begin(std::process::id());
        let written = self.runtime.block_on(async {
            let mut written = 0;
            for owner in &*self.owners {
                let mut export = owner.exports().leads(LeadQuery::default()).await.expect("an export");
                while written + export.written() < ROWS_EXPORTED
                    && export.next_chunk().await.expect("the database answers").is_some()
                {}
                written += export.written();
            }
            written
        });
        rows.end(written)
    }

    pub(crate) fn close(self) {
        self.runtime.block_on(self.crm.close());
    }
}

impl Client for Task {
    async fn perform(&mut self, call: &Call<'_>) {
        let owner = &self.owners[call.tenant.number];
        let done = match &call.ask {
            Ask::Lead(lead) => owner.leads().get((*lead).into()).await.map(drop),
            Ask::Page => owner.leads().list(page(LeadQuery::default())).await.map(drop),
            Ask::FilteredPage => {
                let (status, source) = (Some(LeadStatus::Qualified), Some("Referral".to_owned()));
                owner.leads().list(page(LeadQuery { status, source, ..LeadQuery::default() })).await.map(drop)
            }
            Ask::Search(word) => {
                let q = Some(word.clone());
                owner.leads().list(page(LeadQuery { q, ..LeadQuery::default() })).await.map(drop)
            }
            Ask::Create(number) => owner.leads().create(new_lead(*number)).await.map(drop),
            Ask::Move(deal, stage) => {
                let patch = DealPatch { stage: Some(*stage), ..DealPatch::default() };
                owner.deals().update((*deal).into(), patch, None).await.map(drop)
            }
            Ask::Bulk(leads, value) => {
                let bulk = json!({"ids": leads, "set": {"value": value}});
                owner.leads().bulk(Body::try_from(bulk).expect("an object")).await.map(|outcomes| {
                    assert!(outcomes.iter().all(|outcome| outcome.ok));
                })
            }
            Ask::Stats => owner.dashboard().stats().await.map(drop),
            Ask::Pipeline => owner.dashboard().pipeline().await.map(drop),
            Ask::SignIn => {
                let sign_in = json!({"email": call.tenant.email, "password": PASSWORD});
                let sign_in = Body::try_from(sign_in).expect("an object");
                self.crm.sign_in(sign_in, &Origin::default()).await.map(drop)
            }
        };
        done.expect("a good answer");
    }
}

fn page(query: LeadQuery) -> LeadQuery {
    LeadQuery { list: Listing { limit: 25, ..Listing::default() }, ..query }
}

fn new_lead(number: usize) -> NewLead {
    NewLead {
        name: format!("Jean Bartik {number}"),
        email: format!("jean.{number}@example.org").parse().ok(),
        company: Some("Eckert-Mauchly".to_owned()),
        source: Some("Website".to_owned()),
        value: "1250.5".parse().ok(),
        ..NewLead::default()
    }
}
