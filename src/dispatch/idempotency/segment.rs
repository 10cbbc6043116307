//! The records of a segment file, and the reader that believes none of its bytes.
//!
//! ```text
//! frame   = "CGI1" ‖ kind (1) ‖ length of head (4) ‖ length of body (4) ‖ head ‖ body          lengths big-endian
//! head    = sealed by the key ring: the first 13 bytes of the frame are its associated data
//! body    = sealed by the key ring: the last 16 bytes of its head are its associated data; only in frames of answers
//! ```
//!
//! A head opens only as it was written, for it is sealed with what stands before it; a body opens only behind its own head. So no
//! checksum is needed, and a changed byte can make a record unreadable but never another record. Where no frame begins the
//! reader looks for the next place where one does, so that damage costs the records that it hit and no more.

use crate::base::{KeyRing, Purpose, Rng, Timestamp};

use super::{
    book::Holders,
    key::{Holder, Key, Owner, Print, Shape},
};

const MAGIC: &[u8; 4] = b"CGI1";
const FRAME: usize = 4 + 1 + 4 + 4;
/// The longest head.
const HEAD_MAX: usize = 1024;
/// The longest body: an answer of 6 MiB, its log tail, and how it is sealed.
const BODY_MAX: usize = 8 << 20;
/// How many bytes at the end of a head bind its body to it.
const BINDING: usize = 16;
/// The longest name of an identity.
const IDENTITY_MAX: usize = 256;

const BEGUN: u8 = 1;
const ENDED: u8 = 2;
const UNKEPT: u8 = 3;
const ERASED: u8 = 4;

/// What a record says of its call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// It is going to run.
    Begun,
    /// It has run, and this is where its answer stands.
    Ended,
    /// It has run; for its answer there was no room.
    Unkept,
    /// It was refused after all: as if it had never come.
    Erased,
}

/// A record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) what: What,
    pub(super) key: Key,
    pub(super) shape: Shape,
    pub(super) print: Print,
    /// When the call's first request came.
    pub(super) began: Timestamp,
    /// When what the record says came to be.
    pub(super) at: Timestamp,
    pub(super) holders: Holders,
    /// The identity's id, if the caller is one, so that a start can ask what became of it.
    pub(super) identity: Option<Box<str>>,
}

/// A frame as it was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) record: Record,
    /// Where it begins.
    pub(super) at: usize,
    /// How long it is.
    pub(super) length: usize,
}

/// What a reader makes of some bytes.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) found: Vec<Found>,
    /// Bytes with a frame behind them that belong to none: damage.
    pub(super) damaged: usize,
    /// Bytes at the end that are no whole frame: what was being written when the power went.
    pub(super) torn: usize,
}

impl What {
    fn code(self) -> u8 {
        match self {
            Self::Begun => BEGUN,
            Self::Ended => ENDED,
            Self::Unkept => UNKEPT,
            Self::Erased => ERASED,
        }
    }

    fn of(code: u8) -> Option<Self> {
        match code {
            BEGUN => Some(Self::Begun),
            ENDED => Some(Self::Ended),
            UNKEPT => Some(Self::Unkept),
            ERASED => Some(Self::Erased),
            _ => None,
        }
    }
}

impl Record {
    fn head(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        out.extend_from_slice(&self.key.owner.0);
        out.extend_from_slice(&self.key.call);
        out.extend_from_slice(&self.shape);
        out.extend_from_slice(&self.print);
        out.extend_from_slice(&self.began.millis().to_be_bytes());
        out.extend_from_slice(&self.at.millis().to_be_bytes());
        out.extend_from_slice(&self.holders.address.0);
        out.push(u8::from(self.holders.pool.is_some()));
        out.extend_from_slice(&self.holders.pool.map_or([0; 16], |pool| pool.0));
        let identity = self.identity.as_deref().filter(|id| id.len() <= IDENTITY_MAX).unwrap_or_default();
        out.extend_from_slice(identity.as_bytes());
        out
    }

    fn of_head(what: What, mut bytes: &[u8]) -> Option<Self> {
        fn chunk<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
            let (chunk, rest) = from.split_first_chunk::<N>()?;
            *from = rest;
            Some(*chunk)
        }
        let from = &mut bytes;
        let key = Key { owner: Owner(chunk(from)?), call: chunk(from)? };
        let (shape, print) = (chunk(from)?, chunk(from)?);
        let began = Timestamp::from_millis(i64::from_be_bytes(chunk(from)?));
        let at = Timestamp::from_millis(i64::from_be_bytes(chunk(from)?));
        let address = Holder(chunk(from)?);
        let [has_pool] = chunk(from)?;
        let pool = Holder(chunk(from)?);
        let identity = std::str::from_utf8(from).ok().filter(|id| id.len() <= IDENTITY_MAX)?;
        let pool = (has_pool == 1).then_some(pool);
        let holders = Holders { owner: key.owner.holder(), address, pool };
        let identity = (!identity.is_empty()).then(|| identity.into());
        Some(Self { what, key, shape, print, began, at, holders, identity })
    }

    /// The frame of this record with its answer, if it has one. `None` if the ring does not seal any more.
    pub(super) fn frame(&self, answer: Option<&[u8]>, ring: &KeyRing, rng: &dyn Rng) -> Option<Vec<u8>> {
        let head = self.head();
        let body_length = answer.map_or(0, |answer| KeyRing::sealed_length(answer.len()));
        let mut out = Vec::with_capacity(FRAME + KeyRing::sealed_length(head.len()) + body_length);
        out.extend_from_slice(MAGIC);
        out.push(self.what.code());
        out.extend_from_slice(&u32::try_from(KeyRing::sealed_length(head.len())).ok()?.to_be_bytes());
        out.extend_from_slice(&u32::try_from(body_length).ok()?.to_be_bytes());
        let head = ring.seal(Purpose::Idempotency, &out, &head, rng).ok()?;
        out.extend_from_slice(&head);
        if let Some(answer) = answer {
            let body = ring.seal(Purpose::Idempotency, head.last_chunk::<BINDING>()?, answer, rng).ok()?;
            out.extend_from_slice(&body);
        }
        Some(out)
    }
}

/// The frame that begins here, if a whole one does, and its body.
fn frame_at<'b>(bytes: &'b [u8], ring: &KeyRing) -> Option<(Record, usize, &'b [u8], &'b [u8])> {
    let frame = bytes.first_chunk::<FRAME>()?;
    let [m0, m1, m2, m3, code, h0, h1, h2, h3, b0, b1, b2, b3] = *frame;
    if [m0, m1, m2, m3] != *MAGIC {
        return None;
    }
    let what = What::of(code)?;
    let length = |bytes| usize::try_from(u32::from_be_bytes(bytes)).ok();
    let (head_length, body_length) = (length([h0, h1, h2, h3])?, length([b0, b1, b2, b3])?);
    if head_length > HEAD_MAX || body_length > BODY_MAX {
        return None;
    }
    let (head, rest) = bytes.get(FRAME..)?.split_at_checked(head_length)?;
    let body = rest.get(..body_length)?;
    let opened = ring.open(Purpose::Idempotency, frame, head).ok()?;
    let record = Record::of_head(what, opened.expose())?;
    Some((record, FRAME + head_length + body_length, head, body))
}

/// Reads every record that can be read.
pub(super) fn read(bytes: &[u8], ring: &KeyRing) -> Read {
    let mut read = Read::default();
    let (mut at, mut astray) = (0, 0);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some((record, length, ..)) = frame_at(rest, ring) {
            read.damaged += std::mem::take(&mut astray);
            read.found.push(Found { record, at, length });
            at += length;
            continue;
        }
        // The next place where a frame may begin.
        let next =
            rest.iter().skip(1).position(|byte| *byte == MAGIC[0]).map_or(rest.len(), |found| found + 1);
        astray += next;
        at += next;
    }
    read.torn = astray;
    read
}

/// The answer in the frame that stands here; `None` if it does not open, or is another call's.
pub(super) fn answer(bytes: &[u8], key: &Key, ring: &KeyRing) -> Option<Vec<u8>> {
    let (record, _, head, body) = frame_at(bytes, ring)?;
    if record.key != *key || record.what != What::Ended {
        return None;
    }
    let opened = ring.open(Purpose::Idempotency, head.last_chunk::<BINDING>()?, body).ok()?;
    Some(opened.expose().to_vec())
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::{Secret, rng::SeededRng};

    pub(in super::super) fn ring() -> KeyRing {
        KeyRing::new([(1, Secret::new(vec![1; 32]))]).unwrap()
    }

    pub(in super::super) fn record(what: What, id: u8) -> Record {
        let owner = Owner([id; 16]);
        Record {
            what,
            key: Key { owner, call: [id; 16] },
            shape: [3; 16],
            print: [4; 32],
            began: Timestamp::from_seconds(5),
            at: Timestamp::from_seconds(6),
            holders: Holders { owner: owner.holder(), address: Holder([7; 16]), pool: Some(Holder([8; 16])) },
            identity: Some("r:1".into()),
        }
    }

    fn written() -> (Vec<Record>, Vec<u8>) {
        let (ring, rng) = (ring(), SeededRng::new(1));
        let records = vec![
            record(What::Begun, 1),
            record(What::Begun, 2),
            record(What::Ended, 1),
            record(What::Erased, 2),
            Record {
                identity: None,
                holders: Holders { pool: None, ..record(What::Begun, 3).holders },
                ..record(What::Unkept, 3)
            },
            record(What::Ended, 4),
        ];
        let mut bytes = Vec::new();
        for record in &records {
            let answer = [record.key.call[0]; 40];
            let answer = (record.what == What::Ended).then_some(&answer[..]);
            bytes.extend(record.frame(answer, &ring, &rng).unwrap());
        }
        (records, bytes)
    }

    /// Every record that is read is one that was written, in its order, and every answer is that of its call.
    fn check(bytes: &[u8], records: &[Record]) -> Result<Read, TestCaseError> {
        let read = read(bytes, &ring());
        let mut rest = records.iter();
        for found in &read.found {
            prop_assert!(rest.any(|record| *record == found.record), "{found:?}");
            let key = found.record.key;
            if let Some(answer) = answer(&bytes[found.at..], &key, &ring()) {
                prop_assert_eq!(answer, vec![key.call[0]; 40]);
            }
        }
        Ok(read)
    }

    #[test]
    fn records_come_back_in_order_and_answers_with_their_call_alone() {
        let (records, bytes) = written();
        let read = check(&bytes, &records).unwrap();
        assert_eq!(
            read.found.iter().map(|found| &found.record).collect::<Vec<_>>(),
            records.iter().collect::<Vec<_>>()
        );
        assert_eq!((read.damaged, read.torn), (0, 0));
        let last = read.found.last().unwrap();
        assert!(answer(&bytes[last.at..], &records[5].key, &ring()).is_some());
        assert!(answer(&bytes[last.at..], &records[0].key, &ring()).is_none());
        // A record without an answer has none.
        assert!(answer(&bytes, &records[0].key, &ring()).is_none());
    }

    #[test]
    fn nothing_that_is_kept_can_be_read_without_the_ring() {
        let bytes = written().1;
        let other = KeyRing::new([(1, Secret::new(vec![2; 32]))]).unwrap();
        assert!(read(&bytes, &other).found.is_empty());
        assert!(!bytes.windows(3).any(|window| window == b"r:1"));
    }

    #[test]
    fn a_body_does_not_open_behind_another_head() {
        let (ring, rng) = (ring(), SeededRng::new(1));
        let one = record(What::Ended, 1).frame(Some(&[1; 40]), &ring, &rng).unwrap();
        let two = record(What::Ended, 2).frame(Some(&[2; 40]), &ring, &rng).unwrap();
        let head = one.len() - KeyRing::sealed_length(40);
        let mixed = [&one[..head], &two[head..]].concat();
        assert_eq!(read(&mixed, &ring).found.len(), 1);
        assert!(answer(&mixed, &record(What::Ended, 1).key, &ring).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn garbage_is_no_record(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(read(&bytes, &ring()).found.is_empty());
        }

        #[test]
        fn a_cut_file_gives_what_is_whole_and_says_how_much_is_torn(cut in 0_usize..2000) {
            let (records, bytes) = written();
            let cut = cut.min(bytes.len());
            let read = check(&bytes[..cut], &records)?;
            let whole = read.found.last().map_or(0, |last| last.at + last.length);
            prop_assert_eq!((read.damaged, read.torn), (0, cut - whole));
        }

        #[test]
        fn a_flipped_bit_costs_its_own_record_at_most(at in 0_usize..2000, bit in 0_u8..8) {
            let (records, mut bytes) = written();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let read = check(&bytes, &records)?;
            prop_assert!(read.found.len() >= records.len() - 1);
        }

        #[test]
        fn garbage_between_records_costs_none_of_them(
            garbage in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'C')], 1..60),
        ) {
            let (records, bytes) = written();
            let first = read(&bytes, &ring()).found[0].length;
            let bytes = [&bytes[..first], &garbage, &bytes[first..]].concat();
            let read = check(&bytes, &records)?;
            prop_assert_eq!(read.found.len(), records.len());
            prop_assert_eq!(read.damaged, garbage.len());
        }

        #[test]
        fn several_changes_at_once_never_make_another_record(
            changes in prop::collection::vec((0_usize..2000, any::<u8>()), 1..30),
            cut in 0_usize..2000,
        ) {
            let (records, mut bytes) = written();
            for (at, byte) in changes {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            bytes.truncate(cut.max(1));
            check(&bytes, &records)?;
        }
    }
}
