use std::fmt;
use std::sync::Arc;
use std::thread::available_parallelism;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{
    CustomizedPasswordHasher, Error as HashError, PasswordVerifier, try_generate_salt,
};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::Serializer;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::input::{Parsed, secret};

/// Hashes and verifies passwords with argon2id, as the OWASP Password Storage Cheat Sheet asks: 19 MiB, two passes.
///
/// A hash keeps a processor busy for some 25 ms: the work is done on threads that may block, on no more of them at a
/// time than half of the processors, so that a storm of sign-ins takes neither all of them nor much memory.
#[derive(Debug, Clone)]
pub struct Passwords {
    free_processors: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, std::num::NonZero::get);
        Self { free_processors: Arc::new(Semaphore::new((processors / 2).max(1))) }
    }
}

impl Passwords {
    /// The hash of a password that nobody has. To verify against it costs what verifying against a user's costs.
    pub const OF_NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$2mR7uPZ0cXh5T1yVqk9Wsg$\
                                 Jc0pQ3vXr8mYt5Kz1WbNf7LhS2dGa9UeRo4Ti6CxPqs";

    /// The hash of a new password, with a salt of its own: a PHC string.
    ///
    /// # Errors
    ///
    /// `internal_error` when the machine has no memory or randomness left.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.on_a_processor(move || {
            let salt = try_generate_salt().map_err(|_| HashError::Internal)?;
            let (algorithm, version) = (Algorithm::Argon2id.as_str(), Version::V0x13.into());
            let hash = Hasher.hash_password_customized(
                password.as_bytes(),
                &salt,
                Some(algorithm),
                Some(version),
                PARAMETERS,
            )?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether a password is the one that was hashed. A hash that is none matches no password, at the same cost.
    ///
    /// # Errors
    ///
    /// `internal_error` when the machine has no memory left.
    pub async fn verify(&self, password: String, hash: String) -> Result<bool> {
        self.on_a_processor(move || {
            let (hash, is_hash) = match PasswordHash::new(&hash) {
                Ok(hash) => (hash, true),
                Err(_) => (PasswordHash::new(Self::OF_NOBODY)?, false),
            };
            match Hasher.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(is_hash),
                Err(HashError::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn on_a_processor<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.free_processors).acquire_owned().await.map_err(Error::internal)?;
        let work = move || {
            // The permit goes along: a caller who stops waiting does not make room before the work is done.
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?.map_err(Error::internal)
    }
}

/// Argon2 in memory that goes back to the system after every hash.
struct Hasher;

impl CustomizedPasswordHasher<PasswordHash> for Hasher {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> Result<PasswordHash, HashError> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
        let argon2 = Argon2::new(algorithm, version, params.clone());
        argon2.hash_password_into_with_memory(password, salt, &mut output, memory(&params)?)?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(&output)?),
        })
    }
}

/// Memory for one hash. More is reserved than is touched: pieces of up to 32 MiB are kept by glibc's allocator for
/// every thread that freed one, hundreds of MiB in all; larger ones go back to the system.
fn memory(params: &Params) -> Result<Vec<Block>, HashError> {
    const KEPT_BY_NONE: usize = 33 * 1024 * 1024 / Block::SIZE;
    let mut blocks = Vec::new();
    let reserved = params.block_count().max(KEPT_BY_NONE);
    blocks.try_reserve_exact(reserved).map_err(|_| HashError::OutOfMemory)?;
    blocks.resize(params.block_count(), Block::default());
    Ok(blocks)
}

const PARAMETERS: Params = match Params::new(19_456, 2, 1, None) {
    Ok(parameters) => parameters,
    Err(_) => panic!("argon2 takes these parameters"),
};

/// A password on its way in. It is shown nowhere, and cannot be serialized but into the body of the command that
/// carries it, which says how long it may be.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(String);

impl Password {
    /// Reads a new password: 8 to 256 characters, any, never trimmed or cut (OWASP ASVS 5.0, 6.2).
    pub(crate) fn parse_new(value: &Value) -> Parsed<Self> {
        secret(8..=256)(value).map(Self)
    }

    /// Reads a password that is to be compared with a hash: whatever can be one.
    pub(crate) fn parse_given(value: &Value) -> Parsed<Self> {
        secret(1..=256)(value).map(Self)
    }

    /// Reads a code of an authenticator, or a recovery code.
    pub(crate) fn parse_code(value: &Value) -> Parsed<Self> {
        secret(0..=100)(value).map(Self)
    }

    /// Writes the password into the body of a command, for `#[serde(serialize_with)]`.
    pub(crate) fn write_in_body<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }

    /// The same for a command that may go without.
    #[expect(clippy::ref_option, reason = "serde calls it so")]
    pub(crate) fn write_if_given<S: Serializer>(
        given: &Option<Self>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match given {
            Some(password) => password.write_in_body(serializer),
            None => serializer.serialize_none(),
        }
    }

    /// The text.
    pub(crate) fn into_inner(self) -> String {
        self.0
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self(password.to_owned())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

#[cfg(feature = "openapi")]
crate::openapi::scalar!(secret Password, "string", "password");

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::default();
        let hash = run(passwords.hash("päss word\u{1F511}".to_owned())).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, run(passwords.hash("päss word\u{1F511}".to_owned())).unwrap());
        assert!(run(passwords.verify("päss word\u{1F511}".to_owned(), hash.clone())).unwrap());
        assert!(!run(passwords.verify("päss word".to_owned(), hash)).unwrap());
    }

    #[test]
    fn what_is_no_hash_costs_the_same_and_matches_nothing() {
        let nobody = PasswordHash::new(Passwords::OF_NOBODY).unwrap();
        let parameters = Params::try_from(&nobody).unwrap();
        let cost = |parameters: &Params| (parameters.m_cost(), parameters.t_cost(), parameters.p_cost());
        assert_eq!(cost(&parameters), cost(&PARAMETERS));
        for hash in [Passwords::OF_NOBODY, "", "!"] {
            assert!(!run(Passwords::default().verify("password".to_owned(), hash.to_owned())).unwrap());
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(format!("{:?}", Password::from("hunter42")), "Password(..)");
    }
}
