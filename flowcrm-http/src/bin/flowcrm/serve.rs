use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use flowcrm_core::Crm;
use flowcrm_core::demo;
use flowcrm_http::api::CookiePolicy;
use flowcrm_http::client::TrustedProxies;
use flowcrm_http::origin::Origins;
use flowcrm_http::server::Server;
use flowcrm_http::{Options, endpoint};
use tokio::signal;
use tokio::sync::watch;

use crate::settings::DatabaseSettings;
use crate::{Outcome, say};

/// Serves the CRM until it is told to stop; requests that have begun are answered first.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    database: DatabaseSettings,

    /// The address to listen on
    #[arg(long, env = "FLOWCRM_BIND", default_value = "127.0.0.1:3000", value_name = "HOST:PORT")]
    bind: String,

    /// Origins of web pages that may call with credentials, separated by commas
    #[arg(long, env = "CLIENT_URL", default_value = "http://localhost:3000", value_name = "ORIGINS")]
    client_url: Origins,

    /// Networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas
    #[arg(long, env = "FLOWCRM_TRUSTED_PROXIES", default_value = "", value_name = "NETWORKS")]
    trusted_proxies: TrustedProxies,

    /// Whether strangers may register an organization
    #[arg(long, env = "FLOWCRM_REGISTRATION", value_enum, default_value_t = Registration::Open)]
    registration: Registration,

    /// Let the refresh cookie travel without TLS, on addresses other than loopback
    #[arg(long, env = "FLOWCRM_INSECURE_COOKIE")]
    insecure_cookie: bool,

    /// Bring a Postgres database up to date first (a SQLite file always is)
    #[arg(long)]
    migrate: bool,

    /// Fill an empty database with the demo organizations first
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Registration {
    /// They may
    Open,
    /// They may not
    Closed,
}

impl Serve {
    pub(crate) async fn run(self) -> Outcome {
        let crm = self.database.open(self.migrate).await?;
        if self.demo {
            demo::seed(&crm).await?;
        }
        let server = Server::bind(&self.bind)
            .await
            .map_err(|error| format!("cannot listen on {}: {error}", self.bind))?;
        let address = server.local_addr()?;
        let has_demo_accounts = demo::is_present(&crm).await?;
        greet(address, has_demo_accounts);

        let worker = crm.worker();
        let options = Options {
            is_registration_open: self.registration == Registration::Open,
            cookies: CookiePolicy { secure: !(address.ip().is_loopback() || self.insecure_cookie) },
            origins: self.client_url,
            trusted_proxies: self.trusted_proxies,
        };
        let stop = stop_signal();
        server.serve(endpoint(crm.clone(), worker.wake(), options), stopped(stop)).await?;
        worker.stop().await;
        close(&crm).await;
        Ok(ExitCode::SUCCESS)
    }
}

fn greet(address: SocketAddr, has_demo_accounts: bool) {
    let shown = if address.ip().is_loopback() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    say(format!("FlowCRM {} is at http://{shown}", env!("CARGO_PKG_VERSION")));
    say(format!("  API reference: http://{shown}/docs"));
    if has_demo_accounts {
        say("  Sign in as:    owner@techcorp.com, password `password`");
        tracing::warn!(
            server.address = %address,
            "this server has DEMO ACCOUNTS with a public password: never let strangers reach it"
        );
    }
}

async fn close(crm: &Crm) {
    crm.close().await;
    tracing::info!("stopped");
}

/// Becomes true when the process is asked to stop.
fn stop_signal() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        let interrupted = signal::ctrl_c();
        #[cfg(unix)]
        let terminated = async {
            match signal::unix::signal(signal::unix::SignalKind::terminate()) {
                Ok(mut terminated) => {
                    terminated.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let terminated = std::future::pending::<()>();
        tokio::select! {
            _ = interrupted => {}
            () = terminated => {}
        }
        tracing::info!("stopping");
        sender.send_replace(true);
    });
    receiver
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that nobody can ask any more, so nobody has.
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
