//! ListAccessKeys, in the order of their ids; never a secret.

use super::{
    constraints::{ACTIVE, INACTIVE, USER_NAME},
    key_owner, reply, spec, user_resource,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form, Paging},
    },
    iam::Directory,
};

const NAME: &str = "ListAccessKeys";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("UserName", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListAccessKeys {
    name: Option<String>,
    paging: Paging,
}

impl Operation for ListAccessKeys {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListAccessKeys")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let name = fields.optional("UserName", &USER_NAME);
        let paging = Paging::read(&mut fields);
        fields.finish()?;
        Ok(Self { name, paging })
    }

    fn resources(&self, state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![user_resource(state, context, &key_owner(context, self.name.as_deref())?)?])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let owner = key_owner(context, self.name.as_deref())?;
        let user = state.existing_user(context.account()?, &owner)?;
        let mut keys: Vec<_> = user.keys.iter().collect();
        keys.sort_by(|one, other| one.id.cmp(&other.id));
        let page = self.paging.cut(keys.into_iter(), |key| &key.id)?;
        Ok(reply(NAME, context, |xml| {
            xml.list("AccessKeyMetadata", &page.items, |xml, key| {
                xml.text("UserName", &owner);
                xml.text("AccessKeyId", &key.id);
                xml.text("Status", if key.active { ACTIVE } else { INACTIVE });
                xml.text("CreateDate", &key.created.iso8601_seconds());
            });
            page.write(xml);
        }))
    }
}
