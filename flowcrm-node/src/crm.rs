//! The CRM: opened by the URL of its database.

use std::sync::Arc;

use flowcrm_core::auth::SignInWithCode;
use flowcrm_core::caller::Origin;
use flowcrm_core::ids::UserId;
use flowcrm_core::input::Body;
use flowcrm_core::worker;
use flowcrm_store::Opening;
use napi::bindgen_prelude::{Env, PromiseRaw};
use napi_derive::napi;
use tokio::sync::Mutex;

use crate::caller::Caller;
use crate::promise::{Cancellation, MoneyAs, promise};

/// A CRM.
#[napi]
pub struct Crm {
    crm: flowcrm_core::Crm,
    money: MoneyAs,
}

/// Opens the CRM in the database at `url`.
#[napi]
pub(crate) fn open<'env>(
    env: &'env Env,
    url: String,
    secret: Option<String>,
    migrate: bool,
    money_as_text: bool,
    cancellation: Option<&Cancellation>,
) -> napi::Result<PromiseRaw<'env, Crm>> {
    let secret = secret.or_else(|| std::env::var("JWT_SECRET").ok()).map(String::into_bytes);
    let opening = Opening::of(url).secret(secret).migrating(migrate);
    promise(env, cancellation, async move {
        Ok(Crm { crm: opening.open().await?, money: MoneyAs::of(money_as_text) })
    })
}

#[napi]
impl Crm {
    /// Makes an organization with its first owner, and signs them in.
    #[napi]
    pub fn register<'env>(
        &self,
        env: &'env Env,
        fields: String,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Caller>> {
        let (crm, money) = (self.crm.clone(), self.money);
        promise(env, cancellation, async move {
            let signed_in = crm.register(Body::parse(fields.as_bytes())?, &Origin::default()).await?;
            Ok(Caller::new(crm.authenticate(signed_in.access_token.as_str())?, money))
        })
    }

    /// Signs a user in.
    #[napi]
    pub fn sign_in<'env>(
        &self,
        env: &'env Env,
        fields: String,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Caller>> {
        let (crm, money) = (self.crm.clone(), self.money);
        promise(env, cancellation, async move {
            let SignInWithCode(sign_in) = Body::parse(fields.as_bytes())?.decode()?;
            let signed_in = crm.sign_in(sign_in, &Origin::default()).await?;
            Ok(Caller::new(crm.authenticate(signed_in.access_token.as_str())?, money))
        })
    }

    /// Acts as a user, by id or email, without a password.
    #[napi]
    pub fn as_user<'env>(
        &self,
        env: &'env Env,
        named: String,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Caller>> {
        let (crm, money) = (self.crm.clone(), self.money);
        promise(env, cancellation, async move {
            let caller = match named.parse::<UserId>() {
                Ok(user) => crm.as_user(user).await?,
                Err(_) => crm.as_user_with_email(&named).await?,
            };
            Ok(Caller::new(caller, money))
        })
    }

    /// Begins to work in the background.
    #[napi]
    pub fn worker<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Worker>> {
        let crm = self.crm.clone();
        promise(env, None, async move { Ok(Worker(Arc::new(Mutex::new(Some(crm.worker()))))) })
    }

    /// Ends all connections.
    #[napi]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let crm = self.crm.clone();
        promise(env, None, async move {
            crm.close().await;
            Ok(())
        })
    }
}

/// What works in the background.
#[napi]
pub struct Worker(Arc<Mutex<Option<worker::Worker>>>);

#[napi]
impl Worker {
    /// Ends it; what has been stopped stays so.
    #[napi]
    pub fn stop<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, ()>> {
        let worker = Arc::clone(&self.0);
        promise(env, None, async move {
            if let Some(worker) = worker.lock().await.take() {
                worker.stop().await;
            }
            Ok(())
        })
    }
}
