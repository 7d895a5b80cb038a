//! The pages about the API: the document, an interactive reference and the table of problems.

use std::fmt::Write;

use flowcrm_core::ErrorCode;
use poem::endpoint::make_sync;
use poem::web::{Html, Redirect};
use poem::{Endpoint, Response, Route, get};
use poem_openapi::OpenApiService;

use crate::document::Document;

/// Adds `/openapi.yaml`, `/docs` and `/docs/problems`, which load nothing from elsewhere, and leads `/` there.
pub fn mount(route: Route, document: &Document) -> Route {
    let yaml = document.yaml();
    let write_yaml = move |_| Response::builder().content_type("application/yaml").body(yaml.clone());
    route
        .at("/", get(make_sync(|_| Redirect::see_other("/docs"))))
        .at("/openapi.yaml", get(make_sync(write_yaml)))
        .at("/docs", get(page(interactive(document))))
        .at("/docs/problems", get(page(problems())))
}

fn page(html: String) -> impl Endpoint + 'static {
    make_sync(move |_| Html(html.clone()))
}

/// Swagger UI with our document in the place of poem's.
fn interactive(document: &Document) -> String {
    let empty = OpenApiService::new((), "FlowCRM", "");
    // Within a script element `<` could begin its end tag.
    let json = document.json().to_string().replace('<', "\\u003c");
    let page = empty.swagger_ui_html().replacen(&empty.spec(), &json, 1);
    page.replacen("<title>Swagger UI</title>", "<title>FlowCRM API</title>", 1)
}

fn problems() -> String {
    let mut rows = String::new();
    for code in ErrorCode::ALL {
        let (slug, status, title) = (code.slug(), code.status(), code.title());
        writeln!(
            rows,
            "<tr id=\"{slug}\"><td><code>{slug}</code></td><td>{status}</td><td>{title}</td></tr>"
        )
        .expect("a string can be written to");
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>FlowCRM problems</title>\n\
         <style>body{{font:16px/1.5 system-ui;margin:2rem}}td,th{{padding:.2rem 1rem;text-align:left}}\
         tr:target{{background:#ffd}}</style>\n\
         <h1>Problems</h1>\n<p>Errors are answered as <code>application/problem+json</code> (RFC 9457). \
         Their <code>code</code> is one of these.</p>\n\
         <table>\n<tr><th>code</th><th>status</th><th>title</th></tr>\n{rows}</table>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn the_reference_is_whole_and_works_offline() {
        let server = testing::serve().await;
        let page = server.get("/").await.text().await.unwrap();
        assert!(page.contains("\"/api/samples/{id}\"") && page.contains("SwaggerUIBundle"));
        assert!(!page.contains("<script src") && !page.contains("<link"));
        let yaml = server.get("/openapi.yaml").await;
        assert_eq!(yaml.headers()["content-type"], "application/yaml");
        assert!(yaml.text().await.unwrap().contains("\"/api/samples/{id}\":"));
    }

    #[tokio::test]
    async fn every_code_can_be_looked_up() {
        let page = testing::serve().await.get("/docs/problems").await.text().await.unwrap();
        assert!(ErrorCode::ALL.iter().all(|code| page.contains(&format!("id=\"{}\"", code.slug()))));
    }
}
