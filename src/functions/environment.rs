//! Environment variables: their limits, and how they are kept.

use std::collections::BTreeMap;

use super::{FunctionError, name::is_word, validation::Violations};
use crate::{
    base::{AccountId, KeyRing, Purpose, Rng},
    store::StoreError,
};

/// Variables by name.
pub type Variables = BTreeMap<String, String>;

/// The largest environment, as JSON with its braces and quotes, in bytes.
const BYTES_MAX: usize = 4_096;
/// The tag that lets a function bring credentials of its own.
const OWN_CREDENTIALS_TAG: (&str, &str) = ("callgate:credentials", "own");
/// Names the runtime sets itself.
const RESERVED: [&str; 12] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];
/// Names of the execution role's credentials and region, which a tagged function may set.
const CREDENTIALS: [&str; 6] = [
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// Whether it is a variable of the execution role's credentials and region, which only a tagged function may set.
pub fn is_of_credentials(name: &str) -> bool {
    CREDENTIALS.contains(&name)
}

/// Variables as a request gives them, in its order.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct GivenVariables(pub Vec<(String, String)>);

impl std::fmt::Debug for GivenVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GivenVariables({} of them)", self.0.len())
    }
}

impl GivenVariables {
    /// Notes names that no variable can have. Values are never shown.
    pub(crate) fn check_names(&self, violations: &mut Violations) {
        let is_name = |name: &str| {
            name.len() >= 2
                && name.starts_with(|first: char| first.is_ascii_alphabetic())
                && name.bytes().all(|byte| is_word(byte) && byte != b'-')
        };
        if self.0.iter().any(|(name, _)| !is_name(name)) {
            violations.add_hidden(
                "environment.variables",
                "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: \
                 [a-zA-Z]([a-zA-Z0-9_])+, Member must not be null]",
            );
        }
    }

    /// The variables, if they are not too large and none of them is the runtime's own.
    pub(crate) fn accept(&self, tags: &BTreeMap<String, String>) -> Result<Variables, FunctionError> {
        let own_credentials =
            tags.get(OWN_CREDENTIALS_TAG.0).is_some_and(|value| value == OWN_CREDENTIALS_TAG.1);
        let reserved: Vec<&str> = self
            .0
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| RESERVED.contains(name) || CREDENTIALS.contains(name) && !own_credentials)
            .collect();
        if !reserved.is_empty() {
            return Err(FunctionError::Parameter(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided contains reserved keys that are currently not supported for modification. Reserved keys used in \
                 this request: {}",
                reserved.join(", ")
            )));
        }
        if self.0.iter().any(|(_, value)| value.contains('\0')) {
            return Err(FunctionError::Parameter(
                "An environment variable's value contains a NUL.".to_owned(),
            ));
        }
        let measured = self.measured();
        if measured.len() > BYTES_MAX {
            return Err(FunctionError::Parameter(format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided exceeded the 4KB limit. String measured: {measured}"
            )));
        }
        Ok(self.0.iter().cloned().collect())
    }

    /// The JSON that AWS measures, in the order given.
    fn measured(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let members: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
        format!("{{{}}}", members.join(","))
    }
}

/// What binds a sealed environment to its function, so that it opens for no other.
fn associated(account: AccountId, function: &str) -> Vec<u8> {
    format!("{account}/{function}").into_bytes()
}

/// Seals variables for the store.
pub(crate) fn seal(
    keys: &KeyRing,
    rng: &dyn Rng,
    account: AccountId,
    function: &str,
    variables: &Variables,
) -> Result<Vec<u8>, FunctionError> {
    let plain = serde_json::to_vec(variables).map_err(|error| StoreError::Unreadable {
        what: format!("environment of {account}/{function}"),
        why: error.to_string(),
    })?;
    Ok(keys.seal(Purpose::Environment, &associated(account, function), &plain, rng)?)
}

/// Opens what [`seal`] made.
pub(crate) fn open(
    keys: &KeyRing,
    account: AccountId,
    function: &str,
    sealed: &[u8],
) -> Result<Variables, StoreError> {
    let unreadable =
        |why: String| StoreError::Unreadable { what: format!("environment of {account}/{function}"), why };
    let plain = keys
        .open(Purpose::Environment, &associated(account, function), sealed)
        .map_err(|error| unreadable(error.to_string()))?;
    // The reason is left out: it might quote a value.
    serde_json::from_slice(plain.expose()).map_err(|_| unreadable("no JSON object of texts".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Secret, rng::SeededRng};

    fn given(variables: &[(&str, &str)]) -> GivenVariables {
        GivenVariables(
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    #[test]
    fn four_kilobytes_of_json_pass_and_one_byte_more_does_not() {
        let none = BTreeMap::new();
        let around = r#"{"LARGE_VAR":""}"#.len();
        let fits = "x".repeat(4_096 - around);
        assert!(given(&[("LARGE_VAR", &fits)]).accept(&none).is_ok());
        let refused = given(&[("LARGE_VAR", &format!("{fits}x"))]).accept(&none).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "Lambda was unable to configure your environment variables because the environment variables you have \
                 provided exceeded the 4KB limit. String measured: {{\"LARGE_VAR\":\"{fits}x\"}}"
            )
        );
    }

    #[test]
    fn what_is_measured_keeps_the_order_given() {
        assert_eq!(given(&[("SMALL", "ok"), ("LARGE", "\"")]).measured(), r#"{"SMALL":"ok","LARGE":"\""}"#);
    }

    #[test]
    fn reserved_names_are_refused_and_named() {
        let none = BTreeMap::new();
        let refused = given(&[("AWS_REGION", "x"), ("FINE", "y"), ("LAMBDA_TASK_ROOT", "z")]).accept(&none);
        assert!(
            refused.unwrap_err().to_string().ends_with("used in this request: AWS_REGION, LAMBDA_TASK_ROOT")
        );
        let own = BTreeMap::from([("callgate:credentials".to_owned(), "own".to_owned())]);
        assert!(given(&[("AWS_REGION", "x"), ("AWS_ACCESS_KEY_ID", "y")]).accept(&own).is_ok());
        assert!(given(&[("AWS_LAMBDA_FUNCTION_NAME", "x")]).accept(&own).is_err());
    }

    #[test]
    fn a_bad_name_is_a_fault_that_shows_no_value() {
        for name in ["1A", "A", "_AB", "A-B", ""] {
            let mut violations = Violations::default();
            given(&[(name, "hunter2")]).check_names(&mut violations);
            assert!(!violations.is_empty(), "{name:?}");
            assert!(!violations.to_string().contains("hunter2"));
        }
        let mut violations = Violations::default();
        given(&[("Ab_9", "x")]).check_names(&mut violations);
        assert!(violations.is_empty());
        assert!(!format!("{:?}", given(&[("NAME", "hunter2")])).contains("hunter2"));
    }

    #[test]
    fn a_sealed_environment_opens_for_its_function_alone() {
        let keys = KeyRing::new([(1, Secret::new(vec![7; 32]))]).unwrap();
        let variables = Variables::from([("NAME".to_owned(), "value".to_owned())]);
        let sealed = seal(&keys, &SeededRng::new(1), AccountId::DEFAULT, "greet", &variables).unwrap();
        assert_eq!(open(&keys, AccountId::DEFAULT, "greet", &sealed).unwrap(), variables);
        assert!(open(&keys, AccountId::DEFAULT, "other", &sealed).is_err());
    }
}
