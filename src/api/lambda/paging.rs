//! Pages of lists that lie in memory.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::errors::{parameter, serialization};
use crate::{
    api::{ApiError, Raw},
    functions::validation::Violations,
};

/// The most items of one answer, however many are asked for.
const PAGE_MAX: usize = 50;

/// Which page is asked for: `Marker` and `MaxItems`.
#[derive(Debug)]
pub(super) struct Page {
    after: Option<String>,
    limit: usize,
}

impl Page {
    /// Reads the query.
    pub(super) fn read(raw: &Raw<'_>) -> Result<Self, ApiError> {
        let asked: Option<i64> = raw
            .query("MaxItems")
            .map(str::parse)
            .transpose()
            .map_err(|_| serialization("STRING_VALUE can not be converted to an Integer"))?;
        let mut violations = Violations::default();
        if let Some(asked) = asked {
            violations.range(asked, "maxItems", 1, 10_000);
        }
        violations.into_result()?;
        let text = |marker: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(marker).ok()?).ok();
        let unknown = || parameter("The Marker is none that this operation has answered.");
        let after = raw.query("Marker").map(|marker| text(marker).ok_or_else(unknown)).transpose()?;
        let limit = asked.and_then(|asked| usize::try_from(asked).ok()).unwrap_or(PAGE_MAX).min(PAGE_MAX);
        Ok(Self { after, limit })
    }

    /// The items of the page, and the marker of the next one if there is one. An item that the marker names and that is gone
    /// meanwhile means the first page.
    pub(super) fn of<'a, T>(&self, all: &'a [T], name: impl Fn(&T) -> String) -> (&'a [T], Option<String>) {
        let after = self.after.as_ref().and_then(|after| all.iter().position(|item| name(item) == *after));
        let rest = all.get(after.map_or(0, |at| at + 1)..).unwrap_or_default();
        let page = rest.get(..self.limit).unwrap_or(rest);
        let next = page.last().filter(|_| page.len() < rest.len()).map(name);
        (page, next.map(|next| URL_SAFE_NO_PAD.encode(next)))
    }
}
