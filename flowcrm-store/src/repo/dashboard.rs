use async_trait::async_trait;
use flowcrm_core::access::Visibility;
use flowcrm_core::dashboard::{
    DashboardRepository, DayCounts, MemberCounts, Period, Periods, PipelineShare, Totals, Views, WeekCounts,
};
use flowcrm_core::ids::UserId;
use flowcrm_core::leads::LeadStatus;
use flowcrm_core::tasks::TaskStatus;
use flowcrm_core::time::Timestamp;
use flowcrm_core::{Error, Result};

use super::figures::viewer_key;
use crate::sql::{OrgConnection, Row, Sql, Value, args, statements};

// `$2` is the viewer who may list only their own records, or NULL for one who may list all. The branches that do not
// apply are never entered: whether `$2` is NULL is decided once, not row by row.

macro_rules! visible_leads {
    () => {
        "FROM (
    SELECT * FROM leads WHERE org_id = $1 AND owner_id = $2 AND $2 IS NOT NULL
    UNION ALL
    SELECT * FROM leads WHERE org_id = $1 AND assigned_to_id = $2 AND owner_id <> $2 AND $2 IS NOT NULL
    UNION ALL
    SELECT * FROM leads WHERE org_id = $1 AND $2 IS NULL
) l"
    };
}

macro_rules! visible_tasks {
    () => {
        "FROM (
    SELECT * FROM tasks WHERE org_id = $1 AND assigned_to_id = $2 AND $2 IS NOT NULL
    UNION ALL
    SELECT * FROM tasks WHERE org_id = $1 AND $2 IS NULL
) t"
    };
}

/// On which of seven days a moment lies, 0 to 6; the days begin at `$3` to `$9`, and the last one ends at `$10`.
macro_rules! day_of {
    ($moment:literal) => {
        concat!(
            "CAST(CASE WHEN ",
            $moment,
            " < $4 THEN 0 WHEN ",
            $moment,
            " < $5 THEN 1 WHEN ",
            $moment,
            " < $6 THEN 2
          WHEN ",
            $moment,
            " < $7 THEN 3 WHEN ",
            $moment,
            " < $8 THEN 4 WHEN ",
            $moment,
            " < $9 THEN 5
          ELSE 6 END AS BIGINT) AS day"
        )
    };
}

statements! {
    LEAD_TOTALS = Sql::both("SELECT
    CAST(COALESCE(SUM(count) FILTER (WHERE kind = 'lead:status'), 0) AS BIGINT) AS total,
    CAST(COALESCE(SUM(count) FILTER (WHERE kind = 'lead:status' AND key = 'WON'), 0) AS BIGINT) AS won,
    CAST(COALESCE(SUM(count) FILTER (WHERE kind = 'lead:created' AND key >= $3 AND key < $4), 0) AS BIGINT) AS this_week,
    CAST(COALESCE(SUM(count) FILTER (WHERE kind = 'lead:created' AND key >= $5 AND key < $6), 0) AS BIGINT) AS last_week
FROM (
    SELECT kind, key, count FROM figures WHERE org_id = $1 AND viewer_id = $2 AND kind = 'lead:status'
    UNION ALL
    SELECT kind, key, count FROM figures
    WHERE org_id = $1 AND viewer_id = $2 AND kind = 'lead:created' AND key >= $5 AND key < $4
) f");

    DEAL_TOTALS = Sql::both("SELECT
    CAST(COALESCE(SUM(count) FILTER (WHERE kind = 'deal:stage'), 0) AS BIGINT) AS total,
    CAST(COALESCE(SUM(value) FILTER (WHERE kind = 'deal:stage' AND key NOT LIKE 'CLOSED%'), 0) AS BIGINT) AS open_value,
    CAST(COALESCE(SUM(count) FILTER (WHERE kind = 'deal:won' AND key >= $3 AND key < $4), 0) AS BIGINT) AS won_this_month,
    CAST(COALESCE(SUM(value) FILTER (WHERE kind = 'deal:won' AND key >= $3 AND key < $4), 0) AS BIGINT) AS value_this_month,
    CAST(COALESCE(SUM(count) FILTER (WHERE kind = 'deal:won' AND key >= $5 AND key < $6), 0) AS BIGINT) AS won_last_month,
    CAST(COALESCE(SUM(value) FILTER (WHERE kind = 'deal:won' AND key >= $5 AND key < $6), 0) AS BIGINT) AS value_last_month
FROM (
    SELECT kind, key, count, value FROM figures WHERE org_id = $1 AND viewer_id = $2 AND kind = 'deal:stage'
    UNION ALL
    SELECT kind, key, count, value FROM figures
    WHERE org_id = $1 AND viewer_id = $2 AND kind = 'deal:won' AND key >= $5 AND key < $4
) f");

    LEADS_BY_DAY = Sql::both(concat!(
        "SELECT ", day_of!("key"), ", CAST(SUM(count) AS BIGINT) AS count
FROM figures
WHERE org_id = $1 AND viewer_id = $2 AND kind = 'lead:created' AND key >= $3 AND key < $10
GROUP BY day",
    ));

    /// The audit log knows when a lead was converted, which happens once. Nothing that has been left alone since the
    /// first day can have been converted after it.
    CONVERSIONS_BY_DAY = Sql::both(concat!(
        "SELECT ", day_of!("a.created_at"), ",
    COUNT(*) AS count
",
        visible_leads!(),
        "
JOIN audit_entries a ON a.org_id = $1 AND a.entity_id = l.id AND a.action = 'lead:converted'
WHERE l.is_converted AND l.updated_at >= $3 AND a.created_at >= $3 AND a.created_at < $10
GROUP BY day",
    ));

    DEALS_WON_BY_DAY = Sql::both(concat!(
        "SELECT ", day_of!("key"), ", CAST(SUM(count) AS BIGINT) AS count, CAST(SUM(value) AS BIGINT) AS value
FROM figures
WHERE org_id = $1 AND viewer_id = $2 AND kind = 'deal:won' AND key >= $3 AND key < $10
GROUP BY day",
    ));

    /// A task is changed when it is completed: older ones need not be looked at.
    TASKS_COMPLETED_BY_DAY = Sql::both(concat!(
        "SELECT ", day_of!("t.completed_at"), ",
    COUNT(*) AS count
",
        visible_tasks!(),
        "
WHERE t.updated_at >= $3 AND t.completed_at >= $3 AND t.completed_at < $10
GROUP BY day",
    ));

    /// `due_key` is the due date where there is one.
    TASKS_DUE_BY_DAY = Sql::both(concat!(
        "SELECT ", day_of!("t.due_key"), ",
    COUNT(*) AS count
",
        visible_tasks!(),
        "
WHERE t.due_key >= $3 AND t.due_key < $10
GROUP BY day",
    ));

    /// All figures of one kind.
    FIGURES = Sql::both("SELECT key, count, value
FROM figures
WHERE org_id = $1 AND viewer_id = $2 AND kind = $3 AND count <> 0");

    /// Leads without a source come first, so that no limit cuts them off.
    LEAD_SOURCES = Sql::both("SELECT key, count
FROM figures
WHERE org_id = $1 AND viewer_id = $2 AND kind = 'lead:source' AND count <> 0
ORDER BY CASE WHEN key = '' THEN 0 ELSE 1 END, count DESC, key
LIMIT $3");

    /// A task is changed when it is completed: older ones need not be looked at.
    MEMBERS = Sql::both(
        "SELECT u.id, u.name, u.role,
    COALESCE(l.count, 0) AS leads,
    COALESCE(d.count, 0) AS deals,
    COALESCE(w.count, 0) AS deals_won,
    COALESCE(w.value, 0) AS revenue,
    COALESCE(t.count, 0) AS tasks_completed
FROM users u
LEFT JOIN (
    SELECT owner_id, COUNT(*) AS count FROM leads
    WHERE org_id = $1 AND created_at >= $2 AND created_at < $3
    GROUP BY owner_id
) l ON l.owner_id = u.id
LEFT JOIN (
    SELECT owner_id, COUNT(*) AS count FROM deals
    WHERE org_id = $1 AND created_at >= $2 AND created_at < $3
    GROUP BY owner_id
) d ON d.owner_id = u.id
LEFT JOIN (
    SELECT owner_id, COUNT(*) AS count, CAST(SUM(value) AS BIGINT) AS value FROM deals
    WHERE org_id = $1 AND closed_at >= $2 AND closed_at < $3 AND stage = 'CLOSED_WON'
    GROUP BY owner_id
) w ON w.owner_id = u.id
LEFT JOIN (
    SELECT assigned_to_id, COUNT(*) AS count FROM tasks
    WHERE org_id = $1 AND updated_at >= $2 AND completed_at >= $2 AND completed_at < $3
    GROUP BY assigned_to_id
) t ON t.assigned_to_id = u.id
WHERE u.org_id = $1 AND u.active
ORDER BY revenue DESC, u.name, u.id",
    );
}

/// The viewer whose own records alone are visible; nobody when all are.
const fn viewer(visibility: Visibility) -> Option<UserId> {
    match visibility {
        Visibility::Organization => None,
        Visibility::Own(user) => Some(user),
    }
}

/// The values of a statement about figures of periods, after the organization.
fn two_periods(visibility: Visibility, present: Period, former: Period) -> Vec<Value> {
    let bounds = [present.from, present.to, former.from, former.to].map(Timestamp::to_sortable_text);
    args![viewer_key(viewer(visibility))].into_iter().chain(bounds.map(Value::from)).collect()
}

/// The values of a statement with [`day_of`] about figures, after the organization.
fn figure_days(visibility: Visibility, bounds: [Timestamp; 8]) -> Vec<Value> {
    let bounds = bounds.map(|bound| Value::from(bound.to_sortable_text()));
    args![viewer_key(viewer(visibility))].into_iter().chain(bounds).collect()
}

/// The values of a statement with [`day_of`], after the organization.
fn days(visibility: Visibility, bounds: [Timestamp; 8]) -> Vec<Value> {
    args![viewer(visibility)].into_iter().chain(bounds.map(Value::from)).collect()
}

/// The day that a row of a statement with [`day_of`] is about.
fn day_of_row<'a>(week: &'a mut WeekCounts, row: &Row) -> Result<&'a mut DayCounts> {
    let day = usize::try_from(row.int("day")?).ok().and_then(|day| week.get_mut(day));
    day.ok_or_else(|| Error::internal("a day outside of the week"))
}

/// Puts the count of each row into a figure of its day.
fn count_days(
    week: &mut WeekCounts,
    rows: &[Row],
    figure: impl Fn(&mut DayCounts) -> &mut u64,
) -> Result<()> {
    rows.iter().try_for_each(|row| {
        *figure(day_of_row(week, row)?) = row.count("count")?;
        Ok(())
    })
}

#[async_trait]
impl DashboardRepository for OrgConnection {
    async fn totals(&mut self, views: Views, periods: Periods) -> Result<Totals> {
        let Periods { this_week, last_week, this_month, last_month } = periods;
        let leads = self.one(LEAD_TOTALS, two_periods(views.leads, this_week, last_week)).await?;
        let deals = self.one(DEAL_TOTALS, two_periods(views.deals, this_month, last_month)).await?;
        let tasks = self.task_statuses(views.tasks).await?;
        let count = |is_counted: fn(TaskStatus) -> bool| {
            tasks.iter().filter(|(status, _)| is_counted(*status)).map(|(_, count)| count).sum()
        };
        Ok(Totals {
            leads: leads.count("total")?,
            leads_won: leads.count("won")?,
            leads_this_week: leads.count("this_week")?,
            leads_last_week: leads.count("last_week")?,
            deals: deals.count("total")?,
            pipeline_value: deals.int("open_value")?,
            deals_won_this_month: deals.count("won_this_month")?,
            deal_value_this_month: deals.int("value_this_month")?,
            deals_won_last_month: deals.count("won_last_month")?,
            deal_value_last_month: deals.int("value_last_month")?,
            tasks: count(|_| true),
            open_tasks: count(|status| status != TaskStatus::Done),
        })
    }

    async fn week(&mut self, views: Views, bounds: [Timestamp; 8]) -> Result<WeekCounts> {
        let mut week = WeekCounts::default();
        let created = self.all(LEADS_BY_DAY, figure_days(views.leads, bounds)).await?;
        count_days(&mut week, &created, |day| &mut day.leads)?;
        let converted = self.all(CONVERSIONS_BY_DAY, days(views.leads, bounds)).await?;
        count_days(&mut week, &converted, |day| &mut day.converted)?;
        let won = self.all(DEALS_WON_BY_DAY, figure_days(views.deals, bounds)).await?;
        count_days(&mut week, &won, |day| &mut day.deals_won)?;
        for row in &won {
            day_of_row(&mut week, row)?.revenue = row.int("value")?;
        }
        let completed = self.all(TASKS_COMPLETED_BY_DAY, days(views.tasks, bounds)).await?;
        count_days(&mut week, &completed, |day| &mut day.tasks_completed)?;
        let due = self.all(TASKS_DUE_BY_DAY, days(views.tasks, bounds)).await?;
        count_days(&mut week, &due, |day| &mut day.tasks_due)?;
        Ok(week)
    }

    async fn pipeline(&mut self, visibility: Visibility) -> Result<Vec<PipelineShare>> {
        let share = |row: &Row| {
            let key = row.text("key")?;
            let (stage, probability) = key.split_once(' ').ok_or_else(|| Error::internal("a stage alone"))?;
            Ok(PipelineShare {
                stage: stage.parse().map_err(Error::internal)?,
                probability: probability.parse().map_err(Error::internal)?,
                count: row.count("count")?,
                value: row.int("value")?,
            })
        };
        let values = args![viewer_key(viewer(visibility)), "deal:stage"];
        self.all(FIGURES, values).await?.iter().map(share).collect()
    }

    async fn lead_statuses(&mut self, visibility: Visibility) -> Result<Vec<(LeadStatus, u64, i64)>> {
        let counted = |row: &Row| Ok((row.spelled("key")?, row.count("count")?, row.int("value")?));
        let values = args![viewer_key(viewer(visibility)), "lead:status"];
        self.all(FIGURES, values).await?.iter().map(counted).collect()
    }

    async fn lead_sources(
        &mut self,
        visibility: Visibility,
        limit: usize,
    ) -> Result<Vec<(Option<String>, u64)>> {
        let counted = |row: &Row| {
            let source = Some(row.text("key")?).filter(|source| !source.is_empty());
            Ok((source, row.count("count")?))
        };
        let rows = self.all(LEAD_SOURCES, args![viewer_key(viewer(visibility)), limit]).await?;
        rows.iter().map(counted).collect()
    }

    async fn task_statuses(&mut self, visibility: Visibility) -> Result<Vec<(TaskStatus, u64)>> {
        let counted = |row: &Row| Ok((row.spelled("key")?, row.count("count")?));
        let values = args![viewer_key(viewer(visibility)), "task:status"];
        self.all(FIGURES, values).await?.iter().map(counted).collect()
    }

    async fn members(&mut self, period: Period) -> Result<Vec<MemberCounts>> {
        let member = |row: &Row| {
            Ok(MemberCounts {
                user_id: row.id("id")?,
                name: row.text("name")?,
                role: row.spelled("role")?,
                leads: row.count("leads")?,
                deals: row.count("deals")?,
                deals_won: row.count("deals_won")?,
                revenue: row.int("revenue")?,
                tasks_completed: row.count("tasks_completed")?,
            })
        };
        self.all(MEMBERS, args![period.from, period.to]).await?.iter().map(member).collect()
    }
}
