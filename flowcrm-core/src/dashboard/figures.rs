//! The figures: what the dashboard shows, and how it is reckoned from counts.

use chrono::NaiveDate;
use serde::Serialize;

use super::calendar::DAYS;
use super::{DayCounts, MemberCounts, PipelineShare, Totals, WeekCounts};
use crate::access::Role;
use crate::deals::DealStage;
use crate::ids::UserId;
use crate::input::{Command, Fields, in_query, integer};
use crate::leads::LeadStatus;
use crate::money::{Currency, Money};
use crate::page::MAX_LIMIT;
use crate::tasks::TaskStatus;

/// The most events that the activity feed shows.
pub(super) const MAX_FEED: i64 = 50;

/// The figures at the top of the dashboard, of exactly the records that the viewer may list.
///
/// A week goes from Monday to Sunday, a month from its first to its last day, both in the organization's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct DashboardStats {
    /// How many leads there are.
    pub total_leads: u64,
    /// How many deals there are.
    pub total_deals: u64,
    /// How many tasks there are.
    pub total_tasks: u64,
    /// How many tasks are not DONE.
    pub open_tasks: u64,
    /// How many leads were created this week.
    pub leads_this_week: u64,
    /// How many deals were won this month, by when they were closed.
    pub deals_won_this_month: u64,
    /// What the deals won this month are worth.
    pub deal_value_this_month: Money,
    /// How many percent of the leads are WON, rounded; 0 when there are no leads.
    pub conversion_rate: u64,
    /// What the deals in the open stages are worth.
    pub pipeline_value: Money,
    /// The same for the week and the month before.
    pub previous: PreviousFigures,
}

/// Figures of the week and the month before the present ones, to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct PreviousFigures {
    /// How many leads were created last week.
    pub leads_last_week: u64,
    /// How many deals were won last month.
    pub deals_won_last_month: u64,
    /// What the deals won last month are worth.
    pub deal_value_last_month: Money,
}

impl DashboardStats {
    pub(super) fn of(totals: &Totals, currency: Currency) -> Self {
        let money = |minor| Money::new(minor, currency);
        Self {
            total_leads: totals.leads,
            total_deals: totals.deals,
            total_tasks: totals.tasks,
            open_tasks: totals.open_tasks,
            leads_this_week: totals.leads_this_week,
            deals_won_this_month: totals.deals_won_this_month,
            deal_value_this_month: money(totals.deal_value_this_month),
            conversion_rate: percent(totals.leads_won, totals.leads),
            pipeline_value: money(totals.pipeline_value),
            previous: PreviousFigures {
                leads_last_week: totals.leads_last_week,
                deals_won_last_month: totals.deals_won_last_month,
                deal_value_last_month: money(totals.deal_value_last_month),
            },
        }
    }
}

/// How many percent `part` is of `whole`, rounded half up; 0 of nothing.
fn percent(part: u64, whole: u64) -> u64 {
    (200 * part + whole).checked_div(2 * whole).unwrap_or(0)
}

/// What happened in the last seven days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct WeeklyFigures {
    /// The last seven days, oldest first; the last is today.
    pub days: Vec<DayFigures>,
}

/// What happened on one day, from midnight to midnight in the organization's time zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct DayFigures {
    /// The date.
    pub date: NaiveDate,
    /// How many leads were created.
    pub leads: u64,
    /// How many leads were converted into a deal; leads deleted since and leads set WON by hand do not count.
    pub converted: u64,
    /// How many deals were won, by when they were closed.
    pub deals_won: u64,
    /// What the deals won are worth.
    pub revenue: Money,
    /// How many tasks were completed.
    pub tasks_completed: u64,
    /// How many tasks were due, done or not.
    pub tasks_due: u64,
}

impl WeeklyFigures {
    pub(super) fn of(dates: [NaiveDate; DAYS], week: &WeekCounts, currency: Currency) -> Self {
        let day = |(date, counts): (NaiveDate, &DayCounts)| DayFigures {
            date,
            leads: counts.leads,
            converted: counts.converted,
            deals_won: counts.deals_won,
            revenue: Money::new(counts.revenue, currency),
            tasks_completed: counts.tasks_completed,
            tasks_due: counts.tasks_due,
        };
        Self { days: dates.into_iter().zip(week).map(day).collect() }
    }
}

/// The deals of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct StageFigures {
    /// The stage.
    pub stage: DealStage,
    /// How many deals stand there.
    pub count: u64,
    /// What they are worth.
    pub value: Money,
    /// What they are worth by their probability, rounded once for the stage.
    pub weighted_value: Money,
}

impl StageFigures {
    /// Every stage, in order.
    pub(super) fn of(shares: &[PipelineShare], currency: Currency) -> Vec<Self> {
        let figures = |stage: &DealStage| {
            let shares = || shares.iter().filter(|share| share.stage == *stage);
            let hundredths: i128 =
                shares().map(|share| i128::from(share.value) * i128::from(share.probability)).sum();
            let weighted = i64::try_from((hundredths + 50).div_euclid(100)).unwrap_or(i64::MAX);
            Self {
                stage: *stage,
                count: shares().map(|share| share.count).sum(),
                value: Money::new(shares().map(|share| share.value).sum(), currency),
                weighted_value: Money::new(weighted, currency),
            }
        };
        DealStage::ALL.iter().map(figures).collect()
    }
}

/// The leads of one status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct LeadStatusFigures {
    /// The status.
    pub status: LeadStatus,
    /// How many leads have it.
    pub count: u64,
    /// What they may be worth.
    pub value: Money,
}

impl LeadStatusFigures {
    /// Every status, in order.
    pub(super) fn of(counts: &[(LeadStatus, u64, i64)], currency: Currency) -> Vec<Self> {
        let figures = |status: &LeadStatus| {
            let found = counts.iter().find(|(counted, ..)| counted == status);
            let (count, value) = found.map_or((0, 0), |(_, count, value)| (*count, *value));
            Self { status: *status, count, value: Money::new(value, currency) }
        };
        LeadStatus::ALL.iter().map(figures).collect()
    }
}

/// The leads from one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct LeadSourceFigures {
    /// The source; null for leads that name none.
    pub source: Option<String>,
    /// How many leads came from there.
    pub count: u64,
}

impl LeadSourceFigures {
    /// The largest first, ties by name, leads without a source last.
    pub(super) fn of(mut counts: Vec<(Option<String>, u64)>) -> Vec<Self> {
        counts.sort_by(|(source, count), (other, other_count)| {
            let named_first = source.is_none().cmp(&other.is_none());
            named_first.then(other_count.cmp(count)).then_with(|| source.cmp(other))
        });
        counts.into_iter().map(|(source, count)| Self { source, count }).collect()
    }
}

/// The tasks of one status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct TaskStatusFigures {
    /// The status.
    pub status: TaskStatus,
    /// How many tasks have it.
    pub count: u64,
}

impl TaskStatusFigures {
    /// Every status, in order.
    pub(super) fn of(counts: &[(TaskStatus, u64)]) -> Vec<Self> {
        let count =
            |status| counts.iter().find(|(counted, _)| *counted == status).map_or(0, |(_, count)| *count);
        TaskStatus::ALL.iter().map(|status| Self { status: *status, count: count(*status) }).collect()
    }
}

/// What one active member has done this month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct MemberFigures {
    /// The member.
    pub user_id: UserId,
    /// The member's name.
    pub name: String,
    /// The member's role.
    pub role: Role,
    /// How many leads were created this month that the member owns.
    pub leads: u64,
    /// How many deals were created this month that the member owns.
    pub deals: u64,
    /// How many deals that the member owns were won this month, by when they were closed.
    pub deals_won: u64,
    /// What the deals won are worth.
    pub revenue: Money,
    /// How many tasks of the member's were completed this month.
    pub tasks_completed: u64,
}

impl MemberFigures {
    pub(super) fn of(counts: MemberCounts, currency: Currency) -> Self {
        Self {
            user_id: counts.user_id,
            name: counts.name,
            role: counts.role,
            leads: counts.leads,
            deals: counts.deals,
            deals_won: counts.deals_won,
            revenue: Money::new(counts.revenue, currency),
            tasks_completed: counts.tasks_completed,
        }
    }
}

/// How many overdue tasks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct OverdueQuery {
    /// How many at most, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
}

impl Command for OverdueQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { limit: fields.optional("limit", in_query(integer(1..=MAX_LIMIT))) }
    }
}

/// How much of the activity feed is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct FeedQuery {
    /// How many at most, 1 to 50; 20 when absent.
    pub limit: Option<i64>,
}

impl Command for FeedQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { limit: fields.optional("limit", in_query(integer(1..=MAX_FEED))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_round_half_up() {
        let cases =
            [(0, 0, 0), (0, 5, 0), (1, 3, 33), (2, 3, 67), (1, 8, 13), (1, 200, 1), (1, 201, 0), (7, 7, 100)];
        for (part, whole, expected) in cases {
            assert_eq!(percent(part, whole), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn a_stage_is_weighted_as_a_whole() {
        let share =
            |probability, value| PipelineShare { stage: DealStage::Proposal, probability, count: 1, value };
        let stages = StageFigures::of(&[share(50, 1), share(33, 3), share(10, 10)], Currency::USD);
        assert_eq!(stages.iter().map(|figures| figures.stage).collect::<Vec<_>>(), DealStage::ALL);
        // 0.5 + 0.99 + 1 = 2.49 cents; rounded one by one it would be 3.
        let proposal = &stages[2];
        assert_eq!((proposal.count, proposal.value.minor(), proposal.weighted_value.minor()), (3, 14, 2));
        assert_eq!((stages[0].count, stages[0].value.minor()), (0, 0));
    }

    #[test]
    fn weighting_does_not_overflow() {
        let share =
            PipelineShare { stage: DealStage::ClosedWon, probability: 100, count: 1, value: i64::MAX / 2 };
        assert_eq!(StageFigures::of(&[share], Currency::USD)[4].weighted_value.minor(), i64::MAX / 2);
    }

    #[test]
    fn sources_are_ordered_by_size_and_name() {
        let counts = [(None, 9), (Some("Referral"), 2), (Some("Website"), 4), (Some("Partner"), 2)];
        let sources =
            LeadSourceFigures::of(counts.map(|(name, count)| (name.map(str::to_owned), count)).to_vec());
        let names: Vec<_> = sources.iter().map(|figures| figures.source.as_deref()).collect();
        assert_eq!(names, [Some("Website"), Some("Partner"), Some("Referral"), None]);
    }
}
