//! Versions and aliases: what is published of a function.

use std::sync::Arc;

use super::{
    FunctionError,
    function::Function,
    holder::Functions,
    name::{FunctionRef, LATEST, arn},
};
use crate::store::functions::{AliasRecord, FunctionRecord, Stage};

/// The most aliases of a function.
const ALIASES_MAX: usize = 1_000;

/// What `CreateAlias` and `UpdateAlias` set.
#[derive(Debug, Default)]
pub struct AliasChange {
    /// `$LATEST` or a number.
    pub version: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The revision that the caller knows.
    pub revision: Option<String>,
}

impl Functions {
    /// Publishes the function as it is. Where nothing has changed since the last version, that version is the answer.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`], [`FunctionError::Busy`], [`FunctionError::StaleRevision`]; [`FunctionError::Parameter`]
    /// if `code` is given and is not the base64 of the package's hash.
    pub async fn publish(
        &self,
        named: &FunctionRef,
        description: Option<String>,
        code: Option<&str>,
        revision: Option<&str>,
    ) -> Result<Arc<Function>, FunctionError> {
        let _writing = self.writing.lock().await;
        let current = self.check_change(named, revision)?;
        let present = current.record.code.base64();
        if let Some(code) = code.filter(|code| !code.is_empty() && *code != present) {
            return Err(FunctionError::Parameter(format!(
                "CodeSHA256 ({code}) is different from current CodeSHA256 in $LATEST ({present}). Please try again with the \
                 CodeSHA256 in $LATEST."
            )));
        }
        self.publish_current(&current, description).await
    }

    /// Publishes what an update has just made, which may still be on its way to be settled.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`] if it was deleted meanwhile.
    pub async fn publish_made(&self, made: &Function) -> Result<Arc<Function>, FunctionError> {
        let _writing = self.writing.lock().await;
        let current = self
            .find(made.account, &made.name)
            .ok_or_else(|| FunctionError::NotFound(made.arn.to_string()))?;
        self.publish_current(&current, None).await
    }

    async fn publish_current(
        &self,
        current: &Arc<Function>,
        description: Option<String>,
    ) -> Result<Arc<Function>, FunctionError> {
        let record = &current.record;
        if record.is_published
            && let Some(last) = current.published.versions.get(&record.published)
        {
            return Ok(last.clone());
        }
        let number = record.published + 1;
        let mut version = FunctionRecord {
            version: number,
            revision: self.draw_uuid(),
            // Sandboxes know which version they are, so a version shares none with the function it was made of.
            generation: self.draw_uuid(),
            stage: Stage::Settled,
            published: 0,
            is_published: false,
            policy: None,
            aliases: std::collections::BTreeMap::new(),
            ..record.clone()
        };
        if let Some(description) = description {
            version.configuration.description = description;
        }
        let latest = FunctionRecord {
            revision: self.draw_uuid(),
            published: number,
            is_published: true,
            ..record.clone()
        };
        let replaces = record.revision.clone();
        let arn = current.arn.clone();
        let committed = latest.clone();
        let written = self
            .to_its_end(|me| async move {
                let records = [(&latest, Some(replaces.as_str())), (&version, None)];
                let written = me.parts.store.put_all(&records, me.parts.clock.now()).await?;
                me.parts.feed.catch_up().await?;
                Ok(written)
            })
            .await?;
        if !written {
            return Err(FunctionError::update_in_progress(&arn));
        }
        self.settle_later(&committed);
        let function = self.find(record.account, &record.name);
        function
            .and_then(|function| function.published.versions.get(&number).cloned())
            .ok_or_else(|| FunctionError::NotFound(format!("{arn}:{number}")))
    }

    /// Deletes a version. One that is not there is deleted already.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`] if there is no such function; [`FunctionError::Conflict`] if an alias means the version.
    pub async fn delete_version(&self, named: &FunctionRef, version: &str) -> Result<(), FunctionError> {
        let _writing = self.writing.lock().await;
        let current = self.existing(named)?;
        let Ok(number) = version.parse::<u32>() else { return Ok(()) };
        let aliases: Vec<&str> = current
            .record
            .aliases
            .iter()
            .filter(|(_, alias)| number > 0 && alias.version == number)
            .map(|(name, _)| name.as_str())
            .collect();
        if !aliases.is_empty() {
            return Err(FunctionError::Conflict(format!(
                "Unable to delete version because the following aliases reference it: [{}]",
                aliases.join(", ")
            )));
        }
        let (account, name) = (named.account, named.name.clone());
        self.to_its_end(|me| async move {
            me.parts.store.delete_version(account, &name, number, me.parts.clock.now()).await?;
            Ok(me.parts.feed.catch_up().await?)
        })
        .await
    }

    /// Makes an alias.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`] if there is no such function or version; [`FunctionError::Conflict`] if there is an alias
    /// of the name; [`FunctionError::Parameter`] if there are too many.
    pub async fn create_alias(
        &self,
        named: &FunctionRef,
        name: &str,
        change: AliasChange,
    ) -> Result<AliasRecord, FunctionError> {
        let _writing = self.writing.lock().await;
        let current = self.existing_version(named, change.version.as_deref())?;
        let version = version_number(&current, named, change.version.as_deref())?;
        let mut record = current.record.clone();
        if record.aliases.contains_key(name) {
            return Err(FunctionError::Conflict(format!("Alias already exists: {}:{name}", current.arn)));
        }
        if record.aliases.len() >= ALIASES_MAX {
            return Err(FunctionError::Parameter(format!(
                "A function can have at most {ALIASES_MAX} aliases."
            )));
        }
        let alias = AliasRecord {
            version,
            description: change.description.unwrap_or_default(),
            revision: self.draw_uuid(),
            policy: None,
        };
        record.aliases.insert(name.to_owned(), alias.clone());
        self.commit(&record, Some(&current.record.revision)).await?;
        Ok(alias)
    }

    /// Changes an alias; what is left out stays.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`], [`FunctionError::Missing`] if there is no such alias, [`FunctionError::StaleRevision`].
    pub async fn update_alias(
        &self,
        named: &FunctionRef,
        name: &str,
        change: AliasChange,
    ) -> Result<AliasRecord, FunctionError> {
        let _writing = self.writing.lock().await;
        let current = self.existing(named)?;
        let mut record = current.record.clone();
        let Some(alias) = record.aliases.get_mut(name) else {
            return Err(FunctionError::Missing(format!("Alias not found: {}:{name}", current.arn)));
        };
        if change.revision.is_some_and(|known| known != alias.revision) {
            return Err(FunctionError::StaleRevision);
        }
        if let Some(version) = &change.version {
            alias.version = version_number(&current, named, Some(version))?;
        }
        if let Some(description) = change.description {
            alias.description = description;
        }
        alias.revision = self.draw_uuid();
        let changed = alias.clone();
        self.commit(&record, Some(&current.record.revision)).await?;
        Ok(changed)
    }

    /// Deletes an alias. One that is not there is deleted already.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`] if there is no such function.
    pub async fn delete_alias(&self, named: &FunctionRef, name: &str) -> Result<(), FunctionError> {
        let _writing = self.writing.lock().await;
        let current = self.existing(named)?;
        let mut record = current.record.clone();
        if record.aliases.remove(name).is_some() {
            self.commit(&record, Some(&current.record.revision)).await?;
        }
        Ok(())
    }

    /// The function; what is not found is named with the version that was asked for.
    fn existing_version(
        &self,
        named: &FunctionRef,
        version: Option<&str>,
    ) -> Result<Arc<Function>, FunctionError> {
        self.find(named.account, &named.name).ok_or_else(|| not_found(named, version.unwrap_or(LATEST)))
    }
}

/// The number that an alias keeps for a version that exists.
fn version_number(
    function: &Arc<Function>,
    named: &FunctionRef,
    version: Option<&str>,
) -> Result<u32, FunctionError> {
    let version = version.unwrap_or(LATEST);
    let found = function.qualified(Some(version)).ok_or_else(|| not_found(named, version))?;
    Ok(found.record.version)
}

fn not_found(named: &FunctionRef, version: &str) -> FunctionError {
    FunctionError::NotFound(format!("{}:{version}", arn(&named.region, named.account, &named.name)))
}
