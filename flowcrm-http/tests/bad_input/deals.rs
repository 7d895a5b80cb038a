//! Bodies of deals.

use super::row::{Row, long};

pub(crate) fn rows() -> Vec<Row> {
    [creating(), dates(), changing()].concat()
}

fn creating() -> Vec<Row> {
    bodies! {
        POST "/api/deals" {
            "no fields" {} => ["title"];
            "a name in the place of a title" {"name": "Engine"} => ["name", "title"];
            "every text too long" {
                "title": long(201), "notes": long(10_001), "lostReason": long(10_001), "externalId": long(201),
            } => ["title", "notes", "lostReason", "externalId"];
            "every text of another type" {"title": null, "notes": 0, "lostReason": [], "externalId": true} =>
                ["title", "notes", "lostReason", "externalId"];
            "control characters" {"title": "a\u{0}b", "notes": "a\u{b}b"} => ["title", "notes"];
            "a status in the place of a stage" {"title": "Engine", "status": "NEW"} => ["status"];
            "an unknown stage" {"title": "Engine", "stage": "WON"} => ["stage"];
            "a stage in lower case" {"title": "Engine", "stage": "closed_won"} => ["stage"];
            "a stage that is a list" {"title": "Engine", "stage": ["PROPOSAL"]} => ["stage"];
            "a probability above 100" {"title": "Engine", "probability": 101} => ["probability"];
            "a probability below 0" {"title": "Engine", "probability": -1} => ["probability"];
            "a probability that is no whole number" {"title": "Engine", "probability": 12.5} => ["probability"];
            "a probability in a string" {"title": "Engine", "probability": "50"} => ["probability"];
            "a probability that overflows" {"title": "Engine", "probability": 1e300} => ["probability"];
            "a negative value" {"title": "Engine", "value": -5} => ["value"];
            "a value with too many decimals" {"title": "Engine", "value": 0.001} => ["value"];
            "a value that is too large" {"title": "Engine", "value": 10_000_000_001_i64} => ["value"];
            "a lead of another organization" {"title": "Engine", "leadId": "{foreign_lead}"} => ["leadId"];
            "a lead that is not there" {"title": "Engine", "leadId": "{unknown}"} => ["leadId"];
            "a deal's id as lead" {"title": "Engine", "leadId": "{deal}"} => ["leadId"];
            "a lead that is no id" {"title": "Engine", "leadId": "L-1"} => ["leadId"];
            "all references foreign" {
                "title": "Engine", "leadId": "{foreign_lead}", "ownerId": "{foreign_user}",
                "assignedToId": "{foreign_user}",
            } => ["leadId", "ownerId", "assignedToId"];
            "a reason to have lost what is open" {"title": "Engine", "lostReason": "Price"} => ["lostReason"];
            "a reason to have lost what is won" {"title": "Engine", "stage": "CLOSED_WON", "lostReason": "Price"} =>
                ["lostReason"];
            "fields that are set by us" {"title": "Engine", "closedAt": "2026-01-01", "orgId": "{foreign_org}"} =>
                ["closedAt", "orgId"];
            "an external id that is taken" {"title": "Engine", "externalId": "D-1"} => ["externalId"];
        }
        POST "/api/deals" by Sales {
            "a lead that is not visible" {"title": "Engine", "leadId": "{lead}"} => ["leadId"];
            "an assignee beyond the role" {"title": "Engine", "assignedToId": "{owner}"} => (403 forbidden);
        }
    }
}

/// Dates; tasks and queries read them in the same way.
fn dates() -> Vec<Row> {
    bodies! {
        POST "/api/deals" {
            "a date in words" {"title": "Engine", "expectedClose": "tomorrow"} => ["expectedClose"];
            "a date that is blank" {"title": "Engine", "expectedClose": ""} => ["expectedClose"];
            "a day that the month lacks" {"title": "Engine", "expectedClose": "2026-02-30"} => ["expectedClose"];
            "a leap day in another year" {"title": "Engine", "expectedClose": "2026-02-29"} => ["expectedClose"];
            "a thirteenth month" {"title": "Engine", "expectedClose": "2026-13-01"} => ["expectedClose"];
            "a date without zeros" {"title": "Engine", "expectedClose": "2026-1-5"} => ["expectedClose"];
            "a date with slashes" {"title": "Engine", "expectedClose": "01/05/2026"} => ["expectedClose"];
            "a date that is a number" {"title": "Engine", "expectedClose": 1_767_225_600} => ["expectedClose"];
            "a time without a zone" {"title": "Engine", "expectedClose": "2026-01-05T10:00:00"} => ["expectedClose"];
            "an hour that the day lacks" {"title": "Engine", "expectedClose": "2026-01-05T24:00:00Z"} =>
                ["expectedClose"];
            "the year 0" {"title": "Engine", "expectedClose": "0000-12-31"} => ["expectedClose"];
            "the year 10000" {"title": "Engine", "expectedClose": "10000-01-01"} => ["expectedClose"];
            "a moment that is the year 0 in UTC" {"title": "Engine", "expectedClose": "0001-01-01T00:00:00+01:00"} =>
                ["expectedClose"];
            "a moment that is the year 10000 in UTC" {"title": "Engine", "expectedClose": "9999-12-31T23:59:59-01:00"} =>
                ["expectedClose"];
            "a negative year" {"title": "Engine", "expectedClose": "-2026-01-01"} => ["expectedClose"];
        }
    }
}

fn changing() -> Vec<Row> {
    bodies! {
        PUT "/api/deals/{deal}" {
            "null where it cannot be" {"title": null, "stage": null, "probability": null, "ownerId": null} =>
                ["title", "stage", "probability", "ownerId"];
            "bad values of every field" {
                "title": "", "value": "free", "stage": "LOST", "probability": 1000, "expectedClose": "2026-99-99",
                "leadId": "x", "ownerId": 1, "assignedToId": [], "notes": "\u{0}", "lostReason": 3, "externalId": {},
            } => [
                "title", "value", "stage", "probability", "expectedClose", "leadId", "ownerId", "assignedToId", "notes",
                "lostReason", "externalId",
            ];
            "a lead of another organization" {"leadId": "{foreign_lead}"} => ["leadId"];
            "a reason to have lost what is open" {"lostReason": "Price"} => ["lostReason"];
            "an external id that is taken" {"externalId": "D-2"} => ["externalId"];
            "an unknown field" {"colour": null} => ["colour"];
        }
        PUT "/api/deals/{foreign_deal}" {
            "a deal of another organization" {"stage": "CLOSED_WON"} => (404 not_found);
            "a deal of another organization and a bad body" {"stage": 1} => (404 not_found);
        }
        PUT "/api/deals/{deal}" by Sales { "a deal that is not one's own" {"stage": "PROPOSAL"} => (403 forbidden); }
    }
}
