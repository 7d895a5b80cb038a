//! The figures of the dashboard, kept up to date by the transaction of every change: counting a million leads anew
//! would take too long.
//!
//! Each record counts for everybody who may see it: under no viewer for those who see everything, and under its owner
//! and its assignee. A transaction gathers what it changes, and writes the sums just before its events, in one order,
//! so that transactions neither wait long nor for each other in a circle.

use std::collections::BTreeMap;

use flowcrm_core::Result;
use flowcrm_core::deals::{Deal, DealStage};
use flowcrm_core::ids::UserId;
use flowcrm_core::leads::Lead;
use flowcrm_core::tasks::Task;
use flowcrm_core::time::Timestamp;
use uuid::Uuid;

use crate::sql::{OrgConnection, args};

const CHANGE: &str = "INSERT INTO figures (org_id, viewer_id, kind, key, count, value)";

const TO_WHAT_IS_THERE: &str = "ON CONFLICT (org_id, viewer_id, kind, key) DO UPDATE
SET count = figures.count + excluded.count, value = figures.value + excluded.value";

/// Days and months begin at a full quarter of an hour in every time zone.
const QUARTER: i64 = 15 * 60;

/// What a transaction has changed, by viewer, kind and key: counts, and sums in minor units.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    changes: BTreeMap<(Uuid, &'static str, String), (i64, i64)>,
}

/// As whom the figures of a viewer are kept, or of those who see everything.
pub(crate) fn viewer_key(viewer: Option<UserId>) -> Uuid {
    viewer.map_or(Uuid::nil(), UserId::as_uuid)
}

/// As what a quarter of an hour is kept: its beginning, as text that sorts as time does.
fn quarter(moment: Timestamp) -> String {
    let seconds = moment.to_utc().timestamp();
    let start = chrono::DateTime::from_timestamp(seconds - seconds.rem_euclid(QUARTER), 0);
    start.map_or(moment, Timestamp::new).to_sortable_text()
}

impl Figures {
    fn change(
        &mut self,
        owner: UserId,
        assignee: Option<UserId>,
        kind: &'static str,
        key: &str,
        (count, value): (i64, i64),
    ) {
        let assignee = assignee.filter(|assignee| *assignee != owner);
        for viewer in [None, Some(owner)].into_iter().chain(assignee.map(Some)) {
            let sums = self.changes.entry((viewer_key(viewer), kind, key.to_owned())).or_default();
            sums.0 += count;
            sums.1 += value;
        }
    }

    fn lead(&mut self, lead: &Lead, sign: i64) {
        let Lead { owner_id, assigned_to_id, .. } = *lead;
        let value = sign * lead.value.minor();
        self.change(owner_id, assigned_to_id, "lead:status", lead.status.as_str(), (sign, value));
        let source = lead.source.as_deref().unwrap_or_default();
        self.change(owner_id, assigned_to_id, "lead:source", source, (sign, 0));
        self.change(owner_id, assigned_to_id, "lead:created", &quarter(lead.created_at), (sign, 0));
    }

    fn deal(&mut self, deal: &Deal, sign: i64) {
        let Deal { owner_id, assigned_to_id, .. } = *deal;
        let value = sign * deal.value.minor();
        let key = format!("{} {}", deal.stage.as_str(), deal.probability);
        self.change(owner_id, assigned_to_id, "deal:stage", &key, (sign, value));
        if let (DealStage::ClosedWon, Some(closed_at)) = (deal.stage, deal.closed_at) {
            self.change(owner_id, assigned_to_id, "deal:won", &quarter(closed_at), (sign, value));
        }
    }

    fn task(&mut self, task: &Task, sign: i64) {
        self.change(task.assigned_to_id, None, "task:status", task.status.as_str(), (sign, 0));
    }

    /// Takes in what others have counted.
    pub(crate) fn add(&mut self, others: Self) {
        for (key, (count, value)) in others.changes {
            let sums = self.changes.entry(key).or_default();
            sums.0 += count;
            sums.1 += value;
        }
    }

    /// Counts a lead no longer as it was, but as it is.
    pub(crate) fn lead_changed(&mut self, former: Option<&Lead>, lead: Option<&Lead>) {
        if let Some(former) = former {
            self.lead(former, -1);
        }
        if let Some(lead) = lead {
            self.lead(lead, 1);
        }
    }

    /// Counts a deal no longer as it was, but as it is.
    pub(crate) fn deal_changed(&mut self, former: Option<&Deal>, deal: Option<&Deal>) {
        if let Some(former) = former {
            self.deal(former, -1);
        }
        if let Some(deal) = deal {
            self.deal(deal, 1);
        }
    }

    /// Counts a task no longer as it was, but as it is.
    pub(crate) fn task_changed(&mut self, former: Option<&Task>, task: Option<&Task>) {
        if let Some(former) = former {
            self.task(former, -1);
        }
        if let Some(task) = task {
            self.task(task, 1);
        }
    }
}

/// Writes what the transaction has changed.
pub(crate) async fn flush(connection: &mut OrgConnection) -> Result<()> {
    let changes = std::mem::take(&mut connection.figures).changes;
    let rows = changes.into_iter().filter(|(_, sums)| *sums != (0, 0));
    let rows = rows.map(|((viewer, kind, key), (count, value))| args![viewer, kind, key, count, value]);
    connection.insert_many(CHANGE, TO_WHAT_IS_THERE, rows.collect::<Vec<_>>()).await.map(|_| ())
}
