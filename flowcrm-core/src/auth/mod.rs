//! Signing in: passwords, access and refresh tokens, sessions, and what users do with their own account.

mod account;
mod commands;
mod events;
mod maintenance;
mod passwords;
mod repository;
mod service;
mod sessions;
mod tokens;

pub use account::OwnAccount;
pub use commands::{Register, SignIn, SignInWithCode, UpdateMe};
pub use passwords::{Password, Passwords};
pub use repository::SessionRepository;
pub use service::{SignInAnswer, SignedIn};
pub use sessions::{Presented, Session, SessionView};
pub use tokens::{AccessToken, RefreshToken, TokenKeys, TokenSecret};
