//! Tasks: what somebody has to do.

mod commands;
mod repository;
mod service;
mod task;

pub use commands::{NewTask, TaskPatch, TaskQuery};
pub use repository::TaskRepository;
pub use service::Tasks;
pub use task::{Task, TaskDetail, TaskPriority, TaskSort, TaskStatus};
