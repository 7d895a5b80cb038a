//! Query strings of every list.

use super::row::{Row, long};

pub(crate) fn rows() -> Vec<Row> {
    [lists(), cursors(), filters(), logs(), without_parameters()].concat()
}

/// What all lists have; once for each of them, the finer points for leads.
fn lists() -> Vec<Row> {
    queries! {
        "/api/leads" {
            "limit=0" => ["limit"];
            "limit=201" => ["limit"];
            "limit=-1" => ["limit"];
            "limit=1.5" => ["limit"];
            "limit=1e1" => ["limit"];
            "limit=ten" => ["limit"];
            "limit=" => ["limit"];
            "limit" => ["limit"];
            "limit=true" => ["limit"];
            "limit=%2225%22" => ["limit"];
            "limit=99999999999999999999" => ["limit"];
            "limit=1&limit=2" => ["limit"];
            "sort=colour" => ["sort"];
            "sort=title" => ["sort"];
            "sort=--createdAt" => ["sort"];
            "sort=%2BcreatedAt" => ["sort"];
            "sort=created_at" => ["sort"];
            "sort=" => ["sort"];
            "sort=name,value" => ["sort"];
            "count=yes" => ["count"];
            "count=1" => ["count"];
            "count=TRUE" => ["count"];
            "limit=1&limit=2&sort=x&sort=y&count=2&a=%zz&b=%&colour=red" =>
                ["limit", "sort", "count", "a", "b", "colour"];
            "offset=10" => ["offset"];
            "page=2&pageSize=10" => ["page", "pageSize"];
            "Limit=10" => ["Limit"];
            "=5" => [""];
            "limit=0&sort=colour&cursor=x&count=2&colour=red" => ["limit", "sort", "cursor", "count", "colour"];
        }
        "/api/leads/{lead}/activities" {
            "limit=0&sort=content&colour=red" => ["limit", "sort", "colour"];
            "type=NOTE" => ["type"];
        }
        "/api/deals" { "limit=201&sort=name&count=x&colour=red" => ["limit", "sort", "count", "colour"]; }
        "/api/tasks" { "limit=201&sort=value&count=x&colour=red" => ["limit", "sort", "count", "colour"]; }
        "/api/users" { "limit=201&sort=email&count=x&colour=red" => ["limit", "sort", "count", "colour"]; }
        "/api/notifications" { "limit=201&sort=message&count=x&colour=red" => ["limit", "sort", "count", "colour"]; }
        "/api/audit-logs" { "limit=201&sort=action&count=x&colour=red" => ["limit", "sort", "count", "colour"]; }
        "/api/imports" { "limit=201&sort=file&count=x&colour=red" => ["limit", "sort", "count", "colour"]; }
        "/api/organizations" by Operator {
            "limit=201&sort=currency&count=x&colour=red" => ["limit", "sort", "count", "colour"];
        }
        "/api/dashboard/overdue-tasks" { "limit=201&sort=dueDate" => ["limit", "sort"]; }
        "/api/dashboard/activity" { "limit=51&after=1" => ["limit", "after"]; }
    }
}

/// Cursors; those made by hand are Base64 of the JSON beside them.
fn cursors() -> Vec<Row> {
    queries! {
        "/api/leads" {
            "cursor=garbage!" => ["cursor"];
            "cursor=" => ["cursor"];
            "cursor=null" => ["cursor"];
            "cursor={cut_cursor}" => ["cursor"];
            "cursor={cursor}A" => ["cursor"];
            "cursor={cursor}%00" => ["cursor"];
            "cursor={name_cursor}" => ["cursor"];
            "sort=name&cursor={cursor}" => ["cursor"];
            "sort=createdAt&cursor={cursor}" => ["cursor"];
            "cursor={cursor}&cursor={cursor}" => ["cursor"];
            format!("cursor={}", long(2_001)) => ["cursor"];
            // []
            "cursor=W10" => ["cursor"];
            // ["-createdAt","yesterday","018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d"]
            "cursor=WyItY3JlYXRlZEF0IiwieWVzdGVyZGF5IiwiMDE4ZjJiNmEtN2MxZS03ZDNhLTliM2UtMmYxYzVhNmI3YzhkIl0" => ["cursor"];
            // ["-createdAt","2026-01-01T00:00:00Z","lead"]
            "cursor=WyItY3JlYXRlZEF0IiwiMjAyNi0wMS0wMVQwMDowMDowMFoiLCJsZWFkIl0" => ["cursor"];
            // ["value","1e5","018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d"]
            "sort=value&cursor=WyJ2YWx1ZSIsIjFlNSIsIjAxOGYyYjZhLTdjMWUtN2QzYS05YjNlLTJmMWM1YTZiN2M4ZCJd" => ["cursor"];
            // ["name","\u0000","018f2b6a-7c1e-7d3a-9b3e-2f1c5a6b7c8d"]
            "sort=name&cursor=WyJuYW1lIiwiXHUwMDAwIiwiMDE4ZjJiNmEtN2MxZS03ZDNhLTliM2UtMmYxYzVhNmI3YzhkIl0" => ["cursor"];
        }
        "/api/deals" { "cursor=x" => ["cursor"]; }
        "/api/tasks" { "sort=dueDate&cursor={cursor}" => ["cursor"]; }
        "/api/users" { "cursor=%20" => ["cursor"]; }
        "/api/events" { "cursor={cursor}" => ["cursor"]; }
    }
}

fn filters() -> Vec<Row> {
    queries! {
        "/api/leads" {
            "status=new" => ["status"];
            "status=" => ["status"];
            "status=NEW&status=WON" => ["status"];
            "status=NEW,WON" => ["status"];
            "source=" => ["source"];
            "ownerId=me" => ["ownerId"];
            "assignedToId=null" => ["assignedToId"];
            "minValue=-1" => ["minValue"];
            "minValue=1.001&maxValue=lots" => ["minValue", "maxValue"];
            "createdFrom=yesterday&createdTo=2026-02-30" => ["createdFrom", "createdTo"];
            // The plus of a zone has to be encoded: it is a blank otherwise.
            "createdFrom=2026-01-01T00:00:00+01:00" => ["createdFrom"];
            format!("q={}", long(201)) => ["q"];
            "q=a%00b" => ["q"];
            "q=%FF" => ["q"];
            "q=%zz" => ["q"];
            "q=50%" => ["q"];
            "stage=PROPOSAL" => ["stage"];
            "status=OPEN&ownerId=1&assignedToId=2&minValue=x&maxValue=y&createdFrom=z&createdTo=0" =>
                ["status", "ownerId", "assignedToId", "minValue", "maxValue", "createdFrom", "createdTo"];
        }
        "/api/deals" {
            "stage=WON&leadId=L-1&closeFrom=soon&closeTo=later&createdFrom=1&createdTo=2" =>
                ["stage", "leadId", "closeFrom", "closeTo", "createdFrom", "createdTo"];
            "minValue=1e400&maxValue=10000000000.01" => ["minValue", "maxValue"];
            "status=NEW&source=Website" => ["status", "source"];
        }
        "/api/tasks" {
            "status=OPEN&priority=URGENT&assignedToId=me&leadId=1&dealId=2&overdue=maybe&dueFrom=x&dueTo=y" =>
                ["status", "priority", "assignedToId", "leadId", "dealId", "overdue", "dueFrom", "dueTo"];
            "overdue=1" => ["overdue"];
            "overdue=" => ["overdue"];
            "ownerId={owner}&createdFrom=2026-01-01" => ["ownerId", "createdFrom"];
        }
        "/api/users" {
            "role=owner&active=2" => ["role", "active"];
            "email=owner%40acme.example" => ["email"];
        }
        "/api/notifications" { "unread=no&type=SYSTEM" => ["unread", "type"]; }
    }
}

fn logs() -> Vec<Row> {
    queries! {
        "/api/audit-logs" {
            "entityType=car&entityId=1&userId=me&from=x&to=y" => ["entityType", "entityId", "userId", "from", "to"];
            "action=" => ["action"];
            "action=a%1Bb" => ["action"];
        }
        "/api/audit-logs" by Sales { "limit=1" => (403 forbidden); }
        "/api/imports" by Sales { "limit=1" => (403 forbidden); }
        "/api/events" {
            "after=-1" => ["after"];
            "after=x&limit=1001" => ["after", "limit"];
            "after=9223372036854775808" => ["after"];
            "after=1&after=2" => ["after"];
            "sort=-position" => ["sort"];
        }
    }
}

/// Calls that take no parameters.
fn without_parameters() -> Vec<Row> {
    let mut rows = queries! {
        "/api/leads/{lead}" { "fields=name&expand=owner" => ["fields", "expand"]; }
        "/api/deals/{deal}" { "v=1" => ["v"]; }
        "/api/organization" { "id={foreign_org}" => ["id"]; }
        "/api/auth/me" { "a=%zz&b=1&b=2&c=1" => ["a", "b", "c"]; }
        "/api/dashboard/stats" { "from=2026-01-01" => ["from"]; }
        "/api/dashboard/pipeline" { "limit=5" => ["limit"]; }
    };
    rows.extend(calls! {
        POST "/api/leads?dryRun=true" => ["dryRun"];
        DELETE "/api/leads/{lead}?force=true" => ["force"];
        PUT "/api/deals/{deal}?stage=CLOSED_WON" => ["stage"];
    });
    rows
}
