use hickory_proto::rr::rdata::{A, CNAME, TXT};
use proptest::prelude::*;

use super::*;

const HERE: &str = "api.example.com.";

fn query(name: &str, kind: RecordType) -> Message {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn code(asked: &Asked) -> Option<ResponseCode> {
    match asked {
        Asked::Answer(bytes) => Some(Message::from_vec(bytes).unwrap().metadata.response_code),
        _ => None,
    }
}

fn asked(message: &Message, egress: &Egress) -> Asked {
    read(&message.to_vec().unwrap(), egress)
}

fn question() -> Question {
    match asked(&query(HERE, RecordType::A), &Egress::Internet) {
        Asked::Question(question) => question,
        other => panic!("{other:?}"),
    }
}

/// A server's answer with these records to the question with the id 9.
fn answer(records: Vec<Record>) -> Message {
    let mut message = Message::response(9, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(HERE).unwrap(), RecordType::A));
    message.add_answers(records);
    message
}

fn address(text: &str, ttl: u32) -> Record {
    Record::from_rdata(Name::from_ascii(HERE).unwrap(), ttl, RData::A(A(text.parse().unwrap())))
}

fn answered(message: &Message) -> Result<Answer, Unusable> {
    question().answered(9, &message.to_vec().unwrap())
}

#[test]
fn ordinary_questions_are_asked() {
    for kind in [RecordType::A, RecordType::TXT, RecordType::SRV, RecordType::MX, RecordType::CNAME] {
        assert!(matches!(asked(&query(HERE, kind), &Egress::Internet), Asked::Question(_)), "{kind}");
    }
    let sent = Message::from_vec(&question().to_server(9).unwrap()).unwrap();
    assert_eq!((sent.metadata.id, sent.queries.len()), (9, 1));
    assert!(sent.metadata.recursion_desired && sent.edns.is_some());
}

#[test]
fn ipv6_has_an_empty_answer() {
    for kind in [RecordType::AAAA, RecordType::HTTPS] {
        assert_eq!(
            code(&asked(&query(HERE, kind), &Egress::Internet)),
            Some(ResponseCode::NoError),
            "{kind}"
        );
    }
}

#[test]
fn other_questions_are_refused() {
    let refused = Some(ResponseCode::Refused);
    for (name, kind) in [
        (HERE, RecordType::ANY),
        (HERE, RecordType::AXFR),
        ("router.", RecordType::A),
        (".", RecordType::NS),
        ("1.0.0.10.in-addr.arpa.", RecordType::PTR),
        ("arpa.example.com.", RecordType::PTR),
    ] {
        assert_eq!(code(&asked(&query(name, kind), &Egress::Internet)), refused, "{name} {kind}");
    }
    assert_eq!(code(&asked(&query(HERE, RecordType::A), &Egress::Nothing)), refused);
    let mut chaos = query("version.bind.", RecordType::TXT);
    chaos.queries[0].query_class = DNSClass::CH;
    assert_eq!(code(&asked(&chaos, &Egress::Internet)), refused);
    let public = query("8.8.8.8.in-addr.arpa.", RecordType::PTR);
    assert!(matches!(asked(&public, &Egress::Internet), Asked::Question(_)));
}

#[test]
fn an_allow_list_has_its_names_alone() {
    let places: Egress = "api.example.com:443 8.8.8.8:53".parse().unwrap();
    for (name, is_asked) in [
        (HERE, true),
        ("API.Example.COM.", true),
        ("www.example.com.", false),
        ("example.com.", false),
        ("a.api.example.com.", false),
    ] {
        let found = asked(&query(name, RecordType::A), &places);
        assert_eq!(matches!(found, Asked::Question(_)), is_asked, "{name}");
    }
}

#[test]
fn what_is_no_question_is_told_or_left() {
    let form_error = Some(ResponseCode::FormErr);
    let mut none = query(HERE, RecordType::A);
    none.queries.clear();
    assert_eq!(code(&asked(&none, &Egress::Internet)), form_error);
    let mut two = query(HERE, RecordType::A);
    two.add_query(two.queries[0].clone());
    assert_eq!(code(&asked(&two, &Egress::Internet)), form_error);
    let mut stuffed = query(HERE, RecordType::A);
    stuffed.add_answer(address("8.8.8.8", 1));
    assert_eq!(code(&asked(&stuffed, &Egress::Internet)), form_error);
    let mut update = query(HERE, RecordType::A);
    update.metadata.op_code = OpCode::Notify;
    assert_eq!(code(&asked(&update, &Egress::Internet)), Some(ResponseCode::NotImp));
    // A name that points at itself.
    let mut looped = query(HERE, RecordType::A).to_vec().unwrap();
    looped[12..14].copy_from_slice(&[0xc0, 12]);
    assert_eq!(code(&read(&looped, &Egress::Internet)), form_error);
    assert_eq!(code(&read(&[0; QUESTION_MAX + 1], &Egress::Internet)), form_error);
    for nothing in [&[][..], &[0; 11], &answer(Vec::new()).to_vec().unwrap()] {
        assert!(matches!(read(nothing, &Egress::Internet), Asked::Nothing), "{nothing:?}");
    }
}

#[test]
fn an_answer_is_passed_on_without_what_was_not_asked_for() {
    let name = Name::from_ascii(HERE).unwrap();
    let records = vec![
        Record::from_rdata(name.clone(), 90, RData::CNAME(CNAME(name.clone()))),
        address("8.8.8.8", 100_000),
        Record::from_rdata(name, 5, RData::TXT(TXT::new(vec!["x".to_owned()]))),
    ];
    let found = answered(&answer(records)).unwrap();
    assert_eq!((found.addresses.len(), found.ttl), (1, 90));
    let written = Message::from_vec(&question().write(&found, false)).unwrap();
    assert_eq!((written.metadata.id, written.answers.len()), (7, 2));
    assert_eq!(written.answers[1].ttl, TTL_MAX_SECONDS);
}

#[test]
fn an_address_inside_spoils_the_answer() {
    for inside in ["10.0.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "192.168.1.1"] {
        let found = answered(&answer(vec![address("8.8.8.8", 60), address(inside, 60)])).unwrap();
        assert!(found.addresses.is_empty(), "{inside}");
        let written = Message::from_vec(&question().write(&found, true)).unwrap();
        assert_eq!(written.metadata.response_code, ResponseCode::Refused, "{inside}");
        assert!(written.answers.is_empty(), "{inside}");
    }
}

#[test]
fn what_answers_another_question_is_foreign() {
    let foreign = |change: &dyn Fn(&mut Message)| {
        let mut message = answer(vec![address("8.8.8.8", 60)]);
        change(&mut message);
        answered(&message).unwrap_err()
    };
    assert_eq!(foreign(&|message| message.metadata.id = 8), Unusable::Foreign);
    assert_eq!(foreign(&|message| message.metadata.message_type = MessageType::Query), Unusable::Foreign);
    assert_eq!(foreign(&|message| message.queries.clear()), Unusable::Foreign);
    assert_eq!(
        foreign(&|message| message.queries[0].name = Name::from_ascii("evil.example.").unwrap()),
        Unusable::Foreign
    );
    assert_eq!(foreign(&|message| message.metadata.truncation = true), Unusable::Cut);
    assert_eq!(foreign(&|message| message.metadata.response_code = ResponseCode::ServFail), Unusable::Failed);
    assert_eq!(question().answered(9, b"garbage").unwrap_err(), Unusable::Foreign);
}

#[test]
fn a_long_answer_is_cut_by_udp_and_whole_by_tcp() {
    let records = (0..200).map(|at| address(&format!("8.8.8.{at}"), 60)).collect();
    let found = answered(&answer(records)).unwrap();
    let packet = question().write(&found, false);
    assert!(packet.len() <= usize::from(PLAIN_MAX));
    let cut = Message::from_vec(&packet).unwrap();
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    let whole = Message::from_vec(&question().write(&found, true)).unwrap();
    assert_eq!(whole.answers.len(), 200);
}

proptest! {
    #[test]
    fn any_packet_is_read(packet in proptest::collection::vec(any::<u8>(), 0..600)) {
        if let Asked::Answer(answer) = read(&packet, &Egress::Internet) {
            prop_assert!(Message::from_vec(&answer).is_ok());
        }
        let _ = question().answered(9, &packet);
    }

    /// Bytes of a real message, some changed: far more of these get through the parser's first checks.
    #[test]
    fn no_bent_answer_gives_an_address_inside(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut packet = answer(vec![address("8.8.8.8", 60), address("9.9.9.9", 60)]).to_vec().unwrap();
        for (at, byte) in changes {
            let at = at.index(packet.len());
            packet[at] = byte;
        }
        if let Ok(found) = question().answered(9, &packet) {
            prop_assert!(found.addresses.iter().all(|address| is_public_v4(*address)));
            prop_assert!(found.ttl <= TTL_MAX_SECONDS);
            prop_assert!(question().write(&found, false).len() <= 512);
        }
    }
}
