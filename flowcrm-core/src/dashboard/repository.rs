use async_trait::async_trait;

use super::calendar::{DAYS, Period};
use crate::access::{Role, Visibility};
use crate::deals::DealStage;
use crate::error::Result;
use crate::ids::UserId;
use crate::leads::LeadStatus;
use crate::tasks::TaskStatus;
use crate::time::Timestamp;

/// Which records of each kind the viewer may list.
#[derive(Debug, Clone, Copy)]
pub struct Views {
    /// Of leads.
    pub leads: Visibility,
    /// Of deals.
    pub deals: Visibility,
    /// Of tasks.
    pub tasks: Visibility,
}

/// The present week and month, and those before.
#[derive(Debug, Clone, Copy)]
pub struct Periods {
    /// The present week.
    pub this_week: Period,
    /// The week before.
    pub last_week: Period,
    /// The present month.
    pub this_month: Period,
    /// The month before.
    pub last_month: Period,
}

/// How many leads, deals and tasks there are; money in minor units.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// All leads.
    pub leads: u64,
    /// Leads that are WON.
    pub leads_won: u64,
    /// Leads created in the present week.
    pub leads_this_week: u64,
    /// Leads created in the week before.
    pub leads_last_week: u64,
    /// All deals.
    pub deals: u64,
    /// What the open deals are worth.
    pub pipeline_value: i64,
    /// Deals won in the present month, by when they were closed.
    pub deals_won_this_month: u64,
    /// What these are worth.
    pub deal_value_this_month: i64,
    /// Deals won in the month before.
    pub deals_won_last_month: u64,
    /// What these are worth.
    pub deal_value_last_month: i64,
    /// All tasks.
    pub tasks: u64,
    /// Tasks that are not DONE.
    pub open_tasks: u64,
}

/// What happened on one day; money in minor units.
#[derive(Debug, Clone, Copy, Default)]
pub struct DayCounts {
    /// Leads created.
    pub leads: u64,
    /// Leads converted.
    pub converted: u64,
    /// Deals won.
    pub deals_won: u64,
    /// What these are worth.
    pub revenue: i64,
    /// Tasks completed.
    pub tasks_completed: u64,
    /// Tasks due.
    pub tasks_due: u64,
}

/// What happened on each of the last seven days, oldest first.
pub type WeekCounts = [DayCounts; DAYS];

/// The deals of one stage that have one probability.
#[derive(Debug, Clone, Copy)]
pub struct PipelineShare {
    /// The stage.
    pub stage: DealStage,
    /// The probability, in percent.
    pub probability: i64,
    /// How many there are.
    pub count: u64,
    /// What they are worth, in minor units.
    pub value: i64,
}

/// What one active member has done in a period; money in minor units.
#[derive(Debug, Clone)]
pub struct MemberCounts {
    /// The member.
    pub user_id: UserId,
    /// The member's name.
    pub name: String,
    /// The member's role.
    pub role: Role,
    /// Leads created that the member owns.
    pub leads: u64,
    /// Deals created that the member owns.
    pub deals: u64,
    /// Deals won that the member owns.
    pub deals_won: u64,
    /// What these are worth.
    pub revenue: i64,
    /// Tasks completed that were the member's.
    pub tasks_completed: u64,
}

/// Counts and sums. Every method sees the transaction's organization only, and in it the visible records.
#[async_trait]
pub trait DashboardRepository: Send {
    /// Counts everything.
    async fn totals(&mut self, views: Views, periods: Periods) -> Result<Totals>;

    /// Counts what happened on each of seven days; `bounds` are where they begin, and where the last one ends.
    async fn week(&mut self, views: Views, bounds: [Timestamp; DAYS + 1]) -> Result<WeekCounts>;

    /// Counts deals by stage and probability.
    async fn pipeline(&mut self, visibility: Visibility) -> Result<Vec<PipelineShare>>;

    /// Counts leads by status, with what they are worth in minor units; statuses that no lead has are left out.
    async fn lead_statuses(&mut self, visibility: Visibility) -> Result<Vec<(LeadStatus, u64, i64)>>;

    /// Counts leads by source: up to `limit` counts, those without a source first, then the largest.
    async fn lead_sources(
        &mut self,
        visibility: Visibility,
        limit: usize,
    ) -> Result<Vec<(Option<String>, u64)>>;

    /// Counts tasks by status; statuses that no task has are left out.
    async fn task_statuses(&mut self, visibility: Visibility) -> Result<Vec<(TaskStatus, u64)>>;

    /// Counts what every active member has done in `period`, among all records of the organization.
    async fn members(&mut self, period: Period) -> Result<Vec<MemberCounts>>;
}
