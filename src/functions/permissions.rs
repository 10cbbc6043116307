//! Resource policies of functions, versions and aliases: each has its own, and its revision is that of what it belongs to.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    FunctionError,
    function::Function,
    holder::Functions,
    name::{FunctionRef, LATEST, is_alias},
};
use crate::{
    base::{AccountId, Arn},
    policy::{Document, Kind, ParseError},
    store::functions::FunctionRecord,
};

/// What `AddPermission` asks for.
#[derive(Clone, Default, Debug)]
pub struct Permission {
    /// The statement's Sid.
    pub sid: String,
    /// `lambda:…` or `*`.
    pub action: String,
    /// An account, an ARN, a service or `*`.
    pub principal: String,
    /// On whose behalf: an ARN, perhaps with wildcards.
    pub source_arn: Option<String>,
    /// On whose behalf: an account.
    pub source_account: Option<String>,
    /// What the source must show.
    pub event_source_token: Option<String>,
    /// The organization that the caller must be of.
    pub organization: Option<String>,
    /// Kept, though Callgate has no function URLs: such a statement matches nothing here.
    pub url_auth_type: Option<String>,
    /// The same.
    pub via_url: bool,
}

/// A resource policy, as it is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The document.
    pub policy: String,
    /// The `RevisionId`.
    pub revision: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    sid: &'a str,
    effect: &'a str,
    principal: Principal<'a>,
    action: &'a str,
    resource: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Principal<'a> {
    Everyone(&'a str),
    Of(BTreeMap<&'a str, String>),
}

/// A policy whose statements are kept as they stand.
#[derive(Serialize, Deserialize)]
struct Policy {
    #[serde(rename = "Version", skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "Statement")]
    statements: Box<RawValue>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "Sid")]
    sid: Option<String>,
}

impl Permission {
    /// The statement, which is valid JSON.
    fn statement(&self, resource: &str) -> Result<String, FunctionError> {
        let mut condition: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
        let mut add = |operator, key, value: &Option<_>| {
            if let Some(value) = value {
                condition.entry(operator).or_default().insert(key, *value);
            }
        };
        add("StringEquals", "AWS:SourceAccount", &self.source_account.as_deref());
        add("StringEquals", "lambda:FunctionUrlAuthType", &self.url_auth_type.as_deref());
        add("StringEquals", "lambda:EventSourceToken", &self.event_source_token.as_deref());
        add("StringEquals", "aws:PrincipalOrgID", &self.organization.as_deref());
        add("ArnLike", "AWS:SourceArn", &self.source_arn.as_deref());
        add("Bool", "lambda:InvokedViaFunctionUrl", &self.via_url.then_some("true"));
        let statement = Statement {
            sid: &self.sid,
            effect: "Allow",
            principal: principal(&self.principal)?,
            action: &self.action,
            resource,
            condition,
        };
        serde_json::to_string(&statement).map_err(|error| FunctionError::Parameter(error.to_string()))
    }
}

/// How a policy names what `AddPermission` calls a principal.
fn principal(text: &str) -> Result<Principal<'_>, FunctionError> {
    let of = |kind, name| Ok(Principal::Of([(kind, name)].into()));
    if text == "*" {
        return Ok(Principal::Everyone("*"));
    }
    if let Ok(account) = text.parse::<AccountId>() {
        return of("AWS", format!("arn:aws:iam::{account}:root"));
    }
    if text.parse::<Arn>().is_ok() {
        return of("AWS", text.to_owned());
    }
    if text.ends_with(".amazonaws.com") || text.ends_with(".amazon.com") {
        return of("Service", text.to_owned());
    }
    Err(invalid_principal())
}

fn invalid_principal() -> FunctionError {
    FunctionError::Parameter(
        "The provided principal was invalid. Please check the principal and try again.".to_owned(),
    )
}

/// The text of a policy once it is known to be one.
fn check(text: String) -> Result<String, FunctionError> {
    match Document::parse(&text, Kind::Resource) {
        Ok(_) => Ok(text),
        Err(ParseError::TooLong { size, limit, .. }) => Err(FunctionError::PolicyTooLong { size, limit }),
        Err(error) => Err(FunctionError::Parameter(error.to_string())),
    }
}

/// The statements of a stored policy with their Sids.
fn statements(policy: &Policy) -> Vec<(Option<String>, Box<RawValue>)> {
    let text = policy.statements.get();
    let list: Vec<Box<RawValue>> = match text.starts_with('[') {
        true => serde_json::from_str(text).unwrap_or_default(),
        false => vec![policy.statements.clone()],
    };
    let sid = |statement: &RawValue| serde_json::from_str::<Named>(statement.get()).ok()?.sid;
    list.into_iter().map(|statement| (sid(&statement), statement)).collect()
}

fn unreadable(error: &serde_json::Error) -> FunctionError {
    FunctionError::Parameter(format!("The stored policy cannot be read: {error}"))
}

/// Where a policy belongs.
enum Place {
    Function,
    Version(Arc<Function>),
    Alias(String),
}

impl Functions {
    /// Adds a statement; the answer is its text.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`], [`FunctionError::Conflict`] if there is a statement of that Sid,
    /// [`FunctionError::StalePolicy`], [`FunctionError::PolicyTooLong`], [`FunctionError::Parameter`].
    pub async fn add_permission(
        &self,
        named: &FunctionRef,
        permission: &Permission,
        revision: Option<&str>,
    ) -> Result<String, FunctionError> {
        let _writing = self.writing.lock().await;
        let (latest, place) = self.place(named)?;
        let stored = stored(&latest, &place);
        if revision.is_some_and(|known| known != stored.1) {
            return Err(FunctionError::StalePolicy);
        }
        let statement = permission.statement(&named.arn())?;
        // By itself, so that a principal that is none is told from a policy that is too long.
        let alone = format!(r#"{{"Version":"2012-10-17","Id":"default","Statement":[{statement}]}}"#);
        if let Err(error) = Document::parse(&alone, Kind::Resource)
            && error.to_string().contains("principal")
        {
            return Err(invalid_principal());
        }
        let text = match stored.0 {
            None => alone,
            Some(text) => {
                let policy: Policy = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
                let there = statements(&policy);
                if there.iter().any(|(sid, _)| sid.as_deref() == Some(&permission.sid)) {
                    return Err(FunctionError::Conflict(format!(
                        "The statement id ({}) provided already exists. Please provide a new statement id, or remove the \
                         existing statement.",
                        permission.sid
                    )));
                }
                let raw = there.into_iter().map(|(_, raw)| raw.get().to_owned());
                with_statements(policy, raw.chain([statement.clone()]))?
            }
        };
        self.keep(&latest, place, Some(check(text)?)).await?;
        Ok(statement)
    }

    /// Removes the statement of a Sid, and with the last one the policy.
    ///
    /// # Errors
    /// [`FunctionError::Missing`], [`FunctionError::StalePolicy`].
    pub async fn remove_permission(
        &self,
        named: &FunctionRef,
        sid: &str,
        revision: Option<&str>,
    ) -> Result<(), FunctionError> {
        let _writing = self.writing.lock().await;
        let none = || FunctionError::Missing(format!("No policy found for: {}", named.arn()));
        let (latest, place) = self.place(named).map_err(|_| none())?;
        let stored = stored(&latest, &place);
        let Some(text) = stored.0 else {
            return Err(FunctionError::Missing(
                "No policy is associated with the given resource.".to_owned(),
            ));
        };
        if revision.is_some_and(|known| known != stored.1) {
            return Err(FunctionError::StalePolicy);
        }
        let policy: Policy = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        let there = statements(&policy);
        let count = there.len();
        let left: Vec<String> = there
            .into_iter()
            .filter(|(own, _)| own.as_deref() != Some(sid))
            .map(|(_, raw)| raw.get().to_owned())
            .collect();
        if left.len() == count {
            return Err(FunctionError::Missing(format!("Statement {sid} is not found in resource policy.")));
        }
        let text = if left.is_empty() { None } else { Some(with_statements(policy, left.into_iter())?) };
        self.keep(&latest, place, text).await
    }

    /// The policy of a function, version or alias.
    ///
    /// # Errors
    /// [`FunctionError::Missing`] if there is none, or nothing that could have one.
    pub fn policy(&self, named: &FunctionRef) -> Result<Stored, FunctionError> {
        let none = || FunctionError::Missing("The resource you requested does not exist.".to_owned());
        let (latest, place) = self.place(named).map_err(|_| none())?;
        let (text, revision) = stored(&latest, &place);
        Ok(Stored { policy: text.ok_or_else(none)?.to_owned(), revision: revision.to_owned() })
    }

    /// Puts a policy in place of whatever was there.
    ///
    /// # Errors
    /// [`FunctionError::NotFound`], [`FunctionError::StalePolicy`], [`FunctionError::PolicyTooLong`],
    /// [`FunctionError::Parameter`] with statement and element.
    pub async fn put_policy(
        &self,
        named: &FunctionRef,
        text: String,
        revision: Option<&str>,
    ) -> Result<Stored, FunctionError> {
        let text = check(text)?;
        {
            let _writing = self.writing.lock().await;
            let (latest, place) = self.place(named)?;
            if revision.is_some_and(|known| known != stored(&latest, &place).1) {
                return Err(FunctionError::StalePolicy);
            }
            self.keep(&latest, place, Some(text)).await?;
        }
        self.policy(named)
    }

    /// Takes the policy away.
    ///
    /// # Errors
    /// [`FunctionError::Missing`] if there is none; [`FunctionError::StalePolicy`].
    pub async fn delete_policy(
        &self,
        named: &FunctionRef,
        revision: Option<&str>,
    ) -> Result<(), FunctionError> {
        let _writing = self.writing.lock().await;
        let stored = self.policy(named)?;
        if revision.is_some_and(|known| known != stored.revision) {
            return Err(FunctionError::StalePolicy);
        }
        let (latest, place) = self.place(named)?;
        self.keep(&latest, place, None).await
    }

    fn place(&self, named: &FunctionRef) -> Result<(Arc<Function>, Place), FunctionError> {
        let not_found = || FunctionError::NotFound(named.arn());
        let latest = self.find(named.account, &named.name).ok_or_else(not_found)?;
        let place = match named.qualifier.as_deref() {
            None => Place::Function,
            Some(LATEST) => {
                return Err(FunctionError::Parameter(
                    "We currently do not support adding policies for $LATEST.".to_owned(),
                ));
            }
            Some(alias) if is_alias(alias) => {
                latest.record.aliases.get(alias).ok_or_else(not_found)?;
                Place::Alias(alias.to_owned())
            }
            version => Place::Version(latest.qualified(version).ok_or_else(not_found)?),
        };
        Ok((latest, place))
    }

    /// Writes the text where it belongs.
    async fn keep(
        &self,
        latest: &Arc<Function>,
        place: Place,
        policy: Option<String>,
    ) -> Result<(), FunctionError> {
        let revision = self.draw_uuid();
        let (record, replaces) = match place {
            Place::Function => {
                let record = FunctionRecord { policy, revision, ..latest.record.clone() };
                (record, &latest.record.revision)
            }
            Place::Version(version) => {
                let record = FunctionRecord { policy, revision, ..version.record.clone() };
                self.commit(&record, Some(&version.record.revision)).await?;
                return Ok(());
            }
            Place::Alias(name) => {
                let mut record = latest.record.clone();
                if let Some(alias) = record.aliases.get_mut(&name) {
                    alias.policy = policy;
                    alias.revision = revision;
                }
                (record, &latest.record.revision)
            }
        };
        self.commit(&record, Some(replaces)).await?;
        Ok(())
    }
}

/// The policy there is, and the revision of what it belongs to.
fn stored<'f>(latest: &'f Function, place: &'f Place) -> (Option<&'f str>, &'f str) {
    let of = |record: &'f FunctionRecord| (record.policy.as_deref(), record.revision.as_str());
    match place {
        Place::Function => of(&latest.record),
        Place::Version(version) => of(&version.record),
        Place::Alias(name) => match latest.record.aliases.get(name) {
            Some(alias) => (alias.policy.as_deref(), alias.revision.as_str()),
            None => (None, ""),
        },
    }
}

/// The policy with these statements instead of its own.
fn with_statements(
    policy: Policy,
    statements: impl Iterator<Item = String>,
) -> Result<String, FunctionError> {
    let list = format!("[{}]", statements.collect::<Vec<_>>().join(","));
    let statements = RawValue::from_string(list).map_err(|error| unreadable(&error))?;
    serde_json::to_string(&Policy { statements, ..policy }).map_err(|error| unreadable(&error))
}
