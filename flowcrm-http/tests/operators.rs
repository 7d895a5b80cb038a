//! Platform operators: who may look after all organizations, and what is left of what they do.

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Client, PASSWORD, Reply, TestServer};

fn new_organization() -> Value {
    json!({
        "name": "Founded",
        "ownerName": "Fay Founder",
        "ownerEmail": "fay@founded.example",
        "ownerPassword": PASSWORD,
    })
}

async fn create(operator: &Client, body: &Value, key: &str) -> Reply {
    let request =
        operator.request(Method::POST, "/api/organizations").header("Idempotency-Key", key).json(body);
    operator.send(request).await
}

#[tokio::test]
async fn an_operator_founds_reads_lists_and_deletes_organizations() {
    for server in TestServer::on_each_engine().await {
        let operator = server.register("platform").await;
        assert_eq!(operator.get("/api/organizations").await.status, 403);
        server.crm.set_operator("owner@platform.example", true).await.unwrap();

        let founded = create(&operator, &new_organization(), "found-1").await;
        assert_eq!(founded.status, 201, "{:?}", founded.body);
        let id = founded.body["id"].as_str().unwrap().to_owned();
        let again = create(&operator, &new_organization(), "found-1").await;
        assert_eq!((again.status, again.body["id"].as_str()), (201, Some(id.as_str())));
        let mut other = new_organization();
        other["ownerPassword"] = json!("another password");
        assert_eq!(create(&operator, &other, "found-1").await.status, 409);
        let taken = create(&operator, &new_organization(), "found-2").await;
        assert_eq!((taken.status, &taken.body["errors"][0]["field"]), (400, &json!("ownerEmail")));

        let read = operator.get(&format!("/api/organizations/{id}")).await;
        assert_eq!((read.status, read.headers["etag"].to_str().unwrap()), (200, "\"1\""));
        let listed = operator.get("/api/organizations?count=true&sort=name").await;
        assert_eq!(
            (listed.headers["x-total-count"].to_str().unwrap(), &listed.body[0]["name"]),
            ("2", &json!("Founded"))
        );

        let owner = server.client().sign_in("fay@founded.example").await;
        let audit = owner.walk("/api/audit-logs?action=org:created").await;
        assert_eq!(audit.len(), 1);
        assert_eq!(
            (&audit[0]["userId"], &audit[0]["ipAddress"]),
            (&Value::Null, &Value::Null),
            "nobody of theirs did it"
        );

        let own = operator.user["orgId"].as_str().unwrap();
        assert_eq!(operator.delete(&format!("/api/organizations/{own}")).await.status, 409);
        assert_eq!(operator.delete(&format!("/api/organizations/{id}")).await.status, 200);
        assert_eq!(operator.get(&format!("/api/organizations/{id}")).await.status, 404);
        assert_eq!(owner.get("/api/leads").await.status, 401, "the organization is gone with its sessions");
        server.crm.set_operator("owner@platform.example", false).await.unwrap();
        assert_eq!(operator.get("/api/organizations").await.status, 403);
    }
}

#[tokio::test]
async fn a_failed_sign_in_is_nobodys_act() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("careful").await;
        let wrong = json!({"email": "owner@careful.example", "password": "a wrong password"});
        assert_eq!(server.client().post("/api/auth/login", wrong).await.status, 401);
        let audit = owner.walk("/api/audit-logs?action=user:login_failed").await;
        assert_eq!((audit.len(), &audit[0]["userId"]), (1, &Value::Null));
        assert_eq!(audit[0]["entityId"], owner.user["id"]);
    }
}

#[tokio::test]
async fn open_work_that_is_handed_over_changes_aspect_by_aspect() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("handing").await;
        let leaving = owner.add_user("SALES", "leaving@handing.example").await;
        let staying = owner.add_user("SALES", "staying@handing.example").await;
        let own = leaving.create("/api/leads", json!({"name": "Own"})).await;
        let given = owner.create("/api/leads", json!({"name": "Given", "assignedToId": leaving.id()})).await;
        let lost = owner
            .create("/api/leads", json!({"name": "Lost", "status": "LOST", "assignedToId": leaving.id()}))
            .await;
        let start = events(&owner).await.len();

        let path = format!("/api/users/{}?reassignTo={}", leaving.id(), staying.id());
        assert_eq!(owner.delete(&path).await.status, 200);

        let read = async |lead: &Value| {
            owner.get(&format!("/api/leads/{}", lead["id"].as_str().unwrap())).await.body
        };
        assert_eq!(read(&own).await["ownerId"], staying.user["id"]);
        assert_eq!(read(&given).await["assignedToId"], staying.user["id"]);
        assert_eq!(read(&lost).await["assignedToId"], leaving.user["id"]);
        let events = events(&owner).await;
        let of = |lead: &Value| -> Vec<&str> {
            let of_lead = events[start..].iter().filter(|event| event["entityId"] == lead["id"]);
            of_lead.map(|event| event["type"].as_str().unwrap()).collect()
        };
        assert_eq!(of(&own), ["lead:updated"], "the owner is a plain field");
        assert_eq!(of(&given), ["lead:assigned"]);
        assert!(of(&lost).is_empty());
    }
}

#[tokio::test]
async fn a_converted_lead_tells_its_owner_and_drops_an_assignee_who_left() {
    for server in TestServer::on_each_engine().await {
        let owner = server.register("converting").await;
        let manager = owner.add_user("MANAGER", "manager@converting.example").await;
        let gone = owner.add_user("SALES", "gone@converting.example").await;
        let lead = manager.create("/api/leads", json!({"name": "Ada", "assignedToId": gone.id()})).await;
        assert_eq!(owner.delete(&format!("/api/users/{}", gone.id())).await.status, 200);

        let path = format!("/api/leads/{}/convert", lead["id"].as_str().unwrap());
        let converted = owner.post(&path, json!({})).await;
        assert_eq!((converted.status, &converted.body["deal"]["assignedToId"]), (201, &Value::Null));
        let told = manager.walk("/api/notifications").await;
        let messages: Vec<&str> = told.iter().filter_map(|told| told["message"].as_str()).collect();
        assert!(messages.contains(&"Owner of converting converted lead Ada to deal Ada"), "{messages:?}");
    }
}

async fn events(client: &Client) -> Vec<Value> {
    client.get("/api/events?limit=1000").await.body.as_array().expect("a list").clone()
}
