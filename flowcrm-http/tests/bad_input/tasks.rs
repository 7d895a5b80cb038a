//! Bodies of tasks.

use super::row::{Row, long};

pub(crate) fn rows() -> Vec<Row> {
    bodies! {
        POST "/api/tasks" {
            "no fields" {} => ["title", "assignedToId"];
            "null fields" {"title": null, "assignedToId": null} => ["title", "assignedToId"];
            "nobody to do it" {"title": "Call"} => ["assignedToId"];
            "bad values of every field" {
                "title": long(201), "assignedToId": "me", "description": long(10_001), "status": "OPEN",
                "priority": "URGENT", "dueDate": "today", "leadId": 1, "dealId": "D-1",
            } => ["title", "assignedToId", "description", "status", "priority", "dueDate", "leadId", "dealId"];
            "a priority that is a number" {"title": "Call", "assignedToId": "{owner}", "priority": 1} => ["priority"];
            "a status in lower case" {"title": "Call", "assignedToId": "{owner}", "status": "todo"} => ["status"];
            "control characters" {"title": "a\u{0}", "assignedToId": "{owner}", "description": "a\u{1b}b"} =>
                ["title", "description"];
            "a lead of another organization" {"title": "Call", "assignedToId": "{owner}", "leadId": "{foreign_lead}"} =>
                ["leadId"];
            "a deal of another organization" {"title": "Call", "assignedToId": "{owner}", "dealId": "{foreign_deal}"} =>
                ["dealId"];
            "all references foreign" {
                "title": "Call", "assignedToId": "{foreign_user}", "leadId": "{foreign_lead}",
                "dealId": "{foreign_deal}",
            } => ["assignedToId", "leadId", "dealId"];
            "lead and deal exchanged" {
                "title": "Call", "assignedToId": "{owner}", "leadId": "{deal}", "dealId": "{lead}",
            } => ["leadId", "dealId"];
            "somebody who was deactivated" {"title": "Call", "assignedToId": "{inactive}"} => ["assignedToId"];
            "fields that are set by us" {
                "title": "Call", "assignedToId": "{owner}", "createdById": "{sales}", "completedAt": "2026-01-01",
            } => ["createdById", "completedAt"];
            "a due date that is no day" {"title": "Call", "assignedToId": "{owner}", "dueDate": "2026-04-31"} =>
                ["dueDate"];
            "a due date that is a number" {"title": "Call", "assignedToId": "{owner}", "dueDate": 0} => ["dueDate"];
        }
        POST "/api/tasks" by Sales {
            "a role that may not" {"title": "Call", "assignedToId": "{sales}"} => (403 forbidden);
        }
        PUT "/api/tasks/{task}" {
            "null where it cannot be" {"title": null, "assignedToId": null, "status": null, "priority": null} =>
                ["title", "assignedToId", "status", "priority"];
            "bad values of every field" {
                "title": " ", "assignedToId": "{foreign_user}", "description": 1, "status": 1, "priority": "",
                "dueDate": true, "leadId": "{foreign_lead}", "dealId": "{unknown}", "colour": "red",
            } => [
                "title", "assignedToId", "description", "status", "priority", "dueDate", "leadId", "dealId", "colour",
            ];
            "an unknown field" {"done": true} => ["done"];
        }
        PUT "/api/tasks/{foreign_task}" { "a task of another organization" {"status": "DONE"} => (404 not_found); }
        PUT "/api/tasks/{task}" by Sales { "a task that is not visible" {"status": "DONE"} => (404 not_found); }
        PUT "/api/tasks/{sales_task}" by Sales {
            "more than how the work is going" {"title": "Rest"} => (403 forbidden);
            "a bad word for how the work is going" {"status": "NEARLY"} => ["status"];
        }
    }
}
