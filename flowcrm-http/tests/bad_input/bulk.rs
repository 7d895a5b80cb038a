//! Bulk commands.

use serde_json::{Value, json};

use super::row::Row;

pub(crate) fn rows() -> Vec<Row> {
    bodies! {
        POST "/api/leads/bulk" {
            "no fields" {} => ["ids", "set"];
            "no ids" {"set": {"status": "NEW"}} => ["ids"];
            "an empty list" {"ids": [], "delete": true} => ["ids"];
            "501 ids" {"ids": ids(501), "set": {"status": "NEW"}} => ["ids"];
            "ids that are no list" {"ids": "{lead}", "set": {"status": "NEW"}} => ["ids"];
            "ids that are null" {"ids": null, "set": {"status": "NEW"}} => ["ids"];
            "an id that is none" {"ids": ["{lead}", "L-1"], "set": {"status": "NEW"}} => ["ids"];
            "an id that is null" {"ids": ["{lead}", null], "delete": true} => ["ids"];
            "neither set nor delete" {"ids": ["{lead}"]} => ["set"];
            "delete that is false" {"ids": ["{lead}"], "delete": false} => ["set"];
            "set that is null" {"ids": ["{lead}"], "set": null} => ["set"];
            "set that is null, and delete that is false" {"ids": ["{lead}"], "set": null, "delete": false} => ["set"];
            "both set and delete" {"ids": ["{lead}"], "set": {"status": "NEW"}, "delete": true} => ["delete"];
            "delete that is text" {"ids": ["{lead}"], "delete": "true"} => ["delete", "set"];
            "set that is a list" {"ids": ["{lead}"], "set": [{"status": "NEW"}]} => ["set"];
            "set that is text" {"ids": ["{lead}"], "set": "status=NEW"} => ["set"];
            "an unknown field" {"ids": ["{lead}"], "set": {"status": "NEW"}, "dryRun": true} => ["dryRun"];
            "bad fields in set" {"ids": ["{lead}"], "set": {"name": "", "status": "OPEN", "colour": 1, "ownerId": null}} =>
                ["set.name", "set.status", "set.colour", "set.ownerId"];
            "a foreign assignee in set" {"ids": ["{lead}"], "set": {"assignedToId": "{foreign_user}"}} =>
                ["set.assignedToId"];
            "bad ids beside bad fields in set" {"ids": [], "set": {"name": "", "value": -1}, "colour": 1} =>
                ["ids", "set.name", "set.value", "colour"];
        }
        POST "/api/deals/bulk" {
            "no fields" {} => ["ids", "set"];
            "bad fields in set" {"ids": ["{deal}"], "set": {"stage": "WON", "leadId": "{foreign_lead}"}} =>
                ["set.stage", "set.leadId"];
            "set that is null" {"ids": ["{deal}"], "set": null} => ["set"];
        }
        POST "/api/tasks/bulk" {
            "501 ids" {"ids": ids(501), "delete": true} => ["ids"];
            "bad fields in set" {"ids": ["{task}"], "set": {"priority": "NONE", "dealId": "{foreign_deal}"}} =>
                ["set.priority", "set.dealId"];
            "set that is null" {"ids": ["{task}"], "set": null} => ["set"];
        }
    }
}

fn ids(count: usize) -> Value {
    json!(vec!["018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d"; count])
}
