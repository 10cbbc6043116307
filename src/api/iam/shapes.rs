//! Roles, users, policies and tags as answers show them.

use std::collections::BTreeMap;

use crate::{
    api::query::Xml,
    iam::{ManagedPolicy, Role, User, policies::Entities},
    store::iam::PolicyVersionRecord,
};

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

/// Writes a user's members.
pub(super) fn user(xml: &mut Xml, user: &User, detail: Detail) {
    let record = &user.record;
    xml.text("Path", &record.path);
    xml.text("UserName", &record.name);
    xml.text("UserId", &record.id);
    xml.text("Arn", &user.arn);
    xml.text("CreateDate", &record.created.iso8601_seconds());
    if detail != Detail::Entry && !record.tags.is_empty() {
        tags(xml, &record.tags);
    }
}

/// How many have a policy attached.
pub(super) fn attachments(entities: &Entities) -> usize {
    entities.roles.len() + entities.users.len()
}

/// Writes a policy's members.
pub(super) fn policy(xml: &mut Xml, policy: &ManagedPolicy, attached: usize, detail: Detail) {
    let record = &policy.record;
    xml.text("PolicyName", &record.name);
    xml.text("PolicyId", &record.id);
    xml.text("Arn", &policy.arn);
    xml.text("Path", &record.path);
    xml.text("DefaultVersionId", &format!("v{}", record.default));
    xml.text("AttachmentCount", &attached.to_string());
    xml.text("PermissionsBoundaryUsageCount", "0");
    xml.text("IsAttachable", "true");
    if let Some(description) = record.description.as_ref().filter(|_| detail == Detail::Whole) {
        xml.text("Description", description);
    }
    xml.text("CreateDate", &record.created.iso8601_seconds());
    xml.text("UpdateDate", &record.updated.iso8601_seconds());
    if detail != Detail::Entry && !record.tags.is_empty() {
        tags(xml, &record.tags);
    }
}

/// Writes what a policy's version has beside its document.
pub(super) fn policy_version(
    xml: &mut Xml,
    policy: &ManagedPolicy,
    number: u32,
    version: &PolicyVersionRecord,
) {
    xml.text("VersionId", &format!("v{number}"));
    xml.text("IsDefaultVersion", if policy.record.default == number { "true" } else { "false" });
    xml.text("CreateDate", &version.created.iso8601_seconds());
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
