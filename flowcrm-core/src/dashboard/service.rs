use super::calendar::Calendar;
use super::figures::MAX_FEED;
use super::{
    DashboardStats, FeedQuery, LeadSourceFigures, LeadStatusFigures, MemberFigures, OverdueQuery, Periods,
    StageFigures, TaskStatusFigures, Views, WeeklyFigures,
};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::Result;
use crate::events::{EventViewer, LoggedEvent};
use crate::input::Asked;
use crate::page::{Listing, MAX_LIMIT, Sort};
use crate::tasks::{Task, TaskQuery, TaskSort};
use crate::work::Work;

/// The most sources that are counted: sources are free text, and there may be any number.
const MOST_SOURCES: usize = 200;

/// What a caller may see of the figures.
///
/// All of them count exactly the records that the caller may list.
#[derive(Debug)]
pub struct Dashboard<'a> {
    caller: &'a Caller,
}

impl<'a> Dashboard<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Shows how many leads, deals and tasks there are, and what the deals are worth.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn stats(&self) -> Result<DashboardStats> {
        let mut work = self.begin().await?;
        let calendar = calendar(&work);
        let periods = Periods {
            this_week: calendar.this_week(),
            last_week: calendar.last_week(),
            this_month: calendar.this_month(),
            last_month: calendar.last_month(),
        };
        let (views, currency) = (views(&work), work.actor().currency);
        let totals = work.dashboard().totals(views, periods).await?;
        Ok(DashboardStats::of(&totals, currency))
    }

    /// Shows what happened on each of the last seven days.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn weekly(&self) -> Result<WeeklyFigures> {
        let mut work = self.begin().await?;
        let calendar = calendar(&work);
        let (views, currency) = (views(&work), work.actor().currency);
        let week = work.dashboard().week(views, calendar.bounds_of_last_days()).await?;
        Ok(WeeklyFigures::of(calendar.last_days(), &week, currency))
    }

    /// Shows how many deals stand in each stage, and what they are worth.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn pipeline(&self) -> Result<Vec<StageFigures>> {
        let mut work = self.begin().await?;
        let (views, currency) = (views(&work), work.actor().currency);
        Ok(StageFigures::of(&work.dashboard().pipeline(views.deals).await?, currency))
    }

    /// Shows how many leads have each status, and what they may be worth.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn lead_status(&self) -> Result<Vec<LeadStatusFigures>> {
        let mut work = self.begin().await?;
        let (views, currency) = (views(&work), work.actor().currency);
        Ok(LeadStatusFigures::of(&work.dashboard().lead_statuses(views.leads).await?, currency))
    }

    /// Shows how many leads came from each source: at most 200, the largest.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn lead_sources(&self) -> Result<Vec<LeadSourceFigures>> {
        let mut work = self.begin().await?;
        let views = views(&work);
        Ok(LeadSourceFigures::of(work.dashboard().lead_sources(views.leads, MOST_SOURCES).await?))
    }

    /// Shows how many tasks have each status.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn task_status(&self) -> Result<Vec<TaskStatusFigures>> {
        let mut work = self.begin().await?;
        let views = views(&work);
        Ok(TaskStatusFigures::of(&work.dashboard().task_statuses(views.tasks).await?))
    }

    /// Lists the tasks past their due date that are not DONE, the longest overdue first.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn overdue_tasks(&self, query: impl Into<Asked<OverdueQuery>>) -> Result<Vec<Task>> {
        let mut work = self.begin().await?;
        let query = query.into().read(work.actor().currency)?;
        let limit = limit_of(query.limit, 50, MAX_LIMIT);
        let sort = Sort { key: TaskSort::DueDate, descending: false };
        let list = Listing { limit, sort, ..Listing::default() };
        let overdue = TaskQuery { overdue: Some(true), list, ..TaskQuery::default() };
        let (views, now) = (views(&work), work.env().now());
        let mut tasks = work.tasks().list(views.tasks, &overdue, now).await?;
        tasks.truncate(limit);
        Ok(tasks)
    }

    /// Shows what every active member has done this month, the one with the most revenue first.
    ///
    /// # Errors
    ///
    /// `forbidden` to SALES.
    pub async fn team_performance(&self) -> Result<Vec<MemberFigures>> {
        let mut work = self.caller.read().await?;
        work.actor().require(Action::ReadTeamPerformance)?;
        let (month, currency) = (calendar(&work).this_month(), work.actor().currency);
        let members = work.dashboard().members(month).await?;
        Ok(members.into_iter().map(|counts| MemberFigures::of(counts, currency)).collect())
    }

    /// Lists the newest events that the caller is in the audience of, newest first.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn activity(&self, query: impl Into<Asked<FeedQuery>>) -> Result<Vec<LoggedEvent>> {
        let mut work = self.begin().await?;
        let query = query.into().read(work.actor().currency)?;
        let viewer = EventViewer::from(work.actor());
        work.log().newest(viewer, limit_of(query.limit, 20, MAX_FEED)).await
    }

    async fn begin(&self) -> Result<Work> {
        let work = self.caller.read().await?;
        work.actor().require(Action::ReadDashboard)?;
        Ok(work)
    }
}

fn calendar(work: &Work) -> Calendar {
    Calendar::at(work.env().now(), work.actor().time_zone)
}

fn views(work: &Work) -> Views {
    let actor = work.actor();
    Views {
        leads: actor.visibility(Action::ReadLead),
        deals: actor.visibility(Action::ReadDeal),
        tasks: actor.visibility(Action::ReadTask),
    }
}

fn limit_of(asked: Option<i64>, default: i64, most: i64) -> usize {
    usize::try_from(asked.unwrap_or(default).clamp(1, most)).unwrap_or(1)
}
