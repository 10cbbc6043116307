//! The key ring's file: numbered keys of 32 bytes, the newest of which seals.

use std::{path::Path, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DataDirError, files};
use crate::base::{Clock, KeyRing, Rng, Secret, Timestamp};

/// The keys of the ring, as the file holds them.
#[derive(Debug)]
pub struct KeyFile {
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    id: u32,
    made: Timestamp,
    secret: Secret,
}

/// What opening the file did to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotated {
    /// The file was not there and was made.
    Made,
    /// The newest key was older than allowed: one was added, with this id.
    Added(u32),
    /// Nothing.
    Unchanged,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form<S> {
    version: u32,
    keys: Vec<KeyForm<S>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyForm<S> {
    id: u32,
    made_ms: Timestamp,
    key: S,
}

const VERSION: u32 = 1;
const KEY_BYTES: usize = 32;

impl KeyFile {
    /// Reads the file, makes it if it is not there, and adds a key when the newest one is older than `rotate_after`.
    /// Older keys stay: what they sealed must open until it has been sealed anew.
    pub fn open(
        path: &Path,
        rotate_after: Duration,
        clock: &dyn Clock,
        rng: &dyn Rng,
    ) -> Result<(Self, Rotated), DataDirError> {
        let now = clock.now();
        let (mut file, rotated) = match Self::read(path)? {
            None => (Self { keys: Vec::new() }, Rotated::Made),
            Some(file) => match file.keys.iter().max_by_key(|key| key.id) {
                Some(newest) if now.since(newest.made) > rotate_after => {
                    let id = newest.id.checked_add(1).ok_or_else(|| DataDirError::Content {
                        path: path.to_owned(),
                        why: "it holds the highest key id there can be".to_owned(),
                    })?;
                    (file, Rotated::Added(id))
                }
                _ => return Ok((file, Rotated::Unchanged)),
            },
        };
        let id = match rotated {
            Rotated::Added(id) => id,
            Rotated::Made | Rotated::Unchanged => 1,
        };
        let mut secret = vec![0; KEY_BYTES];
        rng.fill(&mut secret);
        file.keys.push(Key { id, made: now, secret: Secret::new(secret) });
        file.write(path)?;
        Ok((file, rotated))
    }

    /// Whether the file can be used, without changing it.
    pub fn check(path: &Path) -> Result<(), DataDirError> {
        Self::read(path).map(drop)
    }

    fn read(path: &Path) -> Result<Option<Self>, DataDirError> {
        let Some(content) = files::read_private(path)? else { return Ok(None) };
        let content_error = |why: String| DataDirError::Content { path: path.to_owned(), why };
        // The parser's own words could quote a key, so only the place of the fault is told.
        let form: Form<String> = serde_json::from_slice(content.expose()).map_err(|fault| {
            content_error(format!("it is no key ring (line {}, column {})", fault.line(), fault.column()))
        })?;
        if form.version != VERSION {
            return Err(content_error(format!("its version is {}, not {VERSION}", form.version)));
        }
        if form.keys.is_empty() {
            return Err(content_error("it holds no key".to_owned()));
        }
        let mut keys: Vec<Key> = Vec::with_capacity(form.keys.len());
        for KeyForm { id, made_ms, key } in form.keys {
            let key = Zeroizing::new(key);
            let secret = BASE64_STANDARD
                .decode(key.as_bytes())
                .ok()
                .filter(|bytes| bytes.len() == KEY_BYTES)
                .ok_or_else(|| content_error(format!("key {id} is not {KEY_BYTES} bytes in base64")))?;
            if keys.iter().any(|other| other.id == id) {
                return Err(content_error(format!("it holds two keys with the id {id}")));
            }
            keys.push(Key { id, made: made_ms, secret: Secret::new(secret) });
        }
        Ok(Some(Self { keys }))
    }

    fn write(&self, path: &Path) -> Result<(), DataDirError> {
        let encoded: Vec<Zeroizing<String>> =
            self.keys.iter().map(|key| Zeroizing::new(BASE64_STANDARD.encode(key.secret.expose()))).collect();
        let keys = self
            .keys
            .iter()
            .zip(&encoded)
            .map(|(key, encoded)| KeyForm { id: key.id, made_ms: key.made, key: encoded.as_str() })
            .collect();
        let content = serde_json::to_vec_pretty(&Form { version: VERSION, keys })
            .map(Zeroizing::new)
            .map_err(|fault| DataDirError::Content { path: path.to_owned(), why: fault.to_string() })?;
        files::write_private(path, &content)
    }

    /// The ring that the keys make.
    pub fn ring(&self, path: &Path) -> Result<KeyRing, DataDirError> {
        KeyRing::new(self.keys.iter().map(|key| (key.id, key.secret.clone())))
            .map_err(|fault| DataDirError::Content { path: path.to_owned(), why: fault.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Purpose, clock::MockClock, rng::SeededRng};

    const QUARTER: Duration = Duration::from_secs(90 * 86_400);

    #[test]
    fn a_ring_is_made_once_and_rotated_when_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let clock = MockClock::at(Timestamp::from_seconds(1_000_000));
        let rng = SeededRng::new(1);
        let open = || KeyFile::open(&path, QUARTER, clock.as_ref(), &rng).unwrap();

        let (file, rotated) = open();
        assert_eq!(rotated, Rotated::Made);
        let sealed =
            file.ring(&path).unwrap().seal(Purpose::Environment, b"", b"kept", &SeededRng::new(2)).unwrap();
        clock.advance(QUARTER);
        assert_eq!(open().1, Rotated::Unchanged);
        clock.advance(Duration::from_secs(1));
        let (file, rotated) = open();
        assert_eq!(rotated, Rotated::Added(2));
        let ring = file.ring(&path).unwrap();
        assert_eq!(ring.newest(), 2);
        assert_eq!(ring.open(Purpose::Environment, b"", &sealed).unwrap().expose(), b"kept");
        assert_eq!(open().1, Rotated::Unchanged);
    }

    #[test]
    fn a_damaged_ring_is_refused_and_its_keys_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let key = BASE64_STANDARD.encode([7; 32]);
        let one = format!(r#"{{"id":1,"made_ms":0,"key":"{key}"}}"#);
        for (content, why) in [
            (String::new(), "no key ring"),
            (format!(r#"{{"version":1,"keys":["{key}"]}}"#), "no key ring"),
            (format!(r#"{{"version":2,"keys":[{one}]}}"#), "version is 2"),
            (r#"{"version":1,"keys":[]}"#.to_owned(), "no key"),
            (format!(r#"{{"version":1,"keys":[{one},{one}]}}"#), "two keys with the id 1"),
            (r#"{"version":1,"keys":[{"id":4,"made_ms":0,"key":"c2hvcnQ="}]}"#.to_owned(), "key 4 is not 32"),
        ] {
            files::write_private(&path, content.as_bytes()).unwrap();
            let clock = MockClock::at(Timestamp::from_seconds(0));
            let error = KeyFile::open(&path, QUARTER, clock.as_ref(), &SeededRng::new(1)).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(why) && !error.contains(&key), "{error}");
        }
    }
}
