//! Bodies of users, and their deactivation.

use super::row::{Row, long};

pub(crate) fn rows() -> Vec<Row> {
    [creating(), changing(), deactivating()].concat()
}

fn creating() -> Vec<Row> {
    bodies! {
        POST "/api/users" {
            "no fields" {} => ["name", "email", "password"];
            "null fields" {"name": null, "email": null, "password": null} => ["name", "email", "password"];
            "bad values of every field" {"name": "", "email": "ada", "role": "BOSS", "password": "short"} =>
                ["name", "email", "role", "password"];
            "other types" {"name": 1, "email": [], "role": 2, "password": 12_345_678} =>
                ["name", "email", "role", "password"];
            "a password of 257 characters" {"name": "Ada", "email": "ada@acme.example", "password": long(257)} =>
                ["password"];
            "an email that is taken" {"name": "Ada", "email": "sales@acme.example", "password": long(8)} => ["email"];
            "an email that is taken, in another case" {
                "name": "Ada", "email": "SALES@Acme.example", "password": long(8),
            } => ["email"];
            "an email that is taken elsewhere" {
                "name": "Ada", "email": "owner@other.example", "password": long(8),
            } => ["email"];
            "fields that are set by us" {
                "name": "Ada", "email": "ada@acme.example", "password": long(8), "active": true,
                "orgId": "{foreign_org}", "isOperator": true, "twoFactorEnabled": true,
            } => ["active", "orgId", "isOperator", "twoFactorEnabled"];
        }
        POST "/api/users" by Sales {
            "a role that may not" {"name": "Ada", "email": "ada@acme.example", "password": long(8)} => (403 forbidden);
        }
    }
}

fn changing() -> Vec<Row> {
    bodies! {
        PUT "/api/users/{sales}" {
            "null fields" {"name": null, "role": null, "active": null} => ["name", "role", "active"];
            "bad values of every field" {"name": long(201), "role": "sales", "active": "yes"} =>
                ["name", "role", "active"];
            "fields that cannot change" {"email": "new@acme.example", "password": "correct horse"} =>
                ["email", "password"];
        }
        PUT "/api/users/{owner}" {
            "one's own role" {"role": "ADMIN"} => (403 forbidden);
            "the last active OWNER" {"active": false} => (409 conflict);
        }
        PUT "/api/users/{foreign_user}" { "a user of another organization" {"name": "Mine"} => (404 not_found); }
        PUT "/api/users/{unknown}" { "a user who is not there" {"name": "Ada"} => (404 not_found); }
        PUT "/api/users/{owner}" by Sales { "a role that may not" {"name": "Ada"} => (403 forbidden); }
        PUT "/api/users/{sales}" by Sales { "one's own role" {"role": "OWNER"} => (403 forbidden); }
    }
}

fn deactivating() -> Vec<Row> {
    calls! {
        DELETE "/api/users/{sales}?reassignTo=me" => ["reassignTo"];
        DELETE "/api/users/{sales}?reassignTo=" => ["reassignTo"];
        DELETE "/api/users/{sales}?reassignTo={sales}" => ["reassignTo"];
        DELETE "/api/users/{sales}?reassignTo={inactive}" => ["reassignTo"];
        DELETE "/api/users/{sales}?reassignTo={foreign_user}" => ["reassignTo"];
        DELETE "/api/users/{sales}?reassignTo={unknown}&colour=red" => ["reassignTo", "colour"];
        DELETE "/api/users/{sales}?reassignTo={owner}&reassignTo={owner}" => ["reassignTo"];
        DELETE "/api/users/{owner}" => (409 conflict);
        DELETE "/api/users/{foreign_user}" => (404 not_found);
        DELETE "/api/users/{unknown}" => (404 not_found);
        DELETE "/api/users/{sales}" by Sales => (403 forbidden);
    }
}
