use super::hand_over::hand_over;
use super::user::authorize_managing;
use super::{DeactivateUser, NewUser, UpdateUser, User, UserQuery, UserView};
use crate::access::{Action, Grant, Role};
use crate::caller::Caller;
use crate::error::{Error, OrNotFound, Result};
use crate::ids::UserId;
use crate::input::{Asked, Input};
use crate::page::Page;
use crate::work::{Work, check_version};

/// What a caller may do with the members of the organization.
#[derive(Debug)]
pub struct Users<'a> {
    caller: &'a Caller,
}

impl<'a> Users<'a> {
    pub(crate) const fn new(caller: &'a Caller) -> Self {
        Self { caller }
    }

    /// Lists the organization's users, each as far as the caller may see them.
    ///
    /// # Errors
    ///
    /// `validation_failed` for a bad query.
    pub async fn list(&self, query: impl Into<Asked<UserQuery>>) -> Result<Page<UserView>> {
        let mut work = self.caller.read().await?;
        let query = query.into().read(work.actor().currency)?;
        let sees_emails = work.actor().grant(Action::ReadUser) == Grant::Organization;
        let total =
            if query.list.count { Some(work.users().count(&query, sees_emails).await?) } else { None };
        let users = work.users().list(&query, sees_emails).await?;
        Ok(Page::cut(users, &query.list, total).map(|user| user.seen_by(work.actor())))
    }

    /// Reads a user, as far as the caller may see them.
    ///
    /// # Errors
    ///
    /// `not_found`.
    pub async fn get(&self, id: UserId) -> Result<UserView> {
        let mut work = self.caller.read().await?;
        let user = work.users().find(id).await?.or_not_found("user")?;
        Ok(user.seen_by(work.actor()))
    }

    /// Creates a user, who may sign in with the given password from then on.
    ///
    /// # Errors
    ///
    /// `forbidden` when the caller may not create users of that role; `validation_failed`, also for an email that
    /// somebody signs in with already.
    pub async fn create(&self, new: impl Input<NewUser>) -> Result<User> {
        let body = new.into_body()?;
        let crm = self.caller.crm();
        let known = self.caller.read().await?;
        known.actor().require(Action::ManageUser)?;
        let new: NewUser = body.clone().decode()?;
        let role = new.role.unwrap_or(Role::Sales);
        authorize_managing(known.actor(), role)?;
        drop(known);
        // Hashing takes its time: nobody's write waits for it.
        let password_hash = crm.passwords().hash(new.password.into_inner()).await?;

        let mut work = self.caller.write().await?;
        authorize_managing(work.actor(), role)?;
        // The fingerprint of a request is kept for a day: a plain one of a password would be worth guessing.
        let sealed = body.sealing("password", |password| crm.tokens().seal(password));
        if let Some(user) = work.replay("users.create", &sealed).await? {
            return Ok(user);
        }
        let user =
            User::create(work.env().id(), work.actor().org_id, new.name, new.email, role, work.env().now());
        work.users().insert(&user, &password_hash).await?;
        let created = user.created(&work.actor().org_name);
        work.record([created]);
        work.answer(user).await
    }

    /// Changes a user; with `version`, only if they are still at that version.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `stale_version`, `validation_failed`; `conflict` for the last active OWNER.
    pub async fn update(
        &self,
        id: UserId,
        change: impl Input<UpdateUser>,
        version: Option<i64>,
    ) -> Result<User> {
        let body = change.into_body()?;
        let mut work = self.caller.write().await?;
        let (user, active_owners) = hold(&mut work, id).await?;
        user.authorize_change(work.actor())?;
        check_version(user.version, version)?;
        let change = work.decode(body).await?;
        let user = apply(&mut work, &user, change, active_owners).await?;
        work.commit().await?;
        Ok(user)
    }

    /// Deactivates a user: their sessions end at once, their history stays, and their open work is handed over to
    /// whom the command names.
    ///
    /// # Errors
    ///
    /// `not_found`, `forbidden`, `validation_failed`; `conflict` for the last active OWNER.
    pub async fn deactivate(&self, id: UserId, how: impl Input<DeactivateUser>) -> Result<()> {
        let body = how.into_body()?;
        let mut work = self.caller.write().await?;
        let (user, active_owners) = hold(&mut work, id).await?;
        authorize_managing(work.actor(), user.role)?;
        let how: DeactivateUser = work.decode(body).await?;
        if how.reassign_to == Some(id) {
            return Err(Error::field("reassignTo", "must be somebody else"));
        }
        let deactivate = UpdateUser { active: Some(false), ..UpdateUser::default() };
        let user = apply(&mut work, &user, deactivate, active_owners).await?;
        if let Some(successor) = how.reassign_to {
            hand_over(&mut work, &user, successor).await?;
        }
        work.commit().await
    }
}

/// The user, and how many active OWNERs there are, held until the work ends. All who change users take the OWNERs
/// first, so that two who would unmake each other come one after the other.
async fn hold(work: &mut Work, id: UserId) -> Result<(User, u64)> {
    let active_owners = work.users().lock_active_owners().await?;
    let user = work.users().lock(id).await?.or_not_found("user")?;
    Ok((user, active_owners))
}

async fn apply(work: &mut Work, user: &User, change: UpdateUser, active_owners: u64) -> Result<User> {
    let now = work.env().now();
    let (changed, events) = user.update(change, now);
    user.authorize_becoming(&changed, work.actor(), active_owners)?;
    if !events.is_empty() {
        work.users().update(&changed).await?;
        work.record(events);
    }
    if user.active && !changed.active {
        work.sessions().revoke_all(user.id, None, now).await?;
    }
    Ok(changed)
}
