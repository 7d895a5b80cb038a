use std::collections::HashMap;

use crate::access::{Action, Actor, Role};
use crate::ids::UserId;

/// An active member, as files name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMember {
    /// The member's id.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// The folded form of their email.
    pub email_key: String,
    /// Their role.
    pub role: Role,
}

/// The active members, found by what a file calls them.
#[derive(Default)]
pub(super) struct Members {
    all: Vec<ImportMember>,
    by_id: HashMap<UserId, usize>,
    by_email: HashMap<String, usize>,
    /// Names are not unique.
    by_name: HashMap<String, Vec<usize>>,
}

impl Members {
    pub(super) fn new(all: Vec<ImportMember>) -> Self {
        let mut members = Self::default();
        for (index, member) in all.iter().enumerate() {
            members.by_id.insert(member.id, index);
            members.by_email.insert(member.email_key.clone(), index);
            members.by_name.entry(member.name.trim().to_lowercase()).or_default().push(index);
        }
        Self { all, ..members }
    }

    /// The member with this email, or else this name.
    pub(super) fn called(&self, word: &str) -> Result<&ImportMember, String> {
        let key = word.trim().to_lowercase();
        if let Some(index) = self.by_email.get(&key) {
            return Ok(&self.all[*index]);
        }
        match self.by_name.get(&key).map(Vec::as_slice) {
            Some([index]) => Ok(&self.all[*index]),
            Some(_) => Err("is the name of several members: use the email".to_owned()),
            None => Err("is not the email or name of an active member".to_owned()),
        }
    }

    /// The member with this id.
    pub(super) fn with_id(&self, word: &str) -> Result<&ImportMember, String> {
        let id: UserId = word.trim().parse().map_err(|_| "must be an id")?;
        let index = self.by_id.get(&id).ok_or("is not the id of an active member")?;
        Ok(&self.all[*index])
    }
}

/// Demands that the actor may make this member the owner or assignee of what they create.
pub(super) fn may_name(actor: &Actor, create: Action, member: &ImportMember) -> Result<(), String> {
    let refusal = |_| format!("is somebody to whom a {} may not give this", actor.role);
    actor.authorize_naming(create, member.id, member.role).map_err(refusal)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn members_are_found_by_email_or_by_a_name_of_their_own() {
        let member = |id, name: &str, email_key: &str| ImportMember {
            id: Uuid::from_u128(id).into(),
            name: name.to_owned(),
            email_key: email_key.to_owned(),
            role: Role::Sales,
        };
        let members = Members::new(vec![
            member(1, "Zoë Ö", "zoe@x.org"),
            member(2, "Sam", "sam@x.org"),
            member(3, "sam", "sam@y.org"),
        ]);
        assert_eq!(members.called(" ZOË ö").unwrap().id.as_uuid().as_u128(), 1);
        assert_eq!(members.called("SAM@y.org").unwrap().id.as_uuid().as_u128(), 3);
        assert!(members.called("Sam").unwrap_err().contains("several"));
        assert!(members.called("Zo").is_err());
        assert!(members.with_id(&Uuid::from_u128(9).to_string()).is_err());
    }
}
