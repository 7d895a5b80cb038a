use flowcrm_core::Crm;
use flowcrm_core::auth::{Register, SessionView, SignIn, SignInAnswer, SignedIn, UpdateMe};
use flowcrm_core::error::{Error, ErrorCode};
use flowcrm_core::ids::SessionId;
use flowcrm_core::users::User;
use http::header::SET_COOKIE;
use poem::web::Data;
use poem_openapi::param::Path;
use poem_openapi::payload::Response;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::{Chapter, Deleted};
use crate::answer::{Answer, Created, Versioned};
use crate::extract::{Client, IfMatch, JsonBody, MaybeSigned, RefreshCookie, Signed};
use crate::problem::Result;

/// How the refresh cookie is set.
#[derive(Debug, Clone, Copy)]
pub struct CookiePolicy {
    /// Whether browsers may send it over TLS only.
    pub secure: bool,
}

impl CookiePolicy {
    /// Seconds that a browser keeps the cookie: as long as a session lives without use.
    const MAX_AGE: u32 = 7 * 24 * 60 * 60;

    fn cookie(self, value: &str, max_age: u32) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age}{secure}",
            RefreshCookie::NAME
        )
    }

    fn set(self, signed_in: SignedIn) -> (SignInAnswer, String) {
        let (answer, refresh_token) = signed_in.into_answer();
        (answer, self.cookie(&refresh_token.to_text(), Self::MAX_AGE))
    }
}

/// Whether strangers may register an organization.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registration {
    pub(crate) is_open: bool,
}

/// What was done, in a sentence.
#[derive(Debug, Serialize, Object)]
struct Message {
    /// The sentence.
    message: String,
}

pub(super) struct Auth;

#[OpenApi(prefix_path = "/api/auth", tag = "Chapter::SignIn")]
impl Auth {
    /// Registers a new organization with its first OWNER, and signs them in.
    #[oai(path = "/register", method = "post", operation_id = "register")]
    async fn register(
        &self,
        crm: Data<&Crm>,
        registration: Data<&Registration>,
        cookies: Data<&CookiePolicy>,
        client: Client,
        body: JsonBody<Register>,
    ) -> Result<Response<Created<SignInAnswer>>> {
        if !registration.is_open {
            return Err(Error::forbidden(
                "Registration is closed here: ask an administrator for an account.",
            )
            .into());
        }
        let (answer, cookie) = cookies.set(crm.register(body.0, &client.0).await?);
        Ok(Response::new(Created(answer)).header(SET_COOKIE, cookie))
    }

    /// Signs in with email and password.
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        crm: Data<&Crm>,
        cookies: Data<&CookiePolicy>,
        client: Client,
        body: JsonBody<SignIn>,
    ) -> Result<Response<Answer<SignInAnswer>>> {
        let (answer, cookie) = cookies.set(crm.sign_in(body.0, &client.0).await?);
        Ok(Response::new(Answer(answer)).header(SET_COOKIE, cookie))
    }

    /// Trades the refresh cookie for a new access token; the cookie rotates.
    #[oai(path = "/refresh-token", method = "post", operation_id = "refreshToken")]
    async fn refresh(
        &self,
        crm: Data<&Crm>,
        cookies: Data<&CookiePolicy>,
        client: Client,
        cookie: RefreshCookie,
    ) -> Result<Response<Answer<SignInAnswer>>> {
        let token =
            cookie.0.ok_or_else(|| Error::new(ErrorCode::SessionEnded, "There is no session: sign in."))?;
        let (answer, cookie) = cookies.set(crm.refresh(&token, &client.0).await?);
        Ok(Response::new(Answer(answer)).header(SET_COOKIE, cookie))
    }

    /// Ends the session of the refresh cookie, and that of the access token if one is sent.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(
        &self,
        crm: Data<&Crm>,
        cookies: Data<&CookiePolicy>,
        client: Client,
        caller: MaybeSigned,
        cookie: RefreshCookie,
    ) -> Result<Response<Answer<Message>>> {
        crm.sign_out(cookie.0.as_deref(), caller.0.as_ref(), &client.0).await?;
        let message = Message { message: "You are signed out.".to_owned() };
        Ok(Response::new(Answer(message)).header(SET_COOKIE, cookies.cookie("", 0)))
    }

    /// Reads your own account.
    #[oai(path = "/me", method = "get", operation_id = "getMe")]
    async fn me(&self, caller: Signed) -> Result<Versioned<User>> {
        let record = caller.0.account().get().await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Changes your name or your password; a new password ends your other sessions.
    #[oai(path = "/me", method = "put", operation_id = "updateMe")]
    async fn update_me(
        &self,
        caller: Signed,
        if_match: IfMatch,
        body: JsonBody<UpdateMe>,
    ) -> Result<Versioned<User>> {
        let record = caller.0.account().update(body.0, if_match.0).await?;
        Ok(Versioned { version: Some(record.version), record })
    }

    /// Lists your living sessions.
    #[oai(path = "/sessions", method = "get", operation_id = "listSessions")]
    async fn sessions(&self, caller: Signed) -> Result<Answer<Vec<SessionView>>> {
        Ok(Answer(caller.0.account().sessions().await?))
    }

    /// Ends one of your sessions at once.
    #[oai(path = "/sessions/:id", method = "delete", operation_id = "endSession")]
    async fn end_session(&self, caller: Signed, id: Path<SessionId>) -> Result<Answer<Deleted>> {
        caller.0.account().end_session(id.0).await?;
        Ok(Answer(Deleted::of(id.0)))
    }
}
