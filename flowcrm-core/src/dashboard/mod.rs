//! The dashboard: figures of exactly the records that a caller may list.

mod calendar;
mod figures;
mod repository;
mod service;

pub use calendar::Period;
pub use figures::{
    DashboardStats, DayFigures, FeedQuery, LeadSourceFigures, LeadStatusFigures, MemberFigures, OverdueQuery,
    PreviousFigures, StageFigures, TaskStatusFigures, WeeklyFigures,
};
pub use repository::{
    DashboardRepository, DayCounts, MemberCounts, Periods, PipelineShare, Totals, Views, WeekCounts,
};
pub use service::Dashboard;
