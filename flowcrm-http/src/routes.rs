//! The routes of the document: which methods a path takes, and whether it takes a query string.

use http::Method;
use serde_json::Value;

use crate::document::Document;

/// All routes, for what the router does not say.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

#[derive(Debug)]
struct Route {
    segments: Vec<Segment>,
    operations: Vec<Operation>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    // The more exact comes first.
    Literal(String),
    Parameter,
}

#[derive(Debug)]
struct Operation {
    method: Method,
    takes_query: bool,
}

impl Routes {
    /// Reads the routes of a document.
    pub fn of(document: &Document) -> Self {
        Self::read(document.json())
    }

    fn read(document: &Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let route = |(path, operations): (&String, &Value)| Route {
            segments: path.split('/').map(Segment::of).collect(),
            operations: operations.as_object().into_iter().flatten().filter_map(Operation::of).collect(),
        };
        let mut routes: Vec<Route> = paths.map(route).collect();
        routes.sort_by(|a, b| a.segments.cmp(&b.segments));
        Self(routes)
    }

    /// The methods that a path takes.
    pub(crate) fn methods(&self, path: &str) -> Vec<Method> {
        let mut methods = match self.find(path) {
            Some(route) => route.operations.iter().map(|operation| operation.method.clone()).collect(),
            // Pages outside of the document are there to be read.
            None => vec![Method::GET],
        };
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        methods
    }

    /// Whether the call is described and has no query parameters.
    pub(crate) fn refuses_query(&self, method: &Method, path: &str) -> bool {
        let operation =
            self.find(path).and_then(|route| route.operations.iter().find(|it| it.method == *method));
        operation.is_some_and(|operation| !operation.takes_query)
    }

    fn find(&self, path: &str) -> Option<&Route> {
        let segments: Vec<&str> = path.split('/').collect();
        self.0.iter().find(|route| {
            route.segments.len() == segments.len()
                && route.segments.iter().zip(&segments).all(|(segment, text)| segment.matches(text))
        })
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        if text.starts_with('{') { Self::Parameter } else { Self::Literal(text.to_owned()) }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Parameter => !text.is_empty(),
        }
    }
}

impl Operation {
    fn of((method, operation): (&String, &Value)) -> Option<Self> {
        let mut parameters = operation["parameters"].as_array().into_iter().flatten();
        let takes_query = parameters.any(|parameter| parameter["in"] == "query");
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).ok()?;
        Some(Self { method, takes_query })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn routes() -> Routes {
        Routes::read(&json!({"paths": {
            "/api/leads/{id}": {"get": {}, "put": {}},
            "/api/leads/bulk": {"post": {}},
            "/api/leads": {"get": {"parameters": [{"in": "query", "name": "q"}]}, "post": {}},
        }}))
    }

    #[test]
    fn the_most_exact_route_says_the_methods() {
        assert_eq!(routes().methods("/api/leads/7"), [Method::GET, Method::HEAD, Method::PUT]);
        assert_eq!(routes().methods("/api/leads/bulk"), [Method::POST]);
        assert_eq!(routes().methods("/docs"), [Method::GET, Method::HEAD]);
    }

    #[test]
    fn a_described_call_without_parameters_refuses_a_query() {
        assert!(routes().refuses_query(&Method::POST, "/api/leads"));
        assert!(routes().refuses_query(&Method::GET, "/api/leads/7"));
        assert!(!routes().refuses_query(&Method::GET, "/api/leads"));
        assert!(!routes().refuses_query(&Method::GET, "/docs"));
        assert!(!routes().refuses_query(&Method::PATCH, "/api/leads"));
    }
}
