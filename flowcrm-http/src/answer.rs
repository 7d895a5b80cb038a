//! What endpoints answer: bodies are written by serde, and described as poem describes their types.

use flowcrm_core::page::Page;
use http::header::{ETAG, HeaderName, HeaderValue, LINK};
use http::{StatusCode, Uri};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use serde::Serialize;

use crate::extract;

/// 200 with one value.
#[derive(Debug)]
pub struct Answer<T>(pub T);

/// 200 with one record, and its version as `ETag` if the caller may see it.
#[derive(Debug)]
pub struct Versioned<T> {
    /// The record.
    pub record: T,
    /// Its version.
    pub version: Option<i64>,
}

/// 201 with what was created.
#[derive(Debug)]
pub struct Created<T>(pub T);

/// 202 with what will be worked on.
#[derive(Debug)]
pub struct Accepted<T>(pub T);

/// 200 with a page of a list; its `Link` leads to the next page, `X-Total-Count` says how many there are in all.
#[derive(Debug)]
pub struct ListAnswer<T>(pub Page<T>);

macro_rules! answers {
    ($($name:ident $status:ident)*) => {$(
        impl<T: Serialize + Send> IntoResponse for $name<T> {
            fn into_response(self) -> Response {
                json(StatusCode::$status, &self.0)
            }
        }

        impl<T: Type> ApiResponse for $name<T> {
            fn meta() -> MetaResponses {
                described(StatusCode::$status, T::schema_ref(), vec![])
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }
        }
    )*};
}

answers! {
    Answer OK
    Created CREATED
    Accepted ACCEPTED
}

impl<T: Serialize + Send> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = json(StatusCode::OK, &self.record);
        if let Some(version) = self.version {
            let tag = HeaderValue::from_str(&format!("\"{version}\"")).expect("digits are a header value");
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}

impl<T: Serialize + Send> IntoResponse for ListAnswer<T> {
    fn into_response(self) -> Response {
        let Page { items, next, total } = self.0;
        let mut response = json(StatusCode::OK, &items);
        if let Some(cursor) = next {
            response.set_data(Next(cursor.to_string()));
        }
        if let Some(total) = total {
            response.headers_mut().insert(TOTAL, HeaderValue::from(total));
        }
        response
    }
}

impl<T: Type> ApiResponse for Versioned<T> {
    fn meta() -> MetaResponses {
        let tag = header("ETag", "The record's version, for `If-Match`.", MetaSchema::new("string"));
        described(StatusCode::OK, T::schema_ref(), vec![MetaHeader { required: true, ..tag }])
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Type> ApiResponse for ListAnswer<T> {
    fn meta() -> MetaResponses {
        let list = MetaSchema { items: Some(Box::new(T::schema_ref())), ..MetaSchema::new("array") };
        let headers = vec![
            header(
                "Link",
                "Leads to the next page while there is one: `<…>; rel=\"next\"`.",
                MetaSchema::new("string"),
            ),
            header(
                "X-Total-Count",
                "How many there are in all, when asked with `count`.",
                MetaSchema::new("integer"),
            ),
        ];
        described(StatusCode::OK, MetaSchemaRef::Inline(Box::new(list)), headers)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// The cursor of the next page, on its way to [`link_next`].
#[derive(Clone)]
struct Next(String);

/// Gives a page its `Link`: the address that was asked for, with the next cursor.
pub(crate) fn link_next(asked: &Uri, response: &mut Response) {
    let Some(Next(cursor)) = response.extensions_mut().remove() else {
        return;
    };
    let query = asked.query().unwrap_or_default();
    let kept = query.split('&').filter(|pair| !str::is_empty(pair) && !is_cursor(pair)).map(str::to_owned);
    let pairs: Vec<String> = kept.chain([format!("cursor={cursor}")]).collect();
    let target = format!("{}?{}", asked.path(), pairs.join("&"));
    let link = format!("<{}>; rel=\"next\"", ascii(&target));
    response.headers_mut().insert(LINK, HeaderValue::from_str(&link).expect("it is all ASCII"));
}

fn is_cursor(pair: &str) -> bool {
    let name = pair.split_once('=').map_or(pair, |(name, _)| name);
    extract::decoded(name).as_deref() == Some("cursor")
}

/// Percent-encodes what a header cannot carry.
fn ascii(target: &str) -> String {
    let spell = |byte: u8| {
        if byte.is_ascii_graphic() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    target.bytes().map(spell).collect()
}

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("the keys of every record are strings");
    Response::builder().status(status).content_type("application/json").body(body)
}

fn described(status: StatusCode, schema: MetaSchemaRef, headers: Vec<MetaHeader>) -> MetaResponses {
    let content = MetaMediaType { content_type: "application/json", schema };
    let response = MetaResponse {
        description: status.canonical_reason().unwrap_or_default(),
        status: Some(status.as_u16()),
        status_range: None,
        content: vec![content],
        headers,
    };
    MetaResponses { responses: vec![response] }
}

fn header(name: &str, description: &str, schema: MetaSchema) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(schema)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(asked: &str) -> String {
        let mut response = Response::default();
        response.set_data(Next("NEXT".to_owned()));
        link_next(&asked.parse().unwrap(), &mut response);
        response.header(LINK).unwrap().to_owned()
    }

    #[test]
    fn the_next_page_is_asked_for_like_this_one() {
        assert_eq!(link("/api/leads"), "</api/leads?cursor=NEXT>; rel=\"next\"");
        let asked = "/api/leads?q=Zo%C3%AB&%63ursor=OLD&limit=2";
        assert_eq!(link(asked), "</api/leads?q=Zo%C3%AB&limit=2&cursor=NEXT>; rel=\"next\"");
    }

    #[test]
    fn the_last_page_leads_nowhere() {
        let page = Page { items: vec![1, 2], next: None, total: Some(2) };
        let mut response = ListAnswer(page).into_response();
        link_next(&Uri::from_static("/api/leads"), &mut response);
        assert_eq!(response.header(LINK), None);
        assert_eq!(response.header(TOTAL), Some("2"));
    }
}
