//! Session credentials that carry their own claims: any node checks them without a look-up.
//!
//! A session token is `base64(version ‖ key id ‖ nonce ‖ AEAD(claims))`, sealed by the key ring with the access key id as
//! further associated data, so that a token is worth nothing beside another access key. The secret key is derived from
//! the same key of the ring and the access key id. Opened tokens are kept in a bounded cache; whether a session has ended is
//! asked on every use.

mod claims;
mod wire;

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{revoked::Cleared, sigv4::key::SigningSecret};
use crate::base::{
    Caller, KeyRing, KeyRingError, Purpose, Secret, SessionClaims, Timestamp, clock::SharedClock,
    rng::SharedRng,
};

/// The longest session token, in characters: every call carries it.
pub const TOKEN_CHARS_MAX: usize = 1536;
/// How much memory opened tokens may take, in bytes: some 5,000 of them.
const OPENED_BYTES_MAX: u64 = 16 << 20;
/// An entry's fixed part; the claims, spelled out, take about twice what the token does.
const OPENED_BYTES_FIXED: usize = 1024;
/// What the access key ids of sessions begin with.
pub const ACCESS_KEY_PREFIX: &str = "ASIA";
const ACCESS_KEY_DRAWN_BYTES: usize = 10;
/// 30 bytes are the 40 characters that AWS's secret keys have.
const SECRET_BYTES: usize = 30;

/// Why credentials were not made, or not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SessionError {
    /// The claims do not fit; AWS's word is `PackedPolicyTooLarge`.
    #[error("the session's claims make a token of {chars} characters; {TOKEN_CHARS_MAX} are allowed")]
    TooLarge {
        /// How long the token would have been.
        chars: usize,
    },
    /// Not a token of this gateway, or changed, or of another access key.
    #[error("the security token is not valid")]
    Invalid,
    /// The session has ended.
    #[error("the security token has expired")]
    Expired,
    /// The key ring could not seal.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
}

/// Temporary credentials, as they are handed out once.
#[derive(Clone)]
pub struct Credentials {
    /// `ASIA` and 16 characters.
    pub access_key_id: String,
    /// 40 characters.
    pub secret_access_key: Secret,
    /// At most [`TOKEN_CHARS_MAX`] characters.
    pub session_token: String,
    /// When they end.
    pub expires: Timestamp,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// An opened session token.
#[derive(Debug)]
pub struct Session {
    /// What the gateway said when it made the session.
    pub claims: Arc<SessionClaims>,
    /// The secret access key, as text of 40 characters.
    pub secret: SigningSecret,
    /// The caller that a request signed with these credentials has.
    pub caller: Arc<Caller>,
    /// When it was last found not to be revoked.
    pub cleared: Cleared,
    token: Secret,
}

/// Makes and opens session credentials.
pub struct Sessions {
    ring: Arc<KeyRing>,
    clock: SharedClock,
    rng: SharedRng,
    opened: moka::sync::Cache<Arc<str>, Arc<Session>>,
}

impl Sessions {
    /// Credentials sealed with this ring.
    pub fn new(ring: Arc<KeyRing>, clock: SharedClock, rng: SharedRng) -> Self {
        let bytes = |_: &Arc<str>, session: &Arc<Session>| {
            u32::try_from(OPENED_BYTES_FIXED + 3 * session.token.expose().len()).unwrap_or(u32::MAX)
        };
        let opened = moka::sync::Cache::builder().max_capacity(OPENED_BYTES_MAX).weigher(bytes).build();
        Self { ring, clock, rng, opened }
    }

    /// Makes credentials with these claims.
    pub fn mint(&self, claims: &SessionClaims) -> Result<Credentials, SessionError> {
        let access_key_id = self.draw_access_key_id();
        let sealed = self.ring.seal(
            Purpose::SessionToken,
            access_key_id.as_bytes(),
            &claims::write(claims),
            self.rng.as_ref(),
        )?;
        let secret_access_key = self.secret(&sealed, &access_key_id)?;
        let session_token = STANDARD.encode(sealed);
        if session_token.len() > TOKEN_CHARS_MAX {
            return Err(SessionError::TooLarge { chars: session_token.len() });
        }
        Ok(Credentials { access_key_id, secret_access_key, session_token, expires: claims.expires })
    }

    /// Opens the token that came with this access key id. Every way in which the two can be wrong is the same error.
    pub fn open(&self, token: &str, access_key_id: &str) -> Result<Arc<Session>, SessionError> {
        let session = match self.opened.get(access_key_id) {
            // The whole token is compared: the access key alone, which is no secret, opens nothing.
            Some(session) if same(session.token.expose(), token.as_bytes()) => session,
            _ => {
                let session = Arc::new(self.open_anew(token, access_key_id)?);
                self.opened.insert(session.caller.access_key_id.clone(), session.clone());
                session
            }
        };
        if self.clock.now() >= session.claims.expires {
            return Err(SessionError::Expired);
        }
        Ok(session)
    }

    fn open_anew(&self, token: &str, access_key_id: &str) -> Result<Session, SessionError> {
        if token.len() > TOKEN_CHARS_MAX || !access_key_id.starts_with(ACCESS_KEY_PREFIX) {
            return Err(SessionError::Invalid);
        }
        let sealed = STANDARD.decode(token).map_err(|_| SessionError::Invalid)?;
        let opened = self
            .ring
            .open(Purpose::SessionToken, access_key_id.as_bytes(), &sealed)
            .map_err(|_| SessionError::Invalid)?;
        let claims = claims::read(opened.expose()).ok_or(SessionError::Invalid)?;
        let secret = self.secret(&sealed, access_key_id)?;
        let claims = Arc::new(claims);
        let caller = Arc::new(Caller::of_session(claims.clone(), access_key_id));
        let secret = SigningSecret::new(secret);
        let token = Secret::new(token.as_bytes().to_vec());
        Ok(Session { claims, secret, caller, cleared: Cleared::default(), token })
    }

    fn secret(&self, sealed: &[u8], access_key_id: &str) -> Result<Secret, SessionError> {
        let key_id = KeyRing::sealed_by(sealed)?;
        let bytes = self.ring.derive(key_id, Purpose::DerivedSecret, access_key_id.as_bytes())?;
        Ok(Secret::from(STANDARD.encode(&bytes[..SECRET_BYTES])))
    }

    fn draw_access_key_id(&self) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let mut drawn = [0; ACCESS_KEY_DRAWN_BYTES];
        self.rng.fill(&mut drawn);
        let bits = drawn.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
        let letters = (0..16).rev().map(|at| char::from(ALPHABET[(bits >> (at * 5) & 31) as usize]));
        ACCESS_KEY_PREFIX.chars().chain(letters).collect()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("opened", &self.opened.entry_count()).finish_non_exhaustive()
    }
}

/// Session claims in the compact form, for other tokens that carry them.
pub(super) fn claims_to_bytes(claims: &SessionClaims) -> Vec<u8> {
    claims::write(claims)
}

/// Reads the compact form; `None` if it is not one, or has anything after its end.
pub(super) fn claims_from_bytes(bytes: &[u8]) -> Option<SessionClaims> {
    claims::read(bytes)
}

fn same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    pub(crate) use super::claims::tests::signed_in;

    use proptest::prelude::*;

    use super::*;
    use crate::base::{Clock, clock::MockClock, rng::SeededRng};

    fn ring(ids: &[u8]) -> Arc<KeyRing> {
        Arc::new(KeyRing::new(ids.iter().map(|id| (u32::from(*id), Secret::new(vec![*id; 32])))).unwrap())
    }

    fn sessions(ids: &[u8], seed: u64) -> (Sessions, Arc<MockClock>) {
        let clock = MockClock::at(Timestamp::from_seconds(1000));
        (Sessions::new(ring(ids), clock.clone(), Arc::new(SeededRng::new(seed))), clock)
    }

    #[test]
    fn credentials_look_like_awss_and_open_to_the_same_claims() {
        let (sessions, _) = sessions(&[1], 1);
        let claims = claims::tests::signed_in();
        let credentials = sessions.mint(&claims).unwrap();
        assert_eq!(credentials.access_key_id.len(), 20);
        assert!(credentials.access_key_id.starts_with("ASIA"));
        assert_eq!(credentials.secret_access_key.expose().len(), 40);
        assert_eq!(credentials.expires, claims.expires);

        let session = sessions.open(&credentials.session_token, &credentials.access_key_id).unwrap();
        assert_eq!(*session.claims, claims);
        assert_eq!(*session.secret.secret(), credentials.secret_access_key);
        assert_eq!(session.caller.identity, claims.identity);
        assert_eq!(
            session.caller.principal.arn(claims.account),
            "arn:aws:sts::000000000000:assumed-role/app/CognitoIdentityCredentials"
        );
    }

    #[test]
    fn a_token_opens_beside_its_own_access_key_alone_cached_or_not() {
        let (sessions, _) = sessions(&[1], 1);
        let claims = claims::tests::signed_in();
        let (one, two) = (sessions.mint(&claims).unwrap(), sessions.mint(&claims).unwrap());
        assert_ne!(one.access_key_id, two.access_key_id);
        for _ in 0..2 {
            let crossed = sessions.open(&one.session_token, &two.access_key_id);
            assert_eq!(crossed.unwrap_err(), SessionError::Invalid);
            assert!(sessions.open(&one.session_token, &one.access_key_id).is_ok());
            assert!(sessions.open(&two.session_token, &two.access_key_id).is_ok());
        }
    }

    #[test]
    fn a_cached_session_ends_when_it_ends() {
        let (sessions, clock) = sessions(&[1], 1);
        let claims = claims::tests::signed_in();
        let credentials = sessions.mint(&claims).unwrap();
        let open = || sessions.open(&credentials.session_token, &credentials.access_key_id);
        let left = claims.expires.since(clock.now());
        clock.advance(left - Duration::from_millis(1));
        assert!(open().is_ok());
        clock.advance(Duration::from_millis(1));
        assert_eq!(open().unwrap_err(), SessionError::Expired);
    }

    #[test]
    fn an_older_key_of_the_ring_still_opens_and_gives_the_same_secret() {
        let (old, _) = sessions(&[1], 1);
        let (rotated, _) = sessions(&[1, 2], 2);
        let (without, _) = sessions(&[2], 3);
        let credentials = old.mint(&claims::tests::signed_in()).unwrap();
        let session = rotated.open(&credentials.session_token, &credentials.access_key_id).unwrap();
        assert_eq!(*session.secret.secret(), credentials.secret_access_key);
        let refused = without.open(&credentials.session_token, &credentials.access_key_id);
        assert_eq!(refused.unwrap_err(), SessionError::Invalid);
    }

    #[test]
    fn claims_that_make_too_long_a_token_are_refused() {
        let (sessions, _) = sessions(&[1], 1);
        let tagged = |bytes: usize| {
            let tags = [("t".to_owned(), "v".repeat(bytes))].into();
            sessions.mint(&SessionClaims { tags, ..claims::tests::signed_in() })
        };
        let (mut fits, mut does_not) = (0, TOKEN_CHARS_MAX);
        while does_not - fits > 1 {
            let bytes = fits.midpoint(does_not);
            *(if tagged(bytes).is_ok() { &mut fits } else { &mut does_not }) = bytes;
        }
        assert_eq!(tagged(fits).unwrap().session_token.len(), TOKEN_CHARS_MAX);
        let refused = tagged(does_not).unwrap_err();
        assert_eq!(refused, SessionError::TooLarge { chars: TOKEN_CHARS_MAX + 4 });
    }

    #[test]
    fn credentials_do_not_print_their_secrets() {
        let (sessions, _) = sessions(&[1], 1);
        let credentials = sessions.mint(&claims::tests::signed_in()).unwrap();
        let printed = format!("{credentials:?}");
        assert!(!printed.contains(&credentials.session_token), "{printed}");
        assert!(!printed.contains(credentials.secret_access_key.expose_str().unwrap()), "{printed}");
    }

    proptest! {
        #[test]
        fn any_changed_character_is_refused(at in any::<prop::sample::Index>(), to in "[ -~]") {
            let (sessions, _) = sessions(&[1], 1);
            let credentials = sessions.mint(&claims::tests::signed_in()).unwrap();
            // Opened before, so that the cache is asked too.
            sessions.open(&credentials.session_token, &credentials.access_key_id).unwrap();
            let mut token = credentials.session_token.clone();
            let at = at.index(token.len());
            token.replace_range(at..=at, &to);
            prop_assume!(token != credentials.session_token);
            let refused = sessions.open(&token, &credentials.access_key_id);
            prop_assert_eq!(refused.unwrap_err(), SessionError::Invalid);
        }
    }
}
