use flowcrm_core::ids::UserId;
use flowcrm_core::users::{DeactivateUser, NewUser, UpdateUser, User, UserQuery, UserView};
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::{Chapter, Deleted};
use crate::answer::{Answer, Created, ListAnswer, Versioned};
use crate::extract::{IfMatch, JsonBody, Query, Signed};
use crate::problem::Result;

pub(super) struct Users;

#[OpenApi(prefix_path = "/api/users", tag = "Chapter::Users")]
impl Users {
    /// Lists the organization's users; MANAGER and SALES see id, name, role and active.
    #[oai(path = "/", method = "get", operation_id = "listUsers")]
    async fn list(&self, caller: Signed, query: Query<UserQuery>) -> Result<ListAnswer<UserView>> {
        Ok(ListAnswer(caller.0.users().list(query.0).await?))
    }

    /// Creates a user, who may sign in from then on.
    #[oai(path = "/", method = "post", operation_id = "createUser")]
    async fn create(&self, caller: Signed, body: JsonBody<NewUser>) -> Result<Created<User>> {
        Ok(Created(caller.0.users().create(body.0).await?))
    }

    /// Reads a user; to ADMIN and OWNER the answer has the version as `ETag`.
    #[oai(path = "/:id", method = "get", operation_id = "getUser")]
    async fn get(&self, caller: Signed, id: Path<UserId>) -> Result<Versioned<UserView>> {
        let record = caller.0.users().get(id.0).await?;
        Ok(Versioned { version: record.version(), record })
    }

    /// Changes a user's name or role; `active: true` brings a deactivated user back.
    #[oai(path = "/:id", method = "put", operation_id = "updateUser")]
    async fn update(
        &self,
        caller: Signed,
        id: Path<UserId>,
        if_match: IfMatch,
        body: JsonBody<UpdateUser>,
    ) -> Result<Versioned<User>> {
        let record = caller.0.users().update(id.0, body.0, if_match.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Deactivates a user: sessions end at once, history stays, open work can be handed over.
    #[oai(path = "/:id", method = "delete", operation_id = "deactivateUser")]
    async fn deactivate(
        &self,
        caller: Signed,
        id: Path<UserId>,
        how: Query<DeactivateUser>,
    ) -> Result<Answer<Deleted>> {
        caller.0.users().deactivate(id.0, how.0).await?;
        Ok(Answer(Deleted::of(id.0)))
    }
}
