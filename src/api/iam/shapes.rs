//! Roles and tags as answers show them.

use std::collections::BTreeMap;

use crate::{api::query::Xml, iam::Role};

use super::constraints::SESSION_SECONDS_DEFAULT;

/// How much of a role an answer shows. AWS shows a different part in each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Detail {
    /// To whom makes it.
    Made,
    /// To whom asks for it.
    Whole,
    /// In a list.
    Entry,
}

/// Writes a role's members.
pub(super) fn role(xml: &mut Xml, role: &Role, detail: Detail) {
    let record = &role.record;
    xml.text("Path", &record.path);
    xml.text("RoleName", &record.name);
    xml.text("RoleId", &record.id);
    xml.text("Arn", &role.arn);
    xml.text("CreateDate", &record.created.iso8601_seconds());
    xml.document("AssumeRolePolicyDocument", &record.trust);
    if let Some(description) = &record.description {
        xml.text("Description", description);
    }
    if detail != Detail::Made || record.max_session_seconds != SESSION_SECONDS_DEFAULT {
        xml.text("MaxSessionDuration", &record.max_session_seconds.to_string());
    }
    if detail != Detail::Entry && !record.tags.is_empty() {
        tags(xml, &record.tags);
    }
    if detail == Detail::Whole {
        // When it was last used is not recorded; AWS answers the same of a role that never was.
        xml.nested("RoleLastUsed", |_| {});
    }
}

/// Writes a list of tags.
pub(super) fn tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("Tags", tags, |xml, (key, value)| tag(xml, key, value));
}

/// Writes a tag's members.
pub(super) fn tag(xml: &mut Xml, key: &str, value: &str) {
    xml.text("Key", key);
    xml.text("Value", value);
}
