//! How requests name a function: by name, partial ARN or full ARN, each with or without a version or alias.

use super::{FunctionError, validation::Violations};
use crate::base::{AccountId, Region};

/// The version that is not published yet; what a name without a version means.
pub const LATEST: &str = "$LATEST";
/// The longest name by itself, in characters.
pub const NAME_CHARS_MAX: usize = 64;

/// The two patterns for names that the service's model has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// `FunctionName`: at most 140 characters, no dot. Of CreateFunction and the updates.
    Plain,
    /// `NamespacedFunctionName`: at most 256 characters, with dots. Of what reads, deletes and invokes.
    Namespaced,
}

impl Form {
    fn pattern(self) -> &'static str {
        match self {
            Self::Plain => {
                r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
            }
            Self::Namespaced => {
                r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
            }
        }
    }

    fn chars_max(self) -> usize {
        match self {
            Self::Plain => 140,
            Self::Namespaced => 256,
        }
    }

    fn is_name(self, text: &str) -> bool {
        !text.is_empty() && text.bytes().all(|byte| is_word(byte) || self == Self::Namespaced && byte == b'.')
    }

    fn is_qualifier(self, text: &str) -> bool {
        text == LATEST
            || self == Self::Namespaced && text == "$LATEST.PUBLISHED"
            || !text.is_empty() && text.bytes().all(is_word)
    }
}

/// Letters, digits, `-` and `_`.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// A function as a request names it; what it leaves out is the caller's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The region, where the name says one.
    pub region: Option<String>,
    /// The account, where the name says one.
    pub account: Option<AccountId>,
    /// The name itself.
    pub name: String,
    /// The version or alias, of the name or of the request's `Qualifier`.
    pub qualifier: Option<String>,
}

/// A function named in full. It need not exist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionRef {
    /// The gateway's region.
    pub region: Region,
    /// Whose function.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// The version or alias, if one was named.
    pub qualifier: Option<String>,
}

impl Named {
    /// Reads `FunctionName` and `Qualifier` as they stand in a request.
    ///
    /// # Errors
    /// [`FunctionError::Invalid`] where one does not have its form; [`FunctionError::Parameter`] where both name a version
    /// and not the same.
    pub fn read(name: &str, qualifier: Option<&str>, form: Form) -> Result<Self, FunctionError> {
        let mut violations = Violations::default();
        let named = Self::check(name, qualifier, form, &mut violations);
        violations.into_result()?;
        let mut named = named.ok_or_else(|| FunctionError::NotFound(name.to_owned()))?;
        match (&named.qualifier, qualifier) {
            (Some(of_name), Some(asked)) if of_name != asked => Err(FunctionError::Parameter(
                "The derived qualifier from the function name does not match the specified qualifier."
                    .to_owned(),
            )),
            (_, asked) => {
                if let Some(asked) = asked {
                    named.qualifier = Some(asked.to_owned());
                }
                Ok(named)
            }
        }
    }

    /// Checks both and notes their faults; `None` if the name has any.
    pub(crate) fn check(
        name: &str,
        qualifier: Option<&str>,
        form: Form,
        violations: &mut Violations,
    ) -> Option<Self> {
        if let Some(qualifier) = qualifier {
            violations.length(qualifier, "qualifier", 1, 128);
            let matches = !qualifier.is_empty()
                && qualifier.bytes().all(|byte| is_word(byte) || byte == b'$')
                || qualifier == "$LATEST.PUBLISHED";
            violations.pattern(qualifier, "qualifier", matches, r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+");
        }
        violations.length(name, "functionName", 1, form.chars_max());
        let parsed = Self::parse(name, form);
        violations.pattern(name, "functionName", parsed.is_some(), form.pattern());
        parsed
    }

    /// Matches the form's pattern. Its optional parts are taken from the left wherever the rest then matches still.
    fn parse(text: &str, form: Form) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        Self::parse_from(&parts, 0, form, None, None)
    }

    /// `step` is the next optional part: ARN prefix, region, account, the word `function`.
    fn parse_from(
        parts: &[&str],
        step: u8,
        form: Form,
        region: Option<&str>,
        account: Option<AccountId>,
    ) -> Option<Self> {
        let with = |rest: &[&str], region, account| Self::parse_from(rest, step + 1, form, region, account);
        let taken = match (step, parts) {
            (0, ["arn", partition, "lambda", rest @ ..]) if is_partition(partition) => {
                with(rest, region, account)
            }
            (1, [first, rest @ ..]) if is_region(first) => with(rest, Some(first), account),
            (2, [first, rest @ ..]) => {
                first.parse().ok().and_then(|account| with(rest, region, Some(account)))
            }
            (3, ["function", rest @ ..]) => with(rest, region, account),
            (4.., [name]) if form.is_name(name) => return Some(Self::of(name, None, region, account)),
            (4.., [name, qualifier]) if form.is_name(name) && form.is_qualifier(qualifier) => {
                return Some(Self::of(name, Some(qualifier), region, account));
            }
            (4.., _) => return None,
            _ => None,
        };
        taken.or_else(|| with(parts, region, account))
    }

    fn of(name: &str, qualifier: Option<&str>, region: Option<&str>, account: Option<AccountId>) -> Self {
        Self {
            region: region.map(str::to_owned),
            account,
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        }
    }

    /// The function meant by a caller of `account` at a gateway of `region`.
    ///
    /// # Errors
    /// [`FunctionError::WrongRegion`].
    pub fn within(&self, account: AccountId, region: &Region) -> Result<FunctionRef, FunctionError> {
        match &self.region {
            Some(named) if named != region.as_str() => {
                Err(FunctionError::WrongRegion { named: named.clone(), ours: region.as_str().to_owned() })
            }
            _ => Ok(FunctionRef {
                region: region.clone(),
                account: self.account.unwrap_or(account),
                name: self.name.clone(),
                qualifier: self.qualifier.clone(),
            }),
        }
    }
}

impl FunctionRef {
    /// The function's ARN without a version.
    pub fn function_arn(&self) -> String {
        arn(&self.region, self.account, &self.name)
    }

    /// The ARN as it was named: with the version, if one was.
    pub fn arn(&self) -> String {
        match &self.qualifier {
            Some(qualifier) => format!("{}:{qualifier}", self.function_arn()),
            None => self.function_arn(),
        }
    }

    /// Whether the function itself or its `$LATEST` is meant, and no other version or alias.
    pub fn is_latest(&self) -> bool {
        self.qualifier.as_deref().is_none_or(|qualifier| qualifier == LATEST)
    }
}

/// Whether a qualifier has the form of an alias: the form of a name, and not all digits.
pub fn is_alias(qualifier: &str) -> bool {
    qualifier.bytes().all(is_word) && !qualifier.bytes().all(|byte| byte.is_ascii_digit())
}

/// A function's ARN.
pub fn arn(region: &Region, account: AccountId, name: &str) -> String {
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

fn is_partition(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix("aws")
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-'))
}

/// `(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}`
fn is_region(text: &str) -> bool {
    let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    let parts: Vec<&str> = text.split('-').collect();
    let parts = match parts.as_slice() {
        ["eusc", rest @ ..] => rest,
        all => all,
    };
    let (country, place, number) = match parts {
        [country, place, number] => (country, place, number),
        [country, kind, place, number]
            if *kind == "gov"
                || kind.strip_prefix("iso").is_some_and(|rest| rest.len() <= 1 && lower(rest)) =>
        {
            (country, place, number)
        }
        _ => return false,
    };
    country.len() == 2
        && lower(country)
        && !place.is_empty()
        && lower(place)
        && matches!(number.as_bytes(), [digit] if digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, qualifier: Option<&str>) -> Result<Named, String> {
        Named::read(name, qualifier, Form::Namespaced).map_err(|error| error.to_string())
    }

    fn arn_of(name: &str, qualifier: Option<&str>) -> String {
        let region = Region::new("us-east-1");
        read(name, qualifier).unwrap().within(AccountId::DEFAULT, &region).unwrap().arn()
    }

    #[test]
    fn every_form_of_a_name_means_the_same_function() {
        for name in [
            "greet",
            "function:greet",
            "000000000000:greet",
            "000000000000:function:greet",
            "us-east-1:000000000000:function:greet",
            "arn:aws:lambda:us-east-1:000000000000:function:greet",
        ] {
            assert_eq!(arn_of(name, None), "arn:aws:lambda:us-east-1:000000000000:function:greet", "{name}");
        }
    }

    #[test]
    fn a_version_stands_in_the_name_or_beside_it() {
        let latest = "arn:aws:lambda:us-east-1:000000000000:function:greet:$LATEST";
        assert_eq!(arn_of("greet:$LATEST", None), latest);
        assert_eq!(arn_of("greet", Some("$LATEST")), latest);
        assert_eq!(arn_of("greet:$LATEST", Some("$LATEST")), latest);
        assert_eq!(arn_of("function:$LATEST", None), latest.replace("greet", "function"));
        assert_eq!(
            read("greet:1", Some("$LATEST")).unwrap_err(),
            "The derived qualifier from the function name does not match the specified qualifier."
        );
    }

    #[test]
    fn an_incomplete_arn_is_a_function_called_function() {
        assert_eq!(
            arn_of("arn:aws:lambda:us-east-1:111111111111:function", None),
            "arn:aws:lambda:us-east-1:111111111111:function:function"
        );
    }

    #[test]
    fn what_matches_no_form_is_a_validation_error_with_the_pattern() {
        for name in [
            "*",
            "greet!",
            "greet:1:2",
            "invalid-account:function:greet",
            "arn:aws:ec2:us-east-1:111111111111:instance:i-1",
            "arn:aws:lambda::111111111111:function:greet",
            "arn:aws:lambda:us-east-1::function:greet",
            "arn:aws:lambda:us-east-1:111111111111:function:greet:$LATES",
            "function:greet:$LATEST:extra",
        ] {
            assert_eq!(
                read(name, None).unwrap_err(),
                format!(
                    r"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{{2}}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{{1}}:)?(\d{{12}}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
                )
            );
        }
    }

    #[test]
    fn all_faults_are_named_at_once() {
        let long = "a".repeat(129);
        let text = read("*", Some(&long)).unwrap_err();
        assert!(text.starts_with("2 validation errors detected: "), "{text}");
        assert!(text.contains(
            "at 'qualifier' failed to satisfy constraint: Member must have length less than or equal to 128"
        ));
    }

    #[test]
    fn creating_takes_shorter_names_without_dots() {
        let create = |name: &str| Named::read(name, None, Form::Plain).map_err(|error| error.to_string());
        assert!(create(&"a".repeat(140)).is_ok());
        assert!(create(&"a".repeat(141)).unwrap_err().contains("less than or equal to 140"));
        assert!(create("a.b").unwrap_err().contains("regular expression"));
        assert!(create("a:$LATEST.PUBLISHED").is_err());
        assert!(read("a.b", None).is_ok());
    }

    #[test]
    fn another_region_is_not_reachable() {
        let named = read("arn:aws:lambda:eu-west-1:111111111111:function:greet", None).unwrap();
        assert_eq!(
            named.within(AccountId::DEFAULT, &Region::new("us-east-1")).unwrap_err().to_string(),
            "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
        );
    }

    #[test]
    fn regions_have_their_form() {
        for region in ["us-east-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"] {
            assert!(is_region(region), "{region}");
        }
        for text in ["us-east", "us-east-12", "USA-east-1", "us-x-east-1", "us--1", "invalid-region", ""] {
            assert!(!is_region(text), "{text}");
        }
    }
}
