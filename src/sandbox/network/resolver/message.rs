//! What is asked and answered, as bytes of DNS (RFC 1035), with the rules on both. Pure.
//!
//! Both sides are hostile: function code sends the questions, and whoever holds a name's zone writes its answers.

use std::net::Ipv4Addr;

use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{DNSClass, Name, RData, Record, RecordType},
};

use crate::base::{
    egress::{Egress, Host},
    special::is_public_v4,
};

/// The longest question, in bytes: a name of 255 and an EDNS record fit more than twice.
pub const QUESTION_MAX: usize = 512;
/// The longest answer that is taken or given, in bytes.
pub const ANSWER_MAX: usize = 16 * 1024;
/// What fits into one packet on every path, in bytes (DNS flag day 2020).
const PACKET_MAX: u16 = 1232;
/// What a client without EDNS takes, in bytes.
const PLAIN_MAX: u16 = 512;
/// The most records of an answer.
const RECORDS_MAX: usize = 256;
/// The longest time an answer may be kept, in seconds: as long as an allow-list keeps an address open.
pub const TTL_MAX_SECONDS: u32 = 3600;

/// What became of a packet.
#[derive(Debug)]
pub enum Asked {
    /// A question to be passed on.
    Question(Question),
    /// An answer at once.
    Answer(Vec<u8>),
    /// Not a question at all: nothing is answered.
    Nothing,
}

/// A question that may be asked.
#[derive(Clone, Debug)]
pub struct Question {
    id: u16,
    query: Query,
    wants_recursion: bool,
    /// The longest answer by UDP that its client takes; `None` if it spoke no EDNS.
    edns_payload: Option<u16>,
}

/// What an answer says.
#[derive(Debug)]
pub struct Answer {
    /// The message for the client. By UDP it may have to be cut: [`Question::cut`].
    message: Message,
    /// The addresses in it.
    pub addresses: Vec<Ipv4Addr>,
    /// How long they hold, in seconds.
    pub ttl: u32,
}

/// Why what came back is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    /// It belongs to another question, or is none: somebody may be guessing.
    Foreign,
    /// It was cut: TCP has all of it.
    Cut,
    /// The server cannot answer.
    Failed,
}

/// Reads a packet from a sandbox.
pub fn read(packet: &[u8], egress: &Egress) -> Asked {
    let Some((id, flags)) = packet.first_chunk::<4>().map(|[a, b, c, _]| (u16::from_be_bytes([*a, *b]), *c))
    else {
        return Asked::Nothing;
    };
    // An answer is never answered, or two servers could talk for ever.
    if flags & 0x80 != 0 || packet.len() < 12 {
        return Asked::Nothing;
    }
    let refuse =
        |code| Asked::Answer(bytes(&Message::error_msg(id, OpCode::Query, code)).unwrap_or_default());
    if packet.len() > QUESTION_MAX {
        return refuse(ResponseCode::FormErr);
    }
    let Ok(message) = Message::from_vec(packet) else { return refuse(ResponseCode::FormErr) };
    if message.metadata.op_code != OpCode::Query {
        return refuse(ResponseCode::NotImp);
    }
    let [query] = &message.queries[..] else { return refuse(ResponseCode::FormErr) };
    if !message.answers.is_empty() || !message.authorities.is_empty() {
        return refuse(ResponseCode::FormErr);
    }
    let question = Question {
        id,
        query: query.clone(),
        wants_recursion: message.metadata.recursion_desired,
        edns_payload: message.edns.as_ref().map(Edns::max_payload),
    };
    if !may_ask(query, egress) {
        return Asked::Answer(question.refusal(ResponseCode::Refused));
    }
    match query.query_type() {
        // IPv6 leads nowhere from here; HTTPS records carry addresses too. An empty answer sends clients to IPv4 at once.
        RecordType::AAAA | RecordType::HTTPS | RecordType::SVCB => {
            Asked::Answer(question.refusal(ResponseCode::NoError))
        }
        _ => Asked::Question(question),
    }
}

/// Whether a question may be asked at all.
fn may_ask(query: &Query, egress: &Egress) -> bool {
    let kind = query.query_type();
    let is_known = matches!(
        kind,
        RecordType::A
            | RecordType::AAAA
            | RecordType::CAA
            | RecordType::CNAME
            | RecordType::HTTPS
            | RecordType::MX
            | RecordType::NAPTR
            | RecordType::NS
            | RecordType::PTR
            | RecordType::SOA
            | RecordType::SRV
            | RecordType::SVCB
            | RecordType::TXT
    );
    if !is_known || query.query_class() != DNSClass::IN {
        return false;
    }
    match egress {
        Egress::Nothing => false,
        // The names of addresses inside are nobody's business here.
        Egress::Internet if kind == RecordType::PTR => reversed(query.name()).is_some_and(is_public_v4),
        // A name of one label is this machine's or its network's.
        Egress::Internet => query.name().num_labels() >= 2,
        Egress::Places(places) => {
            let asked = key(query.name());
            places.iter().any(|place| matches!(&place.host, Host::Name(name) if **name == *asked))
        }
    }
}

/// A name as allow-lists have it: lower case, no dot at the end.
fn key(name: &Name) -> String {
    let mut text = name.to_lowercase().to_ascii();
    if text.ends_with('.') {
        text.pop();
    }
    text
}

/// The address that a name of `in-addr.arpa` is about.
fn reversed(name: &Name) -> Option<Ipv4Addr> {
    match name.parse_arpa_name().ok()?.addr() {
        std::net::IpAddr::V4(address) => Some(address),
        std::net::IpAddr::V6(_) => None,
    }
}

impl Question {
    /// The name, as allow-lists have it.
    pub fn name(&self) -> String {
        key(self.query.name())
    }

    /// The same question in a message of ours.
    pub fn to_server(&self, id: u16) -> Option<Vec<u8>> {
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(self.query.clone());
        let mut edns = Edns::new();
        edns.set_max_payload(PACKET_MAX);
        message.set_edns(edns);
        bytes(&message)
    }

    /// Reads what a server answered to [`Self::to_server`] with this id.
    pub fn answered(&self, id: u16, packet: &[u8]) -> Result<Answer, Unusable> {
        let theirs = Message::from_vec(packet).map_err(|_| Unusable::Foreign)?;
        let is_ours = theirs.metadata.id == id
            && theirs.metadata.message_type == MessageType::Response
            && matches!(&theirs.queries[..], [query] if query.name() == self.query.name()
                && query.query_type() == self.query.query_type()
                && query.query_class() == self.query.query_class());
        if !is_ours {
            return Err(Unusable::Foreign);
        }
        if theirs.metadata.truncation {
            return Err(Unusable::Cut);
        }
        let code = theirs.metadata.response_code;
        if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain)
            || theirs.answers.len() > RECORDS_MAX
        {
            return Err(Unusable::Failed);
        }
        let wanted = self.query.query_type();
        let kept = |record: &&Record| {
            let kind = record.record_type();
            record.dns_class == DNSClass::IN && (kind == wanted || kind == RecordType::CNAME)
        };
        let answers: Vec<Record> = theirs.answers.iter().filter(kept).cloned().map(bounded).collect();
        let addresses: Vec<Ipv4Addr> = answers
            .iter()
            .filter_map(|record| match record.data {
                RData::A(address) => Some(address.0),
                _ => None,
            })
            .collect();
        // One address inside spoils the answer: whoever mixes them means harm (DNS rebinding).
        if !addresses.iter().all(|address| is_public_v4(*address)) {
            return Ok(Answer {
                message: self.message(ResponseCode::Refused),
                addresses: Vec::new(),
                ttl: 0,
            });
        }
        let ttl = answers.iter().map(|record| record.ttl).min().unwrap_or(0);
        let mut message = self.message(code);
        message.add_answers(answers);
        // How long a name's absence holds (RFC 2308).
        let absence = theirs.authorities.into_iter().filter(|record| record.record_type() == RecordType::SOA);
        message.add_authorities(absence.take(1).map(bounded));
        Ok(Answer { message, addresses, ttl })
    }

    /// An answer that says only this.
    pub fn refusal(&self, code: ResponseCode) -> Vec<u8> {
        bytes(&self.message(code)).unwrap_or_default()
    }

    fn message(&self, code: ResponseCode) -> Message {
        let mut message = Message::response(self.id, OpCode::Query);
        message.metadata.response_code = code;
        message.metadata.recursion_desired = self.wants_recursion;
        message.metadata.recursion_available = true;
        message.add_query(self.query.clone());
        if self.edns_payload.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(PACKET_MAX);
            message.set_edns(edns);
        }
        message
    }

    /// The most bytes of an answer by UDP.
    fn packet_max(&self) -> usize {
        usize::from(self.edns_payload.unwrap_or(PLAIN_MAX).clamp(PLAIN_MAX, PACKET_MAX))
    }

    /// An answer's bytes, for TCP or for UDP: there, one that is too long is cut to nothing and says so.
    pub fn write(&self, answer: &Answer, tcp: bool) -> Vec<u8> {
        match bytes(&answer.message) {
            Some(whole) if whole.len() <= if tcp { ANSWER_MAX } else { self.packet_max() } => whole,
            Some(_) if !tcp => bytes(&answer.message.truncate()).unwrap_or_default(),
            _ => self.refusal(ResponseCode::ServFail),
        }
    }
}

fn bounded(mut record: Record) -> Record {
    record.ttl = record.ttl.min(TTL_MAX_SECONDS);
    record
}

fn bytes(message: &Message) -> Option<Vec<u8>> {
    message.to_vec().ok()
}

#[cfg(test)]
mod tests;
