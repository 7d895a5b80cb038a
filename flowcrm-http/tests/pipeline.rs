//! A real export of sales opportunities goes through the pipeline, and every view of it agrees.
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use support::{Client, TestServer, cents};

/// A file of the same shape as the real export, for machines without it.
const SAMPLE: &str = "\
opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
A1,Ada Byron,Engine,Analytical,Won,2016-10-20,2017-03-01,1054
A2,Ada Byron,Engine,Analytical,Won,2016-10-25,2017-03-11,4514.5
A3,Joan Clarke,Loom,Jacquard,Lost,2016-10-25,2017-03-07,0
A4,Joan Clarke,Loom,,Engaging,2016-11-25,,
A5,Joan Clarke,Loom,Jacquard,Engaging,2016-12-01,,
A6,Ada Byron,Card,,Prospecting,,,
A7,Ada Byron,Card,Jacquard,Won,2017-01-03,2017-04-30,50
A8,Joan Clarke,Card,Jacquard,Lost,2017-02-03,2017-05-09,0
";

/// The words of the file, and the stages that they mean here.
const STAGES: [(&str, &str); 4] = [
    ("Won", "CLOSED_WON"),
    ("Lost", "CLOSED_LOST"),
    ("Engaging", "NEGOTIATION"),
    ("Prospecting", "QUALIFICATION"),
];

/// A row of the file, as the test itself reads it.
struct Opportunity {
    id: String,
    stage: &'static str,
    engaged: String,
    closed: String,
    cents: i64,
}

fn read(csv: &str) -> Vec<Opportunity> {
    assert!(!csv.contains('"'), "this reader knows no quotes");
    let opportunity = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let (_, stage) = STAGES.iter().find(|(word, _)| *word == cells[4]).expect("a known stage");
        let worth = if cells[7].is_empty() { "0" } else { cells[7] };
        Opportunity {
            id: cells[0].to_owned(),
            stage,
            engaged: cells[5].to_owned(),
            closed: cells[6].to_owned(),
            cents: cents(&serde_json::from_str(worth).expect("a number")),
        }
    };
    csv.lines().skip(1).map(opportunity).collect()
}

fn options(dry_run: bool) -> Value {
    json!({
        "mapping": {
            "title": "opportunity_id",
            "externalId": "opportunity_id",
            "stage": "deal_stage",
            "value": "close_value",
            "closedAt": "close_date",
            "createdAt": "engage_date",
        },
        "values": {"stage": STAGES.into_iter().collect::<BTreeMap<_, _>>()},
        "dryRun": dry_run,
    })
}

/// How many deals each stage has, and how many cents they are worth.
type Stages = BTreeMap<String, (u64, i64)>;

fn counted(stages: impl Iterator<Item = (String, i64)>) -> Stages {
    let mut counted: Stages = STAGES.iter().map(|(_, stage)| ((*stage).to_owned(), (0, 0))).collect();
    counted.extend(["DISCOVERY", "PROPOSAL"].map(|stage| (stage.to_owned(), (0, 0))));
    for (stage, cents) in stages {
        let (count, sum) = counted.get_mut(&stage).expect("a stage");
        *count += 1;
        *sum += cents;
    }
    counted
}

async fn pipeline(client: &Client) -> Stages {
    let figures = client.get("/api/dashboard/pipeline").await.body;
    let figures = figures.as_array().expect("a list").iter();
    let stage = |figure: &Value| {
        let name = figure["stage"].as_str().expect("a stage").to_owned();
        (name, (figure["count"].as_u64().expect("a count"), cents(&figure["value"])))
    };
    figures.map(stage).collect()
}

async fn stats(client: &Client) -> Value {
    client.get("/api/dashboard/stats").await.body
}

async fn deals(client: &Client, filter: &str) -> Stages {
    let deals = client.walk(&format!("/api/deals?limit=200{filter}")).await;
    counted(
        deals.iter().map(|deal| (deal["stage"].as_str().expect("a stage").to_owned(), cents(&deal["value"]))),
    )
}

/// The five numbers of an import that is done.
fn numbers(import: &Value) -> [&Value; 5] {
    assert_eq!((import["state"].as_str(), &import["error"]), (Some("DONE"), &Value::Null), "{import}");
    ["total", "created", "updated", "skipped", "rejected"].map(|name| &import[name])
}

/// Imports a file and wins a deal of it, and looks at everything that shows them.
async fn run(client: &Client, csv: &str) {
    let opportunities = read(csv);
    let total = opportunities.len();
    let of_file =
        counted(opportunities.iter().map(|opportunity| (opportunity.stage.to_owned(), opportunity.cents)));

    let tried = client.import("deals", &options(true), csv.as_bytes().to_vec()).await;
    assert_eq!(tried["dryRun"], true);
    assert_eq!(numbers(&tried), [&json!(total), &json!(total), &json!(0), &json!(0), &json!(0)]);
    assert_eq!(client.get("/api/deals?count=true").await.header("x-total-count"), "0");
    assert_eq!(pipeline(client).await, counted(std::iter::empty()));

    let imported = client.import("deals", &options(false), csv.as_bytes().to_vec()).await;
    assert_eq!(numbers(&imported), numbers(&tried));
    assert_eq!(pipeline(client).await, of_file);
    assert_eq!(deals(client, "").await, of_file);
    check_records(client, &opportunities).await;

    let again = client.import("deals", &options(false), csv.as_bytes().to_vec()).await;
    assert_eq!(numbers(&again), [&json!(total), &json!(0), &json!(0), &json!(total), &json!(0)]);
    assert_eq!(pipeline(client).await, of_file);

    let before = stats(client).await;
    let open_value: i64 =
        ["QUALIFICATION", "DISCOVERY", "PROPOSAL", "NEGOTIATION"].map(|stage| of_file[stage].1).iter().sum();
    assert_eq!(before["totalDeals"], json!(total));
    assert_eq!((&before["dealsWonThisMonth"], cents(&before["dealValueThisMonth"])), (&json!(0), 0));
    assert_eq!(cents(&before["pipelineValue"]), open_value);
    win(client, &of_file, open_value).await;
    check_log(client, &[&tried, &imported, &again]).await;
}

/// The imported records say what their rows say.
async fn check_records(client: &Client, opportunities: &[Opportunity]) {
    let deals = client.walk("/api/deals?limit=200&sort=createdAt").await;
    let by_id: BTreeMap<&str, &Value> =
        deals.iter().map(|deal| (deal["externalId"].as_str().expect("an id"), deal)).collect();
    assert_eq!((by_id.len(), deals.len()), (opportunities.len(), opportunities.len()));
    for opportunity in opportunities {
        let deal = by_id[opportunity.id.as_str()];
        assert_eq!(deal["title"], opportunity.id);
        assert_eq!(deal["stage"], opportunity.stage);
        assert_eq!(cents(&deal["value"]), opportunity.cents);
        let midnight = |date: &str| json!(format!("{date}T00:00:00.000Z"));
        let closed = if opportunity.closed.is_empty() { Value::Null } else { midnight(&opportunity.closed) };
        assert_eq!(deal["closedAt"], closed, "{}", opportunity.id);
        if !opportunity.engaged.is_empty() {
            assert_eq!(deal["createdAt"], midnight(&opportunity.engaged), "{}", opportunity.id);
        }
    }
}

/// Gives an open deal a value, then wins it for another.
async fn win(client: &Client, of_file: &Stages, open_value: i64) {
    let deal = client.get("/api/deals?stage=NEGOTIATION&limit=1").await.body[0].clone();
    let path = format!("/api/deals/{}", deal["id"].as_str().expect("an id"));
    let worth = cents(&deal["value"]);
    assert_eq!(client.put(&path, json!({"value": 5_000})).await.status, 200);
    assert_eq!(cents(&stats(client).await["pipelineValue"]), open_value - worth + 500_000);
    let position = newest_position(client).await;

    let won = client.put(&path, json!({"stage": "CLOSED_WON", "value": 4321.05})).await;
    assert_eq!(won.status, 200, "{:?}", won.body);
    assert_eq!((&won.body["probability"], &won.body["lostReason"]), (&json!(100), &Value::Null));
    assert!(won.body["closedAt"].is_string());

    let mut expected = of_file.clone();
    let open = expected.get_mut("NEGOTIATION").expect("a stage");
    *open = (open.0 - 1, open.1 - worth);
    let closed = expected.get_mut("CLOSED_WON").expect("a stage");
    *closed = (closed.0 + 1, closed.1 + 432_105);
    assert_eq!(pipeline(client).await, expected);
    assert_eq!(deals(client, "").await, expected);
    assert_eq!(deals(client, "&stage=CLOSED_WON").await["CLOSED_WON"], expected["CLOSED_WON"]);

    let stats = stats(client).await;
    assert_eq!((&stats["dealsWonThisMonth"], cents(&stats["dealValueThisMonth"])), (&json!(1), 432_105));
    assert_eq!(cents(&stats["pipelineValue"]), open_value - worth);

    let audit = client.walk("/api/audit-logs?action=deal:won").await;
    assert_eq!(audit.len(), 1, "imported deals are won in the file, not here: {audit:?}");
    assert_eq!((&audit[0]["entityId"], &audit[0]["entityType"]), (&deal["id"], &json!("deal")));
    assert_eq!((&audit[0]["userId"], &audit[0]["userName"]), (&client.user["id"], &client.user["name"]));
    assert_eq!(audit[0]["details"], json!({"value": 4321.05}));

    let events = client.get(&format!("/api/events?after={position}")).await.body;
    let events = events.as_array().expect("a list");
    let told: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a name")).collect();
    assert_eq!(told, ["deal:updated", "deal:stage_changed", "deal:won"]);
    for (event, expected) in events.iter().zip(position + 1..) {
        assert_eq!(event["position"], json!(expected));
        assert_eq!((&event["entityId"], &event["userId"]), (&deal["id"], &client.user["id"]));
        assert_eq!(event["payload"]["deal"], won.body);
    }
}

async fn newest_position(client: &Client) -> i64 {
    let newest = client.get("/api/dashboard/activity?limit=1").await.body;
    newest[0]["position"].as_i64().expect("a position")
}

/// Each import is told once, whatever the number of its rows.
async fn check_log(client: &Client, imports: &[&Value]) {
    let events = client.get("/api/events?limit=1000").await.body;
    let events = events.as_array().expect("a list");
    let positions: Vec<_> =
        events.iter().map(|event| event["position"].as_i64().expect("a position")).collect();
    assert!(positions.is_sorted_by(|one, next| one < next), "{positions:?}");
    assert!(events.iter().all(|event| event["type"] != "deal:created"));
    let told = |event: &&Value| event["type"] == "import:completed";
    let told: Vec<_> = events.iter().filter(told).map(|event| event["entityId"].clone()).collect();
    assert_eq!(told, imports.iter().map(|import| import["id"].clone()).collect::<Vec<_>>());

    let audit = client.walk("/api/audit-logs?action=import:completed").await;
    assert_eq!(audit.len(), imports.len());
    for import in imports {
        let entry = audit.iter().find(|entry| entry["entityId"] == import["id"]).expect("an entry");
        for number in ["total", "created", "updated", "skipped", "rejected"] {
            assert_eq!(entry["details"][number], import[number], "{number} of {entry}");
        }
    }
}

#[tokio::test]
async fn a_pipeline_is_imported_and_every_view_agrees_when_a_deal_is_won() {
    for (server, _) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        run(&server.register("sample").await, SAMPLE).await;
    }
}

#[tokio::test]
async fn a_real_pipeline_is_imported_and_every_view_agrees_when_a_deal_is_won() {
    let Ok(folder) = std::env::var("FLOWCRM_REAL_DATA") else {
        eprintln!("SKIPPED: FLOWCRM_REAL_DATA names no folder with maven-crm-sales/sales_pipeline.csv");
        return;
    };
    let file = Path::new(&folder).join("maven-crm-sales").join("sales_pipeline.csv");
    let csv = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let of_file =
        counted(read(&csv).iter().map(|opportunity| (opportunity.stage.to_owned(), opportunity.cents)));
    assert_eq!(of_file["CLOSED_WON"], (4_238, 1_000_553_400));
    assert_eq!(of_file.values().map(|(count, _)| count).sum::<u64>(), 8_800);
    for (server, _) in TestServer::on_each_engine_at("2026-03-15T10:00:00Z").await {
        run(&server.register("maven").await, &csv).await;
    }
}
