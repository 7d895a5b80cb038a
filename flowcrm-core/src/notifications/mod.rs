//! Notifications: what a member is told about.

mod notification;
mod repository;
mod service;

pub use notification::{Announce, Notice, Notification, NotificationQuery, NotificationType, Recipients};
pub use repository::NotificationRepository;
pub use service::{Inbox, Notifications};
