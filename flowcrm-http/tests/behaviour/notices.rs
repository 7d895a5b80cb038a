//! Who is notified, and how often.

use serde_json::json;

use super::support::TestServer;
use super::{clear, events, id, inbox, pair, unread};

#[tokio::test]
async fn nobody_is_notified_twice_by_one_command_or_of_their_own_doing() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("notices").await;
        let sales = owner.add_user("SALES", "sales@notices.example").await;
        let other = owner.add_user("MANAGER", "other@notices.example").await;
        let gone = owner.add_user("SALES", "gone@notices.example").await;
        assert_eq!(inbox(&sales).await, [pair("USER_ADDED", "Welcome to notices!")]);
        assert_eq!(owner.delete(&format!("/api/users/{}", gone.id())).await.status, 200);
        let everybody = [&owner, &sales, &other];
        clear(&everybody).await;

        let deal =
            json!({"title": "Engine", "value": 12.5, "assignedToId": sales.id(), "ownerId": sales.id()});
        let deal = owner.create("/api/deals", deal).await;
        assert_eq!(unread(&sales).await, [pair("DEAL_UPDATED", "You've been assigned deal: Engine")]);
        clear(&everybody).await;

        let path = format!("/api/deals/{}", id(&deal));
        let change = json!({"title": "Great engine", "stage": "CLOSED_WON", "assignedToId": other.id()});
        assert_eq!(owner.put(&path, change).await.status, 200);
        let won = pair("DEAL_UPDATED", "Deal Great engine was won: 12.5");
        for (client, what) in [(&sales, "updated, moved and won"), (&other, "assigned and won")] {
            assert_eq!(unread(client).await, std::slice::from_ref(&won), "{what} are told in one");
        }
        assert_eq!(unread(&owner).await, [], "the actor knows");
        clear(&everybody).await;

        assert_eq!(sales.put(&path, json!({"notes": "Paid"})).await.status, 200);
        assert_eq!(unread(&other).await, [pair("DEAL_UPDATED", "Deal Great engine was updated")]);
        assert_eq!((unread(&sales).await, unread(&owner).await), (vec![], vec![]));
        clear(&everybody).await;

        let task = owner.create("/api/tasks", json!({"title": "Call", "assignedToId": sales.id()})).await;
        assert_eq!(unread(&sales).await, [pair("TASK_ASSIGNED", "You've been assigned a new task: Call")]);
        assert_eq!(
            sales.put(&format!("/api/tasks/{}", id(&task)), json!({"status": "DONE"})).await.status,
            200
        );
        let name = sales.user["name"].as_str().expect("a name");
        assert_eq!(unread(&owner).await, [pair("SYSTEM", format!("{name} completed your task: Call"))]);
        assert_eq!(unread(&other).await, []);
        let own = owner.create("/api/tasks", json!({"title": "Mine", "assignedToId": owner.id()})).await;
        clear(&everybody).await;
        assert_eq!(
            owner.put(&format!("/api/tasks/{}", id(&own)), json!({"status": "DONE"})).await.status,
            200
        );
        assert_eq!(unread(&owner).await, []);

        assert_eq!(
            owner.put(&format!("/api/users/{}", sales.id()), json!({"role": "MANAGER"})).await.status,
            200
        );
        assert_eq!(unread(&sales).await, [pair("SYSTEM", "Your role is now MANAGER")]);
        let announced =
            owner.post("/api/notifications/announce", json!({"message": "Cake", "link": "/cake"})).await;
        assert_eq!(announced.body, json!({"recipients": 3}));
        for client in everybody {
            let newest = client.get("/api/notifications?limit=1").await.body[0].clone();
            assert_eq!(
                (&newest["type"], &newest["message"], &newest["link"]),
                (&json!("SYSTEM"), &json!("Cake"), &json!("/cake"))
            );
        }
    }
}

#[tokio::test]
async fn the_inbox_counts_what_is_not_read() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("inbox").await;
        let sales = owner.add_user("SALES", "sales@inbox.example").await;
        for number in 0..4 {
            let task = json!({"title": format!("Task {number}"), "assignedToId": sales.id()});
            owner.create("/api/tasks", task).await;
        }
        let page = sales.get("/api/notifications?limit=2&count=true").await;
        assert_eq!((page.header("x-unread-count"), page.header("x-total-count")), ("5", "5"));
        let newest = page.body[0].clone();
        assert_eq!(
            (&newest["message"], &newest["read"]),
            (&json!("You've been assigned a new task: Task 3"), &json!(false))
        );
        let read = sales.call("PUT", &format!("/api/notifications/{}/read", id(&newest))).await;
        assert_eq!((read.status, &read.body["read"]), (200, &json!(true)));
        assert_eq!(sales.get("/api/notifications").await.header("x-unread-count"), "4");
        assert_eq!(sales.walk("/api/notifications?unread=false").await.len(), 1);
        let all = sales.call("PUT", "/api/notifications/read-all").await;
        assert_eq!((all.status, all.body), (200, json!({"updated": 4})));
        assert_eq!(sales.call("PUT", "/api/notifications/read-all").await.body, json!({"updated": 0}));
        let page = sales.get("/api/notifications?unread=true&count=true").await;
        assert_eq!(
            (page.header("x-unread-count"), page.header("x-total-count"), &page.body),
            ("0", "0", &json!([]))
        );
        let told = events(&sales, 0).await;
        let told = told.iter().filter(|event| event["type"] == "notification:read").count();
        assert_eq!(told, 2, "one for the one, one for all the others");
    }
}
