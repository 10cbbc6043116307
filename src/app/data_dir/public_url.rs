//! The public URL that was used before: issuer names are made of it, so that a change must not go unnoticed.

use super::{DataDir, DataDirError, files};

/// What is known of the public URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// There was none before.
    First,
    /// It is as before.
    Same,
    /// It was another one, whose tokens and links end.
    Changed {
        /// The one before.
        before: String,
    },
}

impl Recorded {
    /// The warning that a change deserves: what it ends.
    pub fn warning(&self, now: &str) -> Option<String> {
        let Self::Changed { before } = self else { return None };
        Some(format!(
            "public_url has changed from {before} to {now}: open-id tokens issued under the old one are no longer accepted, \
             whoever trusts {before} as an issuer must be told of {now}, and links that begin with it have ended"
        ))
    }
}

/// Records the public URL in the data directory, and tells whether it has changed.
pub fn record_public_url(dir: &DataDir, url: &str) -> Result<Recorded, DataDirError> {
    let path = dir.path().join("public-url");
    let before = files::read_private(&path)?;
    let recorded = match before.as_ref().map(|before| before.expose_str().map(str::trim_end)) {
        None => Recorded::First,
        Some(Some(before)) if before == url => return Ok(Recorded::Same),
        Some(Some(before)) => Recorded::Changed { before: before.to_owned() },
        Some(None) => return Err(DataDirError::Content { path, why: "it is not UTF-8".to_owned() }),
    };
    files::write_private(&path, format!("{url}\n").as_bytes())?;
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_and_names_what_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let dir = DataDir::open_or_make(folder.path()).unwrap();
        assert_eq!(record_public_url(&dir, "https://a").unwrap(), Recorded::First);
        assert_eq!(record_public_url(&dir, "https://a").unwrap(), Recorded::Same);
        let changed = record_public_url(&dir, "https://b").unwrap();
        assert_eq!(changed, Recorded::Changed { before: "https://a".to_owned() });
        let warning = changed.warning("https://b").unwrap();
        assert!(warning.contains("https://a") && warning.contains("tokens"), "{warning}");
        assert_eq!(record_public_url(&dir, "https://b").unwrap(), Recorded::Same);
    }
}
