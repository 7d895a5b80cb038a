//! Registration, sign-in, tokens, cookies and one's own account.

use super::row::{Row, Who, long, row};

pub(crate) fn rows() -> Vec<Row> {
    [registering(), signing_in(), tokens(), cookies(), own_account()].concat()
}

fn registering() -> Vec<Row> {
    bodies! {
        POST "/api/auth/register" by Nobody {
            "no fields" {} => ["name", "email", "password", "orgName"];
            "null fields" {"name": null, "email": null, "password": null, "orgName": null} =>
                ["name", "email", "password", "orgName"];
            "bad values of every field" {"name": " ", "email": "ada", "password": "1234567", "orgName": long(201)} =>
                ["name", "email", "password", "orgName"];
            "a password that is too long" {
                "name": "Ada", "email": "ada@new.example", "password": long(257), "orgName": "New",
            } => ["password"];
            "a password that is a number" {
                "name": "Ada", "email": "ada@new.example", "password": 12_345_678, "orgName": "New",
            } => ["password"];
            "an email that is taken" {
                "name": "Ada", "email": "Owner@ACME.example", "password": long(8), "orgName": "New",
            } => ["email"];
            "a role" {
                "name": "Ada", "email": "ada@new.example", "password": long(8), "orgName": "New", "role": "OWNER",
                "orgId": "{foreign_org}",
            } => ["role", "orgId"];
        }
    }
}

fn signing_in() -> Vec<Row> {
    bodies! {
        POST "/api/auth/login" by Nobody {
            "no fields" {} => ["email", "password"];
            "null fields" {"email": null, "password": null} => ["email", "password"];
            "other types" {"email": ["owner@acme.example"], "password": {"$ne": ""}, "twoFactorToken": 123_456} =>
                ["email", "password", "twoFactorToken"];
            "an email that is none" {"email": "' OR 1=1 --", "password": long(8)} => ["email"];
            "an empty password" {"email": "owner@acme.example", "password": ""} => ["password"];
            "a password of 257 characters" {"email": "owner@acme.example", "password": long(257)} => ["password"];
            "an unknown field" {"email": "owner@acme.example", "password": long(8), "remember": true} => ["remember"];
            "a wrong password" {"email": "owner@acme.example", "password": "wrong password"} => (401 sign_in_failed);
            "a password with a space more" {"email": "owner@acme.example", "password": "correct horse battery "} =>
                (401 sign_in_failed);
            "an unknown email" {"email": "nobody@acme.example", "password": "correct horse battery"} =>
                (401 sign_in_failed);
            "the right password of somebody deactivated" {
                "email": "inactive@acme.example", "password": "correct horse battery",
            } => (401 sign_in_failed);
        }
    }
}

/// Access tokens that are not good, on an ordinary call.
fn tokens() -> Vec<Row> {
    let call = |name: &str| row("GET", "/api/leads", name).by(Who::Nobody).answers(401, "unauthenticated");
    let with = |name: &str, credentials: &str| call(name).header("authorization", credentials);
    vec![
        call("no token"),
        with("an empty header", ""),
        with("a scheme alone", "Bearer"),
        with("a scheme and blanks", "Bearer   "),
        with("a token without a scheme", "{token}"),
        with("another scheme", "Basic b3duZXI6cGFzc3dvcmQ="),
        with("another scheme with a good token", "Token {token}"),
        with("a token that is none", "Bearer abc"),
        with("three empty parts", "Bearer .."),
        with("a forged token", "Bearer {forged_token}"),
        with("a token that signs itself", "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiT1dORVIifQ."),
        with("a token and something behind it", "Bearer {token} more"),
        with("a refresh token", "Bearer {ended_refresh_token}"),
        with("the token of a session that has ended", "Bearer {ended_token}"),
        with("the token of somebody deactivated", "Bearer {inactive_token}"),
        with("a token that is not ASCII", "Bearer é"),
        with("a token of many bytes", &format!("Bearer {}", long(20_000))),
        with("two tokens", "Bearer {token}").header("authorization", "Bearer {token}"),
    ]
}

/// Calls that live by the refresh cookie.
fn cookies() -> Vec<Row> {
    let refresh = |name: &str| row("POST", "/api/auth/refresh-token", name).by(Who::Nobody);
    let ended =
        |name: &str, cookie: &str| refresh(name).header("cookie", cookie).answers(401, "session_ended");
    let elsewhere = |row: Row| row.header("origin", "https://evil.example").answers(403, "foreign_origin");
    vec![
        refresh("no cookie").answers(401, "session_ended"),
        ended("another cookie", "session=abc"),
        ended("a cookie that is none of ours", "refreshToken=abc"),
        ended("an empty cookie", "refreshToken="),
        ended("the cookie of a session that has ended", "refreshToken={ended_refresh_token}"),
        ended("an access token in the cookie", "refreshToken={token}"),
        ended("a cookie that is not ASCII", "refreshToken=é"),
        elsewhere(refresh("a page of another origin")),
        elsewhere(row("POST", "/api/auth/logout", "a page of another origin").by(Who::Nobody)),
        refresh("an origin that is null").header("origin", "null").answers(403, "foreign_origin"),
    ]
}

fn own_account() -> Vec<Row> {
    let mut rows = bodies! {
        PUT "/api/auth/me" {
            "a blank name" {"name": ""} => ["name"];
            "a name that is null" {"name": null} => ["name"];
            "a new password alone" {"newPassword": "correct horse"} => ["currentPassword"];
            "a current password alone" {"currentPassword": "correct horse battery"} => ["newPassword"];
            "a new password alone that is too short" {"newPassword": "short"} => ["currentPassword", "newPassword"];
            "a new password that is too short" {"currentPassword": "correct horse battery", "newPassword": "1234567"} =>
                ["newPassword"];
            "other types" {"name": 1, "currentPassword": 1, "newPassword": []} =>
                ["name", "currentPassword", "newPassword"];
            "fields that cannot change" {"email": "new@acme.example", "role": "OWNER", "active": true} =>
                ["email", "role", "active"];
        }
    };
    let change = serde_json::json!({"currentPassword": "wrong password", "newPassword": "correct horse"});
    let wrong = row("PUT", "/api/auth/me", "a wrong current password").json(change);
    rows.push(wrong.bad(&["currentPassword"]).answers(400, "wrong_credential"));
    rows.extend(calls! {
        DELETE "/api/auth/sessions/{unknown}" => (404 not_found);
        DELETE "/api/auth/sessions/{foreign_session}" => (404 not_found);
        DELETE "/api/auth/sessions/current" => (404 not_found);
    });
    rows
}
