//! Accounts and their root keys.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{ACCESS_KEY_PREFIX, Directory, IamError, Result, draw_id};
use crate::{
    authn::sessions,
    base::{AccountId, Principal, Purpose, Secret},
    store::iam::AccessKeyRecord,
};

/// How many letters follow the prefix.
const ID_LETTERS: usize = 16;
/// 30 bytes are the 40 characters that AWS's secret keys have.
const SECRET_BYTES: usize = 30;
/// The longest id that an operator may choose (IAM's `accessKeyIdType`).
const ID_CHARS_MAX: usize = 128;

/// An access key, as it is shown once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewAccessKey {
    /// Whose it is.
    pub account: AccountId,
    /// `AKIA…`
    pub id: String,
    /// 40 characters.
    pub secret: Secret,
}

impl Directory {
    /// Makes an account with a root key.
    pub async fn create_account(&self, account: AccountId) -> Result<NewAccessKey> {
        let _writing = self.writing().await;
        let key = self.draw_key(account);
        if !self.parts.store.create_account(&self.seal(&key, None)?).await? {
            return Err(IamError::EntityAlreadyExists(format!("Account {account} already exists.")));
        }
        self.catch_up().await?;
        Ok(key)
    }

    /// Makes this the root key of account `000000000000`, in place of any other. The key it is already stays as it is.
    pub async fn seed_root(&self, id: &str, secret: &Secret) -> Result<()> {
        check_chosen(id, secret)?;
        let _writing = self.writing().await;
        let account = AccountId::DEFAULT;
        let seeded = NewAccessKey { account, id: id.to_owned(), secret: secret.clone() };
        if self.is_only_key(&seeded) {
            return Ok(());
        }
        self.replace_root_key(&seeded).await
    }

    /// Draws a root key for account `000000000000` if it has none, and gives it to be kept by the operator.
    pub async fn ensure_root(&self) -> Result<Option<NewAccessKey>> {
        let _writing = self.writing().await;
        if self.has_root_key(AccountId::DEFAULT) {
            return Ok(None);
        }
        let key = self.draw_key(AccountId::DEFAULT);
        self.replace_root_key(&key).await?;
        Ok(Some(key))
    }

    async fn replace_root_key(&self, key: &NewAccessKey) -> Result<()> {
        if !self.parts.store.replace_access_keys(&self.seal(key, None)?).await? {
            return Err(IamError::EntityAlreadyExists(format!(
                "Access key {} is somebody else's already.",
                key.id
            )));
        }
        Ok(self.catch_up().await?)
    }

    fn is_only_key(&self, key: &NewAccessKey) -> bool {
        use crate::authn::KeyStore;
        self.access_key(&key.id).is_some_and(|known| {
            known.active
                && known.caller.account == key.account
                && known.caller.principal == Principal::Root
                && *known.secret.secret() == key.secret
        })
    }

    pub(super) fn draw_key(&self, account: AccountId) -> NewAccessKey {
        let rng = self.parts.rng.as_ref();
        let mut bytes = zeroize::Zeroizing::new([0; SECRET_BYTES]);
        rng.fill(bytes.as_mut_slice());
        let secret = Secret::from(STANDARD.encode(bytes.as_slice()));
        NewAccessKey { account, id: draw_id(ACCESS_KEY_PREFIX, ID_LETTERS, rng), secret }
    }

    /// A key as it is kept; `user` is whose it is, or it is the root's.
    pub(super) fn seal(&self, key: &NewAccessKey, user: Option<&str>) -> Result<AccessKeyRecord> {
        let (keys, rng) = (&self.parts.keys, self.parts.rng.as_ref());
        let sealed_secret = keys.seal(Purpose::IamSecret, key.id.as_bytes(), key.secret.expose(), rng)?;
        Ok(AccessKeyRecord {
            id: key.id.clone(),
            account: key.account,
            user: user.map(str::to_owned),
            sealed_secret,
            active: true,
            created: self.now(),
        })
    }
}

/// Checks a key that an operator chose: it must be able to stand in a credential, and not look like a session's.
fn check_chosen(id: &str, secret: &Secret) -> Result<()> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if id.is_empty() || id.len() > ID_CHARS_MAX || !id.bytes().all(word) {
        return Err(IamError::InvalidInput(format!(
            "An access key id has 1 to {ID_CHARS_MAX} letters, digits and underscores."
        )));
    }
    if id.starts_with(sessions::ACCESS_KEY_PREFIX) {
        return Err(IamError::InvalidInput(format!(
            "An access key id that begins with {} is a session's.",
            sessions::ACCESS_KEY_PREFIX
        )));
    }
    if secret.expose().is_empty() || secret.expose_str().is_none() {
        return Err(IamError::InvalidInput("A secret access key is a text that is not empty.".to_owned()));
    }
    Ok(())
}
