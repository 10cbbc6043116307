//! Pages of lists: `MaxItems` and `Marker`.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Constraint, Fields, Xml, fields::validation};
use crate::api::ApiError;

const MAX_ITEMS_DEFAULT: u32 = 100;
const MAX_ITEMS_MAX: u32 = 1000;
const MARKER: Constraint = Constraint::pattern(1, 320, r"[\u0020-\u00FF]+", |text| {
    text.chars().all(|c| matches!(c, ' '..='\u{ff}'))
});

/// Which page is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paging {
    max_items: usize,
    marker: Option<String>,
}

/// A page of a list, and what leads to the next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    marker: Option<String>,
}

impl Paging {
    /// Reads the two fields.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let max_items = fields.number("MaxItems", 1, MAX_ITEMS_MAX).unwrap_or(MAX_ITEMS_DEFAULT);
        Self { max_items: max_items as usize, marker: fields.optional("Marker", &MARKER) }
    }

    /// Cuts the page out of items in the order of their names. A marker is the name of the last item before it, so what is
    /// made or deleted between two pages repeats or hides no other item.
    pub fn cut<T>(
        &self,
        items: impl Iterator<Item = T>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Page<T>, ApiError> {
        let after = self.marker.as_deref().map(decode).transpose()?;
        let mut items = items.filter(|item| after.as_deref().is_none_or(|after| name(item) > after));
        let page: Vec<T> = items.by_ref().take(self.max_items).collect();
        let more = items.next().is_some();
        let marker = page.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(name(last)));
        Ok(Page { items: page, marker })
    }
}

impl<T> Page<T> {
    /// Writes `IsTruncated` and `Marker`.
    pub fn write(&self, xml: &mut Xml) {
        xml.text("IsTruncated", if self.marker.is_some() { "true" } else { "false" });
        if let Some(marker) = &self.marker {
            xml.text("Marker", marker);
        }
    }
}

fn decode(marker: &str) -> Result<String, ApiError> {
    let decoded = URL_SAFE_NO_PAD.decode(marker).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.ok_or_else(|| validation("Invalid Marker."))
}

#[cfg(test)]
mod tests {
    use super::{super::form::tests::form, *};

    fn page(body: &str, items: &[&'static str]) -> Result<Page<&'static str>, ApiError> {
        let form = form(body);
        let mut fields = Fields::of(&form);
        let paging = Paging::read(&mut fields);
        fields.finish()?;
        paging.cut(items.iter().copied(), |item| item)
    }

    #[test]
    fn pages_follow_one_another_also_when_an_item_goes_between_them() {
        let first = page("MaxItems=2", &["a", "b", "c", "d"]).unwrap();
        assert_eq!(first.items, ["a", "b"]);
        let next = format!("MaxItems=2&Marker={}", first.marker.unwrap());
        assert_eq!(page(&next, &["a", "c", "d"]).unwrap(), Page { items: vec!["c", "d"], marker: None });
    }

    #[test]
    fn a_full_last_page_is_the_last() {
        assert_eq!(page("MaxItems=2", &["a", "b"]).unwrap().marker, None);
        assert_eq!(page("", &[]).unwrap(), Page { items: Vec::new(), marker: None });
    }

    #[test]
    fn a_marker_of_someone_elses_is_refused() {
        assert_eq!(page("Marker=*", &[]).unwrap_err().message.unwrap(), "Invalid Marker.");
        assert!(page("MaxItems=1001", &[]).is_err() && page("MaxItems=0", &[]).is_err());
    }
}
