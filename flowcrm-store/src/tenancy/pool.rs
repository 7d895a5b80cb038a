//! A connection comes back to the pool as it left it, wherever the command that had it was dropped.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use flowcrm_core::leads::LeadQuery;
use serde_json::json;

use super::{Tenant, ask, crm};
use crate::repo::support::TestDatabase;
use crate::sql::{Database, RunAs, Sql, args};
use crate::store::SqlStore;

/// Two looks in one transaction see the same moment, two looks outside of one do not.
const LOOK: Sql = Sql::both(
    "SELECT now()::text AS moment, current_user::text AS role,
    COALESCE(current_setting('flowcrm.org_id', TRUE), '') AS organization",
);

/// Polls a future so many times and drops it then; answers whether it had ended before.
async fn dropped_after(polls: usize, future: impl Future) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

/// Looks at every connection of the pool as the next command would find it.
#[expect(clippy::disallowed_methods, reason = "the seam hands out transactions only")]
async fn look(store: &SqlStore) {
    let Database::Postgres(pool) = store.database() else { return };
    let mut held = Vec::new();
    for _ in 0..pool.size().max(1) {
        let mut connection = pool.acquire().await.unwrap();
        let (first, role, organization): (String, String, String) =
            sqlx::query_as(LOOK.postgres).fetch_one(&mut *connection).await.unwrap();
        let (second, ..): (String, String, String) =
            sqlx::query_as(LOOK.postgres).fetch_one(&mut *connection).await.unwrap();
        assert_ne!(first, second, "a connection came back within a transaction");
        assert!(!role.starts_with("flowcrm_"), "a connection came back as {role}");
        assert_eq!(organization, "", "a connection came back with an organization");
        held.push(connection);
    }
}

#[tokio::test]
async fn a_dropped_command_leaves_nothing_on_its_connection() {
    for database in TestDatabase::on_each_engine().await {
        let (crm, store) = crm(&database, true).await;
        let tenant = Tenant::found(&crm, "ours").await;
        let caller = &tenant.owner;
        let mut ended = [false; 3];
        for polls in 0..120 {
            let new = ask(json!({"name": format!("Polled {polls} times")}));
            ended[0] = dropped_after(polls, caller.leads().create(new)).await;
            ended[1] = dropped_after(polls, caller.leads().list(LeadQuery::default())).await;
            ended[2] = dropped_after(polls, crm.as_user_with_email("owner@ours.example")).await;
            look(&store).await;
            if ended == [true; 3] {
                break;
            }
        }
        assert_eq!(ended, [true; 3], "{}: commands that never end prove little", database.engine);

        // Whatever was dropped happened in full or not at all.
        let all = || ask(json!({"limit": "200", "q": "polled"}));
        let leads = caller.leads().list(all()).await.unwrap().items;
        let told =
            caller.audit().list(ask(json!({"limit": "200", "action": "lead:created"}))).await.unwrap().items;
        let told =
            leads.iter().filter(|lead| told.iter().any(|entry| entry.entity_id == lead.id.as_uuid())).count();
        assert_eq!((told, leads.is_empty()), (leads.len(), false));
    }
}

#[tokio::test]
async fn a_transaction_dropped_while_it_begins_leaves_nothing_on_its_connection() {
    for database in TestDatabase::on_each_engine().await {
        let (crm, store) = crm(&database, true).await;
        let tenant = Tenant::found(&crm, "ours").await;
        let run_as = [None, Some(RunAs::System), Some(RunAs::Organization(tenant.org))];
        for polls in (0..12).cycle().take(60) {
            for (run_as, writes) in run_as.into_iter().flat_map(|run_as| [(run_as, true), (run_as, false)]) {
                dropped_after(polls, store.database().begin(run_as, writes)).await;
                dropped_after(polls, store.database().begin_snapshot(run_as)).await;
                look(&store).await;
                // On SQLite, which knows no roles, a transaction that was left open would let no other begin.
                let mut next = store.database().begin(None, true).await.unwrap();
                assert!(next.optional(Sql::both("SELECT 1 AS one"), args![]).await.unwrap().is_some());
            }
        }
    }
}
