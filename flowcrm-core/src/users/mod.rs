//! Users: the members of an organization.

mod commands;
mod hand_over;
mod repository;
mod service;
mod user;

pub use commands::{DeactivateUser, NewUser, UpdateUser, UserQuery};
pub use repository::{Credentials, UserRepository};
pub use service::Users;
pub use user::{Member, User, UserBrief, UserRef, UserSort, UserView};
