//! What the audit log keeps of signing in and out.

use serde_json::json;

use super::Session;
use crate::caller::Origin;
use crate::events::{Event, EventKind};
use crate::time::Timestamp;
use crate::users::User;

/// That a user signed in.
pub(super) fn signed_in(user: &User, origin: &Origin) -> Event {
    from_somewhere(EventKind::UserLogin, user, origin)
}

/// That somebody failed to sign in as a user.
pub(super) fn sign_in_failed(user: &User, origin: &Origin) -> Event {
    from_somewhere(EventKind::UserLoginFailed, user, origin)
}

/// That a user signed out of a session.
pub(super) fn signed_out(user: &User, session: &Session, now: Timestamp) -> Event {
    let seconds = now.since(session.created_at).num_seconds();
    Event::about(EventKind::UserLogout, user).audited_as(json!({ "sessionSeconds": seconds }))
}

/// That a refresh token came back after another had taken its place, and the session was ended.
pub(super) fn token_reused(user: &User, session: &Session, origin: &Origin) -> Event {
    Event::about(EventKind::UserTokenReuseDetected, user).audited_as(json!({
        "sessionId": session.id,
        "ip": origin.ip,
        "userAgent": origin.user_agent,
    }))
}

/// That a password was changed, and how many other sessions it ended.
pub(super) fn password_changed(user: &User, ended: u64) -> Vec<Event> {
    let changed = Event::about(EventKind::UserPasswordChanged, user).audited_as(json!({}));
    let revoked = (ended > 0).then(|| sessions_revoked(user, ended));
    std::iter::once(changed).chain(revoked).collect()
}

/// That sessions of a user were ended from outside of them.
pub(super) fn sessions_revoked(user: &User, count: u64) -> Event {
    Event::about(EventKind::UserSessionsRevoked, user).audited_as(json!({ "count": count }))
}

fn from_somewhere(kind: EventKind, user: &User, origin: &Origin) -> Event {
    Event::about(kind, user).audited_as(json!({ "ip": origin.ip, "userAgent": origin.user_agent }))
}
