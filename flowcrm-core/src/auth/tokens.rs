//! Access tokens: short-lived JWTs that name the session. Refresh tokens: random text, each the successor of another.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::access::Role;
use crate::env::Env;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{OrgId, SessionId, UserId};
use crate::time::Timestamp;
use crate::users::User;

/// How long an access token is good.
const ACCESS_LIFE: Duration = Duration::minutes(15);

/// Longer than any access token of ours.
const LONGEST_ACCESS_TOKEN: usize = 2_048;

/// Who makes the access tokens, and for whom.
const FLOWCRM: &str = "flowcrm";

/// How many successors are tried at most to recognize an old refresh token: more than a client that refreshes every
/// 15 minutes makes in 30 days, and done within some ten milliseconds.
const MOST_SUCCESSORS: usize = 65_536;

/// The secret half of a refresh token: 256 bits.
pub type TokenSecret = [u8; 32];

/// The keys of access and refresh tokens: the present one, which makes tokens, and old ones, which still know theirs.
pub struct TokenKeys {
    /// The present key comes first, then the old ones from new to old.
    keys: Vec<Key>,
}

struct Key {
    /// A short fingerprint, the `kid` of access tokens.
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    /// Makes successors out of refresh tokens.
    succession: Hmac<Sha256>,
    /// Stands in for secrets where they are compared.
    seals: Hmac<Sha256>,
}

impl TokenKeys {
    /// Keys made of the present secret and of former ones, from new to old.
    ///
    /// # Errors
    ///
    /// A field error for `JWT_SECRET` or `FLOWCRM_JWT_SECRETS_OLD` when a secret has less than 32 bytes (RFC 7518,
    /// section 3.2).
    pub fn new(secret: &[u8], old: &[Vec<u8>]) -> Result<Self> {
        let present = Key::new("JWT_SECRET", secret)?;
        let former = old.iter().map(|secret| Key::new("FLOWCRM_JWT_SECRETS_OLD", secret));
        let keys = std::iter::once(Ok(present)).chain(former).collect::<Result<_>>()?;
        Ok(Self { keys })
    }

    /// An access token for a user's session.
    pub(crate) fn sign(&self, user: &User, session: SessionId, env: &Env) -> Result<AccessToken> {
        let now = env.now();
        let claims = Claims {
            user_id: user.id,
            role: user.role,
            org_id: user.org_id,
            sid: session,
            iat: now.unix(),
            exp: now.plus(ACCESS_LIFE).unix(),
            iss: FLOWCRM.to_owned(),
            aud: FLOWCRM.to_owned(),
            jti: env.id(),
        };
        let key = self.present();
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &key.signing).map(AccessToken).map_err(Error::internal)
    }

    /// What an access token says, if it is one of ours and still good at `now`.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Claims> {
        let refuse = |detail: &str| Error::new(ErrorCode::Unauthenticated, detail);
        let claims =
            self.read(token).ok_or_else(|| refuse("The access token is not valid. Sign in again."))?;
        if now.unix() < claims.exp {
            Ok(claims)
        } else {
            Err(refuse("The access token has expired. Refresh it."))
        }
    }

    fn read(&self, token: &str) -> Option<Claims> {
        if token.len() > LONGEST_ACCESS_TOKEN {
            return None;
        }
        let key_id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.id == key_id)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[FLOWCRM]);
        validation.set_audience(&[FLOWCRM]);
        // `exp` is demanded by `Claims` and compared with the clock of `Env`, not with the machine's.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["iss", "aud"]);
        let decoded = jsonwebtoken::decode::<Claims>(token, &key.verifying, &validation);
        decoded.ok().map(|data| data.claims)
    }

    /// What stands in for a password where requests are compared: equal for equal ones, and of no use without the key.
    pub(crate) fn seal(&self, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(mac(&self.present().seals, secret.as_bytes()))
    }

    /// The refresh token that comes after another.
    pub(crate) fn successor(&self, secret: &TokenSecret) -> TokenSecret {
        self.present().successor(secret)
    }

    /// The successor of `secret` whose hash is `hash`, made by whichever key.
    pub(crate) fn successor_with_hash(&self, secret: &TokenSecret, hash: &[u8; 32]) -> Option<TokenSecret> {
        let successors = self.keys.iter().map(|key| key.successor(secret));
        successors.into_iter().find(|successor| hash_of(successor) == *hash)
    }

    /// Whether the token with this hash descends from `secret` in at most so many generations.
    ///
    /// Keys may have changed on the way, but never back: a line of descent takes the keys from old to new. With one
    /// key there is one line to follow.
    pub(crate) fn descends(&self, hash: &[u8; 32], secret: &TokenSecret, generations: i64) -> bool {
        let oldest = self.keys.len() - 1;
        let mut lines = vec![(*secret, oldest)];
        let mut tried = 0;
        for _ in 0..generations {
            let mut longer = Vec::with_capacity(lines.len() + oldest);
            for (last, last_key) in &lines {
                for key in 0..=*last_key {
                    let successor = self.keys[key].successor(last);
                    if hash_of(&successor) == *hash {
                        return true;
                    }
                    longer.push((successor, key));
                }
            }
            tried += longer.len();
            if tried >= MOST_SUCCESSORS {
                return false;
            }
            lines = longer;
        }
        false
    }

    fn present(&self) -> &Key {
        &self.keys[0]
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenKeys(..)")
    }
}

impl Key {
    fn new(name: &str, secret: &[u8]) -> Result<Self> {
        if secret.len() < 32 {
            return Err(Error::field(name, "must have at least 32 bytes"));
        }
        let fingerprint = mac(&keyed(secret)?, b"flowcrm key fingerprint");
        Ok(Self {
            id: URL_SAFE_NO_PAD.encode(&fingerprint[..8]),
            signing: EncodingKey::from_secret(secret),
            verifying: DecodingKey::from_secret(secret),
            succession: keyed(&mac(&keyed(secret)?, b"flowcrm refresh token succession"))?,
            seals: keyed(&mac(&keyed(secret)?, b"flowcrm secret seal"))?,
        })
    }

    fn successor(&self, secret: &TokenSecret) -> TokenSecret {
        mac(&self.succession, secret)
    }
}

fn keyed(key: &[u8]) -> Result<Hmac<Sha256>> {
    Hmac::new_from_slice(key).map_err(Error::internal)
}

fn mac(keyed: &Hmac<Sha256>, message: &[u8]) -> [u8; 32] {
    keyed.clone().chain_update(message).finalize().into_bytes().into()
}

/// What is kept of a refresh token: SHA-256 of its secret, which has no need of a salt.
pub(crate) fn hash_of(secret: &TokenSecret) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// What an access token says. The role is for clients to look at: commands ask the database.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claims {
    pub(crate) user_id: UserId,
    role: Role,
    pub(crate) org_id: OrgId,
    pub(crate) sid: SessionId,
    iat: i64,
    exp: i64,
    iss: String,
    aud: String,
    jti: Uuid,
}

/// An access token: a JWT that is good for 15 minutes.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AccessToken(String);

impl AccessToken {
    /// The text that goes behind `Authorization: Bearer`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken(..)")
    }
}

#[cfg(feature = "openapi")]
crate::openapi::scalar!(write_only AccessToken, "string", "jwt");

/// A refresh token: the session and a secret. It is good for the next access token, and is shown by
/// [`RefreshToken::to_text`] only.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    session: SessionId,
    secret: TokenSecret,
}

impl RefreshToken {
    pub(crate) const fn new(session: SessionId, secret: TokenSecret) -> Self {
        Self { session, secret }
    }

    /// Reads the text of a token, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // 48 bytes are 64 characters, with no bit to spare: a token has one spelling.
        let bytes = if text.len() == 64 {
            URL_SAFE_NO_PAD.decode(text).ok()?
        } else {
            return None;
        };
        let (session, secret) = bytes.split_first_chunk::<16>()?;
        Some(Self::new(Uuid::from_bytes(*session).into(), secret.try_into().ok()?))
    }

    /// The text that the client keeps: base64url (RFC 4648) of the session's id and the secret.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode([self.session.as_uuid().as_bytes(), self.secret.as_slice()].concat())
    }

    pub(crate) const fn session(&self) -> SessionId {
        self.session
    }

    pub(crate) const fn secret(&self) -> &TokenSecret {
        &self.secret
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RefreshToken({}, ..)", self.session)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::env::FixedClock;

    fn user() -> User {
        let at = Timestamp::from_unix(0);
        User {
            id: Uuid::from_u128(1).into(),
            org_id: Uuid::from_u128(2).into(),
            name: "Ada".to_owned(),
            email: "ada@example.com".parse().unwrap(),
            role: Role::Manager,
            active: true,
            two_factor_enabled: false,
            last_login_at: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    fn refusal(result: Result<Claims>) -> String {
        let error = result.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unauthenticated);
        error.detail().to_owned()
    }

    #[test]
    fn an_access_token_is_good_for_fifteen_minutes_to_the_second() {
        let clock = FixedClock::at(Timestamp::from_unix(1_800_000_000));
        let env = Env::seeded(clock.clone(), 1);
        let keys = TokenKeys::new(&[1; 32], &[]).unwrap();
        let token = keys.sign(&user(), Uuid::from_u128(3).into(), &env).unwrap();
        let claims = keys.verify(token.as_str(), env.now()).unwrap();
        assert_eq!((claims.user_id, claims.org_id), (user().id, user().org_id));
        assert_eq!(claims.sid, Uuid::from_u128(3).into());
        clock.advance(Duration::seconds(899));
        assert!(keys.verify(token.as_str(), env.now()).is_ok());
        clock.advance(Duration::seconds(1));
        assert!(refusal(keys.verify(token.as_str(), env.now())).contains("expired"));
    }

    #[test]
    fn an_access_token_of_an_old_key_is_good_and_one_of_a_foreign_key_is_not() {
        let env = Env::seeded(FixedClock::at(Timestamp::from_unix(1_800_000_000)), 1);
        let before = TokenKeys::new(&[1; 32], &[]).unwrap();
        let after = TokenKeys::new(&[2; 32], &[vec![1; 32]]).unwrap();
        let token = before.sign(&user(), Uuid::from_u128(3).into(), &env).unwrap();
        assert!(after.verify(token.as_str(), env.now()).is_ok());
        let foreign = TokenKeys::new(&[3; 32], &[]).unwrap();
        assert!(refusal(foreign.verify(token.as_str(), env.now())).contains("not valid"));
    }

    #[test]
    fn only_our_algorithm_issuer_audience_and_claims_are_taken() {
        let now = Timestamp::from_unix(1_800_000_000);
        let keys = TokenKeys::new(&[1; 64], &[]).unwrap();
        let id = Uuid::from_u128(1);
        let good = json!({
            "userId": id, "role": "SALES", "orgId": id, "sid": id, "jti": id,
            "iat": now.unix(), "exp": now.unix() + 60, "iss": "flowcrm", "aud": "flowcrm",
        });
        let key = keys.present();
        let sign = |algorithm: Algorithm, claims: &serde_json::Value| {
            let header = Header { kid: Some(key.id.clone()), ..Header::new(algorithm) };
            jsonwebtoken::encode(&header, claims, &key.signing).unwrap()
        };
        assert!(keys.verify(&sign(Algorithm::HS256, &good), now).is_ok());
        assert!(refusal(keys.verify(&sign(Algorithm::HS512, &good), now)).contains("not valid"));
        for (name, value) in [
            ("iss", json!("elsewhere")),
            ("aud", json!("others")),
            ("aud", json!(["flowcrm"])),
            ("exp", json!(null)),
            ("exp", json!("1900000000")),
            ("sid", json!("no id")),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            assert!(refusal(keys.verify(&sign(Algorithm::HS256, &bad), now)).contains("not valid"), "{name}");
            bad.as_object_mut().unwrap().remove(name);
            assert!(refusal(keys.verify(&sign(Algorithm::HS256, &bad), now)).contains("not valid"), "{name}");
        }
    }

    #[test]
    fn anything_else_is_no_access_token() {
        let keys = TokenKeys::new(&[1; 32], &[]).unwrap();
        for text in ["", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", &"a".repeat(100_000)] {
            assert!(refusal(keys.verify(text, Timestamp::from_unix(0))).contains("not valid"));
        }
    }

    #[test]
    fn short_secrets_are_refused_by_name() {
        let field = |result: Result<TokenKeys>| result.unwrap_err().fields()[0].field.clone();
        assert_eq!(field(TokenKeys::new(&[1; 31], &[])), "JWT_SECRET");
        assert_eq!(field(TokenKeys::new(&[1; 32], &[vec![1; 31]])), "FLOWCRM_JWT_SECRETS_OLD");
        assert_eq!(format!("{:?}", TokenKeys::new(&[1; 32], &[]).unwrap()), "TokenKeys(..)");
    }

    #[test]
    fn a_refresh_token_has_one_spelling() {
        let token = RefreshToken::new(Uuid::from_u128(7).into(), [250; 32]);
        let text = token.to_text();
        assert_eq!(RefreshToken::parse(&text), Some(token));
        for bad in [
            "",
            "abc",
            &text[1..],
            &format!("{text}="),
            &text.replace(['-', '_'], "+"),
            &format!("{text}AAAA"),
        ] {
            assert_eq!(RefreshToken::parse(bad), None, "{bad}");
        }
    }
}
