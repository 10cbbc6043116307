//! Reading single elements out of the query protocol's answers.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

/// The texts of all elements of this name, in order. What is not well-formed ends the reading.
pub fn all(document: &str, name: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let (mut found, mut inside) = (Vec::new(), None::<String>);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) if start.local_name().as_ref() == name => {
                inside = Some(String::new());
            }
            Ok(Event::Text(text)) => {
                if let Some(inside) = &mut inside {
                    inside.push_str(&text);
                }
            }
            Ok(Event::GeneralRef(reference)) => {
                if let Some(inside) = &mut inside {
                    match reference.resolve_char_ref() {
                        Ok(Some(character)) => inside.push(character),
                        _ => inside.push_str(resolve_predefined_entity(&reference).unwrap_or_default()),
                    }
                }
            }
            Ok(Event::End(end)) if end.local_name().as_ref() == name => {
                found.extend(inside.take());
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

/// The text of the first element of this name.
pub fn first(document: &str, name: &str) -> Option<String> {
    all(document, name).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name_and_their_references_resolved() {
        let document =
            "<R xmlns='urn:x'><Role><Arn>a&amp;b&#x2F;c</Arn></Role><Arn>second</Arn><Other>x</Other></R>";
        assert_eq!(all(document, "Arn"), ["a&b/c", "second"]);
        assert_eq!(first(document, "Missing"), None);
        assert_eq!(first("not xml <", "Arn"), None);
    }
}
