use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::tokens::RefreshToken;
use super::{AccessToken, Passwords, Presented, Register, Session, SignIn, events};
use crate::access::{Actor, OrgScope};
use crate::caller::{Caller, Origin};
use crate::crm::Crm;
use crate::error::{Error, ErrorCode, OrNotFound, Result};
use crate::ids::SessionId;
use crate::input::Input;
use crate::organizations::{self, Founding};
use crate::ports::Account;
use crate::users::{Credentials, User};
use crate::work::Work;

/// A user who has just signed in, or refreshed.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Good for calls, for 15 minutes.
    pub access_token: AccessToken,
    /// Good for the next access token.
    pub refresh_token: RefreshToken,
    /// The user.
    pub user: User,
}

/// What a client is told who has signed in; the refresh token travels apart, where no script can read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object), oai(rename_all = "camelCase"))]
pub struct SignInAnswer {
    /// Goes behind `Authorization: Bearer`, for 15 minutes.
    pub access_token: AccessToken,
    /// The user.
    pub user: User,
}

impl SignedIn {
    /// What the client is told, and the refresh token for it to keep.
    pub fn into_answer(self) -> (SignInAnswer, RefreshToken) {
        (SignInAnswer { access_token: self.access_token, user: self.user }, self.refresh_token)
    }
}

impl Crm {
    /// The caller that an access token names. Whether the session lives and the user is active is checked by each
    /// command.
    ///
    /// # Errors
    ///
    /// `unauthenticated` when the token is not one of ours, or has expired.
    pub fn authenticate(&self, access_token: &str) -> Result<Caller> {
        let claims = self.tokens().verify(access_token, self.env().now())?;
        Ok(Caller::new(self.clone(), claims.org_id, claims.user_id, Some(claims.sid)))
    }

    /// Makes a new organization with its first OWNER, and signs them in.
    ///
    /// # Errors
    ///
    /// `validation_failed`, also when the email is taken.
    pub async fn register(&self, register: impl Input<Register>, origin: &Origin) -> Result<SignedIn> {
        let (work, owner) = self.found(register, origin).await?;
        self.begin_session(work, owner).await
    }

    /// Founds the organization of a registration; what is left is to commit.
    pub(super) async fn found(
        &self,
        register: impl Input<Register>,
        origin: &Origin,
    ) -> Result<(Work, User)> {
        let register: Register = register.into_body()?.decode()?;
        let founding = Founding {
            org_name: register.org_name,
            owner_name: register.name,
            owner_email: register.email,
            password_hash: self.passwords().hash(register.password.into_inner()).await?,
        };
        organizations::found(self, founding, origin).await
    }

    /// Signs a user in with email and password.
    ///
    /// # Errors
    ///
    /// `validation_failed`; `sign_in_failed`, with the same words and at the same cost, when nobody has the email,
    /// the password is wrong or the user is not active.
    pub async fn sign_in(&self, sign_in: impl Input<SignIn>, origin: &Origin) -> Result<SignedIn> {
        let SignIn { email, password, .. } = sign_in.into_body()?.decode()?;
        let account = self.store().system_read().await?.account_by_email(&email.key()).await?;
        let known = self.credentials(account).await?;
        let hash = known.as_ref().map_or(Passwords::OF_NOBODY, |known| &known.password_hash).to_owned();
        let is_right = self.passwords().verify(password.into_inner(), hash).await?;
        let (Some(account), Some(known)) = (account, known) else {
            self.note_unknown(&email.key(), origin).await?;
            return Err(sign_in_failed());
        };
        // What was true before the password was verified may have changed meanwhile.
        let (mut work, user) = self.work_on(account, origin).await?;
        let present = work.users().credentials(user.id).await?;
        let is_unchanged = present.is_some_and(|present| present.password_hash == known.password_hash);
        if is_right && is_unchanged && user.active {
            return self.begin_session(work, user).await;
        }
        let mut work = work.unattributed();
        work.record([events::sign_in_failed(&user, origin)]);
        work.commit().await?;
        Err(sign_in_failed())
    }

    /// Trades a refresh token for an access token and the next refresh token.
    ///
    /// # Errors
    ///
    /// `session_ended` when the token is not one of ours or its session has ended, and when the token was used up
    /// long ago: then somebody has a copy of it, and the session ends.
    pub async fn refresh(&self, token: &str, origin: &Origin) -> Result<SignedIn> {
        let token = RefreshToken::parse(token).ok_or_else(session_ended)?;
        let account = self.store().system_read().await?.account_by_session(token.session()).await?;
        let (mut work, user) = self.work_on(account.ok_or_else(session_ended)?, origin).await?;
        let now = work.env().now();
        let session = work.sessions().lock(token.session()).await?;
        let session = session.filter(|_| user.active).ok_or_else(session_ended)?;
        match session.present(token.secret(), self.tokens(), now) {
            Presented::Good { session, successor } => {
                work.sessions().update(&session).await?;
                work.commit().await?;
                let access_token = self.tokens().sign(&user, session.id, self.env())?;
                Ok(SignedIn { access_token, refresh_token: successor, user })
            }
            Presented::Reused => {
                work.sessions().revoke(session.id, now).await?;
                let mut work = work.unattributed();
                work.record([events::token_reused(&user, &session, origin)]);
                work.commit().await?;
                Err(session_ended())
            }
            Presented::Refused => Err(session_ended()),
        }
    }

    /// Ends the session of a refresh token, and that of a caller; what has ended already, or never was, is left.
    ///
    /// # Errors
    ///
    /// Only when the database does not answer.
    pub async fn sign_out(
        &self,
        refresh_token: Option<&str>,
        caller: Option<&Caller>,
        origin: &Origin,
    ) -> Result<()> {
        let now = self.env().now();
        if let Some(token) = refresh_token.and_then(RefreshToken::parse) {
            let is_ours =
                |session: &Session| session.present(token.secret(), self.tokens(), now) != Presented::Refused;
            self.end_session(token.session(), origin, is_ours).await?;
        }
        if let Some(session) = caller.and_then(Caller::session_id) {
            self.end_session(session, origin, |session| session.is_live(now)).await?;
        }
        Ok(())
    }

    async fn end_session(
        &self,
        id: SessionId,
        origin: &Origin,
        may_end: impl Fn(&Session) -> bool + Send,
    ) -> Result<()> {
        let Some(account) = self.store().system_read().await?.account_by_session(id).await? else {
            return Ok(());
        };
        let (mut work, user) = self.work_on(account, origin).await?;
        let Some(session) = work.sessions().lock(id).await?.filter(may_end) else {
            return Ok(());
        };
        let now = work.env().now();
        work.sessions().revoke(id, now).await?;
        work.record([events::signed_out(&user, &session, now)]);
        work.commit().await
    }

    /// Begins a session in the work that made or checked the user, and commits.
    async fn begin_session(&self, mut work: Work, user: User) -> Result<SignedIn> {
        let now = work.env().now();
        let origin = work.origin().clone();
        let (id, seed) = (work.env().id(), work.env().random_bytes());
        let (session, refresh_token) = Session::begin(id, user.id, seed, self.tokens(), &origin, now);
        let user = User { last_login_at: Some(now), ..user };
        work.sessions().create(&session).await?;
        work.users().note_login(user.id, now).await?;
        work.record([events::signed_in(&user, &origin)]);
        work.commit().await?;
        let access_token = self.tokens().sign(&user, session.id, self.env())?;
        Ok(SignedIn { access_token, refresh_token, user })
    }

    /// The credentials of an account. Nobody's are looked for as well, in an organization that is not there, so that
    /// an unknown email takes no less time.
    async fn credentials(&self, account: Option<Account>) -> Result<Option<Credentials>> {
        let nobody = Account { org_id: Uuid::nil().into(), user_id: Uuid::nil().into() };
        let account = account.unwrap_or(nobody);
        self.store().read(OrgScope::new(account.org_id)).await?.users().credentials(account.user_id).await
    }

    async fn note_unknown(&self, email_key: &str, origin: &Origin) -> Result<()> {
        let ip = origin.ip.map(|ip| ip.to_string());
        let mut tx = self.store().system().await?;
        tx.note_unknown_sign_in(&Sha256::digest(email_key), ip.as_deref(), self.env().now()).await?;
        tx.commit().await
    }

    /// Work on an account that was found: its user, active or not, held against other writers, is also its actor.
    pub(super) async fn work_on(&self, account: Account, origin: &Origin) -> Result<(Work, User)> {
        let mut tx = self.store().write(OrgScope::new(account.org_id)).await?;
        let user = tx.users().lock(account.user_id).await?.or_not_found("user")?;
        let organization = tx.organization().find().await?.or_not_found("organization")?;
        let actor = Actor::of_account(&organization, &user);
        Ok((Work::new(tx, actor, self.env().clone(), origin.clone()), user))
    }
}

fn sign_in_failed() -> Error {
    Error::new(ErrorCode::SignInFailed, "Email and password do not match, or the account is not active.")
}

fn session_ended() -> Error {
    Error::new(ErrorCode::SessionEnded, "Your session has ended. Sign in again.")
}
