//! The root key of account `000000000000`: seeded by the environment, or made at the first start.

use std::{ffi::OsString, path::PathBuf};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DataDir, DataDirError, files};
use crate::base::{Rng, Secret};

/// The variable that seeds the key's id.
const ID_VARIABLE: &str = "CALLGATE_ROOT_ACCESS_KEY_ID";
/// The variable that seeds its secret.
const SECRET_VARIABLE: &str = "CALLGATE_ROOT_SECRET_ACCESS_KEY";

/// A root key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RootKey {
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Secret,
    /// Where it comes from.
    pub origin: RootKeyOrigin,
}

/// Where a root key comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RootKeyOrigin {
    /// The environment.
    Environment,
    /// This file, written by an earlier start.
    File(PathBuf),
    /// This file, written just now.
    Made(PathBuf),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Form<S> {
    access_key_id: S,
    secret_access_key: S,
}

/// The root key that the environment seeds; `None` if neither of its variables is set.
pub fn seeded_root_key(variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<RootKey>, DataDirError> {
    let text = |name| match variable(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) if text.is_empty() => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => Err(DataDirError::RootKey(format!("{name} is not UTF-8"))),
    };
    match (text(ID_VARIABLE)?, text(SECRET_VARIABLE)?) {
        (None, None) => Ok(None),
        (Some(_), None) => {
            Err(DataDirError::RootKey(format!("{ID_VARIABLE} is set but not {SECRET_VARIABLE}")))
        }
        (None, Some(_)) => {
            Err(DataDirError::RootKey(format!("{SECRET_VARIABLE} is set but not {ID_VARIABLE}")))
        }
        (Some(access_key_id), Some(secret)) => {
            // IAM's own pattern of access key ids.
            let fits = (16..=128).contains(&access_key_id.len())
                && access_key_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !fits {
                return Err(DataDirError::RootKey(format!(
                    "{ID_VARIABLE} must be 16 to 128 letters, digits or underscores"
                )));
            }
            if secret.len() < SECRET_CHARS_MIN {
                return Err(DataDirError::RootKey(format!(
                    "{SECRET_VARIABLE} must have at least {SECRET_CHARS_MIN} characters"
                )));
            }
            Ok(Some(RootKey { access_key_id, secret: secret.into(), origin: RootKeyOrigin::Environment }))
        }
    }
}

/// A secret that is shorter can be guessed from one signature.
const SECRET_CHARS_MIN: usize = 16;

impl DataDir {
    /// The root key that an earlier start left in the directory; `None` if there is none.
    pub fn kept_root_key(&self) -> Result<Option<RootKey>, DataDirError> {
        let path = self.root_key_file();
        let Some(content) = files::read_private(&path)? else { return Ok(None) };
        let form: Form<String> =
            serde_json::from_slice(content.expose()).map_err(|fault| DataDirError::Content {
                path: path.clone(),
                why: format!("it holds no key (line {}, column {})", fault.line(), fault.column()),
            })?;
        Ok(Some(RootKey {
            access_key_id: form.access_key_id,
            secret: form.secret_access_key.into(),
            origin: RootKeyOrigin::File(path),
        }))
    }

    /// The root key in the directory, made now if there is none.
    pub fn keep_root_key(&self, rng: &dyn Rng) -> Result<RootKey, DataDirError> {
        if let Some(kept) = self.kept_root_key()? {
            return Ok(kept);
        }
        let path = self.root_key_file();
        let access_key_id = draw_id(rng);
        let mut secret = Zeroizing::new([0; 30]);
        rng.fill(secret.as_mut());
        // 30 bytes are 40 characters of base64, the length of AWS's own secrets.
        let secret = Zeroizing::new(BASE64_STANDARD.encode(secret.as_slice()));
        let form = Form { access_key_id: access_key_id.as_str(), secret_access_key: secret.as_str() };
        let content = serde_json::to_vec_pretty(&form)
            .map(Zeroizing::new)
            .map_err(|fault| DataDirError::Content { path: path.clone(), why: fault.to_string() })?;
        files::write_private(&path, &content)?;
        Ok(RootKey {
            access_key_id,
            secret: Secret::new(secret.as_bytes().to_vec()),
            origin: RootKeyOrigin::Made(path),
        })
    }

    /// The file of the root key.
    pub fn root_key_file(&self) -> PathBuf {
        self.path().join("root-key.json")
    }
}

/// `AKIA` and 16 characters of base32 (RFC 4648), 80 random bits.
fn draw_id(rng: &dyn Rng) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    let drawn = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    "AKIA".chars().chain(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::SeededRng;

    #[test]
    fn a_key_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::open_or_make(folder.path()).unwrap();
        assert_eq!(dir.kept_root_key().unwrap(), None);
        let made = dir.keep_root_key(&SeededRng::new(1)).unwrap();
        assert_eq!(made.origin, RootKeyOrigin::Made(dir.root_key_file()));
        assert_eq!((made.access_key_id.len(), made.secret.expose().len()), (20, 40));
        let kept = dir.keep_root_key(&SeededRng::new(2)).unwrap();
        assert_eq!((&kept.access_key_id, &kept.secret), (&made.access_key_id, &made.secret));
        assert_eq!(kept.origin, RootKeyOrigin::File(dir.root_key_file()));
    }

    #[test]
    fn the_environment_seeds_whole_keys_only() {
        let seeded = |id: &str, secret: &str| {
            seeded_root_key(|name| match name {
                ID_VARIABLE => Some(id.into()),
                SECRET_VARIABLE => Some(secret.into()),
                _ => None,
            })
        };
        let secret = "0123456789abcdef";
        let key = seeded("AKIAIOSFODNN7EXAMPLE", secret).unwrap().unwrap();
        assert_eq!(key.access_key_id, "AKIAIOSFODNN7EXAMPLE");
        assert_eq!(key.secret.expose_str(), Some(secret));
        assert_eq!(seeded("", "").unwrap(), None);
        for (id, secret) in [
            ("AKIAIOSFODNN7EXAMPLE", ""),
            ("", secret),
            ("AKIA", secret),
            ("AKIA IOSFODNN7EXAMPLE", secret),
            ("AKIAIOSFODNN7EXAMPLE", "short"),
        ] {
            assert!(matches!(seeded(id, secret), Err(DataDirError::RootKey(_))), "{id} {secret}");
        }
    }
}
