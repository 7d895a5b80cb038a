use flowcrm_core::dashboard::{
    DashboardStats, FeedQuery, LeadSourceFigures, LeadStatusFigures, MemberFigures, OverdueQuery,
    StageFigures, TaskStatusFigures, WeeklyFigures,
};
use flowcrm_core::events::LoggedEvent;
use flowcrm_core::tasks::Task;
use poem_openapi::OpenApi;

use super::Chapter;
use crate::answer::Answer;
use crate::extract::{Query, Signed};
use crate::problem::Result;

pub(super) struct Dashboard;

#[OpenApi(prefix_path = "/api/dashboard", tag = "Chapter::Dashboard")]
impl Dashboard {
    /// Counts leads, deals and tasks, this week and month beside the last.
    #[oai(path = "/stats", method = "get", operation_id = "dashboardStats")]
    async fn stats(&self, caller: Signed) -> Result<Answer<DashboardStats>> {
        Ok(Answer(caller.0.dashboard().stats().await?))
    }

    /// Shows the last 7 days, day by day.
    #[oai(path = "/weekly", method = "get", operation_id = "dashboardWeekly")]
    async fn weekly(&self, caller: Signed) -> Result<Answer<WeeklyFigures>> {
        Ok(Answer(caller.0.dashboard().weekly().await?))
    }

    /// Counts and sums deals by stage.
    #[oai(path = "/pipeline", method = "get", operation_id = "dashboardPipeline")]
    async fn pipeline(&self, caller: Signed) -> Result<Answer<Vec<StageFigures>>> {
        Ok(Answer(caller.0.dashboard().pipeline().await?))
    }

    /// Counts and sums leads by status.
    #[oai(path = "/lead-status", method = "get", operation_id = "dashboardLeadStatus")]
    async fn lead_status(&self, caller: Signed) -> Result<Answer<Vec<LeadStatusFigures>>> {
        Ok(Answer(caller.0.dashboard().lead_status().await?))
    }

    /// Counts leads by source, largest first, those without one last.
    #[oai(path = "/lead-sources", method = "get", operation_id = "dashboardLeadSources")]
    async fn lead_sources(&self, caller: Signed) -> Result<Answer<Vec<LeadSourceFigures>>> {
        Ok(Answer(caller.0.dashboard().lead_sources().await?))
    }

    /// Counts tasks by status.
    #[oai(path = "/task-status", method = "get", operation_id = "dashboardTaskStatus")]
    async fn task_status(&self, caller: Signed) -> Result<Answer<Vec<TaskStatusFigures>>> {
        Ok(Answer(caller.0.dashboard().task_status().await?))
    }

    /// Lists overdue tasks, longest overdue first.
    #[oai(path = "/overdue-tasks", method = "get", operation_id = "dashboardOverdueTasks")]
    async fn overdue_tasks(&self, caller: Signed, query: Query<OverdueQuery>) -> Result<Answer<Vec<Task>>> {
        Ok(Answer(caller.0.dashboard().overdue_tasks(query.0).await?))
    }

    /// Shows how each member is doing this month; not for SALES.
    #[oai(path = "/team-performance", method = "get", operation_id = "dashboardTeamPerformance")]
    async fn team_performance(&self, caller: Signed) -> Result<Answer<Vec<MemberFigures>>> {
        Ok(Answer(caller.0.dashboard().team_performance().await?))
    }

    /// Lists the newest events that you are in the audience of.
    #[oai(path = "/activity", method = "get", operation_id = "dashboardActivity")]
    async fn activity(&self, caller: Signed, query: Query<FeedQuery>) -> Result<Answer<Vec<LoggedEvent>>> {
        Ok(Answer(caller.0.dashboard().activity(query.0).await?))
    }
}
