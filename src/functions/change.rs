//! Changes of functions. Each reads, checks, commits and waits until memory has it: the next call sees it.
//!
//! A package is on the shelf, durably, before the record that names it is written, and a record is written in one
//! transaction. So whatever ends the process leaves the old function or the new one.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{
    FunctionError,
    config::Settings,
    environment,
    function::{CANCEL, Function, ON_DISCONNECT_TAG},
    holder::Functions,
    name::{FunctionRef, NAME_CHARS_MAX, arn},
    validation::Violations,
};
use crate::{
    base::{
        AccountId, Arn, RequestId,
        egress::{EGRESS_TAG, Egress},
    },
    store::{
        StoreError,
        functions::{Configuration, FunctionRecord, Stage},
    },
};

/// The most tags a function may have.
const TAGS_MAX: usize = 50;

/// What `UpdateFunctionCode` asks for.
#[derive(Debug, Default)]
pub struct CodeUpdate {
    /// The new package.
    pub zip: Bytes,
    /// The architecture it is for, if that changes.
    pub architectures: Option<Vec<String>>,
    /// The revision that the caller knows.
    pub revision: Option<String>,
    /// Only check it.
    pub dry_run: bool,
}

/// Marks a function as being updated, as long as it lives.
struct Updating<'a> {
    functions: &'a Functions,
    key: (AccountId, String),
}

impl Drop for Updating<'_> {
    fn drop(&mut self) {
        self.functions.updating().remove(&self.key);
    }
}

impl Functions {
    /// Makes a function.
    ///
    /// # Errors
    /// Every [`FunctionError`] that the settings, the role or the package can cause; [`FunctionError::Exists`].
    pub async fn create(
        &self,
        account: AccountId,
        name: &str,
        settings: &Settings,
        tags: BTreeMap<String, String>,
        zip: Bytes,
    ) -> Result<Arc<Function>, FunctionError> {
        let configuration = settings.create(name)?;
        let variables =
            settings.environment.as_ref().map(|environment| environment.accept(&tags)).transpose()?;
        check_tags(&tags)?;
        self.check_name(name)?;
        self.check_role(account, &configuration.role_arn)?;
        if self.find(account, name).is_some() {
            return Err(FunctionError::Exists(name.to_owned()));
        }
        let shelved = self.shelf.put(zip).await?;
        let _writing = self.writing.lock().await;
        let record = FunctionRecord {
            account,
            name: name.to_owned(),
            revision: self.draw_uuid(),
            generation: self.draw_uuid(),
            modified: self.parts.clock.now(),
            stage: Stage::Creating,
            code: shelved.hash,
            code_bytes: shelved.zipped_bytes,
            configuration,
            environment: variables.map(|variables| self.seal(account, name, &variables)).transpose()?,
            tags,
            version: 0,
            published: 0,
            is_published: false,
            policy: None,
            aliases: BTreeMap::new(),
        };
        match self.commit(&record, None).await {
            Err(FunctionError::Busy(_)) => Err(FunctionError::Exists(name.to_owned())),
            other => other,
        }
    }

    /// Gives a function new code, or with `dry_run` checks whether it could be given. What it returns is the function as it
    /// is after that, or would be.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`], [`FunctionError::StaleRevision`], [`FunctionError::Busy`], and whatever the package can
    /// cause.
    pub async fn update_code(
        &self,
        named: &FunctionRef,
        update: CodeUpdate,
    ) -> Result<Arc<Function>, FunctionError> {
        self.check_change(named, update.revision.as_deref())?;
        let _updating = self.mark_updating(named)?;
        let settings = Settings { architectures: update.architectures, ..Settings::default() };
        let zipped_bytes = u64::try_from(update.zip.len()).unwrap_or(u64::MAX);
        if update.dry_run {
            let code = self.shelf.check(update.zip).await?;
            let current = self.check_change(named, update.revision.as_deref())?;
            let would_be = FunctionRecord {
                code,
                code_bytes: zipped_bytes,
                configuration: settings.lay_over(current.record.configuration.clone())?,
                ..current.record.clone()
            };
            let folder = self.shelf.folder(&code);
            let (region, keys) = (&self.options.region, &self.parts.keys);
            return Ok(Arc::new(Function::open(would_be, BTreeMap::new(), &folder, region, keys)?));
        }
        let shelved = self.shelf.put(update.zip).await?;
        let _writing = self.writing.lock().await;
        let current = self.check_change(named, update.revision.as_deref())?;
        let record = FunctionRecord {
            code: shelved.hash,
            code_bytes: shelved.zipped_bytes,
            configuration: settings.lay_over(current.record.configuration.clone())?,
            ..current.record.clone()
        };
        self.commit_update(&current, record).await
    }

    /// Changes a function's settings; what they leave out stays.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`], [`FunctionError::StaleRevision`], [`FunctionError::Busy`], and whatever the settings or
    /// the role can cause.
    pub async fn update_configuration(
        &self,
        named: &FunctionRef,
        settings: &Settings,
        revision: Option<&str>,
    ) -> Result<Arc<Function>, FunctionError> {
        let _updating = self.mark_updating(named)?;
        let _writing = self.writing.lock().await;
        let current = self.check_change(named, revision)?;
        if let Some(role) = &settings.role_arn {
            self.check_role(named.account, role)?;
        }
        let mut record = current.record.clone();
        record.configuration = settings.lay_over(record.configuration)?;
        if let Some(given) = &settings.environment {
            let variables = given.accept(&record.tags)?;
            // The same variables sealed once more would look like other ones.
            if !current.has_environment() || variables != *current.environment {
                record.environment = Some(self.seal(named.account, &named.name, &variables)?);
            }
        }
        self.commit_update(&current, record).await
    }

    /// Deletes a function. Its package goes when no sandbox can use it any more.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`].
    pub async fn delete(&self, named: &FunctionRef) -> Result<(), FunctionError> {
        let _writing = self.writing.lock().await;
        let (account, name, arn) = (named.account, named.name.clone(), named.function_arn());
        self.to_its_end(|me| async move {
            let deleted = me.parts.store.delete(account, &name, me.parts.clock.now()).await?;
            me.parts.feed.catch_up().await?;
            if deleted { Ok(()) } else { Err(FunctionError::NotFound(arn)) }
        })
        .await
    }

    /// Changes a function's tags.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`]; [`FunctionError::Parameter`] if they become too many.
    pub async fn retag(
        &self,
        named: &FunctionRef,
        change: impl FnOnce(&mut BTreeMap<String, String>) + Send,
    ) -> Result<(), FunctionError> {
        let _writing = self.writing.lock().await;
        let current = self.existing(named)?;
        let mut record = current.record.clone();
        change(&mut record.tags);
        check_tags(&record.tags)?;
        record.revision = self.draw_uuid();
        if record.tags.get(EGRESS_TAG) != current.tags.get(EGRESS_TAG) {
            // Sandboxes that may connect to other places are not for it any more.
            record.generation = self.draw_uuid();
        }
        self.commit(&record, Some(&current.record.revision)).await?;
        Ok(())
    }

    /// Writes a record and waits until memory has it. Once begun it ends, also if nobody waits any more: a client that
    /// leaves must not leave a function behind that is on its way for ever.
    pub(crate) async fn commit(
        &self,
        record: &FunctionRecord,
        replaces: Option<&str>,
    ) -> Result<Arc<Function>, FunctionError> {
        let (record, replaces) = (record.clone(), replaces.map(str::to_owned));
        self.to_its_end(|me| async move { me.write(&record, replaces.as_deref()).await }).await
    }

    async fn write(
        &self,
        record: &FunctionRecord,
        replaces: Option<&str>,
    ) -> Result<Arc<Function>, FunctionError> {
        let arn = arn(&self.options.region, record.account, &record.name);
        let written = self.parts.store.put(record, replaces, self.parts.clock.now()).await?;
        self.parts.feed.catch_up().await?;
        if !written {
            // Another process has written it since.
            return Err(FunctionError::update_in_progress(&arn));
        }
        self.settle_later(record);
        self.find(record.account, &record.name).ok_or(FunctionError::NotFound(arn))
    }

    /// Runs something that is not dropped with the caller's future.
    pub(super) async fn to_its_end<T: Send + 'static, F>(
        &self,
        work: impl FnOnce(Arc<Self>) -> F,
    ) -> Result<T, FunctionError>
    where
        F: Future<Output = Result<T, FunctionError>> + Send + 'static,
    {
        let gone = || StoreError::Packages("the gateway is going down".to_owned());
        let me = self.me().upgrade().ok_or_else(gone)?;
        tokio::spawn(work(me)).await.map_err(|_| gone())?
    }

    /// Writes what a caller's update makes of `current`.
    async fn commit_update(
        &self,
        current: &Function,
        record: FunctionRecord,
    ) -> Result<Arc<Function>, FunctionError> {
        let generation = if needs_new_sandboxes(&current.record, &record) {
            self.draw_uuid()
        } else {
            current.record.generation.clone()
        };
        let record = FunctionRecord {
            generation,
            revision: self.draw_uuid(),
            modified: self.parts.clock.now(),
            stage: Stage::Updating,
            is_published: false,
            ..record
        };
        self.commit(&record, Some(&current.record.revision)).await
    }

    pub(super) fn existing(&self, named: &FunctionRef) -> Result<Arc<Function>, FunctionError> {
        self.find(named.account, &named.name).ok_or_else(|| FunctionError::NotFound(named.function_arn()))
    }

    /// The function, if its caller may change it now.
    pub(super) fn check_change(
        &self,
        named: &FunctionRef,
        revision: Option<&str>,
    ) -> Result<Arc<Function>, FunctionError> {
        let current = self.existing(named)?;
        match current.ready {
            Stage::Creating => {
                return Err(FunctionError::Busy(
                    "The function is currently in the following state: Pending".to_owned(),
                ));
            }
            Stage::Updating => return Err(FunctionError::update_in_progress(&current.arn)),
            Stage::Settled => {}
        }
        match revision {
            Some(known) if known != current.record.revision => Err(FunctionError::StaleRevision),
            _ => Ok(current),
        }
    }

    fn updating(&self) -> std::sync::MutexGuard<'_, std::collections::HashSet<(AccountId, String)>> {
        self.updating.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// One update of a function at a time, from before its package is read.
    fn mark_updating(&self, named: &FunctionRef) -> Result<Updating<'_>, FunctionError> {
        let key = (named.account, named.name.clone());
        if !self.updating().insert(key.clone()) {
            return Err(FunctionError::update_in_progress(&named.function_arn()));
        }
        Ok(Updating { functions: self, key })
    }

    fn check_name(&self, name: &str) -> Result<(), FunctionError> {
        let mut violations = Violations::default();
        violations.length(name, "functionName", 1, NAME_CHARS_MAX);
        violations.into_result().map_err(|violations| FunctionError::Parameter(violations.to_string()))
    }

    fn check_role(&self, account: AccountId, role_arn: &str) -> Result<(), FunctionError> {
        if role_arn.parse::<Arn>().is_ok_and(|role| role.account != account.as_str()) {
            return Err(FunctionError::ForeignRole);
        }
        if !self.parts.roles.lambda_may_assume(account, role_arn) {
            return Err(FunctionError::Parameter(
                "The role defined for the function cannot be assumed by Lambda.".to_owned(),
            ));
        }
        Ok(())
    }

    fn seal(
        &self,
        account: AccountId,
        name: &str,
        variables: &environment::Variables,
    ) -> Result<Vec<u8>, FunctionError> {
        environment::seal(&self.parts.keys, self.parts.rng.as_ref(), account, name, variables)
    }

    pub(crate) fn draw_uuid(&self) -> String {
        RequestId::draw(self.parts.rng.as_ref()).to_string()
    }
}

/// Whether sandboxes of the one cannot serve the other. Descriptions mean nothing to them; all else does.
fn needs_new_sandboxes(was: &FunctionRecord, is: &FunctionRecord) -> bool {
    let without_description =
        |configuration: &Configuration| Configuration { description: String::new(), ..configuration.clone() };
    was.code != is.code
        || was.environment != is.environment
        || without_description(&was.configuration) != without_description(&is.configuration)
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), FunctionError> {
    if tags.len() > TAGS_MAX {
        return Err(FunctionError::Parameter(format!("A function can have at most {TAGS_MAX} tags.")));
    }
    if tags.get(ON_DISCONNECT_TAG).is_some_and(|said| said != CANCEL) {
        return Err(FunctionError::Parameter(format!(
            "The tag {ON_DISCONNECT_TAG} must be {CANCEL}; without it a call runs on when its client leaves."
        )));
    }
    match tags.get(EGRESS_TAG).map(|text| text.parse::<Egress>()) {
        Some(Err(error)) => Err(FunctionError::Parameter(format!("The tag {EGRESS_TAG}: {error}."))),
        _ => Ok(()),
    }
}
