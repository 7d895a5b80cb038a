//! Activities: what happened with a lead.

mod activity;
mod repository;

pub use activity::{Activity, ActivityQuery, ActivitySort, ActivityType, NewActivity};
pub use repository::ActivityRepository;
