use flowcrm_core::ids::OrgId;
use flowcrm_core::organizations::{NewOrganization, Organization, OrganizationQuery, UpdateOrganization};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::{Chapter, Deleted};
use crate::answer::{Answer, Created, ListAnswer, Versioned};
use crate::extract::{IfMatch, JsonBody, Query, Signed};
use crate::problem::Result;

pub(super) struct Organizations;

#[OpenApi(prefix_path = "/api", tag = "Chapter::Organizations")]
impl Organizations {
    /// Reads your organization.
    #[oai(path = "/organization", method = "get", operation_id = "getOrganization")]
    async fn own(&self, caller: Signed) -> Result<Versioned<Organization>> {
        let record = caller.0.organization().get().await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Changes your organization's settings; for ADMIN and OWNER.
    #[oai(path = "/organization", method = "put", operation_id = "updateOrganization")]
    async fn update_own(
        &self,
        caller: Signed,
        if_match: IfMatch,
        body: JsonBody<UpdateOrganization>,
    ) -> Result<Versioned<Organization>> {
        let record = caller.0.organization().update(body.0, if_match.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Lists all organizations; for platform operators.
    #[oai(path = "/organizations", method = "get", operation_id = "listOrganizations")]
    async fn list(
        &self,
        caller: Signed,
        query: Query<OrganizationQuery>,
    ) -> Result<ListAnswer<Organization>> {
        Ok(ListAnswer(caller.0.organizations().list(query.0).await?))
    }

    /// Creates an organization with its first OWNER; for platform operators.
    #[oai(path = "/organizations", method = "post", operation_id = "createOrganization")]
    async fn create(&self, caller: Signed, body: JsonBody<NewOrganization>) -> Result<Created<Organization>> {
        Ok(Created(caller.0.organizations().create(body.0).await?))
    }

    /// Reads an organization; for platform operators.
    #[oai(path = "/organizations/:id", method = "get", operation_id = "getOrganizationById")]
    async fn get(&self, caller: Signed, id: Path<OrgId>) -> Result<Versioned<Organization>> {
        let record = caller.0.organizations().get(id.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Deletes an organization with everything in it; for platform operators.
    #[oai(path = "/organizations/:id", method = "delete", operation_id = "deleteOrganization")]
    async fn delete(&self, caller: Signed, id: Path<OrgId>) -> Result<Answer<Deleted>> {
        caller.0.organizations().delete(id.0).await?;
        Ok(Answer(Deleted::of(id.0)))
    }
}
