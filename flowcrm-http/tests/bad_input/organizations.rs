//! Bodies of organizations and announcements.

use super::row::{Row, long};

pub(crate) fn rows() -> Vec<Row> {
    [settings(), operating(), announcing()].concat()
}

fn settings() -> Vec<Row> {
    bodies! {
        PUT "/api/organization" {
            "null fields" {"name": null, "timeZone": null, "currency": null, "require2fa": null} =>
                ["name", "timeZone", "currency", "require2fa"];
            "bad values of every field" {
                "name": long(201), "timeZone": "Mars/Olympus_Mons", "currency": "usd", "require2fa": ["BOSS"],
            } => ["name", "timeZone", "currency", "require2fa"];
            "other types" {"name": [], "timeZone": 2, "currency": 840, "require2fa": "OWNER"} =>
                ["name", "timeZone", "currency", "require2fa"];
            "a zone that is an offset" {"timeZone": "+02:00"} => ["timeZone"];
            "a currency that is none" {"currency": "BTC"} => ["currency"];
            "more roles than there are" {"require2fa": ["OWNER", "ADMIN", "MANAGER", "SALES", "SALES"]} =>
                ["require2fa"];
            "fields that are set by us" {"id": "{foreign_org}", "version": 1, "createdAt": null} =>
                ["id", "version", "createdAt"];
            "another currency when records have values" {"currency": "EUR"} => (409 conflict);
        }
        PUT "/api/organization" by Sales { "a role that may not" {"name": "Mine"} => (403 forbidden); }
    }
}

fn operating() -> Vec<Row> {
    let mut rows = bodies! {
        POST "/api/organizations" by Operator {
            "no fields" {} => ["name", "ownerName", "ownerEmail", "ownerPassword"];
            "bad values of every field" {"name": "", "ownerName": 1, "ownerEmail": "eve@", "ownerPassword": "short"} =>
                ["name", "ownerName", "ownerEmail", "ownerPassword"];
            "an email that is taken" {
                "name": "New", "ownerName": "Eve", "ownerEmail": "owner@acme.example", "ownerPassword": long(8),
            } => ["ownerEmail"];
            "an unknown field" {
                "name": "New", "ownerName": "Eve", "ownerEmail": "eve@new.example", "ownerPassword": long(8),
                "currency": "EUR",
            } => ["currency"];
        }
        POST "/api/organizations" { "no operator" {} => (403 forbidden); }
    };
    rows.extend(calls! {
        GET "/api/organizations/{unknown}" by Operator => (404 not_found);
        DELETE "/api/organizations/{unknown}" by Operator => (404 not_found);
        DELETE "/api/organizations/{foreign_org}" by Operator => (409 conflict);
        GET "/api/organizations" => (403 forbidden);
        GET "/api/organizations/{foreign_org}" => (403 forbidden);
        DELETE "/api/organizations/{foreign_org}" => (403 forbidden);
    });
    rows
}

fn announcing() -> Vec<Row> {
    bodies! {
        POST "/api/notifications/announce" {
            "no fields" {} => ["message"];
            "a message that is too long" {"message": long(1_001)} => ["message"];
            "a blank message and a link elsewhere" {"message": " ", "link": "//evil.example"} => ["message", "link"];
            "a link that runs" {"message": "Hi", "link": "javascript:alert(1)"} => ["link"];
            "a link that is too long" {"message": "Hi", "link": format!("/{}", long(500))} => ["link"];
            "a link that is a number" {"message": "Hi", "link": 1} => ["link"];
            "a link with control characters" {"message": "Hi", "link": "/a\u{0}b"} => ["link"];
            "an unknown field" {"message": "Hi", "to": "{sales}"} => ["to"];
        }
        POST "/api/notifications/announce" by Sales { "a role that may not" {"message": "Hi"} => (403 forbidden); }
    }
}
