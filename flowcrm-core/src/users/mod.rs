//! Users: the members of an organization.

mod commands;
mod repository;
mod service;
mod user;

pub use commands::{NewUser, UpdateUser, UserQuery};
pub use repository::{Credentials, UserRepository};
pub use service::Users;
pub use user::{Member, User, UserBrief, UserRef, UserSort, UserView};
