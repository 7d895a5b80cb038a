//! Organizations full of records, and the calls that are made on them.

use std::sync::atomic::{AtomicUsize, Ordering};

use flowcrm_core::deals::DealStage;
use uuid::Uuid;

use crate::files::last_name;
use crate::operations::{CONNECTIONS, Operation};

/// The most records that a bulk command takes.
const BULK: usize = 500;

/// An organization with its records.
pub(crate) struct Tenant {
    /// Its place among the organizations.
    pub(crate) number: usize,
    pub(crate) org: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) email: String,
    /// The owner's access token.
    pub(crate) token: String,
    pub(crate) leads: Vec<Uuid>,
    pub(crate) deals: Vec<Uuid>,
}

/// All organizations of a database. Calls go on counting from door to door: what one has written, none writes again.
pub(crate) struct World {
    pub(crate) tenants: Vec<Tenant>,
    counts: Vec<AtomicUsize>,
}

/// One call of an organization's owner.
pub(crate) struct Call<'a> {
    pub(crate) tenant: &'a Tenant,
    pub(crate) ask: Ask,
}

/// What is asked for.
pub(crate) enum Ask {
    Lead(Uuid),
    Page,
    /// Leads of one status and one source.
    FilteredPage,
    /// Leads with this word.
    Search(String),
    /// A new lead, told apart from all others by a number.
    Create(usize),
    Move(Uuid, DealStage),
    /// Another value for many leads.
    Bulk(Vec<Uuid>, usize),
    Stats,
    Pipeline,
    SignIn,
}

impl World {
    pub(crate) fn new(tenants: Vec<Tenant>) -> Self {
        let counts = (0..Operation::ALL.len() * CONNECTIONS).map(|_| AtomicUsize::new(0)).collect();
        Self { tenants, counts }
    }

    /// The next call of a client, who always works for one organization where there are enough clients for all, and
    /// for one after the other where there are not.
    pub(crate) fn call(&self, operation: Operation, client: usize) -> Call<'_> {
        let count = &self.counts[operation as usize * CONNECTIONS + client];
        let number = count.fetch_add(1, Ordering::Relaxed);
        let clients = operation.connections();
        let round = if clients < self.tenants.len() { number * clients } else { 0 };
        let tenant = &self.tenants[(client + round) % self.tenants.len()];
        let unique = number * CONNECTIONS + client;
        // Steps by a prime walk over all records in an order that no cache foresees.
        let scattered = client * 613 + number * 7_919;
        let ask = match operation {
            Operation::Lead => Ask::Lead(tenant.leads[scattered % tenant.leads.len()]),
            Operation::Page => Ask::Page,
            Operation::FilteredPage => Ask::FilteredPage,
            Operation::Search => Ask::Search(last_name(scattered).to_lowercase()),
            Operation::Create => Ask::Create(unique),
            Operation::Move => self.next_move(tenant, client, number),
            Operation::Bulk => {
                let length = BULK.min(tenant.leads.len());
                let start = scattered % (tenant.leads.len() - length + 1);
                Ask::Bulk(tenant.leads[start..start + length].to_vec(), unique)
            }
            Operation::Stats | Operation::StatsAfterWrite => Ask::Stats,
            Operation::Pipeline => Ask::Pipeline,
            Operation::SignIn => Ask::SignIn,
        };
        Call { tenant, ask }
    }

    /// Each client moves deals of its own, round by round: a move to where the deal stands would be none.
    fn next_move(&self, tenant: &Tenant, client: usize, number: usize) -> Ask {
        let each = tenant.deals.len() / CONNECTIONS.div_ceil(self.tenants.len());
        let deal = tenant.deals[client / self.tenants.len() * each + number % each];
        let goes_on = (number / each).is_multiple_of(2);
        Ask::Move(deal, if goes_on { DealStage::Negotiation } else { DealStage::Discovery })
    }
}
