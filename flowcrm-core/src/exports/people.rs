use std::collections::HashMap;

use crate::access::{Action, Grant};
use crate::error::Result;
use crate::ids::UserId;
use crate::work::Work;

/// What the people of an export are called in it: by email to a caller who may read those, else by name.
#[derive(Debug, Default)]
pub(super) struct People {
    by_email: bool,
    called: HashMap<UserId, String>,
}

impl People {
    /// Looks up those of some users who are not known yet.
    pub(super) async fn look_up(&mut self, work: &mut Work, users: &[Option<UserId>]) -> Result<()> {
        let by_email = work.actor().grant(Action::ReadUser) == Grant::Organization;
        if by_email != self.by_email {
            *self = Self { by_email, called: HashMap::new() };
        }
        for user in users.iter().copied().flatten() {
            if self.called.contains_key(&user) {
                continue;
            }
            let found = work.users().find(user).await?;
            let called = found.map(|user| if by_email { user.email.to_string() } else { user.name });
            self.called.insert(user, called.unwrap_or_default());
        }
        Ok(())
    }

    /// What a user is called.
    pub(super) fn called(&self, user: Option<UserId>) -> Option<&str> {
        self.called.get(&user?).map(String::as_str)
    }
}
