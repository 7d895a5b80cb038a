//! The activity: a note, call, email or meeting on a lead. Written once, never changed.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::access::Actor;
use crate::ids::{ActivityId, LeadId, UserId};
use crate::input::{Command, Fields, spelled, text, words};
use crate::page::{Listing, SortValue, Sortable, sort_keys};
use crate::time::Timestamp;

words! {
    /// What kind of thing happened.
    ActivityType {
        /// Something to remember.
        Note = "NOTE",
        /// A call on the phone.
        Call = "CALL",
        /// An email, sent or received.
        Email = "EMAIL",
        /// A meeting.
        Meeting = "MEETING",
    }
}

/// Something that happened with a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Activity {
    /// The activity's id.
    pub id: ActivityId,
    /// The lead.
    pub lead_id: LeadId,
    /// Who wrote it down.
    pub user_id: UserId,
    /// What kind of thing happened.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", oai(rename = "type"))]
    pub kind: ActivityType,
    /// What happened.
    pub content: String,
    /// When it was written down.
    pub created_at: Timestamp,
}

impl Activity {
    /// A new activity on `lead`, written down by the actor.
    pub fn create(new: NewActivity, id: ActivityId, lead: LeadId, actor: &Actor, now: Timestamp) -> Self {
        let NewActivity { kind, content } = new;
        Self { id, lead_id: lead, user_id: actor.user_id, kind, content, created_at: now }
    }
}

sort_keys! {
    /// What activities can be sorted by; they never change, so both orders are one.
    ActivitySort {}
}

impl Sortable<ActivitySort> for Activity {
    fn position(&self, _: ActivitySort) -> (SortValue, Uuid) {
        (SortValue::Time(self.created_at), self.id.as_uuid())
    }
}

/// An activity to add to a lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct NewActivity {
    /// What kind of thing happened.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", oai(rename = "type"))]
    pub kind: ActivityType,
    /// What happened, 1 to 10,000 characters.
    pub content: String,
}

impl Command for NewActivity {
    fn decode(fields: &mut Fields) -> Self {
        Self {
            kind: fields.required("type", spelled).unwrap_or(ActivityType::Note),
            content: fields.required("content", text(1..=10_000)).unwrap_or_default(),
        }
    }
}

/// Which of a lead's activities are wanted; newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct ActivityQuery {
    /// How much of the list.
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub list: Listing<ActivitySort>,
}

impl Command for ActivityQuery {
    fn decode(fields: &mut Fields) -> Self {
        Self { list: Listing::decode(fields) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::input::{Body, Input};

    fn bad_fields(body: Value) -> Vec<String> {
        let refused = Body::try_from(body).unwrap().decode::<NewActivity>().unwrap_err();
        refused.fields().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn an_activity_has_a_type_and_content() {
        assert_eq!(bad_fields(json!({"type": "FAX", "content": "  "})), ["type", "content"]);
        assert_eq!(bad_fields(json!({"content": "Left a message"})), ["type"]);
    }

    #[test]
    fn a_typed_activity_reads_as_it_was_written() {
        let call = NewActivity { kind: ActivityType::Call, content: "Left a message".to_owned() };
        assert_eq!(call.clone().into_body().unwrap().decode::<NewActivity>().unwrap(), call);
    }
}
