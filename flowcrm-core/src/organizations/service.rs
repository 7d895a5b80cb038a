use super::founding::{Founding, found_by_operator};
use super::{NewOrganization, Organization, OrganizationQuery, UpdateOrganization};
use crate::access::{Action, OrgScope};
use crate::caller::Caller;
use crate::error::{Error, ErrorCode, OrNotFound, Result};
use crate::ids::OrgId;
use crate::input::{Asked, Input};
use crate::money::Currency;
use crate::page::Page;
use crate::work::check_version;

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
        self.require_operator().await?;
        let query = query.into().read(Currency::USD)?;
        let mut tx = self.caller.crm().store().system().await?;
        let total = if query.list.count { Some(tx.count_organizations().await?) } else { None };
        let organizations = tx.organizations(&query).await?;
        Ok(Page::cut(organizations, &query.list, total))
    }

    /// Reads an organization.
    ///
    /// # Errors
    ///
    /// `forbidden` unless the caller is an operator; `not_found`.
    pub async fn get(&self, id: OrgId) -> Result<Organization> {
        self.require_operator().await?;
        let mut tx = self.caller.crm().store().read(OrgScope::new(id)).await?;
        tx.organization().find().await?.or_not_found("organization")
    }

    /// Creates an organization with its first OWNER.
    ///
    /// # Errors
    ///
    /// `forbidden` unless the caller is an operator; `validation_failed`, also for an email that somebody signs in
    /// with already.
    pub async fn create(&self, new: impl Input<NewOrganization>) -> Result<Organization> {
        let body = new.into_body()?;
        self.require_operator().await?;
        let new: NewOrganization = body.decode()?;
        let crm = self.caller.crm();
        let founding = Founding {
            org_name: new.name,
            owner_name: new.owner_name,
            owner_email: new.owner_email,
            password_hash: crm.passwords().hash(new.owner_password.into_inner()).await?,
        };
        let founded = found_by_operator(crm, founding, self.caller.user_id(), self.caller.origin()).await;
        let (work, organization) = founded.map_err(|error| match (error.code(), error.fields()) {
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
        let own = self.require_operator().await?;
        if id == own {
            return Err(Error::conflict("This is your own organization: another operator has to delete it."));
        }
        let crm = self.caller.crm();
        let mut tx = crm.store().system().await?;
        if !tx.delete_organization(id).await? {
            return Err(Error::not_found("organization"));
        }
        tx.note_operator(self.caller.user_id(), "org:deleted", id, crm.env().now()).await?;
        tx.commit().await
    }

    /// Demands that the caller is a platform operator; answers the organization that they belong to.
    async fn require_operator(&self) -> Result<OrgId> {
        let work = self.caller.read().await?;
        if work.actor().is_operator {
            Ok(work.actor().org_id)
        } else {
            Err(Error::forbidden("Only a platform operator may do this."))
        }
    }
}
