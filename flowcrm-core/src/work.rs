//! One command's unit of work: a transaction, the actor in it, and what the command records.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::access::{Action, Actor};
use crate::bulk::{Bulk, BulkChange};
use crate::caller::Origin;
use crate::env::Env;
use crate::error::{Error, ErrorCode, FieldError, Result};
use crate::events::{Event, EventKind};
use crate::ids::UserId;
use crate::input::{Body, Command, Fields, Reference};
use crate::leads;
use crate::money::Currency;
use crate::notifications::{Notice, Notification, Recipients};
use crate::ports::{AnswerClaim, Journal, NewAuditEntry, NewEvent, OrgTx, SystemTx};
use crate::upkeep::ANSWERS_KEPT;
use crate::users::{Member, UserRef};

/// A transaction with the actor of its command; repositories are reached through it.
///
/// Everything that the command records is written by [`Work::commit`], in the same transaction. Dropping it undoes all.
pub(crate) struct Work {
    tx: Box<dyn OrgTx>,
    actor: Actor,
    is_attributed: bool,
    env: Env,
    origin: Origin,
    idempotency_key: Option<String>,
    claim: Option<AnswerClaim>,
    members: Vec<Member>,
    events: Vec<Event>,
    notices: Vec<Notice>,
}

impl Deref for Work {
    type Target = dyn OrgTx;

    fn deref(&self) -> &Self::Target {
        self.tx.as_ref()
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.tx.as_mut()
    }
}

impl Work {
    /// Work of `actor` in the transaction `tx`.
    pub(crate) fn new(tx: Box<dyn OrgTx>, actor: Actor, env: Env, origin: Origin) -> Self {
        Self {
            tx,
            actor,
            is_attributed: true,
            env,
            origin,
            idempotency_key: None,
            claim: None,
            members: Vec::new(),
            events: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// The same work, done by nobody of the organization: its events and audit entries name no user.
    pub(crate) fn unattributed(mut self) -> Self {
        self.is_attributed = false;
        self
    }

    /// The same work under an idempotency key.
    pub(crate) fn under_key(mut self, key: Option<String>) -> Self {
        self.idempotency_key = key;
        self
    }

    /// The user who acts.
    pub(crate) const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Time, ids and randomness.
    pub(crate) const fn env(&self) -> &Env {
        &self.env
    }

    /// Where the command came from.
    pub(crate) const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Reads a command from a body, and looks up everything that it refers to.
    pub(crate) async fn decode<T: Command>(&mut self, body: Body) -> Result<T> {
        let mut fields = Fields::new(body, self.actor.currency);
        let command = T::decode(&mut fields);
        refuse(self.findings(fields).await?)?;
        Ok(command)
    }

    /// Reads a bulk command: the ids, and what to do with each. The patch is read and looked up once here, so that
    /// it is refused as a whole when it is not valid.
    pub(crate) async fn decode_bulk<I: std::str::FromStr, T: Command>(
        &mut self,
        body: Body,
    ) -> Result<(Vec<I>, BulkChange)> {
        let mut fields = Fields::new(body, self.actor.currency);
        let bulk: Bulk<I> = Bulk::decode(&mut fields);
        let mut errors = self.findings(fields).await?;
        if let BulkChange::Set(patch) = &bulk.change {
            let mut fields = Fields::new(patch.clone(), self.actor.currency);
            T::decode(&mut fields);
            let inside = |error: FieldError| FieldError { field: format!("set.{}", error.field), ..error };
            errors.extend(self.findings(fields).await?.into_iter().map(inside));
        }
        refuse(errors)?;
        Ok((bulk.ids, bulk.change))
    }

    /// All that is wrong with the fields of a body, what they refer to included.
    async fn findings(&mut self, fields: Fields) -> Result<Vec<FieldError>> {
        let (references, mut errors) = fields.into_findings();
        for (field, reference) in references {
            if !self.is_there(reference).await? {
                errors.push(FieldError::new(field, "is not an active member, or a record that you may see"));
            }
        }
        Ok(errors)
    }

    async fn is_there(&mut self, reference: Reference) -> Result<bool> {
        Ok(match reference {
            Reference::Member(user) => self.member(user).await?.is_some_and(|member| member.active),
            Reference::Lead(lead) => leads::visible(self.leads().find(lead).await?, self).is_ok(),
            Reference::Deal(deal) => self.deals().find(deal).await?.is_some(),
        })
    }

    /// A member of the organization; looked up once per command.
    pub(crate) async fn member(&mut self, user: UserId) -> Result<Option<Member>> {
        if let Some(member) = self.members.iter().find(|member| member.id == user) {
            return Ok(Some(member.clone()));
        }
        let found = self.users().member(user).await?;
        self.members.extend(found.clone());
        Ok(found)
    }

    /// The user, if there is one and they are an active member.
    pub(crate) async fn active_member(&mut self, user: Option<UserId>) -> Result<Option<UserId>> {
        Ok(match user {
            Some(user) => self.member(user).await?.filter(|member| member.active).map(|member| member.id),
            None => None,
        })
    }

    /// The names of some users; the actor's is known, so a record of their own costs no query.
    pub(crate) async fn names(&mut self, users: &[Option<UserId>]) -> Result<Vec<UserRef>> {
        let actor = UserRef { id: self.actor.user_id, name: self.actor.name.clone() };
        let others: Vec<_> =
            users.iter().copied().filter(|user| user.is_some_and(|id| id != actor.id)).collect();
        let mut named = if others.is_empty() { Vec::new() } else { self.users().names(&others).await? };
        named.push(actor);
        Ok(named)
    }

    /// Demands that `action` lets the actor name this member as owner or assignee.
    pub(crate) async fn authorize_naming(&mut self, action: Action, user: UserId) -> Result<()> {
        let member = self.member(user).await?;
        let role = member.map(|member| member.role).ok_or_else(|| Error::not_found("member"))?;
        self.actor.authorize_naming(action, user, role)
    }

    /// The answer that was given before under the same idempotency key, if there is a key and there was an answer.
    ///
    /// # Errors
    ///
    /// `idempotency_mismatch` when the key was used for another operation or body.
    pub(crate) async fn replay<T: DeserializeOwned>(
        &mut self,
        operation: &str,
        body: &Body,
    ) -> Result<Option<T>> {
        let Some(key) = self.idempotency_key.take() else {
            return Ok(None);
        };
        let fingerprint = Sha256::digest(format!("{operation}\n{}", body.canonical())).into();
        let now = self.env.now();
        let claim = AnswerClaim { user_id: self.actor.user_id, key, fingerprint, created_at: now };
        let kept = self.answers().claim(&claim, now.plus(-ANSWERS_KEPT)).await?;
        let Some(kept) = kept else {
            self.claim = Some(claim);
            return Ok(None);
        };
        if kept.fingerprint != fingerprint {
            let detail = "This idempotency key was used for another request in the last 24 hours.";
            return Err(Error::new(ErrorCode::IdempotencyMismatch, detail));
        }
        ciborium::from_reader(kept.answer.as_slice()).map(Some).map_err(Error::internal)
    }

    /// Records events, which are written when the work is committed.
    pub(crate) fn record(&mut self, events: impl IntoIterator<Item = Event>) {
        self.events.extend(events);
    }

    /// Notifies somebody of what is no event of its own.
    pub(crate) fn notify(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Goes on in another currency, after the command has changed the organization's.
    pub(crate) fn change_currency(&mut self, currency: Currency) {
        self.actor.currency = currency;
    }

    /// Keeps `answer` under the idempotency key, if there is one, commits, and gives the answer back.
    pub(crate) async fn answer<T: Serialize + Send>(mut self, answer: T) -> Result<T> {
        self.keep(&answer).await?;
        self.commit().await?;
        Ok(answer)
    }

    /// Goes on outside of the organization, in the same transaction; nothing has been recorded in it.
    pub(crate) async fn leave(self) -> Result<Box<dyn SystemTx>> {
        debug_assert!(self.events.is_empty(), "events of an organization that is left");
        self.tx.leave().await
    }

    /// Keeps `answer` under the idempotency key, if there is one; what follows commits it.
    pub(crate) async fn keep<T: Serialize>(&mut self, answer: &T) -> Result<()> {
        if let Some(claim) = self.claim.take() {
            let mut bytes = Vec::new();
            ciborium::into_writer(answer, &mut bytes).map_err(Error::internal)?;
            self.answers().keep(&claim, &bytes).await?;
        }
        Ok(())
    }

    /// Writes events, audit entries and notifications, and commits everything.
    pub(crate) async fn commit(mut self) -> Result<()> {
        let notifications = self.notifications_to_send().await?;
        let sent =
            notifications.iter().map(|notification| Event::about(EventKind::NotificationSent, notification));
        self.events.extend(sent.collect::<Vec<_>>());
        let journal = self.journal(notifications);
        self.tx.commit(journal).await
    }

    fn journal(&mut self, notifications: Vec<Notification>) -> Journal {
        let now = self.env.now();
        let actor = self.is_attributed.then_some(self.actor.user_id);
        let mut journal =
            Journal { currency: self.actor.currency, events: Vec::new(), audit: Vec::new(), notifications };
        // The log lists the entries of one moment by their ids.
        let mut ids = self.env.ascending_ids();
        for event in std::mem::take(&mut self.events) {
            let rule = event.kind.rule();
            if let Some(id) = ids.next().filter(|_| rule.is_audited) {
                journal.audit.push(NewAuditEntry {
                    id,
                    action: rule.name,
                    entity_type: rule.entity,
                    entity_id: event.entity_id,
                    user_id: actor,
                    details: event.details,
                    ip_address: self.origin.ip.map(|ip| ip.to_string()),
                    created_at: now,
                });
            }
            journal.events.push(NewEvent {
                kind: event.kind,
                entity_id: event.entity_id,
                user_id: actor,
                audience: event.audience,
                payload: Value::Object(event.payload),
                created_at: now,
            });
        }
        journal
    }

    /// One notification per recipient: of a record the last notice, which is the most telling; of several records the
    /// first, and how many more there are. The record is the one that the notice leads to, if it leads to one.
    async fn notifications_to_send(&mut self) -> Result<Vec<Notification>> {
        let mut chosen: BTreeMap<UserId, Vec<(String, usize)>> = BTreeMap::new();
        let about = |entity: uuid::Uuid, notice: &Notice| {
            let record = notice.link.clone().unwrap_or_else(|| entity.to_string());
            (record, notice.clone())
        };
        let of_events = self
            .events
            .iter()
            .flat_map(|event| event.notices.iter().map(|notice| about(event.entity_id, notice)));
        let org = self.actor.org_id.as_uuid();
        let notices: Vec<_> = of_events.chain(self.notices.iter().map(|notice| about(org, notice))).collect();
        let is_for_all = |(_, notice): &(String, Notice)| notice.recipients == Recipients::ActiveMembers;
        let everyone =
            if notices.iter().any(is_for_all) { self.users().active_ids().await? } else { Vec::new() };
        for (index, (record, notice)) in notices.iter().enumerate() {
            let recipients = match &notice.recipients {
                Recipients::Users(users) => users,
                Recipients::ActiveMembers => &everyone,
            };
            for user in
                recipients.iter().copied().filter(|user| notice.includes_actor || *user != self.actor.user_id)
            {
                let of_user = chosen.entry(user).or_default();
                of_user.retain(|(other, _)| other != record);
                of_user.push((record.clone(), index));
            }
        }
        let to_notification = |(user, of_user): (UserId, Vec<(String, usize)>)| {
            let (_, notice) = &notices[of_user.first()?.1];
            let more = of_user.len() - 1;
            Some(Notification {
                id: self.env.id(),
                user_id: user,
                kind: notice.kind,
                message: if more == 0 {
                    notice.message.clone()
                } else {
                    format!("{} (and {more} more)", notice.message)
                },
                link: notice.link.clone(),
                read: false,
                created_at: self.env.now(),
            })
        };
        Ok(chosen.into_iter().filter_map(to_notification).collect())
    }
}

/// Refuses a command that has bad fields.
fn refuse(errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() { Ok(()) } else { Err(Error::invalid(errors)) }
}

/// Demands that a record is still at the version that the caller knows, if they named one.
pub(crate) fn check_version(present: i64, known: Option<i64>) -> Result<()> {
    match known {
        Some(known) if known != present => {
            let detail = format!("The record is at version {present}, not {known}: read it again.");
            Err(Error::new(ErrorCode::Stale, detail))
        }
        _ => Ok(()),
    }
}
