//! Answers in XML.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;

use crate::api::{Context, Reply, Service};

/// All but what RFC 3986 calls unreserved: IAM answers policy documents so encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Elements being written. Names are our own; values are escaped.
#[derive(Debug, Default)]
pub struct Xml(String);

impl Xml {
    /// An element with a text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.nested(name, |xml| {
            let escaped = escape(value);
            // A bare carriage return would reach the reader as a line feed.
            match escaped.contains('\r') {
                true => xml.0.push_str(&escaped.replace('\r', "&#13;")),
                false => xml.0.push_str(&escaped),
            }
        });
    }

    /// An element with a policy document, percent-encoded as IAM does it.
    pub fn document(&mut self, name: &str, text: &str) {
        self.nested(name, |xml| xml.0.extend(utf8_percent_encode(text, ENCODED)));
    }

    /// An element with elements in it.
    pub fn nested(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.open(name);
        content(self);
        self.close(name);
    }

    fn open(&mut self, name: &str) {
        self.0.extend(["<", name, ">"]);
    }

    fn close(&mut self, name: &str) {
        self.0.extend(["</", name, ">"]);
    }

    /// A list: an element with a `member` for each item.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut item: impl FnMut(&mut Self, T),
    ) {
        self.nested(name, |xml| {
            for one in items {
                xml.nested("member", |xml| item(xml, one));
            }
        });
    }

    /// A list of texts.
    pub fn texts<'t>(&mut self, name: &str, texts: impl IntoIterator<Item = &'t str>) {
        self.nested(name, |xml| texts.into_iter().for_each(|text| xml.text("member", text)));
    }
}

/// The answer of `operation`: its result, where the model gives it one, and the request's id.
pub fn reply(
    service: Service,
    operation: &str,
    context: &Context<'_>,
    result: Option<&dyn Fn(&mut Xml)>,
) -> Reply {
    let mut xml = Xml(format!(r#"<{operation}Response xmlns="{}">"#, service.xml_namespace()));
    if let Some(result) = result {
        xml.nested(&format!("{operation}Result"), result);
    }
    xml.nested("ResponseMetadata", |xml| xml.text("RequestId", &context.request_id.to_string()));
    xml.close(&format!("{operation}Response"));
    Reply::xml(xml.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped() {
        let mut xml = Xml::default();
        xml.text("A", "<b attr=\"x\"> & 'c'\r\n");
        assert_eq!(xml.0, "<A>&lt;b attr=&quot;x&quot;&gt; &amp; &apos;c&apos;&#13;\n</A>");
    }

    #[test]
    fn documents_are_percent_encoded() {
        let mut xml = Xml::default();
        xml.document("D", "{\"a\": \"ü*-._~\"}");
        assert_eq!(xml.0, "<D>%7B%22a%22%3A%20%22%C3%BC%2A-._~%22%7D</D>");
    }

    #[test]
    fn lists_have_members() {
        let mut xml = Xml::default();
        xml.texts("L", ["a", "b"]);
        xml.list("S", [1], |xml, _| xml.text("K", "v"));
        xml.list("E", std::iter::empty::<u8>(), |_, _| {});
        assert_eq!(
            xml.0,
            "<L><member>a</member><member>b</member></L><S><member><K>v</K></member></S><E></E>"
        );
    }
}
