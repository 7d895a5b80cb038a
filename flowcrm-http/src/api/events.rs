use flowcrm_core::events::LoggedEvent;
use flowcrm_core::log::EventQuery;
use poem_openapi::OpenApi;

use super::Chapter;
use crate::answer::Answer;
use crate::extract::{Query, Signed};
use crate::problem::Result;

pub(super) struct Events;

#[OpenApi(prefix_path = "/api/events", tag = "Chapter::Logs")]
impl Events {
    /// Lists events that you are in the audience of, ascending by position.
    #[oai(path = "/", method = "get", operation_id = "listEvents")]
    async fn list(&self, caller: Signed, query: Query<EventQuery>) -> Result<Answer<Vec<LoggedEvent>>> {
        Ok(Answer(caller.0.events().list(query.0).await?))
    }
}
