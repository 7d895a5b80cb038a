//! Paths: records that are not there or not one's own, ids that are none, routes and methods that there are not.

use super::row::{Row, Who, row};

pub(crate) fn rows() -> Vec<Row> {
    [records(), ids(), routes(), methods()].concat()
}

fn records() -> Vec<Row> {
    calls! {
        GET "/api/leads/{foreign_lead}" => (404 not_found);
        GET "/api/leads/{unknown}" => (404 not_found);
        GET "/api/leads/{deal}" => (404 not_found);
        GET "/api/leads/{lead}" by Sales => (404 not_found);
        DELETE "/api/leads/{foreign_lead}" => (404 not_found);
        DELETE "/api/leads/{unknown}" => (404 not_found);
        GET "/api/leads/{foreign_lead}/activities" => (404 not_found);
        GET "/api/leads/{lead}/activities" by Sales => (404 not_found);
        GET "/api/deals/{foreign_deal}" => (404 not_found);
        GET "/api/deals/{lead}" => (404 not_found);
        DELETE "/api/deals/{foreign_deal}" => (404 not_found);
        DELETE "/api/deals/{deal}" by Sales => (403 forbidden);
        GET "/api/tasks/{foreign_task}" => (404 not_found);
        GET "/api/tasks/{task}" by Sales => (404 not_found);
        DELETE "/api/tasks/{foreign_task}" => (404 not_found);
        DELETE "/api/tasks/{sales_task}" by Sales => (403 forbidden);
        GET "/api/users/{foreign_user}" => (404 not_found);
        GET "/api/users/{unknown}" => (404 not_found);
        GET "/api/imports/{foreign_import}" => (404 not_found);
        GET "/api/imports/{foreign_import}/rejected" => (404 not_found);
        GET "/api/imports/{unknown}" => (404 not_found);
        GET "/api/imports/{foreign_import}/kept" => (404 not_found);
        GET "/api/imports/{foreign_import}/kept" by Sales => (403 forbidden);
        DELETE "/api/imports/{foreign_import}" => (404 not_found);
        DELETE "/api/imports/{unknown}" => (404 not_found);
        DELETE "/api/imports/{dry_run}" => (409 conflict);
        GET "/api/imports/{foreign_import}" by Sales => (403 forbidden);
        PUT "/api/notifications/{foreign_notification}/read" => (404 not_found);
        PUT "/api/notifications/{unknown}/read" => (404 not_found);
        GET "/api/dashboard/team-performance" by Sales => (403 forbidden);
    }
}

fn ids() -> Vec<Row> {
    calls! {
        GET "/api/leads/42" => (404 not_found);
        GET "/api/leads/null" => (404 not_found);
        GET "/api/leads/undefined" => (404 not_found);
        GET "/api/leads/018f2b6a7c1e7d3a9b3e2f1c5a6b7c8d" => (404 not_found);
        GET "/api/leads/%7B{lead}%7D" => (404 not_found);
        GET "/api/leads/urn:uuid:{lead}" => (404 not_found);
        GET "/api/leads/{lead}%00" => (404 not_found);
        GET "/api/leads/{lead}%20" => (404 not_found);
        GET "/api/leads/%FF" => (404 not_found);
        GET "/api/leads/%27%20OR%201=1" => (404 not_found);
        PUT "/api/leads/42" => (404 not_found);
        DELETE "/api/deals/x" => (404 not_found);
        GET "/api/tasks/-1" => (404 not_found);
        GET "/api/users/me" => (404 not_found);
        GET "/api/imports/1/rejected" => (404 not_found);
        DELETE "/api/imports/1" => (404 not_found);
        PUT "/api/notifications/all/read" => (404 not_found);
        POST "/api/leads/42/convert" => (404 not_found);
        POST "/api/leads/42/activities" => (404 not_found);
        GET "/api/organizations/acme" by Operator => (404 not_found);
    }
}

fn routes() -> Vec<Row> {
    let mut rows: Vec<Row> = calls! {
        GET "/api" => (404 no_such_route);
        GET "/api/" => (404 no_such_route);
        GET "/api/nothing" => (404 no_such_route);
        GET "/api/nothing?with=query" => (404 no_such_route);
        GET "/api/Leads" => (404 no_such_route);
        GET "/api/leads/" => (404 no_such_route);
        GET "//api/leads" => (404 no_such_route);
        GET "/api/leads/{lead}/nothing" => (404 no_such_route);
        GET "/api/leads/{lead}/activities/{unknown}" => (404 no_such_route);
        GET "/leads" => (404 no_such_route);
        GET "/apis" => (404 no_such_route);
        GET "/.env" => (404 no_such_route);
        GET "/docs/%2e%2e%2fetc%2fpasswd" => (404 no_such_route);
    };
    rows.push(
        row("POST", "/api/nothing", "a broken body")
            .body("application/json", "{")
            .answers(404, "no_such_route"),
    );
    rows.push(row("GET", "/api/nothing", "no token").by(Who::Nobody).answers(404, "no_such_route"));
    rows
}

fn methods() -> Vec<Row> {
    let mut rows = calls! {
        PATCH "/api/leads/{lead}" => (405 method_not_allowed);
        PUT "/api/leads" => (405 method_not_allowed);
        DELETE "/api/leads" => (405 method_not_allowed);
        POST "/api/leads/{lead}" => (405 method_not_allowed);
        GET "/api/leads/{lead}/convert" => (405 method_not_allowed);
        GET "/api/leads/{lead}/assign" => (405 method_not_allowed);
        PUT "/api/leads/{lead}/activities" => (405 method_not_allowed);
        GET "/api/leads/bulk" => (405 method_not_allowed);
        GET "/api/leads/import" => (405 method_not_allowed);
        PATCH "/api/deals" => (405 method_not_allowed);
        POST "/api/organization" => (405 method_not_allowed);
        POST "/api/dashboard/stats" => (405 method_not_allowed);
        DELETE "/api/audit-logs" => (405 method_not_allowed);
        POST "/api/events" => (405 method_not_allowed);
        GET "/api/auth/login" by Nobody => (405 method_not_allowed);
        GET "/api/auth/refresh-token" by Nobody => (405 method_not_allowed);
        GET "/api/notifications/read-all" => (405 method_not_allowed);
        POST "/health/live" => (405 method_not_allowed);
        DELETE "/openapi.yaml" => (405 method_not_allowed);
        OPTIONS "/api/leads" => (405 method_not_allowed);
        BREW "/api/leads" => (405 method_not_allowed);
    };
    let preflight = row("OPTIONS", "/api/leads", "a preflight of another origin").by(Who::Nobody);
    let preflight =
        preflight.header("origin", "https://evil.example").header("access-control-request-method", "GET");
    rows.push(preflight.answers(403, "foreign_origin"));
    rows
}
