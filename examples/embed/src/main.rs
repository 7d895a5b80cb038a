//! A Rust program that embeds FlowCRM: its own page beside the whole HTTP API, on a SQLite file in the working
//! directory, with no server to set up.
//!
//! Run it with `cargo run -p flowcrm-example-embed`, and look at <http://localhost:3000/pipeline.txt> and
//! <http://localhost:3000/docs>.

use std::error::Error;
use std::fmt::Write as _;
use std::future::pending;

use flowcrm_core::auth::Register;
use flowcrm_core::deals::NewDeal;
use flowcrm_core::worker::Wake;
use flowcrm_core::{Caller, Crm, ErrorCode, Origin};
use flowcrm_http::api::CookiePolicy;
use flowcrm_http::server::Server;
use flowcrm_http::{Options, endpoint};
use poem::http::StatusCode;
use poem::web::Data;
use poem::{Endpoint, EndpointExt, Response, Route, get, handler};

const EMAIL: &str = "ada@example.com";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite:embedded.db".to_owned());
    let crm = flowcrm_store::open(&url).await?;
    let me = owner(&crm).await?;
    let server = Server::bind("127.0.0.1:3000").await?;
    #[expect(clippy::print_stdout, reason = "somebody wants to know where it is")]
    {
        println!("http://localhost:3000/pipeline.txt is ours, http://localhost:3000/docs FlowCRM's");
    }
    let worker = crm.worker();
    server.serve(app(&crm, me, worker.wake())?, pending()).await?;
    Ok(())
}

/// The owner of the only organization, who is registered with a first deal when there is none yet.
async fn owner(crm: &Crm) -> flowcrm_core::Result<Caller> {
    match crm.as_user_with_email(EMAIL).await {
        Err(error) if error.code() == ErrorCode::NotFound => {}
        found => return found,
    }
    let register = Register::new("Ada Lovelace", EMAIL, "correct horse battery", "Analytical Engines")?;
    let signed_in = crm.register(register, &Origin::default()).await?;
    let me = crm.as_user(signed_in.user.id).await?;
    let deal = NewDeal { title: "Engine No. 1".into(), value: "4000".parse().ok(), ..NewDeal::default() };
    me.deals().create(deal).await?;
    Ok(me)
}

/// Our route beside all of FlowCRM's.
fn app(crm: &Crm, me: Caller, wake: Wake) -> Result<impl Endpoint<Output = Response> + use<>, String> {
    let options = Options {
        origins: "http://localhost:3000".parse()?,
        trusted_proxies: "".parse()?,
        is_registration_open: false,
        cookies: CookiePolicy { secure: false },
    };
    let crm = endpoint(crm.clone(), wake, options);
    Ok(Route::new().at("/pipeline.txt", get(pipeline).data(me)).nest_no_strip("/", crm).map_to_response())
}

/// The pipeline as plain text, stage by stage.
#[handler]
async fn pipeline(me: Data<&Caller>) -> poem::Result<String> {
    let stages = me.dashboard().pipeline().await;
    let stages = stages.map_err(|error| poem::Error::new(error, StatusCode::SERVICE_UNAVAILABLE))?;
    Ok(stages.iter().fold(String::new(), |mut text, stage| {
        let _ =
            writeln!(text, "{:<14} {:>4} {:>12}", stage.stage.as_str(), stage.count, stage.value.to_string());
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn our_route_stands_beside_those_of_flowcrm() {
        let crm = flowcrm_store::open("sqlite::memory:").await.unwrap();
        let me = owner(&crm).await.unwrap();
        assert_eq!(owner(&crm).await.unwrap().user_id(), me.user_id(), "registered once");
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", server.local_addr().unwrap());
        tokio::spawn(server.serve(app(&crm, me, Wake::default()).unwrap(), pending()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let get = async |path: &str| {
            let answer = client.get(format!("{base}{path}")).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let (status, text) = get("/pipeline.txt").await;
        let first = text.lines().next().unwrap_or_default().split_whitespace().collect::<Vec<_>>();
        assert_eq!((status, first), (200, vec!["QUALIFICATION", "1", "4000"]));
        assert_eq!(get("/api/leads").await.0, 401);
        assert_eq!(get("/health/live").await.0, 200);
    }
}
