//! How an organization begins: with its first OWNER, in one transaction.

use super::Organization;
use crate::access::{Actor, OrgScope, Role};
use crate::caller::Origin;
use crate::crm::Crm;
use crate::email::Email;
use crate::error::Result;
use crate::ports::SystemTx;
use crate::users::User;
use crate::work::Work;

/// An organization to found.
#[derive(Debug)]
pub(crate) struct Founding {
    /// The organization's name.
    pub(crate) org_name: String,
    /// The first OWNER's name.
    pub(crate) owner_name: String,
    /// What the OWNER signs in with.
    pub(crate) owner_email: Email,
    /// The hash of the OWNER's password.
    pub(crate) password_hash: String,
}

/// Founds an organization, in work of its first OWNER that the caller goes on with and commits.
///
/// # Errors
///
/// A field error for `email` when somebody signs in with it already.
pub(crate) async fn found(crm: &Crm, founding: Founding, origin: &Origin) -> Result<(Work, User)> {
    let tx = crm.store().system().await?;
    let organization = Organization::create(crm.env().id(), founding.org_name.clone(), crm.env().now());
    begin(crm, tx, &organization, founding, origin).await
}

/// The same on behalf of a platform operator, in the operator's own transaction. Nobody of the new organization did it.
pub(super) async fn found_for_operator(
    crm: &Crm,
    tx: Box<dyn SystemTx>,
    organization: &Organization,
    founding: Founding,
) -> Result<Work> {
    let (work, _) = begin(crm, tx, organization, founding, &Origin::default()).await?;
    Ok(work.unattributed())
}

async fn begin(
    crm: &Crm,
    tx: Box<dyn SystemTx>,
    organization: &Organization,
    founding: Founding,
    origin: &Origin,
) -> Result<(Work, User)> {
    let tx = tx.enter(OrgScope::new(organization.id)).await?;
    let Founding { owner_name, owner_email, password_hash, .. } = founding;
    let now = crm.env().now();
    let owner = User::create(crm.env().id(), organization.id, owner_name, owner_email, Role::Owner, now);
    let mut work = Work::new(tx, Actor::of_account(organization, &owner), crm.env().clone(), origin.clone());
    work.organization().insert(organization).await?;
    work.users().insert(&owner, &password_hash).await?;
    work.record([organization.created(), owner.created(&organization.name)]);
    Ok((work, owner))
}
