//! The whole server as one endpoint.

use flowcrm_core::Crm;
use flowcrm_core::worker::Wake;
use poem::{Endpoint, EndpointExt, Response, Route};

use crate::api::{self, CookiePolicy, Health};
use crate::app::{Settings, framed};
use crate::client::TrustedProxies;
use crate::document::Document;
use crate::origin::Origins;
use crate::reference;
use crate::routes::Routes;

/// What an operator decides about the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// The web pages that may call with credentials: `CLIENT_URL`.
    pub origins: Origins,
    /// The proxies whose word on the client's address is taken: `FLOWCRM_TRUSTED_PROXIES`.
    pub trusted_proxies: TrustedProxies,
    /// Whether strangers may register an organization: `FLOWCRM_REGISTRATION`.
    pub is_registration_open: bool,
    /// How the refresh cookie is set.
    pub cookies: CookiePolicy,
}

/// All endpoints, the API reference and the probes, within the frame. Uploads wake the worker by `wake`.
pub fn endpoint(crm: Crm, wake: Wake, options: Options) -> impl Endpoint<Output = Response> + 'static {
    let service = api::service();
    let document = Document::of(&service);
    let settings = Settings {
        origins: options.origins,
        trusted_proxies: options.trusted_proxies,
        routes: Routes::of(&document),
        env: crm.env().clone(),
    };
    let routes = reference::mount(Route::new().nest("/", service), &document)
        .data(Health::of(crm.clone()))
        .data(api::Registration { is_open: options.is_registration_open })
        .data(options.cookies)
        .data(wake)
        .data(crm);
    framed(routes, settings)
}

/// The generated OpenAPI document as YAML: what is served at `/openapi.yaml` and committed beside the code.
pub fn openapi_yaml() -> String {
    Document::of(&api::service()).yaml()
}
