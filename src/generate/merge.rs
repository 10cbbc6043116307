//! Several functions in one model.

use super::model::{Docs, Function, Kind, Model, Named, Property};

/// Two functions that mean different things by one name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Clash {
    /// A type.
    #[error(
        "{one} and {other} have different types of the name {name}: rename the definition in one of them, or let both say the same"
    )]
    Type {
        /// The type's name.
        name: String,
        /// The function that was first.
        one: String,
        /// The other one.
        other: String,
    },
    /// A function that is there twice.
    #[error("{0} is given twice: leave one out")]
    Function(String),
}

impl Model {
    /// Puts models into one. Types of one name and content are shared; descriptions are no content, and the first counts.
    ///
    /// # Errors
    /// The first [`Clash`].
    pub fn merge(models: Vec<Self>) -> Result<Self, Clash> {
        let mut merged = Self::default();
        // Beside each type the function it came with.
        let mut owners: Vec<String> = Vec::new();
        for Self { functions, types } in models {
            let owner = functions.first().map(|function| function.name.clone()).unwrap_or_default();
            for named in types {
                let found =
                    merged.types.iter().position(|there| there.name.eq_ignore_ascii_case(&named.name));
                match found.and_then(|index| Some((merged.types.get(index)?, owners.get(index)?))) {
                    None => {
                        merged.types.push(named);
                        owners.push(owner.clone());
                    }
                    Some((there, _)) if is_same(there, &named) => {}
                    Some((_, one)) => {
                        return Err(Clash::Type { name: named.name, one: one.clone(), other: owner });
                    }
                }
            }
            for function in functions {
                if merged.functions.iter().any(|there| is_same_function(there, &function)) {
                    return Err(Clash::Function(function.name));
                }
                merged.functions.push(function);
            }
        }
        Ok(merged)
    }
}

fn is_same_function(one: &Function, other: &Function) -> bool {
    one.name == other.name && one.qualifier == other.qualifier
}

/// Whether two types are alike but for what is said about them and where they stand.
fn is_same(one: &Named, other: &Named) -> bool {
    let bare = |property: &Property| Property { docs: Docs::default(), ..property.clone() };
    one.name == other.name
        && match (&one.kind, &other.kind) {
            (
                Kind::Object { properties: ours, is_closed },
                Kind::Object { properties: theirs, is_closed: theirs_is_closed },
            ) => {
                is_closed == theirs_is_closed
                    && ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|(ours, theirs)| bare(ours) == bare(theirs))
            }
            (ours, theirs) => ours == theirs,
        }
}
