//! Bodies of leads and of what is done with leads.

use super::row::{Row, long};

pub(crate) fn rows() -> Vec<Row> {
    [creating(), values(), emails(), changing(), activities(), assigning(), converting()].concat()
}

fn creating() -> Vec<Row> {
    bodies! {
        POST "/api/leads" {
            "no fields" {} => ["name"];
            "a blank name" {"name": " \t \n "} => ["name"];
            "an empty name" {"name": ""} => ["name"];
            "a name that is null" {"name": null} => ["name"];
            "a name that is a number" {"name": 7} => ["name"];
            "a name that is true" {"name": true} => ["name"];
            "a name that is a list" {"name": ["Ada"]} => ["name"];
            "a name that is an object" {"name": {"first": "Ada"}} => ["name"];
            "a name of 201 characters" {"name": long(201)} => ["name"];
            "a name of 201 characters of two bytes" {"name": "é".repeat(201)} => ["name"];
            "a name with NUL" {"name": "A\u{0}da"} => ["name"];
            "a name with an escape character" {"name": "A\u{1b}[31mda"} => ["name"];
            "a name with a bell" {"name": "A\u{7}da"} => ["name"];
            "a name with DEL" {"name": "A\u{7f}da"} => ["name"];
            "a name with a C1 control character" {"name": "A\u{85}da"} => ["name"];
            "a name with a lone carriage return" {"name": "A\rda"} => ["name"];
            "every text too long" {
                "name": long(201), "phone": long(51), "company": long(201), "source": long(101),
                "notes": long(10_001), "externalId": long(201), "email": format!("{}@example.com", long(243)),
            } => ["name", "phone", "company", "source", "notes", "externalId", "email"];
            "every text of another type" {
                "name": 1, "phone": 491_234, "company": [], "source": {}, "notes": 1.5, "externalId": false, "email": 0,
            } => ["name", "phone", "company", "source", "notes", "externalId", "email"];
            "control characters in every text" {
                "name": "a\u{1}b", "phone": "1\u{0}2", "company": "a\u{8}b", "source": "a\u{c}b", "notes": "a\u{0}b",
                "externalId": "a\u{1f}b", "email": "ada\u{0}@example.com",
            } => ["name", "phone", "company", "source", "notes", "externalId", "email"];
            "a status in lower case" {"name": "Ada", "status": "new"} => ["status"];
            "a status that is none" {"name": "Ada", "status": "CLOSED_WON"} => ["status"];
            "a status that is blank" {"name": "Ada", "status": ""} => ["status"];
            "a status that is a number" {"name": "Ada", "status": 0} => ["status"];
            "an unknown field" {"name": "Ada", "colour": "red"} => ["colour"];
            "a field in another case" {"Name": "Ada"} => ["Name", "name"];
            "a field in snake case" {"name": "Ada", "external_id": "1"} => ["external_id"];
            "fields that are set by us" {
                "name": "Ada", "id": "{unknown}", "orgId": "{foreign_org}", "version": 9, "createdAt": "2026-01-01",
                "updatedAt": "2026-01-01",
            } => ["id", "orgId", "version", "createdAt", "updatedAt"];
            "an unknown field with control characters" {"name": "Ada", "a\u{0}\u{1b}b": 1} => ["ab"];
            "an unknown field with a long name" {"name": "Ada", (long(5_000)): 1} =>
                ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"];
            "an unknown field without a name" {"name": "Ada", "": 1} => [""];
            "a prototype" {"name": "Ada", "__proto__": {"role": "OWNER"}} => ["__proto__"];
            "an owner that is no id" {"name": "Ada", "ownerId": "me"} => ["ownerId"];
            "an owner that is a number" {"name": "Ada", "ownerId": 1} => ["ownerId"];
            "an owner's id without hyphens" {"name": "Ada", "ownerId": "018f2b6a7c1e7d3a9b3e2f1c5a6b7c8d"} => ["ownerId"];
            "an owner's id in braces" {"name": "Ada", "ownerId": "{{unknown}}"} => ["ownerId"];
            "an owner who is not there" {"name": "Ada", "ownerId": "{unknown}"} => ["ownerId"];
            "an owner of another organization" {"name": "Ada", "ownerId": "{foreign_user}"} => ["ownerId"];
            "an assignee who was deactivated" {"name": "Ada", "assignedToId": "{inactive}"} => ["assignedToId"];
            "a lead's id as owner and assignee" {"name": "Ada", "ownerId": "{lead}", "assignedToId": "{lead}"} =>
                ["ownerId", "assignedToId"];
            "bad references beside bad texts" {
                "name": "", "ownerId": "{foreign_user}", "assignedToId": "{unknown}", "value": -1, "colour": 1,
            } => ["name", "ownerId", "assignedToId", "value", "colour"];
            "an external id that is taken" {"name": "Ada", "externalId": "L-1"} => ["externalId"];
            "an external id that is taken, with blanks" {"name": "Ada", "externalId": " L-1 "} => ["externalId"];
        }
        POST "/api/leads" by Sales {
            "an assignee beyond the role" {"name": "Ada", "assignedToId": "{owner}"} => (403 forbidden);
            "an owner beyond the role" {"name": "Ada", "ownerId": "{owner}"} => (403 forbidden);
        }
    }
}

/// Amounts of money; deals read them in the same way.
fn values() -> Vec<Row> {
    bodies! {
        POST "/api/leads" {
            "a negative value" {"name": "Ada", "value": -0.01} => ["value"];
            "a value with three decimals" {"name": "Ada", "value": 1.005} => ["value"];
            "a value with three decimals, in a string" {"name": "Ada", "value": "1.005"} => ["value"];
            "a value that is too large by a cent" {"name": "Ada", "value": "10000000000.01"} => ["value"];
            "a value that is far too large" {"name": "Ada", "value": 99_999_999_999_i64} => ["value"];
            "a value with a large exponent" {"name": "Ada", "value": "1e12"} => ["value"];
            "a value with a small exponent" {"name": "Ada", "value": "1e-3"} => ["value"];
            "an exponent that overflows" {"name": "Ada", "value": "1e400"} => ["value"];
            "an exponent that overflows any integer" {"name": "Ada", "value": "1e99999999999999999999"} => ["value"];
            "more digits than any amount has" {"name": "Ada", "value": "9".repeat(60)} => ["value"];
            "more decimals than any amount has" {"name": "Ada", "value": format!("0.{}", "3".repeat(35))} => ["value"];
            "a value that is no number" {"name": "Ada", "value": "a lot"} => ["value"];
            "a value with a thousands separator" {"name": "Ada", "value": "1,000"} => ["value"];
            "a value with a decimal comma" {"name": "Ada", "value": "12,50"} => ["value"];
            "a value with its currency" {"name": "Ada", "value": "$12"} => ["value"];
            "a hexadecimal value" {"name": "Ada", "value": "0x10"} => ["value"];
            "a value with an underscore" {"name": "Ada", "value": "1_000"} => ["value"];
            "a value that is NaN" {"name": "Ada", "value": "NaN"} => ["value"];
            "a value that is infinite" {"name": "Ada", "value": "Infinity"} => ["value"];
            "a value that is blank" {"name": "Ada", "value": " "} => ["value"];
            "a value that is a point" {"name": "Ada", "value": "."} => ["value"];
            "a value with two signs" {"name": "Ada", "value": "+-5"} => ["value"];
            "a value in other digits" {"name": "Ada", "value": "١٢"} => ["value"];
            "a value that is true" {"name": "Ada", "value": true} => ["value"];
            "a value that is an object" {"name": "Ada", "value": {"amount": 5, "currency": "USD"}} => ["value"];
            "a value that is a list" {"name": "Ada", "value": [5]} => ["value"];
        }
    }
}

fn emails() -> Vec<Row> {
    bodies! {
        POST "/api/leads" {
            "an email without @" {"name": "Ada", "email": "ada"} => ["email"];
            "an email without a domain" {"name": "Ada", "email": "ada@"} => ["email"];
            "an email without a local part" {"name": "Ada", "email": "@example.com"} => ["email"];
            "an email without a dot in its domain" {"name": "Ada", "email": "ada@localhost"} => ["email"];
            "an email with a space" {"name": "Ada", "email": "a da@example.com"} => ["email"];
            "an email with two @" {"name": "Ada", "email": "ada@byron@example.com"} => ["email"];
            "an email with two dots" {"name": "Ada", "email": "ada..byron@example.com"} => ["email"];
            "an email whose domain begins with a hyphen" {"name": "Ada", "email": "ada@-example.com"} => ["email"];
            "an email whose domain ends with a dot" {"name": "Ada", "email": "ada@example.com."} => ["email"];
            "an email with a name around it" {"name": "Ada", "email": "Ada <ada@example.com>"} => ["email"];
            "an email with a line end" {"name": "Ada", "email": "ada@example.com\nBcc: eve@example.com"} => ["email"];
            "two emails" {"name": "Ada", "email": "ada@example.com, eve@example.com"} => ["email"];
            "an email whose local part is too long" {"name": "Ada", "email": format!("{}@example.com", long(65))} =>
                ["email"];
        }
    }
}

fn changing() -> Vec<Row> {
    bodies! {
        PUT "/api/leads/{lead}" {
            "null where it cannot be" {"name": null, "status": null, "ownerId": null} => ["name", "status", "ownerId"];
            "a blank name" {"name": "  "} => ["name"];
            "bad values of every field" {
                "name": 1, "email": "ada", "phone": [], "company": "a\u{0}b", "source": long(101), "status": "OPEN",
                "value": "1e400", "notes": {}, "externalId": long(201), "ownerId": "me", "assignedToId": 5,
            } => [
                "name", "email", "phone", "company", "source", "status", "value", "notes", "externalId", "ownerId",
                "assignedToId",
            ];
            "an unknown field" {"name": "Ada", "convertedAt": null} => ["convertedAt"];
            "fields that are set by us" {"id": "{lead}", "version": 1} => ["id", "version"];
            "an owner of another organization" {"ownerId": "{foreign_user}"} => ["ownerId"];
            "an assignee who was deactivated" {"assignedToId": "{inactive}"} => ["assignedToId"];
            "an external id that is taken" {"externalId": "L-2"} => ["externalId"];
        }
        PUT "/api/leads/{foreign_lead}" {
            "a lead of another organization" {"name": "Mine"} => (404 not_found);
            "a lead of another organization and a bad body" {"name": ""} => (404 not_found);
        }
        PUT "/api/leads/{unknown}" { "a lead that is not there" {"name": "Ada"} => (404 not_found); }
        PUT "/api/leads/{lead}" by Sales { "a lead that is not visible" {"name": "Mine"} => (404 not_found); }
    }
}

fn activities() -> Vec<Row> {
    bodies! {
        POST "/api/leads/{lead}/activities" {
            "no fields" {} => ["type", "content"];
            "null fields" {"type": null, "content": null} => ["type", "content"];
            "an unknown type" {"type": "TWEET", "content": "Hi"} => ["type"];
            "a type in lower case" {"type": "note", "content": "Hi"} => ["type"];
            "blank content" {"type": "NOTE", "content": "\n"} => ["content"];
            "content that is too long" {"type": "NOTE", "content": long(10_001)} => ["content"];
            "content with NUL" {"type": "NOTE", "content": "a\u{0}"} => ["content"];
            "a lead in the body" {"type": "NOTE", "content": "Hi", "leadId": "{lead}", "userId": "{owner}"} =>
                ["leadId", "userId"];
        }
        POST "/api/leads/{foreign_lead}/activities" {
            "a lead of another organization" {"type": "NOTE", "content": "Hi"} => (404 not_found);
        }
        POST "/api/leads/{lead}/activities" by Sales {
            "a lead that is not visible" {"type": "NOTE", "content": "Hi"} => (404 not_found);
        }
    }
}

fn assigning() -> Vec<Row> {
    bodies! {
        POST "/api/leads/{lead}/assign" {
            "nobody named" {} => ["assignedToId"];
            "somebody who is no id" {"assignedToId": "ada"} => ["assignedToId"];
            "somebody of another organization" {"assignedToId": "{foreign_user}"} => ["assignedToId"];
            "somebody who was deactivated" {"assignedToId": "{inactive}"} => ["assignedToId"];
            "another field" {"assignedToId": null, "ownerId": "{owner}"} => ["ownerId"];
            "a field by another name" {"userId": "{owner}"} => ["assignedToId", "userId"];
        }
        POST "/api/leads/{foreign_lead}/assign" {
            "a lead of another organization" {"assignedToId": "{owner}"} => (404 not_found);
        }
        POST "/api/leads/{unknown}/assign" { "a lead that is not there" {"assignedToId": null} => (404 not_found); }
    }
}

fn converting() -> Vec<Row> {
    bodies! {
        POST "/api/leads/{lead}/convert" {
            "bad values of every field" {
                "title": "", "value": -1, "stage": "WON", "expectedClose": "soon", "assignedToId": "me",
            } => ["title", "value", "stage", "expectedClose", "assignedToId"];
            "an assignee of another organization" {"assignedToId": "{foreign_user}"} => ["assignedToId"];
            "fields of other calls" {"probability": 5, "leadId": "{lead}"} => ["probability", "leadId"];
        }
        POST "/api/leads/{lost_lead}/convert" { "a lost lead" {} => (409 conflict); }
        POST "/api/leads/{won_lead}/convert" { "a lead that was converted" {} => (409 conflict); }
        POST "/api/leads/{foreign_lead}/convert" { "a lead of another organization" {} => (404 not_found); }
    }
}
