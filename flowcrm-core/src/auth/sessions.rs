use chrono::Duration;
use serde::Serialize;

use super::tokens::{RefreshToken, TokenKeys, TokenSecret, hash_of};
use crate::caller::Origin;
use crate::ids::{SessionId, UserId};
use crate::time::Timestamp;

/// How long a token stays good after its successor was first used: an answer may be lost, or late.
const GRACE: Duration = Duration::seconds(30);

/// A user's sign-in on one device: a family of refresh tokens, each the successor of another.
///
/// The family begins with a token that is never given out. The client gets its successor; whenever it presents the
/// newest token that it was given, it gets the one after that. Two tokens are known by their hashes: the newest that
/// was used, and its successor, the newest that was given out. Every other one is recognized by its descendants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// SHA-256 of the newest token that was used.
    pub token_hash: [u8; 32],
    /// SHA-256 of the token that was given out for it.
    pub successor_hash: [u8; 32],
    /// How often the token has rotated.
    pub generation: i64,
    /// When the newest token that was used was first used.
    pub rotated_at: Timestamp,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When a token was last presented.
    pub last_used_at: Timestamp,
    /// When the session was ended.
    pub revoked_at: Option<Timestamp>,
    /// The address that the user signed in from.
    pub ip: Option<String>,
    /// The program that the user signed in with.
    pub user_agent: Option<String>,
}

/// What it means that a refresh token was presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// The token is good: the session as it is now, and the token to give out.
    Good {
        /// The session, to be written.
        session: Box<Session>,
        /// The presented token's successor.
        successor: RefreshToken,
    },
    /// The token was good once, and another has taken its place: somebody has a copy.
    Reused,
    /// The session has ended, or the token was never one of its tokens.
    Refused,
}

impl Session {
    /// A new session, grown from 32 random bytes, with the first token to give out.
    pub(crate) fn begin(
        id: SessionId,
        user: UserId,
        seed: TokenSecret,
        keys: &TokenKeys,
        origin: &Origin,
        now: Timestamp,
    ) -> (Self, RefreshToken) {
        let first = keys.successor(&seed);
        let session = Self {
            id,
            user_id: user,
            token_hash: hash_of(&seed),
            successor_hash: hash_of(&first),
            generation: 0,
            rotated_at: now,
            created_at: now,
            last_used_at: now,
            revoked_at: None,
            ip: origin.ip.map(|ip| ip.to_string()),
            user_agent: origin.user_agent.clone(),
        };
        (session, RefreshToken::new(id, first))
    }

    /// The moments after which a session that lives at `now` was last used (7 days of idleness end it) and created
    /// (30 days end it however it is used).
    pub fn living_since(now: Timestamp) -> (Timestamp, Timestamp) {
        (now.plus(Duration::days(-7)), now.plus(Duration::days(-30)))
    }

    /// Whether the session is good for anything at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        let (used, created) = Self::living_since(now);
        self.revoked_at.is_none() && self.last_used_at > used && self.created_at > created
    }

    /// What it means that `secret` is presented at `now`.
    ///
    /// The newest token that was used gets the same successor again, so refreshes that run side by side, and those
    /// whose answer was lost, agree. The successor takes its place and gets one of its own. The predecessor gets its
    /// successor again within 30 seconds after that was first used; later, and for everything older, a token that
    /// descends to ours was copied. What does not descend to ours is forged, and harms nobody.
    pub(crate) fn present(&self, secret: &TokenSecret, keys: &TokenKeys, now: Timestamp) -> Presented {
        if !self.is_live(now) {
            return Presented::Refused;
        }
        let hash = hash_of(secret);
        if hash == self.successor_hash {
            let successor = keys.successor(secret);
            let session = Self {
                token_hash: hash,
                successor_hash: hash_of(&successor),
                generation: self.generation + 1,
                rotated_at: now,
                last_used_at: now,
                ..self.clone()
            };
            return session.gives(successor);
        }
        let used = Self { last_used_at: now, ..self.clone() };
        if hash == self.token_hash {
            // Nothing is found when the key that made the successor has been taken away since.
            let successor = keys.successor_with_hash(secret, &self.successor_hash);
            return successor.map_or(Presented::Refused, |successor| used.gives(successor));
        }
        match keys.successor_with_hash(secret, &self.token_hash) {
            Some(successor) if now < self.rotated_at.plus(GRACE) => used.gives(successor),
            Some(_) => Presented::Reused,
            None if keys.descends(&self.token_hash, secret, self.generation) => Presented::Reused,
            None => Presented::Refused,
        }
    }

    fn gives(self, successor: TokenSecret) -> Presented {
        let successor = RefreshToken::new(self.id, successor);
        Presented::Good { session: Box::new(self), successor }
    }

    /// The session as its user sees it.
    pub(crate) fn view(self, current: Option<SessionId>) -> SessionView {
        SessionView {
            id: self.id,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            ip: self.ip,
            user_agent: self.user_agent,
            current: Some(self.id) == current,
        }
    }
}

/// A place where a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(poem_openapi::Object))]
#[cfg_attr(feature = "openapi", oai(rename = "Session", rename_all = "camelCase"))]
pub struct SessionView {
    /// The session's id.
    pub id: SessionId,
    /// When the user signed in.
    pub created_at: Timestamp,
    /// When the session was last refreshed.
    pub last_used_at: Timestamp,
    /// The address that the user signed in from.
    pub ip: Option<String>,
    /// The program that the user signed in with.
    pub user_agent: Option<String>,
    /// Whether it is the session of this very request.
    pub current: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const START: i64 = 1_800_000_000;

    fn keys() -> TokenKeys {
        TokenKeys::new(&[1; 32], &[]).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(START + seconds)
    }

    fn begin(keys: &TokenKeys) -> (Session, RefreshToken) {
        let (id, user) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        Session::begin(id, user, [7; 32], keys, &Origin::default(), at(0))
    }

    /// Presents a token that must be good; the session goes on, and the successor comes back.
    fn refresh(session: &mut Session, token: &RefreshToken, keys: &TokenKeys, seconds: i64) -> RefreshToken {
        match session.present(token.secret(), keys, at(seconds)) {
            Presented::Good { session: after, successor } => {
                *session = *after;
                successor
            }
            refusal => panic!("{refusal:?}"),
        }
    }

    #[test]
    fn parallel_and_repeated_refreshes_get_the_same_successor() {
        let (mut session, first) = begin(&keys());
        let second = refresh(&mut session, &first, &keys(), 60);
        assert_eq!(refresh(&mut session, &first, &keys(), 61), second);
        assert_eq!(refresh(&mut session, &first, &keys(), 86_400), second);
        assert_eq!(session.generation, 1);
        let third = refresh(&mut session, &second, &keys(), 86_500);
        assert_eq!(refresh(&mut session, &first, &keys(), 86_529), second);
        assert_eq!(refresh(&mut session, &second, &keys(), 86_529), third);
    }

    #[test]
    fn a_copied_token_is_noticed_half_a_minute_after_its_successor_was_used() {
        let (mut session, first) = begin(&keys());
        let second = refresh(&mut session, &first, &keys(), 60);
        let third = refresh(&mut session, &second, &keys(), 100);
        assert_eq!(session.present(first.secret(), &keys(), at(130)), Presented::Reused);
        refresh(&mut session, &third, &keys(), 110);
        assert_eq!(session.present(first.secret(), &keys(), at(111)), Presented::Reused);
    }

    #[test]
    fn a_forged_token_is_refused_and_so_is_every_token_of_a_dead_session() {
        let (session, first) = begin(&keys());
        assert_eq!(session.present(&[9; 32], &keys(), at(1)), Presented::Refused);
        let ended = Session { revoked_at: Some(at(1)), ..session.clone() };
        assert_eq!(ended.present(first.secret(), &keys(), at(2)), Presented::Refused);
        let week = 7 * 86_400;
        assert!(session.is_live(at(week - 1)) && !session.is_live(at(week)));
        let busy = Session { last_used_at: at(30 * 86_400 - 2), ..session };
        assert!(busy.is_live(at(30 * 86_400 - 1)) && !busy.is_live(at(30 * 86_400)));
    }

    #[test]
    fn a_family_outlives_a_change_of_keys() {
        let (before, after) = (keys(), TokenKeys::new(&[2; 32], &[vec![1; 32]]).unwrap());
        let (mut session, first) = begin(&before);
        let second = refresh(&mut session, &first, &before, 60);
        assert_eq!(refresh(&mut session, &first, &after, 90), second);
        let third = refresh(&mut session, &second, &after, 100);
        assert_eq!(refresh(&mut session, &first, &after, 110), second);
        let fourth = refresh(&mut session, &third, &after, 200);
        refresh(&mut session, &fourth, &after, 300);
        assert_eq!(session.present(first.secret(), &after, at(301)), Presented::Reused);
        let forgetful = TokenKeys::new(&[2; 32], &[]).unwrap();
        assert_eq!(session.present(first.secret(), &forgetful, at(301)), Presented::Refused);
    }

    /// What a client, or a thief, may do.
    #[derive(Debug, Clone)]
    enum Step {
        Wait(i64),
        Present(prop::sample::Index),
        Forge([u8; 32]),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            2 => (0..45_i64).prop_map(Step::Wait),
            1 => (0..900_000_i64).prop_map(Step::Wait),
            // Mostly one of the newest tokens, as real clients do.
            6 => any::<prop::sample::Index>().prop_map(Step::Present),
            1 => any::<[u8; 32]>().prop_map(Step::Forge),
        ];
        prop::collection::vec(step, 0..40)
    }

    proptest! {
        #[test]
        fn a_session_does_what_the_rules_say(steps in steps()) {
            let keys = keys();
            let (mut session, first) = begin(&keys);
            // All tokens given out, in order; of the one at `used - 1`, the newest used, when that was first.
            let mut given = vec![first];
            let (mut used, mut first_use, mut last_use, mut clock, mut is_over) = (0, 0, 0, 0, false);
            for step in steps {
                let index = match step {
                    Step::Wait(seconds) => {
                        clock += seconds;
                        continue;
                    }
                    Step::Forge(secret) => {
                        prop_assert_eq!(session.present(&secret, &keys, at(clock)), Presented::Refused);
                        continue;
                    }
                    Step::Present(index) => given.len() - 1 - index.index(given.len().min(4)),
                };
                let presented = session.present(given[index].secret(), &keys, at(clock));
                is_over |= clock - last_use >= 7 * 86_400 || clock >= 30 * 86_400;
                let is_copied = index + 2 < used || (index + 2 == used && clock - first_use >= 30);
                match presented {
                    Presented::Refused => prop_assert!(is_over),
                    Presented::Reused => {
                        prop_assert!(!is_over && is_copied);
                        session.revoked_at = Some(at(clock));
                        is_over = true;
                    }
                    Presented::Good { session: after, successor } => {
                        prop_assert!(!is_over && !is_copied);
                        if index == used {
                            used += 1;
                            first_use = clock;
                            given.push(successor.clone());
                        }
                        prop_assert_eq!(&successor, &given[index + 1]);
                        prop_assert_eq!(usize::try_from(after.generation).unwrap(), used);
                        last_use = clock;
                        session = *after;
                    }
                }
            }
        }
    }
}
