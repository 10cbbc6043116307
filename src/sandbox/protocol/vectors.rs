//! The vectors that the bootstrap's tests read, too.

use bytes::{Bytes, BytesMut};
use serde::Deserialize;

use super::{Frame, Invoke, Status, Violation, bind, cancel, invoke, take};

#[derive(Deserialize)]
struct Table<F> {
    rows: Vec<Row<F>>,
}

#[derive(Deserialize)]
struct Row<F> {
    id: String,
    bytes: Vec<Text>,
    frame: Option<F>,
    violation: Option<String>,
}

/// A text, or one that is repeated.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Once(String),
    Repeated { repeat: String, count: usize },
}

impl Text {
    fn text(&self) -> String {
        match self {
            Self::Once(text) => text.clone(),
            Self::Repeated { repeat, count } => repeat.repeat(*count),
        }
    }
}

impl<F> Row<F> {
    fn bytes(&self) -> Vec<u8> {
        let hex: String = self.bytes.iter().map(Text::text).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        hex.as_bytes().chunks(2).map(byte).collect()
    }
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum FromSandbox {
    #[serde(rename = "READY")]
    Ready { json: Text },
    #[serde(rename = "BOUND")]
    Bound { json: Text },
    #[serde(rename = "LOG")]
    Log { text: Text },
    #[serde(rename = "RESULT")]
    Result { id: String, status: u8, spent: bool, json: Text },
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum FromGateway {
    #[serde(rename = "BIND")]
    Bind { json: Text },
    #[serde(rename = "INVOKE", rename_all = "camelCase")]
    Invoke { id: String, deadline_ms: u64, frozen_ms: u32, meta: Text, payload: Text },
    #[serde(rename = "CANCEL")]
    Cancel { id: String },
}

fn id(text: &str) -> [u8; 16] {
    u128::from_str_radix(&text.replace('-', ""), 16).unwrap().to_be_bytes()
}

fn expected(frame: &FromSandbox) -> Frame {
    let bytes = |text: &Text| Bytes::from(text.text());
    match frame {
        FromSandbox::Ready { json } => Frame::Ready(bytes(json)),
        FromSandbox::Bound { json } => Frame::Bound(bytes(json)),
        FromSandbox::Log { text } => Frame::Log(bytes(text)),
        FromSandbox::Result { id: text, status, spent, json } => {
            let status =
                [Status::Value, Status::Handled, Status::Unhandled, Status::TooLarge][usize::from(*status)];
            Frame::Result { id: id(text), status, json: bytes(json), spent: *spent }
        }
    }
}

fn rule(violation: Violation) -> &'static str {
    match violation {
        Violation::Kind(_) => "kind",
        Violation::Length { .. } => "length",
        Violation::Reserved => "reserved",
        Violation::Status(_) => "status",
        Violation::Order => "order",
    }
}

#[test]
fn frames_from_a_sandbox_are_read_as_the_vectors_say() {
    let table: Table<FromSandbox> =
        serde_json::from_str(include_str!("../../../tests/vectors/frames/sandbox.json")).unwrap();
    for row in &table.rows {
        let mut buffer = BytesMut::from(&row.bytes()[..]);
        match (&row.frame, &row.violation) {
            (Some(frame), None) => {
                assert!(take(&mut buffer) == Ok(Some(expected(frame))), "{}", row.id);
                assert!(buffer.is_empty(), "{}", row.id);
            }
            (None, Some(violation)) => {
                assert_eq!(take(&mut buffer).map_err(rule), Err(violation.as_str()), "{}", row.id);
            }
            _ => panic!("{} is neither good nor bad", row.id),
        }
    }
}

#[test]
fn frames_from_the_gateway_are_written_as_the_vectors_say() {
    let table: Table<FromGateway> =
        serde_json::from_str(include_str!("../../../tests/vectors/frames/gateway.json")).unwrap();
    // What the gateway must not send is the bootstrap's to refuse.
    for row in table.rows.iter().filter(|row| row.violation.is_none()) {
        let written = match row.frame.as_ref().unwrap() {
            FromGateway::Cancel { id: text } => cancel(&id(text)).to_vec(),
            FromGateway::Bind { json } => bind(json.text().as_bytes()).unwrap(),
            FromGateway::Invoke { id: text, deadline_ms, frozen_ms, meta, payload } => {
                let (meta, payload) = (meta.text(), payload.text());
                let head = invoke(&Invoke {
                    id: &id(text),
                    deadline_ms: *deadline_ms,
                    frozen_ms: *frozen_ms,
                    meta: meta.as_bytes(),
                    payload_length: payload.len(),
                });
                [head.unwrap(), payload.into_bytes()].concat()
            }
        };
        assert!(written == row.bytes(), "{}", row.id);
    }
}
