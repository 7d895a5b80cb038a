//! A Rust program that embeds FlowCRM: no server, no setup, a SQLite file in the working directory.
//!
//! Run it with `cargo run -p flowcrm-example-embed`.

use flowcrm_core::auth::Register;
use flowcrm_core::leads::{LeadQuery, NewLead};
use flowcrm_core::{Origin, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite:embedded.db".to_owned());
    let crm = flowcrm_store::open(&url).await?;
    let register =
        Register::new("Ada Lovelace", "ada@example.com", "correct horse battery", "Analytical Engines")?;
    let me = match crm.register(register, &Origin::default()).await {
        Ok(signed_in) => crm.as_user(signed_in.user.id).await?,
        Err(_) => crm.as_user_with_email("ada@example.com").await?,
    };
    me.leads()
        .create(NewLead {
            name: "Charles Babbage".into(),
            value: "1250.50".parse().ok(),
            ..NewLead::default()
        })
        .await?;
    let leads = me.leads().list(LeadQuery::default()).await?;
    #[expect(clippy::print_stdout, reason = "this is what the example does")]
    for lead in leads.items {
        println!("{} {} {}", lead.name, lead.status, lead.value);
    }
    crm.close().await;
    Ok(())
}
