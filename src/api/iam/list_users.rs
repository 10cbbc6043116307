//! ListUsers, in the order of their names.

use super::{
    constraints::PATH_PREFIX,
    reply,
    shapes::{self, Detail},
    spec,
};
use crate::{
    api::{
        ApiError, Context, Operation, Raw, Reply, Resource, Spec,
        members::{Members, Support::Implemented},
        query::{Fields, Form, Paging},
    },
    iam::Directory,
};

const NAME: &str = "ListUsers";
/// The members of its input.
pub static MEMBERS: Members = Members {
    operation: NAME,
    members: &[("PathPrefix", Implemented), ("Marker", Implemented), ("MaxItems", Implemented)],
};

/// The input.
#[derive(Debug)]
pub struct ListUsers {
    prefix: String,
    paging: Paging,
}

impl Operation for ListUsers {
    type State = Directory;

    fn spec() -> Spec {
        spec(NAME, "iam:ListUsers")
    }

    fn decode(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let form = Form::read(raw)?;
        let mut fields = Fields::of(&form);
        let prefix = fields.optional("PathPrefix", &PATH_PREFIX).unwrap_or_else(|| "/".to_owned());
        let paging = Paging::read(&mut fields);
        fields.finish()?;
        Ok(Self { prefix, paging })
    }

    fn resources(&self, _state: &Directory, context: &Context<'_>) -> Result<Vec<Resource>, ApiError> {
        Ok(vec![Resource::named(format!("arn:aws:iam::{}:user{}", context.account()?, self.prefix))])
    }

    async fn run(self, state: &Directory, context: &Context<'_>) -> Result<Reply, ApiError> {
        let users = state.users(context.account()?);
        let under = users.values().filter(|user| user.record.path.starts_with(&self.prefix));
        let page = self.paging.cut(under, |user| user.name())?;
        Ok(reply(NAME, context, |xml| {
            xml.list("Users", &page.items, |xml, user| shapes::user(xml, user, Detail::Entry));
            page.write(xml);
        }))
    }
}
