//! Limits of single accounts, functions and pools, as requests and answers write them.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Operator, input};
use crate::{
    api::{ApiError, Context, Resource},
    base::AccountId,
    limits::{Override, Rate, Target, Value},
};

/// The longest name of a function, pool or limit.
const CHARS_MAX: usize = 140;
/// The highest rate, burst and concurrency.
const AMOUNT_MAX: u32 = 1_000_000;
const PERIODS: [(&str, u64); 4] = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];

/// Which limit of what.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Which {
    /// The account, 12 digits; the caller's own if left out.
    pub account_id: Option<String>,
    /// A function of it, by name.
    pub function_name: Option<String>,
    /// An identity pool of it, by id.
    pub identity_pool_id: Option<String>,
    /// The limit's name.
    pub limit: Option<String>,
}

impl Which {
    /// The account, what of it is meant, and the limit. `own` is the caller's account.
    pub(super) fn read(&self, own: AccountId) -> Result<(AccountId, Target, String), ApiError> {
        let account = account(self.account_id.as_deref(), own)?;
        let text = |value: &Option<String>, member| input::text(value.clone(), member, CHARS_MAX);
        let target = match (&self.function_name, &self.identity_pool_id) {
            (None, None) => Target::Account,
            (name, None) => Target::Function(text(name, "FunctionName")?.into()),
            (None, id) => Target::Pool(text(id, "IdentityPoolId")?.into()),
            _ => {
                let message = "Name FunctionName or IdentityPoolId, or neither for the account itself.";
                return Err(input::invalid(message));
            }
        };
        Ok((account, target, text(&self.limit, "Limit")?))
    }
}

/// The account that a request names.
pub(super) fn account(named: Option<&str>, own: AccountId) -> Result<AccountId, ApiError> {
    match named {
        None => Ok(own),
        Some(text) => text.parse().map_err(|_| input::invalid("AccountId must have 12 digits.".to_owned())),
    }
}

/// How much: a rate or a concurrency.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Amount {
    /// Requests in each period.
    pub rate: Option<u32>,
    /// `second`, `minute`, `hour` or `day`; `second` if left out.
    pub per: Option<String>,
    /// Requests at once after a rest; as many as the rate if left out.
    pub burst: Option<u32>,
    /// Executions at a time.
    pub concurrency: Option<u32>,
}

impl Amount {
    pub(super) fn read(&self) -> Result<Value, ApiError> {
        let amount = |number: u32, member: &str| match NonZeroU32::new(number) {
            Some(number) if number.get() <= AMOUNT_MAX => Ok(number),
            _ => Err(input::invalid(format!("{member} must be from 1 to {AMOUNT_MAX}."))),
        };
        match (self.rate, self.concurrency) {
            (Some(rate), None) => {
                let tokens = amount(rate, "Rate")?;
                let burst = self.burst.map_or(Ok(tokens), |burst| amount(burst, "Burst"))?;
                let per = self.per.as_deref().unwrap_or("second");
                let period = PERIODS.iter().find(|(word, _)| *word == per);
                let (_, seconds) =
                    period.ok_or_else(|| input::invalid("Per must be second, minute, hour or day."))?;
                Ok(Value::Rate(Rate { tokens, per: Duration::from_secs(*seconds), burst }))
            }
            (None, Some(most)) if self.per.is_none() && self.burst.is_none() => {
                if most > AMOUNT_MAX {
                    return Err(input::invalid(format!("Concurrency must be at most {AMOUNT_MAX}.")));
                }
                Ok(Value::Concurrency(most))
            }
            (None, Some(_)) => Err(input::invalid("Per and Burst go with a Rate.")),
            _ => Err(input::invalid("Give either a Rate or a Concurrency.")),
        }
    }
}

/// A limit as it is answered.
pub(super) fn shown(limit: &Override) -> Json {
    let mut shown = Map::new();
    shown.insert("AccountId".to_owned(), limit.account.to_string().into());
    match &limit.target {
        Target::Account => {}
        Target::Function(name) => drop(shown.insert("FunctionName".to_owned(), (**name).into())),
        Target::Pool(id) => drop(shown.insert("IdentityPoolId".to_owned(), (**id).into())),
    }
    shown.insert("Limit".to_owned(), (*limit.limit).into());
    match limit.value {
        Value::Concurrency(most) => drop(shown.insert("Concurrency".to_owned(), most.into())),
        Value::Rate(rate) => {
            let seconds = rate.per.as_secs();
            let period = PERIODS.iter().find(|(_, known)| *known == seconds);
            shown.insert("Rate".to_owned(), rate.tokens.get().into());
            shown.insert("Per".to_owned(), period.map_or("second", |(word, _)| word).into());
            shown.insert("Burst".to_owned(), rate.burst.get().into());
        }
    }
    Json::Object(shown)
}

/// What the operations on limits are permitted on: the limits that the caller's account may see to.
pub(super) fn limits(context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
    let account = context.account()?;
    Ok(vec![Resource::named(format!("arn:aws:callgate:{}:{account}:limits", context.region))])
}

/// That the caller is of the operator's account: an account does not lift its own limits.
pub(super) fn check_operator(context: &Context<'_>) -> Result<(), ApiError> {
    if context.account()? == AccountId::DEFAULT {
        return Ok(());
    }
    Err(ApiError::denied(format!(
        "Limits are changed from account {} alone; for executions of a single function there is PutFunctionConcurrency.",
        AccountId::DEFAULT
    )))
}

impl Operator {
    /// What is set in an account.
    pub fn listed_limits(&self, account: AccountId) -> Json {
        let limits: Vec<_> = self.limits.list(account).iter().map(shown).collect();
        serde_json::json!({"Limits": limits})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(json: &str) -> Result<Value, String> {
        let amount: Amount = serde_json::from_str(json).unwrap();
        amount.read().map_err(|error| error.message.unwrap())
    }

    #[test]
    fn an_amount_is_a_rate_or_a_concurrency() {
        let positive = |number| NonZeroU32::new(number).unwrap();
        let minute = Duration::from_secs(60);
        assert_eq!(
            amount(r#"{"Rate":5,"Per":"minute","Burst":9}"#),
            Ok(Value::Rate(Rate { tokens: positive(5), per: minute, burst: positive(9) }))
        );
        assert_eq!(amount(r#"{"Rate":5}"#), Ok(Value::Rate(Rate::flat(positive(5)))));
        assert_eq!(amount(r#"{"Concurrency":0}"#), Ok(Value::Concurrency(0)));
        for (json, word) in [
            ("{}", "either a Rate or a Concurrency"),
            (r#"{"Rate":1,"Concurrency":1}"#, "either"),
            (r#"{"Rate":0}"#, "Rate must be from 1"),
            (r#"{"Rate":1000001}"#, "Rate must be from 1"),
            (r#"{"Rate":1,"Burst":0}"#, "Burst must be from 1"),
            (r#"{"Rate":1,"Per":"week"}"#, "Per must be second"),
            (r#"{"Concurrency":1,"Burst":1}"#, "go with a Rate"),
            (r#"{"Concurrency":1000001}"#, "at most 1000000"),
        ] {
            let why = amount(json).unwrap_err();
            assert!(why.contains(word), "{json}: {why}");
        }
    }

    #[test]
    fn a_limit_is_named_by_what_it_is_for() {
        let which = |json: &str| {
            let which: Which = serde_json::from_str(json).map_err(|error| error.to_string())?;
            which.read(AccountId::DEFAULT).map_err(|error| error.message.unwrap())
        };
        let (account, target, limit) =
            which(r#"{"AccountId":"123456789012","FunctionName":"greet","Limit":"each"}"#).unwrap();
        assert_eq!(
            (account.as_str(), target, &*limit),
            ("123456789012", Target::Function("greet".into()), "each")
        );
        assert_eq!(which(r#"{"Limit":"account_rate"}"#).unwrap().1, Target::Account);
        for (json, word) in [
            ("{}", "Limit is missing"),
            (r#"{"AccountId":"1","Limit":"a"}"#, "12 digits"),
            (r#"{"FunctionName":"f","IdentityPoolId":"p","Limit":"a"}"#, "or neither"),
            (r#"{"FunctionName":"","Limit":"a"}"#, "FunctionName must have"),
            (r#"{"Functionname":"f","Limit":"a"}"#, "unknown field"),
        ] {
            let why = which(json).unwrap_err();
            assert!(why.contains(word), "{json}: {why}");
        }
    }
}
