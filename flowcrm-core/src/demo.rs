//! Demo data: three organizations, six users and two months of their work.
//!
//! It is written by the ordinary commands under a clock that is moved, so events, audit entries and notifications lie
//! in the past as their records do. Whoever begins at the same moment gets the same data.

mod play;
mod script;
mod words;

use chrono::Duration;

use crate::access::Role;
use crate::caller::Origin;
use crate::crm::Crm;
use crate::email::Email;
use crate::env::{Env, FixedClock};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::organizations::{self, Founding};
use crate::users::NewUser;
use play::Play;
use script::{BEGINNING, Script};

/// The password of every demo user.
const PASSWORD: &str = "password";

/// What the seeded randomness begins with.
const SEED: u64 = 2_026;

/// How seeding went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    /// The demo organizations were made.
    Now,
    /// They were there before, and were left alone.
    Before,
}

/// A demo organization.
struct Company {
    name: &'static str,
    /// The OWNER, then the others.
    people: &'static [Person],
    /// Where its customers begin in the list of names.
    first_person: usize,
    leads: usize,
    /// Beside those made by converting leads.
    deals: usize,
    tasks: usize,
}

/// A demo user.
struct Person {
    name: &'static str,
    email: &'static str,
    role: Role,
}

const COMPANIES: [Company; 3] = [
    Company {
        name: "TechCorp Solutions",
        people: &[
            Person { name: "Olivia Hart", email: "owner@techcorp.com", role: Role::Owner },
            Person { name: "Adam Kowalski", email: "admin@techcorp.com", role: Role::Admin },
            Person { name: "Maria Santos", email: "manager@techcorp.com", role: Role::Manager },
            Person { name: "Samuel Reed", email: "sales1@techcorp.com", role: Role::Sales },
        ],
        first_person: 0,
        leads: 60,
        deals: 28,
        tasks: 50,
    },
    Company {
        name: "StartupHub Inc",
        people: &[Person { name: "Nora Lindqvist", email: "owner@startuphub.com", role: Role::Owner }],
        first_person: 100,
        leads: 18,
        deals: 8,
        tasks: 14,
    },
    Company {
        name: "Demo Company",
        people: &[Person { name: "Alex Morgan", email: "admin@example.com", role: Role::Owner }],
        first_person: 130,
        leads: 12,
        deals: 6,
        tasks: 10,
    },
];

/// Whether demo users may sign in: their password is known to everyone.
///
/// # Errors
///
/// `unavailable`.
pub async fn is_present(crm: &Crm) -> Result<bool> {
    Ok(organizations_present(crm).await? > 0)
}

/// Fills an empty database with the demo organizations, whose story ends at the present moment.
///
/// # Errors
///
/// `conflict` when the database holds other organizations, or a part of the demo only; `unavailable`.
pub async fn seed(crm: &Crm) -> Result<Seeded> {
    let present = organizations_present(crm).await?;
    if present == COMPANIES.len() {
        return Ok(Seeded::Before);
    }
    if present > 0 {
        return Err(Error::conflict("The demo data is incomplete: begin again with an empty database."));
    }
    if crm.store().system_read().await?.count_organizations().await? > 0 {
        return Err(Error::conflict(
            "The database holds other organizations: demo data goes into an empty one only.",
        ));
    }
    let now = crm.env().now();
    let clock = FixedClock::at(now);
    let crm = crm.with_env(Env::seeded(clock.clone(), SEED));
    for company in &COMPANIES {
        clock.set(now.plus(Duration::minutes(-BEGINNING)));
        let team = hire(&crm, company).await?;
        let steps = Script::write(company, &team, crm.env(), now);
        let mut callers = Vec::new();
        for user in team {
            callers.push(crm.as_user(user).await?);
        }
        Play::default().perform(steps, &callers, &clock).await?;
    }
    Ok(Seeded::Now)
}

/// How many of the demo organizations are there, by the accounts of their owners.
async fn organizations_present(crm: &Crm) -> Result<usize> {
    let mut system = crm.store().system_read().await?;
    let mut present = 0;
    for company in &COMPANIES {
        let key = email(company.people[0].email)?.key();
        present += usize::from(system.account_by_email(&key).await?.is_some());
    }
    Ok(present)
}

/// Founds the organization, and has its OWNER add the others.
async fn hire(crm: &Crm, company: &Company) -> Result<Vec<UserId>> {
    let founding = Founding {
        org_name: company.name.to_owned(),
        owner_name: company.people[0].name.to_owned(),
        owner_email: email(company.people[0].email)?,
        password_hash: crm.passwords().hash(PASSWORD.to_owned()).await?,
    };
    let (work, owner) = organizations::found(crm, founding, &Origin::default()).await?;
    work.commit().await?;
    let caller = crm.as_user(owner.id).await?;
    let mut team = vec![owner.id];
    for person in &company.people[1..] {
        let new = NewUser {
            name: person.name.to_owned(),
            email: email(person.email)?,
            role: Some(person.role),
            password: PASSWORD.into(),
        };
        team.push(caller.users().create(new).await?.id);
    }
    Ok(team)
}

fn email(text: &str) -> Result<Email> {
    text.parse().map_err(|message: String| Error::internal(message))
}
