//! The CRM: opened by the URL of its database.

use std::sync::Arc;

use flowcrm_core::auth::SignInWithCode;
use flowcrm_core::caller::Origin;
use flowcrm_core::ids::UserId;
use flowcrm_core::{Error, Result, worker};
use flowcrm_store::Opening;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::sync::Mutex;

use crate::caller::Caller;
use crate::error::exception;
use crate::input;
use crate::job::Job;
use crate::runtime::{Home, Owned};

/// A CRM.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct Crm(Owned<flowcrm_core::Crm>);

/// Opens the CRM in the database at `url`.
#[pyfunction]
#[pyo3(signature = (url, *, secret, migrate))]
pub(crate) fn open(
    py: Python<'_>,
    url: &Bound<'_, PyAny>,
    secret: Option<&Bound<'_, PyAny>>,
    migrate: bool,
) -> PyResult<Job> {
    let asked = || {
        let url = input::text(url).ok_or_else(|| Error::field("url", "must be text"))?;
        let given =
            secret.map(|secret| input::text(secret).ok_or_else(|| Error::field("secret", "must be text")));
        let secret = given.transpose()?.or_else(|| std::env::var("JWT_SECRET").ok());
        Ok(Opening::of(url).secret(secret.map(String::into_bytes)).migrating(migrate))
    };
    let opening: Opening = asked().map_err(|error| exception(py, &error))?;
    let home = Home::here();
    Ok(Job::new(home, opening.open(), move |py, crm| {
        Ok(Bound::new(py, Crm(Owned::new(crm, home)))?.into_any().unbind())
    }))
}

impl Crm {
    fn caller_job(&self, work: impl Future<Output = Result<flowcrm_core::Caller>> + Send + 'static) -> Job {
        let home = self.0.home();
        Job::new(home, work, move |py, caller| {
            Ok(Bound::new(py, Caller::new(caller, home))?.into_any().unbind())
        })
    }
}

#[pymethods]
impl Crm {
    /// Makes an organization with its first owner, and signs them in.
    fn register(&self, py: Python<'_>, fields: &Bound<'_, PyDict>) -> PyResult<Job> {
        let fields = input::body(Some(fields)).map_err(|error| exception(py, &error))?;
        let crm = self.0.clone();
        Ok(self.caller_job(async move {
            let signed_in = crm.register(fields, &Origin::default()).await?;
            crm.authenticate(signed_in.access_token.as_str())
        }))
    }

    /// Signs a user in.
    fn sign_in(&self, py: Python<'_>, fields: &Bound<'_, PyDict>) -> PyResult<Job> {
        let fields = input::body(Some(fields)).map_err(|error| exception(py, &error))?;
        let crm = self.0.clone();
        Ok(self.caller_job(async move {
            let SignInWithCode(sign_in) = fields.decode()?;
            let signed_in = crm.sign_in(sign_in, &Origin::default()).await?;
            crm.authenticate(signed_in.access_token.as_str())
        }))
    }

    /// Acts as a user, by id or email, without a password.
    fn as_user(&self, py: Python<'_>, id_or_email: &Bound<'_, PyAny>) -> PyResult<Job> {
        let named = input::id(id_or_email).map_err(|error| exception(py, &error))?;
        let crm = self.0.clone();
        Ok(self.caller_job(async move {
            match named.parse::<UserId>() {
                Ok(user) => crm.as_user(user).await,
                Err(_) => crm.as_user_with_email(&named).await,
            }
        }))
    }

    /// Begins to work in the background.
    fn worker(&self) -> Job {
        let (crm, home) = (self.0.clone(), self.0.home());
        Job::new(home, async move { Ok(crm.worker()) }, move |py, worker| {
            let worker = Worker(Owned::new(Arc::new(Mutex::new(Some(worker))), home));
            Ok(Bound::new(py, worker)?.into_any().unbind())
        })
    }

    /// Ends all connections; nothing is to be done in a process that was forked off, to which they do not belong.
    fn close(&self) -> Option<Job> {
        self.0.home().check().ok()?;
        let crm = self.0.clone();
        Some(Job::silent(self.0.home(), async move {
            crm.close().await;
            Ok(())
        }))
    }
}

/// What works in the background.
#[pyclass(frozen, module = "flowcrm._native")]
pub(crate) struct Worker(Owned<Arc<Mutex<Option<worker::Worker>>>>);

#[pymethods]
impl Worker {
    /// Ends it; what has been stopped stays so. Nothing is to be done in a process that was forked off, in which it does
    /// not work.
    fn stop(&self) -> Option<Job> {
        self.0.home().check().ok()?;
        let worker = Arc::clone(&self.0);
        Some(Job::silent(self.0.home(), async move {
            if let Some(worker) = worker.lock().await.take() {
                worker.stop().await;
            }
            Ok(())
        }))
    }
}
