//! Links to download a function's package, as GetFunction answers them.
//!
//! On AWS the link is a presigned one to S3. Here it ends in a token that the gateway sealed: which package, and until when.
//! Whoever has the link has the package, for ten minutes; nobody can make one.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{FunctionError, holder::Functions};
use crate::{
    base::{Purpose, Timestamp},
    store::artifacts::PackageHash,
};

/// How long a link works.
const VALID: Duration = Duration::from_secs(600);
const ASSOCIATED: &[u8] = b"package";

impl Functions {
    /// A token for [`Self::open_link`].
    ///
    /// # Errors
    /// [`FunctionError::Keys`].
    pub fn make_link(&self, package: &PackageHash) -> Result<String, FunctionError> {
        let until = self.parts.clock.now().plus(VALID);
        let plain = [until.millis().to_be_bytes().as_slice(), package.as_bytes()].concat();
        let sealed =
            self.parts.keys.seal(Purpose::PackageLink, ASSOCIATED, &plain, self.parts.rng.as_ref())?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The package that a token is for; `None` if it is none of ours, or too old.
    pub fn open_link(&self, token: &str) -> Option<PackageHash> {
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let plain = self.parts.keys.open(Purpose::PackageLink, ASSOCIATED, &sealed).ok()?;
        let (until, hash) = plain.expose().split_first_chunk::<8>()?;
        let until = Timestamp::from_millis(i64::from_be_bytes(*until));
        if self.parts.clock.now() > until {
            return None;
        }
        PackageHash::from_bytes(hash)
    }
}
