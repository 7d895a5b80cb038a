//! Sending files and having them imported, by people of an organization.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use flowcrm_core::access::Role;
use flowcrm_core::auth::Register;
use flowcrm_core::imports::{Import, ImportKind, ImportState, Rejection};
use flowcrm_core::input::Body;
use flowcrm_core::users::NewUser;
use flowcrm_core::{Caller, Crm, Origin, Result};
use serde_json::{Value, json};

/// A new organization's owner.
pub async fn owner(crm: &Crm) -> Caller {
    owner_with_email(crm, "ada@example.com").await
}

/// A new organization's owner, who signs in with this email.
pub async fn owner_with_email(crm: &Crm, email: &str) -> Caller {
    let register = Register {
        name: "Ada Byron".to_owned(),
        email: email.parse().unwrap(),
        password: "correct horse".into(),
        org_name: "Engines".to_owned(),
    };
    let signed_in = crm.register(register, &Origin::default()).await.unwrap();
    crm.authenticate(signed_in.access_token.as_str()).unwrap()
}

/// A new member of the organization.
pub async fn member(caller: &Caller, name: &str, role: Role) -> Caller {
    let email = format!("{name}@example.com").parse().unwrap();
    let new = NewUser { name: name.to_owned(), email, role: Some(role), password: "correct horse".into() };
    let user = caller.users().create(new).await.unwrap();
    caller.crm().as_user(user.id).await.unwrap()
}

/// The body of a command.
pub fn body(value: Value) -> Body {
    Body::try_from(value).unwrap()
}

/// Sends a file; it waits for a worker then.
pub async fn send(caller: &Caller, kind: ImportKind, options: Value, file: &[u8]) -> Result<Import> {
    let mut staging = caller.imports().begin(kind, body(options), "folder/file.csv".to_owned()).await?;
    for piece in file.chunks(8_000) {
        staging.push(piece).await?;
    }
    staging.finish().await
}

/// Sends a file and has it imported.
pub async fn import(
    caller: &Caller,
    kind: ImportKind,
    options: Value,
    file: &[u8],
) -> (Import, Vec<Rejection>) {
    let import = send(caller, kind, options, file).await.unwrap();
    assert_eq!((import.state, caller.crm().run_waiting_imports().await.unwrap()), (ImportState::Queued, 1));
    let import = caller.imports().get(import.id).await.unwrap();
    let rejected = caller.imports().rejected(import.id, body(json!({"limit": "200"}))).await.unwrap();
    (import, rejected.items)
}
