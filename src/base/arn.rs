//! Amazon resource names: `arn:partition:service:region:account:resource`.

use std::{fmt, str::FromStr};

/// A parsed resource name. The resource part keeps its colons and slashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arn {
    /// `aws`, or another partition's name.
    pub partition: String,
    /// The service, for example `lambda`.
    pub service: String,
    /// The region; empty for global services.
    pub region: String,
    /// The account; empty where the service has none.
    pub account: String,
    /// All that follows the fifth colon.
    pub resource: String,
}

/// A text that is not an ARN.
#[derive(Debug, thiserror::Error)]
#[error("not an ARN: {0:?}")]
pub struct InvalidArn(String);

impl FromStr for Arn {
    type Err = InvalidArn;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().map(str::to_owned);
        match (part(), part(), part(), part(), part(), part()) {
            (Some(arn), Some(partition), Some(service), Some(region), Some(account), Some(resource))
                if arn == "arn" && !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Self { partition, service, region, account, resource })
            }
            _ => Err(InvalidArn(text.chars().take(256).collect())),
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account, resource } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_survives_the_round_trip() {
        for text in [
            "arn:aws:lambda:us-east-1:000000000000:function:greet:PROD",
            "arn:aws:iam::000000000000:role/a/b",
        ] {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in
            ["", "greet", "arn:aws:lambda:us-east-1:0", "arn:aws:lambda:us-east-1:0:", "urn:a:b:c:d:e"]
        {
            assert!(text.parse::<Arn>().is_err(), "{text:?}");
        }
    }
}
