//! The deal: its fields and its rules.

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{DealPatch, DealStage, NewDeal};
use crate::access::{Actor, Owned};
use crate::error::{Error, Result};
use crate::events::{Audience, Circle, EntityType, Event, EventKind, Subject, difference};
use crate::ids::{DealId, LeadId, OrgId, UserId};
use crate::input::value_in;
use crate::leads::LeadView;
use crate::money::Money;
use crate::notifications::{Notice, NotificationType};
use crate::page::{SortValue, Sortable, sort_keys};
use crate::tasks::Task;
use crate::time::Timestamp;
use crate::users::UserRef;

/// Something that may be sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct Deal {
    /// The deal's id.
    pub id: DealId,
    /// The organization.
    pub org_id: OrgId,
    /// What it is about.
    pub title: String,
    /// What it is worth, in the organization's currency.
    pub value: Money,
    /// Where it stands.
    pub stage: DealStage,
    /// How likely it is to be won, 0 to 100 percent.
    pub probability: i64,
    /// When it should close.
    pub expected_close: Option<Timestamp>,
    /// When it was won or lost; null while it is open.
    pub closed_at: Option<Timestamp>,
    /// The lead that it is made with.
    pub lead_id: Option<LeadId>,
    /// Who answers for it.
    pub owner_id: UserId,
    /// Who works on it.
    pub assigned_to_id: Option<UserId>,
    /// Anything else worth knowing.
    pub notes: Option<String>,
    /// Why it was lost; null unless it is `CLOSED_LOST`.
    pub lost_reason: Option<String>,
    /// The deal's id in another system; unique in the organization.
    pub external_id: Option<String>,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A deal, named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
pub struct DealRef {
    /// The deal's id.
    pub id: DealId,
    /// What it is about.
    pub title: String,
}

/// A deal with what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct DealDetail {
    /// The deal itself.
    #[serde(flatten)]
    #[cfg_attr(feature = "openapi", oai(flatten))]
    pub deal: Deal,
    /// The lead that it is made with; id and name only for those who may not read it.
    pub lead: Option<LeadView>,
    /// Who answers for it.
    pub owner: UserRef,
    /// Who works on it.
    pub assigned_to: Option<UserRef>,
    /// Its tasks that the viewer may read, newest first, at most 200.
    pub tasks: Vec<Task>,
}

impl Owned for Deal {
    fn is_own(&self, user: UserId) -> bool {
        self.owner_id == user || self.assigned_to_id == Some(user)
    }
}

impl Subject for Deal {
    const ENTITY: EntityType = EntityType::Deal;

    fn entity_id(&self) -> Uuid {
        self.id.as_uuid()
    }

    fn readers(&self) -> Audience {
        Audience { circle: Circle::Everyone, users: Vec::new() }
    }
}

impl From<Deal> for DealRef {
    fn from(deal: Deal) -> Self {
        Self { id: deal.id, title: deal.title }
    }
}

sort_keys! {
    /// What deals can be sorted by.
    DealSort {
        /// By title.
        Title = "title" Text,
        /// By value.
        Value = "value" Number,
    }
}

impl Sortable<DealSort> for Deal {
    fn position(&self, key: DealSort) -> (SortValue, Uuid) {
        let value = match key {
            DealSort::CreatedAt => SortValue::Time(self.created_at),
            DealSort::UpdatedAt => SortValue::Time(self.updated_at),
            DealSort::Title => SortValue::Text(self.title.clone()),
            DealSort::Value => SortValue::Number(self.value.minor()),
        };
        (value, self.id.as_uuid())
    }
}

impl Deal {
    /// Where notifications about the deal lead.
    pub fn link(id: DealId) -> String {
        format!("/deals/{id}")
    }

    /// A new deal of the actor's; one that is created closed is won or lost at once.
    ///
    /// # Errors
    ///
    /// A field error when the value does not fit the currency, or for a `lostReason` of a deal that is not lost.
    pub fn create(new: NewDeal, id: DealId, actor: &Actor, now: Timestamp) -> Result<(Self, Vec<Event>)> {
        let deal = Self::of(new, id, actor, now)?;
        let mut events = vec![Event::about(EventKind::DealCreated, &deal)];
        if deal.assigned_to_id.is_some_and(|assignee| assignee != actor.user_id) {
            events.push(deal.assigned());
        }
        events.extend(deal.outcome());
        Ok((deal, events))
    }

    /// The deal that [`create`](Self::create) makes, when nobody is told of it.
    pub(crate) fn of(new: NewDeal, id: DealId, actor: &Actor, now: Timestamp) -> Result<Self> {
        let stage = new.stage.unwrap_or(DealStage::Qualification);
        let deal = Self {
            id,
            org_id: actor.org_id,
            title: new.title,
            value: value_in(new.value, actor.currency)?,
            stage,
            probability: new.probability.unwrap_or_else(|| stage.probability()),
            expected_close: new.expected_close,
            closed_at: stage.is_closed().then_some(now),
            lead_id: new.lead_id,
            owner_id: new.owner_id.unwrap_or(actor.user_id),
            assigned_to_id: new.assigned_to_id,
            notes: new.notes,
            lost_reason: new.lost_reason,
            external_id: new.external_id,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        deal.check_lost_reason()?;
        Ok(deal)
    }

    /// This deal with a patch applied, and one event for each changed aspect; none when nothing changed.
    ///
    /// # Errors
    ///
    /// A field error when the value does not fit the currency, or for a `lostReason` of a deal that is not lost.
    pub fn update(&self, patch: DealPatch, actor: &Actor, now: Timestamp) -> Result<(Self, Vec<Event>)> {
        let mut deal = self.clone();
        if let Some(stage) = patch.stage.filter(|stage| *stage != self.stage) {
            deal.move_to(stage, now);
        }
        if let Some(probability) = patch.probability {
            deal.probability = probability;
        }
        if let Some(title) = patch.title {
            deal.title = title;
        }
        if let Some(owner) = patch.owner_id {
            deal.owner_id = owner;
        }
        if !patch.value.is_keep() {
            deal.value = value_in(patch.value.value().copied(), actor.currency)?;
        }
        patch.expected_close.apply(&mut deal.expected_close);
        patch.lead_id.apply(&mut deal.lead_id);
        patch.assigned_to_id.apply(&mut deal.assigned_to_id);
        patch.notes.apply(&mut deal.notes);
        patch.lost_reason.apply(&mut deal.lost_reason);
        patch.external_id.apply(&mut deal.external_id);
        deal.check_lost_reason()?;
        Ok(deal.changed_since(self, now))
    }

    /// That this deal was deleted.
    pub fn deleted(&self) -> Event {
        Event::about(EventKind::DealDeleted, self)
    }

    fn move_to(&mut self, stage: DealStage, now: Timestamp) {
        self.stage = stage;
        self.probability = stage.probability();
        self.closed_at = stage.is_closed().then_some(now);
        self.lost_reason = None;
    }

    fn check_lost_reason(&self) -> Result<()> {
        match self.lost_reason {
            Some(_) if self.stage != DealStage::ClosedLost => {
                Err(Error::field("lostReason", "is for a deal that is CLOSED_LOST"))
            }
            _ => Ok(()),
        }
    }

    fn changed_since(mut self, before: &Self, now: Timestamp) -> (Self, Vec<Event>) {
        let has_moved = self.stage != before.stage;
        let is_of_stage = |name: &str| {
            matches!(name, "stage" | "closedAt") || has_moved && matches!(name, "probability" | "lostReason")
        };
        let is_plain = |name: &str| name != "assignedToId" && !is_of_stage(name);
        let (plain, _) = difference(before, &self, is_plain);
        let is_reassigned = self.assigned_to_id != before.assigned_to_id;
        if plain.is_empty() && !has_moved && !is_reassigned {
            return (self, Vec::new());
        }
        self.version = before.version + 1;
        self.updated_at = now;
        let mut events = Vec::new();
        if !plain.is_empty() {
            events.push(self.updated().since(before, &self, is_plain));
        }
        if has_moved {
            events.push(self.stage_changed().since(before, &self, is_of_stage));
        }
        if is_reassigned {
            events.push(self.assigned().since(before, &self, |name| name == "assignedToId"));
        }
        if has_moved {
            let is_reopened = before.stage.is_closed() && !self.stage.is_closed();
            let reopened = || Event::about(EventKind::DealReopened, &self).since(before, &self, is_of_stage);
            events.extend(self.outcome().or_else(|| is_reopened.then(reopened)));
        }
        (self, events)
    }

    fn updated(&self) -> Event {
        Event::about(EventKind::DealUpdated, self)
            .notifying(self.notice(format!("Deal {} was updated", self.title)))
    }

    fn stage_changed(&self) -> Event {
        let message = format!("Deal {} moved to {}", self.title, self.stage);
        Event::about(EventKind::DealStageChanged, self).notifying(self.notice(message))
    }

    fn assigned(&self) -> Event {
        let message = format!("You've been assigned deal: {}", self.title);
        let notice = Notice::to([self.assigned_to_id], NotificationType::DealUpdated, message);
        Event::about(EventKind::DealAssigned, self).notifying(notice.linking(Self::link(self.id)))
    }

    /// That this deal was won or lost, if it was.
    fn outcome(&self) -> Option<Event> {
        match self.stage {
            DealStage::ClosedWon => {
                let message = format!("Deal {} was won: {}", self.title, self.value);
                let notice =
                    Notice::to_everyone(NotificationType::DealUpdated, message).linking(Self::link(self.id));
                let won = Event::about(EventKind::DealWon, self).audited_as(json!({ "value": self.value }));
                Some(won.notifying(notice))
            }
            DealStage::ClosedLost => {
                let details = json!({ "value": self.value, "reason": self.lost_reason });
                Some(Event::about(EventKind::DealLost, self).audited_as(details))
            }
            _ => None,
        }
    }

    /// Tells owner and assignee.
    fn notice(&self, message: String) -> Notice {
        let to = [Some(self.owner_id), self.assigned_to_id];
        Notice::to(to, NotificationType::DealUpdated, message).linking(Self::link(self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::notifications::Recipients;
    use crate::patch::Patch;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn user(number: u128) -> UserId {
        Uuid::from_u128(number).into()
    }

    fn created(new: NewDeal) -> (Deal, Vec<Event>) {
        let new = NewDeal { title: "Engine".to_owned(), value: Some("1250.5".parse().unwrap()), ..new };
        let id = Uuid::from_u128(7).into();
        Deal::create(new, id, &Actor::sample(Role::Admin), moment("2026-01-01")).unwrap()
    }

    fn changed(deal: &Deal, patch: DealPatch, on: &str) -> (Deal, Vec<Event>) {
        deal.update(patch, &Actor::sample(Role::Admin), moment(on)).unwrap()
    }

    fn to(stage: DealStage) -> DealPatch {
        DealPatch { stage: Some(stage), ..DealPatch::default() }
    }

    fn names(events: &[Event]) -> Vec<&'static str> {
        events.iter().map(|event| event.kind.rule().name).collect()
    }

    #[test]
    fn a_move_sets_the_probability_unless_the_same_request_gives_one() {
        let percents = DealStage::ALL.iter().map(|stage| stage.probability()).collect::<Vec<_>>();
        assert_eq!(percents, [10, 25, 50, 75, 100, 0]);
        let (deal, _) = created(NewDeal { probability: Some(33), ..NewDeal::default() });
        assert_eq!(deal.probability, 33);
        assert_eq!(changed(&deal, to(DealStage::Proposal), "2026-01-02").0.probability, 50);
        let given = DealPatch { probability: Some(60), ..to(DealStage::Proposal) };
        assert_eq!(changed(&deal, given, "2026-01-02").0.probability, 60);
        let (same, events) = changed(&deal, to(DealStage::Qualification), "2026-01-02");
        assert_eq!((same.probability, same.version, names(&events)), (33, 1, vec![]));
    }

    #[test]
    fn closing_notes_the_moment_and_reopening_forgets_it_and_the_reason() {
        let (deal, _) = created(NewDeal::default());
        let lost = DealPatch { lost_reason: Patch::Set("Price".to_owned()), ..to(DealStage::ClosedLost) };
        let (lost, events) = changed(&deal, lost, "2026-01-02");
        assert_eq!(names(&events), ["deal:stage_changed", "deal:lost"]);
        assert_eq!(
            serde_json::to_string(&events[1].details).unwrap(),
            r#"{"reason":"Price","value":1250.5}"#
        );
        assert_eq!((lost.closed_at, lost.version), (Some(moment("2026-01-02")), 2));

        let (won, events) = changed(&lost, to(DealStage::ClosedWon), "2026-01-03");
        assert_eq!(names(&events), ["deal:stage_changed", "deal:won"]);
        assert_eq!((won.closed_at, won.lost_reason.clone()), (Some(moment("2026-01-03")), None));

        let (reopened, events) = changed(&lost, to(DealStage::Discovery), "2026-01-03");
        assert_eq!(names(&events), ["deal:stage_changed", "deal:reopened"]);
        assert_eq!((reopened.closed_at, reopened.lost_reason), (None, None));
    }

    #[test]
    fn only_a_lost_deal_has_a_reason() {
        let (deal, _) = created(NewDeal::default());
        for stage in [None, Some(DealStage::ClosedWon)] {
            let patch =
                DealPatch { stage, lost_reason: Patch::Set("Price".to_owned()), ..DealPatch::default() };
            let refused = deal.update(patch, &Actor::sample(Role::Admin), moment("2026-01-02")).unwrap_err();
            assert_eq!(refused.fields()[0].field, "lostReason");
        }
    }

    #[test]
    fn a_deal_created_won_is_won_at_once() {
        let new = NewDeal {
            stage: Some(DealStage::ClosedWon),
            assigned_to_id: Some(user(3)),
            ..NewDeal::default()
        };
        let (deal, events) = created(new);
        assert_eq!(names(&events), ["deal:created", "deal:assigned", "deal:won"]);
        assert_eq!((deal.probability, deal.closed_at), (100, Some(moment("2026-01-01"))));
        let notice = &events[2].notices[0];
        assert_eq!(notice.recipients, Recipients::ActiveMembers);
        assert_eq!(notice.message, "Deal Engine was won: 1250.5");
        let to_oneself = NewDeal { assigned_to_id: Some(user(2)), ..NewDeal::default() };
        assert_eq!(names(&created(to_oneself).1), ["deal:created"]);
    }

    #[test]
    fn each_changed_aspect_has_its_event_and_the_outcome_comes_last() {
        let (deal, _) = created(NewDeal::default());
        let patch = DealPatch {
            title: Some("Difference engine".to_owned()),
            assigned_to_id: Patch::Set(user(3)),
            ..to(DealStage::ClosedWon)
        };
        let (_, events) = changed(&deal, patch, "2026-01-02");
        assert_eq!(names(&events), ["deal:updated", "deal:stage_changed", "deal:assigned", "deal:won"]);
        let (only_moved, only_updated) = (&events[1].details["after"], &events[0].details["after"]);
        assert_eq!(only_updated, &json!({ "title": "Difference engine" }));
        assert_eq!(only_moved["stage"], "CLOSED_WON");
        assert_eq!(only_moved["probability"], 100);
        assert_eq!(events[1].notices[0].message, "Deal Difference engine moved to CLOSED_WON");
    }
}
