//! The frames of `tests/vectors/frames/`, which the sandbox's side of the protocol is tested against as well.

use bytes::BytesMut;
use serde::Deserialize;

use super::protocol::{self, Frame, Invoke, Status, Violation};

#[derive(Deserialize)]
struct Vectors<F> {
    rows: Vec<Row<F>>,
}

#[derive(Deserialize)]
struct Row<F> {
    id: String,
    bytes: Vec<Part>,
    frame: Option<F>,
    violation: Option<String>,
}

/// A piece of text or, in hex, of bytes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Part {
    Once(String),
    Repeated { repeat: String, count: usize },
}

impl Part {
    fn text(&self) -> String {
        match self {
            Self::Once(text) => text.clone(),
            Self::Repeated { repeat, count } => repeat.repeat(*count),
        }
    }
}

fn bytes(parts: &[Part]) -> Vec<u8> {
    let hex: String = parts.iter().map(Part::text).collect();
    hex.as_bytes().chunks(2).map(hex_byte).collect()
}

fn hex_byte(pair: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()
}

fn read<F: for<'de> Deserialize<'de>>(text: &str) -> Vec<Row<F>> {
    let vectors: Vectors<F> = serde_json::from_str(text).unwrap();
    assert!(vectors.rows.len() > 5);
    vectors.rows
}

fn uuid(text: &str) -> [u8; 16] {
    text.parse::<uuid::Uuid>().unwrap().into_bytes()
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "UPPERCASE", rename_all_fields = "camelCase")]
enum FromSandbox {
    Ready {
        json: Part,
    },
    Bound {
        json: Part,
    },
    Log {
        text: Part,
    },
    Result {
        id: String,
        status: u8,
        json: Part,
        #[serde(default)]
        spent: bool,
    },
}

#[test]
fn frames_from_a_sandbox_are_read_as_the_vectors_say() {
    for row in read::<FromSandbox>(include_str!("../../tests/vectors/frames/sandbox.json")) {
        let mut buffer = BytesMut::from(&bytes(&row.bytes)[..]);
        let taken = protocol::take(&mut buffer);
        let expected = match (&row.frame, row.violation.as_deref()) {
            (Some(frame), None) => frame,
            (None, Some(violation)) => {
                let name = match taken {
                    Err(Violation::Kind(_)) => "kind",
                    Err(Violation::Length { .. }) => "length",
                    Err(Violation::Reserved) => "reserved",
                    Err(Violation::Status(_)) => "status",
                    other => panic!("{}: {other:?}", row.id),
                };
                assert_eq!(name, violation, "{}", row.id);
                continue;
            }
            _ => panic!("{}: a row is good or bad", row.id),
        };
        let frame = taken.unwrap().unwrap_or_else(|| panic!("{}: not whole", row.id));
        assert!(buffer.is_empty(), "{}", row.id);
        match (expected, &frame) {
            (FromSandbox::Ready { json }, Frame::Ready(body))
            | (FromSandbox::Bound { json }, Frame::Bound(body)) => {
                assert_eq!(json.text().as_bytes(), body, "{}", row.id);
            }
            (FromSandbox::Log { text }, Frame::Log(body)) => {
                assert_eq!(text.text().as_bytes(), body, "{}", row.id);
            }
            (FromSandbox::Result { id, status, json, spent }, Frame::Result { .. }) => {
                let status = match status {
                    0 => Status::Value,
                    1 => Status::Handled,
                    2 => Status::Unhandled,
                    _ => Status::TooLarge,
                };
                let json = json.text().into();
                assert_eq!(frame, Frame::Result { id: uuid(id), status, json, spent: *spent }, "{}", row.id);
            }
            _ => panic!("{}: {frame:?}", row.id),
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "UPPERCASE", rename_all_fields = "camelCase")]
enum FromGateway {
    Bind { json: Part },
    Invoke { id: String, deadline_ms: u64, frozen_ms: u32, meta: Part, payload: Part },
}

#[test]
fn frames_from_the_gateway_are_written_as_the_vectors_say() {
    for row in read::<FromGateway>(include_str!("../../tests/vectors/frames/gateway.json")) {
        // Broken frames are what the sandbox's side must refuse; this side cannot write them.
        let Some(frame) = row.frame else { continue };
        let written = match frame {
            FromGateway::Bind { json } => protocol::bind(json.text().as_bytes()).unwrap(),
            FromGateway::Invoke { id, deadline_ms, frozen_ms, meta, payload } => {
                let (id, meta, payload) = (uuid(&id), meta.text(), payload.text());
                let head = protocol::invoke(&Invoke {
                    id: &id,
                    deadline_ms,
                    frozen_ms,
                    meta: meta.as_bytes(),
                    payload_length: payload.len(),
                });
                [head.unwrap(), payload.into_bytes()].concat()
            }
        };
        assert!(written == bytes(&row.bytes), "{}: {:02x?}…", row.id, &written[..written.len().min(64)]);
    }
}
