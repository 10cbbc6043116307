//! Making and changing OpenID Connect providers.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use url::{Host, Url};

use super::{
    Directory, IamError, OidcProvider, Result,
    permissions::{check_tags, tag, untag},
    role::oidc_provider_arn,
};
use crate::{base::AccountId, store::iam::OidcProviderRecord};

/// How many providers an account has at most (IAM's quota).
pub const PROVIDERS_MAX: usize = 100;
/// How many client ids a provider has at most (IAM's quota).
pub const CLIENT_IDS_MAX: usize = 100;
/// How many thumbprints a provider has at most (IAM's quota).
pub const THUMBPRINTS_MAX: usize = 5;

/// What a provider is made of.
#[derive(Clone, Debug)]
pub struct NewOidcProvider {
    /// The issuer's URL, letter by letter as in its tokens.
    pub url: String,
    /// The client ids whose tokens are taken.
    pub client_ids: Vec<String>,
    /// Fingerprints of certificates; kept and answered, and not used.
    pub thumbprints: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Directory {
    /// The provider of this ARN in the account, or that there is none.
    pub fn existing_oidc_provider(&self, account: AccountId, arn: &str) -> Result<Arc<OidcProvider>> {
        self.oidc_provider_by_arn(arn)
            .filter(|provider| provider.record.account == account)
            .ok_or_else(|| IamError::NoSuchEntity(format!("OpenIDConnect Provider not found for arn {arn}")))
    }

    /// Makes a provider.
    pub async fn create_oidc_provider(
        &self,
        account: AccountId,
        new: NewOidcProvider,
    ) -> Result<Arc<OidcProvider>> {
        let name = self.check_url(&new.url)?.to_owned();
        let client_ids = distinct(new.client_ids);
        check_client_ids(&client_ids)?;
        check_thumbprints(&new.thumbprints)?;
        check_tags(&new.tags, "OpenIdConnectProvider")?;
        let exists =
            || IamError::EntityAlreadyExists(format!("Provider with url {} already exists.", new.url));
        let _writing = self.writing().await;
        let providers = self.oidc_providers(account);
        if providers.contains_key(&name) {
            return Err(exists());
        }
        if providers.len() >= PROVIDERS_MAX {
            return Err(IamError::LimitExceeded(format!(
                "Cannot exceed quota for OpenIdConnectProvidersPerAccount: {PROVIDERS_MAX}"
            )));
        }
        let record = OidcProviderRecord {
            account,
            name,
            issuer: new.url.clone(),
            client_ids,
            thumbprints: new.thumbprints,
            created: self.now(),
            tags: new.tags,
            revision: 1,
        };
        if !self.parts.store.put_oidc_provider(&record, self.now()).await? {
            return Err(exists());
        }
        self.catch_up().await?;
        self.existing_oidc_provider(account, &oidc_provider_arn(account, &record.name))
    }

    /// Deletes a provider. As on AWS, one that is not there is as good as deleted, roles that name it stay, and what they
    /// trust is nobody.
    pub async fn delete_oidc_provider(&self, account: AccountId, arn: &str) -> Result<()> {
        let _writing = self.writing().await;
        let Ok(provider) = self.existing_oidc_provider(account, arn) else { return Ok(()) };
        if !self.parts.store.delete_oidc_provider(&provider.record, self.now()).await? {
            return Err(IamError::ConcurrentModification(arn.to_owned()));
        }
        Ok(self.catch_up().await?)
    }

    /// Takes tokens of one more client id.
    pub async fn add_client_id(&self, account: AccountId, arn: &str, client_id: String) -> Result<()> {
        self.change_oidc_provider(account, arn, |record| {
            if !record.client_ids.contains(&client_id) {
                record.client_ids.push(client_id);
            }
            check_client_ids(&record.client_ids)
        })
        .await
    }

    /// Takes no tokens of this client id any more; one that is not there is passed over.
    pub async fn remove_client_id(&self, account: AccountId, arn: &str, client_id: &str) -> Result<()> {
        self.change_oidc_provider(account, arn, |record| {
            record.client_ids.retain(|known| known != client_id);
            Ok(())
        })
        .await
    }

    /// Replaces the thumbprints.
    pub async fn set_thumbprints(
        &self,
        account: AccountId,
        arn: &str,
        thumbprints: Vec<String>,
    ) -> Result<()> {
        check_thumbprints(&thumbprints)?;
        self.change_oidc_provider(account, arn, |record| {
            record.thumbprints = thumbprints;
            Ok(())
        })
        .await
    }

    /// Sets tags.
    pub async fn tag_oidc_provider(
        &self,
        account: AccountId,
        arn: &str,
        tags: BTreeMap<String, String>,
    ) -> Result<()> {
        self.change_oidc_provider(account, arn, |record| tag(&mut record.tags, tags, "OpenIdConnectProvider"))
            .await
    }

    /// Takes tags away; those that are not there are passed over.
    pub async fn untag_oidc_provider(&self, account: AccountId, arn: &str, keys: &[String]) -> Result<()> {
        self.change_oidc_provider(account, arn, |record| {
            untag(&mut record.tags, keys);
            Ok(())
        })
        .await
    }

    /// Reads, changes and writes a provider as one.
    async fn change_oidc_provider(
        &self,
        account: AccountId,
        arn: &str,
        change: impl FnOnce(&mut OidcProviderRecord) -> Result<()>,
    ) -> Result<()> {
        let _writing = self.writing().await;
        let mut record = self.existing_oidc_provider(account, arn)?.record.clone();
        change(&mut record)?;
        record.revision += 1;
        if !self.parts.store.put_oidc_provider(&record, self.now()).await? {
            return Err(IamError::ConcurrentModification(arn.to_owned()));
        }
        Ok(self.catch_up().await?)
    }

    /// That this is an issuer's URL which may be fetched; gives it without its scheme.
    fn check_url<'u>(&self, url: &'u str) -> Result<&'u str> {
        let invalid =
            |why: &str| IamError::InvalidInput(format!("Invalid Open ID Connect Provider URL: {why}"));
        let parsed = Url::parse(url).map_err(|error| invalid(&format!("{error}.")))?;
        let (scheme, name) = url.split_once("://").ok_or_else(|| invalid("it has no scheme."))?;
        let plain = parsed.query().is_none()
            && parsed.fragment().is_none()
            && parsed.username().is_empty()
            && parsed.password().is_none();
        if !plain {
            return Err(invalid("it must have no query, fragment or user."));
        }
        if name.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(invalid("it must be of visible ASCII characters."));
        }
        match scheme {
            "https" => Ok(name),
            "http" if is_loopback(&parsed) && self.options.allow_loopback_http => Ok(name),
            "http" if is_loopback(&parsed) => {
                Err(invalid("http is for loopback issuers, and needs oidc.allow_loopback_http = true."))
            }
            _ => Err(invalid("it must begin with https://.")),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}

/// Each text once, in the order of its first mention.
fn distinct(texts: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

fn check_client_ids(client_ids: &[String]) -> Result<()> {
    if client_ids.len() > CLIENT_IDS_MAX {
        return Err(IamError::LimitExceeded(format!(
            "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {CLIENT_IDS_MAX}"
        )));
    }
    Ok(())
}

fn check_thumbprints(thumbprints: &[String]) -> Result<()> {
    if thumbprints.len() > THUMBPRINTS_MAX {
        return Err(IamError::InvalidInput(format!(
            "Thumbprint list must contain at most {THUMBPRINTS_MAX} entries."
        )));
    }
    if !thumbprints.iter().all(|one| one.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Err(IamError::InvalidInput("A thumbprint is 40 hexadecimal digits.".to_owned()));
    }
    Ok(())
}
