//! Scratch.
mod support;
use flowcrm_core::demo;
use flowcrm_core::dashboard::*;
#[tokio::test]
async fn look() {
    let url = "sqlite:/tmp/dash/look.db";
    let crm = flowcrm_store::open(url).await.unwrap();
    let t = std::time::Instant::now();
    demo::seed(&crm).await.unwrap();
    println!("{:?}", t.elapsed());
    for email in ["owner@techcorp.com", "sales1@techcorp.com", "admin@example.com"] {
        let c = crm.as_user_with_email(email).await.unwrap();
        let d = c.dashboard();
        let j = |v: serde_json::Value| println!("{v}");
        j(serde_json::to_value(d.stats().await.unwrap()).unwrap());
        for x in d.weekly().await.unwrap().days { j(serde_json::to_value(x).unwrap()); }
        for x in d.pipeline().await.unwrap() { j(serde_json::to_value(x).unwrap()); }
        for x in d.lead_status().await.unwrap() { j(serde_json::to_value(x).unwrap()); }
        for x in d.lead_sources().await.unwrap() { j(serde_json::to_value(x).unwrap()); }
        for x in d.task_status().await.unwrap() { j(serde_json::to_value(x).unwrap()); }
        for x in d.team_performance().await.unwrap_or_default() { j(serde_json::to_value(x).unwrap()); }
        for x in d.overdue_tasks(OverdueQuery::default()).await.unwrap() { println!("overdue {} {:?}", x.title, x.due_date); }
        for x in d.activity(FeedQuery::default()).await.unwrap() { println!("{} {}", x.kind, x.created_at); }
    }
}
