//! Event sources at the door: the one entry by which something that is not a caller may run a function.

use super::{function::Target, holder::Functions, name::FunctionRef};
use crate::{
    base::Timestamp,
    policy::{self, Denial, Explained, Keys, Permit, Request, Requester, Values},
};

/// What an event source is, as the gateway checked it: never what an event says of itself.
#[derive(Clone, Debug, Default)]
pub struct EventSource {
    /// The service's principal, for example `s3.amazonaws.com`.
    pub service: String,
    /// What set the event off, for example the bucket's ARN.
    pub arn: Option<String>,
    /// The account that this belongs to, where the source knows it.
    pub account: Option<String>,
    /// The token that the source was given, where it has one.
    pub token: Option<String>,
}

/// The condition keys of an event.
struct EventKeys<'a> {
    source: &'a EventSource,
    named: &'a FunctionRef,
    arn: &'a str,
    tags: Option<&'a std::collections::BTreeMap<String, String>>,
    at: Timestamp,
}

impl Keys for EventKeys<'_> {
    fn get(&self, key: &str) -> Option<Values<'_>> {
        let one = |text: &'_ Option<String>| text.clone().map(Values::owned);
        match key {
            "aws:sourcearn" => one(&self.source.arn),
            "aws:sourceaccount" => one(&self.source.account),
            "lambda:eventsourcetoken" => one(&self.source.token),
            "aws:principalisawsservice" => Some(Values::one("true")),
            "aws:principalservicename" => Some(Values::one(&self.source.service)),
            "aws:currenttime" => Some(Values::owned(self.at.iso8601_seconds())),
            "aws:epochtime" => Some(Values::owned(self.at.seconds().to_string())),
            "aws:requestedregion" => Some(Values::one(self.named.region.as_str())),
            "aws:resourceaccount" => Some(Values::one(self.named.account.as_str())),
            "lambda:functionarn" => Some(Values::one(self.arn)),
            _ => {
                let (prefix, tag) = key.split_once('/')?;
                let tags =
                    self.tags.filter(|_| matches!(prefix, "aws:resourcetag" | "lambda:resourcetag"))?;
                let (_, value) = tags.iter().find(|(own, _)| own.eq_ignore_ascii_case(tag))?;
                Some(Values::one(value))
            }
        }
    }
}

impl Functions {
    /// Whether an event source may run a function: the policy of the function, version or alias that is named says so, and
    /// nothing else. With the permit comes what is to be run, if it exists.
    ///
    /// # Errors
    /// The refusal, in AWS's words.
    pub fn permit_source(
        &self,
        named: &FunctionRef,
        source: &EventSource,
        at: Timestamp,
    ) -> Result<(Permit, Option<Target>), Denial> {
        let function = self.find(named.account, &named.name);
        let qualifier = named.qualifier.as_deref();
        let arn = named.arn();
        let tags = function.as_ref().map(|function| &*function.tags);
        let keys = EventKeys { source, named, arn: &arn, tags, at };
        let request = Request::new("lambda:InvokeFunction", &arn, &keys);
        let document = function.as_ref().and_then(|function| function.policy_of(qualifier));
        let permit = policy::permit_service(
            named.account,
            &source.service,
            &request,
            document.map(|document| &**document),
        )?;
        let target = function.and_then(|function| function.qualified(qualifier)).map(Target::from);
        Ok((permit, target))
    }

    /// What each statement of the policy has to do with an event, for the operator.
    pub fn explain_source(&self, named: &FunctionRef, source: &EventSource, at: Timestamp) -> Vec<Explained> {
        let Some(function) = self.find(named.account, &named.name) else { return Vec::new() };
        let Some(document) = function.policy_of(named.qualifier.as_deref()) else { return Vec::new() };
        let arn = named.arn();
        let keys = EventKeys { source, named, arn: &arn, tags: Some(&function.tags), at };
        let request = Request {
            requester: Some(Requester::Service(&source.service)),
            ..Request::new("lambda:InvokeFunction", &arn, &keys)
        };
        policy::explain(&request, [document])
    }
}
