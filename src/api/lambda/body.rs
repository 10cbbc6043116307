//! JSON bodies: members are taken out one by one, those that are not implemented are refused by name.
//!
//! Values are read where they lie, so that a package of 70 MB of base64 is neither copied nor parsed into a tree.

use std::{collections::BTreeMap, fmt};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use super::errors::{no_json, serialization, too_large};
use crate::{
    api::{
        ApiError,
        members::{Members, Support, says_nothing},
    },
    functions::{config::LoggingSettings, environment::GivenVariables, package::ZIPPED_BYTES_MAX},
};

/// A body, or a structure in one.
pub(super) struct Body<'a> {
    table: &'static Members,
    /// What stands before members' names in the table.
    prefix: &'static str,
    whole: &'a Bytes,
    members: BTreeMap<String, &'a RawValue>,
}

impl<'a> Body<'a> {
    /// Reads a request's body. An empty one is an empty structure.
    pub(super) fn read(whole: &'a Bytes, table: &'static Members) -> Result<Self, ApiError> {
        let members = match whole.as_ref() {
            [] => BTreeMap::new(),
            bytes => serde_json::from_slice(bytes).map_err(|error| no_json(&error))?,
        };
        Self { table, prefix: "", whole, members }.checked()
    }

    /// Refuses what is refused.
    fn checked(mut self) -> Result<Self, ApiError> {
        self.members.retain(|_, value| value.get() != "null");
        for (name, value) in &self.members {
            let name = format!("{}{name}", self.prefix);
            if let Some(Support::Refused(instead)) = self.table.support(&name)
                && !says_nothing(&serde_json::from_str(value.get()).map_err(|error| no_json(&error))?)
            {
                return Err(ApiError::unsupported(&name, instead));
            }
        }
        Ok(self)
    }

    /// A structure, whose members stand in the table behind `prefix`, which is its name and a dot.
    pub(super) fn structure(&self, prefix: &'static str) -> Result<Option<Self>, ApiError> {
        let Some(value) = self.members.get(prefix.trim_end_matches('.')) else { return Ok(None) };
        let members = serde_json::from_str(value.get()).map_err(|_| {
            serialization(format!("{} is no structure or map.", prefix.trim_end_matches('.')))
        })?;
        Self { table: self.table, prefix, whole: self.whole, members }.checked().map(Some)
    }

    fn value<T: Deserialize<'a>>(&self, name: &str, kind: &str) -> Result<Option<T>, ApiError> {
        let Some(value) = self.members.get(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map(Some).map_err(|_| {
            serialization(match value.get().as_bytes().first() {
                Some(b'"') => format!("STRING_VALUE can not be converted to {kind}"),
                Some(b't') => format!("TRUE_VALUE can not be converted to {kind}"),
                Some(b'f') => format!("FALSE_VALUE can not be converted to {kind}"),
                Some(b'{') => "Start of structure or map found where not expected.".to_owned(),
                Some(b'[') => "Start of list found where not expected.".to_owned(),
                _ => format!("NUMBER_VALUE can not be converted to {kind}"),
            })
        })
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, ApiError> {
        self.value(name, "a String")
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.value(name, "an Integer")
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        Ok(self.value(name, "a Boolean")?.unwrap_or_default())
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, ApiError> {
        self.value(name, "a List")
    }

    /// A map of texts, in its order; what stands there twice is there twice.
    pub(super) fn map(&self, name: &str) -> Result<Option<Vec<(String, String)>>, ApiError> {
        Ok(self.value::<Pairs>(name, "a Map")?.map(|pairs| pairs.0))
    }

    /// `Environment`; one without `Variables` is an empty one.
    pub(super) fn environment(&self) -> Result<Option<GivenVariables>, ApiError> {
        match self.structure("Environment.")? {
            Some(environment) => Ok(Some(GivenVariables(environment.map("Variables")?.unwrap_or_default()))),
            None => Ok(None),
        }
    }

    /// `LoggingConfig`
    pub(super) fn logging(&self) -> Result<Option<LoggingSettings>, ApiError> {
        let Some(logging) = self.structure("LoggingConfig.")? else { return Ok(None) };
        Ok(Some(LoggingSettings {
            format: logging.text("LogFormat")?,
            application_level: logging.text("ApplicationLogLevel")?,
            system_level: logging.text("SystemLogLevel")?,
            group: logging.text("LogGroup")?,
        }))
    }

    /// `ZipFile`, still in base64.
    pub(super) fn package(&self) -> Result<Option<EncodedPackage>, ApiError> {
        let Some(value) = self.members.get("ZipFile") else { return Ok(None) };
        let plain = value.get().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let encoded = match plain {
            // The value was borrowed from the body, so it lies in it.
            Some(text) if !text.contains('\\') => self.whole.slice_ref(text.as_bytes()),
            // Some encoders escape the slash.
            _ => self.text("ZipFile")?.unwrap_or_default().into(),
        };
        EncodedPackage::new(encoded).map(Some)
    }
}

/// A package as it stands in the body.
#[derive(Debug)]
pub(super) struct EncodedPackage(Bytes);

impl EncodedPackage {
    fn new(encoded: Bytes) -> Result<Self, ApiError> {
        let padding = encoded.iter().rev().take_while(|byte| **byte == b'=').count();
        // Four characters carry three bytes.
        if (encoded.len() - padding) * 3 / 4 > ZIPPED_BYTES_MAX {
            return Err(too_large(format!("Zipped size must be smaller than {ZIPPED_BYTES_MAX} bytes")));
        }
        Ok(Self(encoded))
    }

    /// The package itself. Decoding takes its time, so it is done where that keeps nobody waiting.
    pub(super) async fn decode(self) -> Result<Bytes, ApiError> {
        let decoded = tokio::task::spawn_blocking(move || STANDARD.decode(&self.0)).await;
        decoded
            .map_err(ApiError::internal)?
            .map(Bytes::from)
            .map_err(|error| serialization(format!("ZipFile is no base64: {error}")))
    }
}

/// A map's pairs in their order.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of texts")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Members = Members {
        operation: "Test",
        members: &[
            ("Known", Support::Implemented),
            ("Gone", Support::Refused("leave it out")),
            ("Code.Gone", Support::Refused("leave it out")),
        ],
    };

    fn refusal(body: &'static str, read: impl Fn(&Body<'_>) -> Result<(), ApiError>) -> (String, String) {
        let bytes = Bytes::from_static(body.as_bytes());
        let error = Body::read(&bytes, &TABLE).and_then(|body| read(&body)).unwrap_err();
        (error.code.to_string(), error.message.unwrap())
    }

    #[test]
    fn a_refused_member_is_named_unless_it_says_nothing() {
        let nothing = |_: &Body<'_>| Ok(());
        assert_eq!(
            refusal(r#"{"Gone":{"Ids":["a"]}}"#, nothing),
            (
                "InvalidParameterValueException".to_owned(),
                "Gone is not supported by Callgate: leave it out".to_owned()
            )
        );
        let nested = |body: &Body<'_>| body.structure("Code.").map(drop);
        assert!(refusal(r#"{"Code":{"Gone":1}}"#, nested).1.starts_with("Code.Gone is not supported"));
        for body in ["null", "false", r#""""#, "[]", "{}", r#"{"Ids":[],"Name":""}"#] {
            let bytes = Bytes::from(format!(r#"{{"Gone":{body},"NotInTheModel":1}}"#));
            assert!(Body::read(&bytes, &TABLE).is_ok(), "{body}");
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_a_serialization_error() {
        let number = |body: &Body<'_>| body.number("Known").map(drop);
        let (code, message) = refusal(r#"{"Known":"x"}"#, number);
        assert_eq!(code, "SerializationException");
        assert_eq!(message, "STRING_VALUE can not be converted to an Integer");
        let text = |body: &Body<'_>| body.text("Known").map(drop);
        assert_eq!(refusal(r#"{"Known":1}"#, text).1, "NUMBER_VALUE can not be converted to a String");
        assert_eq!(refusal(r#"{"Known":{}}"#, text).1, "Start of structure or map found where not expected.");
        let map = |body: &Body<'_>| body.map("Known").map(drop);
        assert_eq!(refusal(r#"{"Known":{"a":1}}"#, map).0, "SerializationException");
    }

    #[test]
    fn no_json_is_said_so() {
        for body in ["{", "[]", "\"x\"", "{\"a\":1}x"] {
            assert_eq!(refusal(body, |_| Ok(())).0, "InvalidRequestContentException", "{body}");
        }
        assert!(Body::read(&Bytes::new(), &TABLE).is_ok());
    }

    #[tokio::test]
    async fn a_package_is_decoded_also_where_slashes_are_escaped() {
        for body in [r#"{"ZipFile":"+/8="}"#, r#"{"ZipFile":"+\/8="}"#] {
            let bytes = Bytes::from_static(body.as_bytes());
            let package = Body::read(&bytes, &TABLE).unwrap().package().unwrap().unwrap();
            assert_eq!(package.decode().await.unwrap().as_ref(), [0xfb, 0xff]);
        }
        let bytes = Bytes::from_static(br#"{"ZipFile":"?"}"#);
        let package = Body::read(&bytes, &TABLE).unwrap().package().unwrap().unwrap();
        assert_eq!(package.decode().await.unwrap_err().code, "SerializationException");
    }

    #[test]
    fn a_package_may_have_fifty_mebibytes_and_not_one_byte_more() {
        let encoded = |bytes: usize| Bytes::from(STANDARD.encode(vec![0; bytes]));
        assert!(EncodedPackage::new(encoded(ZIPPED_BYTES_MAX)).is_ok());
        let refused = EncodedPackage::new(encoded(ZIPPED_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(refused.message.unwrap(), "Zipped size must be smaller than 52428800 bytes");
    }
}
