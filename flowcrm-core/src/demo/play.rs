//! The play: the script, carried out by the ordinary commands.

use std::collections::BTreeMap;

use super::script::{Deed, Step, Subject};
use crate::caller::Caller;
use crate::env::FixedClock;
use crate::error::{Error, Result};
use crate::ids::{DealId, LeadId, TaskId};
use crate::leads::LeadPatch;
use crate::tasks::TaskPatch;

/// What has been created so far, by its number in the script.
#[derive(Default)]
pub(super) struct Play {
    leads: BTreeMap<usize, LeadId>,
    deals: BTreeMap<usize, DealId>,
    tasks: BTreeMap<usize, TaskId>,
}

impl Play {
    /// Has the team do every step at its moment.
    pub(super) async fn perform(
        mut self,
        steps: Vec<Step>,
        team: &[Caller],
        clock: &FixedClock,
    ) -> Result<()> {
        for Step { at, member, deed } in steps {
            clock.set(at);
            self.act(&team[member], deed).await?;
        }
        Ok(())
    }

    async fn act(&mut self, caller: &Caller, deed: Deed) -> Result<()> {
        match deed {
            Deed::CreateLead(number, new) => {
                let lead = caller.leads().create(new).await?;
                self.leads.insert(number, lead.id);
            }
            Deed::AddActivity(lead, new) => {
                caller.leads().add_activity(find(&self.leads, lead)?, new).await?;
            }
            Deed::MoveLead(lead, status) => {
                let patch = LeadPatch { status: Some(status), ..LeadPatch::default() };
                caller.leads().update(find(&self.leads, lead)?, patch, None).await?;
            }
            Deed::ConvertLead(lead, number, convert) => {
                let conversion = caller.leads().convert(find(&self.leads, lead)?, convert).await?;
                self.deals.insert(number, conversion.deal.id);
            }
            Deed::CreateDeal(number, lead, mut new) => {
                new.lead_id = lead.map(|lead| find(&self.leads, lead)).transpose()?;
                let deal = caller.deals().create(new).await?;
                self.deals.insert(number, deal.id);
            }
            Deed::MoveDeal(deal, patch) => {
                caller.deals().update(find(&self.deals, deal)?, patch, None).await?;
            }
            Deed::CreateTask(number, subject, mut new) => {
                match subject {
                    Subject::Lead(lead) => new.lead_id = Some(find(&self.leads, lead)?),
                    Subject::Deal(deal) => new.deal_id = Some(find(&self.deals, deal)?),
                    Subject::Nothing => {}
                }
                let task = caller.tasks().create(new).await?;
                self.tasks.insert(number, task.id);
            }
            Deed::MoveTask(task, status) => {
                let patch = TaskPatch { status: Some(status), ..TaskPatch::default() };
                caller.tasks().update(find(&self.tasks, task)?, patch, None).await?;
            }
            Deed::ReadNotifications => {
                caller.notifications().mark_all_read().await?;
            }
        }
        Ok(())
    }
}

fn find<T: Copy>(created: &BTreeMap<usize, T>, number: usize) -> Result<T> {
    created
        .get(&number)
        .copied()
        .ok_or_else(|| Error::internal("the script uses a record before it is there"))
}
