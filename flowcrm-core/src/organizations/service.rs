use super::founding::{Founding, found_for_operator};
use super::{NewOrganization, Organization, OrganizationQuery, UpdateOrganization};
use crate::access::Action;
use crate::caller::Caller;
use crate::error::{Error, ErrorCode, OrNotFound, Result};
use crate::ids::OrgId;
use crate::input::{Asked, Input};
use crate::money::Currency;
use crate::page::Page;
use crate::ports::SystemTx;
use crate::work::{Work, check_version};

/// What a caller may do with their own organization.
#[derive(Debug)]
pub struct OrganizationSettings<'a> {
    caller: &'a Caller,
}

impl<'a> OrganizationSettings<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Reads the organization.
    ///
    /// # Errors
    ///
    /// `unauthenticated`.
    pub async fn get(&self) -> Result<Organization> {
        let mut work = self.caller.read().await?;
        work.actor().require(Action::ReadOrganization)?;
        work.organization().find().await?.or_not_found("organization")
    }

    /// Changes the settings; with `version`, only if they are still at that version.
    ///
    /// # Errors
    ///
    /// `forbidden`, `stale_version`, `validation_failed`; `conflict` for a new currency when leads or deals have
    /// values.
    pub async fn update(
        &self,
        change: impl Input<UpdateOrganization>,
        version: Option<i64>,
    ) -> Result<Organization> {
        let body = change.into_body()?;
        let mut work = self.caller.write().await?;
        work.actor().require(Action::UpdateOrganization)?;
        // Every command that records something changes the organization's row last: behind this lock all values that
        // have been written are seen, and those to come are refused for their old currency.
        let organization = work.organization().lock().await?.or_not_found("organization")?;
        check_version(organization.version, version)?;
        let change: UpdateOrganization = work.decode(body).await?;
        let moves_currency = change.currency.is_some_and(|currency| currency != organization.currency);
        let has_values = moves_currency && work.organization().has_values().await?;
        let (changed, event) = organization.update(change, has_values, work.env().now())?;
        if event.is_some() {
            work.organization().update(&changed).await?;
            work.change_currency(changed.currency);
            work.record(event);
        }
        work.commit().await?;
        Ok(changed)
    }
}

/// What a platform operator may do with all organizations.
#[derive(Debug)]
pub struct Organizations<'a> {
    caller: &'a Caller,
}

impl<'a> Organizations<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists all organizations.
    ///
    /// # Errors
    ///
    /// `forbidden` unless the caller is an operator; `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<OrganizationQuery>>) -> Result<Page<Organization>> {
        let work = self.operate().await?;
        let query = query.into().read(Currency::USD)?;
        let own = work.actor().org_id;
        let mut tx = work.leave().await?;
        let total = if query.list.count { Some(tx.count_organizations().await?) } else { None };
        let organizations = tx.organizations(&query).await?;
        self.note(tx, "org:listed", own).await?;
        Ok(Page::cut(organizations, &query.list, total))
    }

    /// Reads an organization.
    ///
    /// # Errors
    ///
    /// `forbidden` unless the caller is an operator; `not_found`.
    pub async fn get(&self, id: OrgId) -> Result<Organization> {
        let mut tx = self.operate().await?.leave().await?;
        let organization = tx.organization(id).await?.or_not_found("organization")?;
        self.note(tx, "org:read", id).await?;
        Ok(organization)
    }

    /// Creates an organization with its first OWNER.
    ///
    /// # Errors
    ///
    /// `forbidden` unless the caller is an operator; `validation_failed`, also for an email that somebody signs in
    /// with already.
    pub async fn create(&self, new: impl Input<NewOrganization>) -> Result<Organization> {
        let body = new.into_body()?;
        drop(self.operate().await?);
        let new: NewOrganization = body.clone().decode()?;
        let crm = self.caller.crm();
        let founding = Founding {
            org_name: new.name,
            owner_name: new.owner_name,
            owner_email: new.owner_email,
            password_hash: crm.passwords().hash(new.owner_password.into_inner()).await?,
        };
        let mut own = self.operate().await?;
        let sealed = body.sealing("ownerPassword", |password| crm.tokens().seal(password));
        if let Some(organization) = own.replay("organizations.create", &sealed).await? {
            return Ok(organization);
        }
        let now = crm.env().now();
        let organization = Organization::create(crm.env().id(), founding.org_name.clone(), now);
        own.keep(&organization).await?;
        let mut tx = own.leave().await?;
        tx.note_operator(self.caller.user_id(), "org:created", organization.id, now).await?;
        let founded = found_for_operator(crm, tx, &organization, founding).await;
        let work = founded.map_err(|error| match (error.code(), error.fields()) {
            (ErrorCode::Invalid, [email]) => Error::field("ownerEmail", email.message.clone()),
            _ => error,
        })?;
        work.commit().await?;
        Ok(organization)
    }

    /// Deletes an organization with everything in it.
    ///
    /// # Errors
    ///
    /// `forbidden` unless the caller is an operator; `not_found`; `conflict` for the caller's own organization.
    pub async fn delete(&self, id: OrgId) -> Result<()> {
        let work = self.operate().await?;
        if id == work.actor().org_id {
            return Err(Error::conflict("This is your own organization: another operator has to delete it."));
        }
        let mut tx = work.leave().await?;
        if !tx.delete_organization(id).await? {
            return Err(Error::not_found("organization"));
        }
        self.note(tx, "org:deleted", id).await
    }

    /// Begins work of a platform operator, in their own organization.
    async fn operate(&self) -> Result<Work> {
        let work = self.caller.write().await?;
        if work.actor().is_operator {
            Ok(work)
        } else {
            Err(Error::forbidden("Only a platform operator may do this."))
        }
    }

    /// Notes in the operator log what was done, and commits it.
    async fn note(&self, mut tx: Box<dyn SystemTx>, action: &str, org: OrgId) -> Result<()> {
        let now = self.caller.crm().env().now();
        tx.note_operator(self.caller.user_id(), action, org, now).await?;
        tx.commit().await
    }
}
