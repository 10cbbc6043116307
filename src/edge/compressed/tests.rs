use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use http::{HeaderValue, header::HeaderName};
use proptest::prelude::*;

use super::*;
use crate::edge::body::Budget;

const MAX: usize = 1 << 20;
const BUDGET: u64 = 1 << 24;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn undo(body: &[u8]) -> Result<Bytes, CompressedError> {
    undo_within(body, MAX, BUDGET).0
}

/// What came of it, and the bytes that the budget counted meanwhile.
fn undo_within(body: &[u8], max: usize, budget: u64) -> (Result<Bytes, CompressedError>, u64) {
    // One address may have so much of one that is a 31st larger.
    let budget = Budget::new(budget + (budget - 1) / 31);
    let mut held = Held::none(&budget, std::net::Ipv4Addr::LOCALHOST.into());
    held.grow_to(body.len() as u64).unwrap();
    let undone = Encoding::Gzip.undo(Bytes::copy_from_slice(body), max, &mut held);
    let counted = budget.held();
    drop(held);
    assert_eq!(budget.held(), 0);
    (undone, counted)
}

/// Text that hardly compresses.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

#[test]
fn what_was_compressed_comes_out() {
    for text in [&b""[..], b"{}", b"\"text\"", &noise(100_000), &[b' '; 1_000]] {
        assert_eq!(undo(&gzip(text)).unwrap(), text);
    }
}

#[test]
fn the_payloads_limit_is_that_of_what_comes_out() {
    assert_eq!(undo(&gzip(&noise(MAX))).unwrap().len(), MAX);
    assert_eq!(undo(&gzip(&noise(MAX + 1))), Err(CompressedError::TooLarge));
}

#[test]
fn a_hundred_bytes_come_out_of_one_and_no_more() {
    // Noise and spaces, so that the ratio can be met exactly.
    let dense = |spaces: usize| gzip(&[&noise(100)[..], &vec![b' '; spaces]].concat());
    let ratio = |spaces: usize| (100 + spaces).cmp(&(RATIO_MAX * dense(spaces).len()));
    let mut spaces = 10_000;
    while ratio(spaces).is_le() {
        spaces += 1;
    }
    assert_eq!(undo(&dense(spaces)), Err(CompressedError::TooDense));
    assert_eq!(undo(&dense(spaces - 1)).unwrap().len(), 100 + spaces - 1);
}

#[test]
fn a_bomb_is_put_down_before_it_takes_memory() {
    let bomb = gzip(&vec![0; 1 << 27]);
    let (undone, counted) = undo_within(&bomb, MAX, BUDGET);
    assert_eq!(undone, Err(CompressedError::TooLarge));
    assert!(counted <= (bomb.len() + MAX) as u64, "{counted}");
    let small = gzip(&vec![0; 1 << 18]);
    assert!(small.len() * RATIO_MAX < MAX);
    let (undone, counted) = undo_within(&small, MAX, BUDGET);
    assert_eq!(undone, Err(CompressedError::TooDense));
    assert!(counted <= (small.len() * (RATIO_MAX + 1)) as u64, "{counted}");
    // One that lies about its length gets no more for it.
    let mut lying = gzip(&noise(1_000));
    let end = lying.len() - 4;
    lying[end..].copy_from_slice(&u32::MAX.to_le_bytes());
    let (undone, counted) = undo_within(&lying, MAX, BUDGET);
    assert!(matches!(undone, Err(CompressedError::Broken(_))));
    assert!(counted <= (lying.len() * (RATIO_MAX + 1)) as u64, "{counted}");
}

#[test]
fn what_comes_out_counts_against_the_budget() {
    let body = gzip(&noise(10_000));
    let needed = (body.len() + 10_000) as u64;
    assert_eq!(undo_within(&body, MAX, needed).0.unwrap().len(), 10_000);
    assert_eq!(undo_within(&body, MAX, needed - 1).0, Err(CompressedError::OverBudget));
}

#[test]
fn what_is_broken_is_told() {
    let good = gzip(b"{\"a\":1}");
    for cut in 0..good.len() {
        let undone = undo(&good[..cut]);
        assert_eq!(undone, Err(CompressedError::Broken("it ends before it is whole")), "{cut}");
    }
    let end = good.len();
    // Magic, method, deflated data, checksum, length.
    for (at, byte) in [(0, 0x1e), (1, 0), (2, 7), (12, 0xff), (end - 8, 0x55), (end - 1, 1)] {
        let mut bad = good.clone();
        assert_ne!(bad[at], byte);
        bad[at] = byte;
        assert!(matches!(undo(&bad), Err(CompressedError::Broken(_))), "{at}");
    }
    assert!(matches!(undo(b"{\"a\":1} as it is"), Err(CompressedError::Broken(_))));
}

#[test]
fn one_member_and_nothing_behind_it() {
    let one = gzip(b"[1,");
    let two = [&one[..], &gzip(b"2]")].concat();
    assert_eq!(undo(&two), Err(CompressedError::Trailing("another gzip member")));
    for rest in [&b"\0"[..], b"\x1f", b"{}"] {
        let body = [&one[..], rest].concat();
        assert_eq!(undo(&body), Err(CompressedError::Trailing("something else")));
    }
}

#[test]
fn the_head_says_how_it_was_written() {
    let of = |lines: &[&'static str], takes_gzip| {
        let lines = lines.iter().map(|line| (CONTENT_ENCODING, HeaderValue::from_static(line)));
        let headers: HeaderMap = lines.collect::<Vec<(HeaderName, HeaderValue)>>().into_iter().collect();
        Encoding::of(&headers, takes_gzip).map_err(|error| (error.status.as_u16(), error.message.unwrap()))
    };
    assert_eq!(of(&[], true), Ok(Encoding::Identity));
    for coding in ["identity", "", "Identity"] {
        assert_eq!(of(&[coding], false), Ok(Encoding::Identity));
    }
    for coding in ["gzip", "GZIP", "x-gzip"] {
        assert_eq!(of(&[coding], true), Ok(Encoding::Gzip));
        let off = of(&[coding], false).unwrap_err();
        assert!(off.0 == 415 && off.1.starts_with("This gateway takes no compressed requests: "), "{off:?}");
    }
    for coding in ["br", "deflate", "gzip, gzip", "gzip;q=1"] {
        let (status, message) = of(&[coding], true).unwrap_err();
        assert!(status == 415 && message.contains(&format!("gzip, not {coding}: ")), "{message}");
    }
    assert_eq!(of(&["gzip", "gzip"], true).unwrap_err().0, 415);
}

proptest! {
    #[test]
    fn whatever_was_compressed_comes_out_and_never_too_much(
        pieces in prop::collection::vec((any::<u8>(), 0_usize..5_000), 0..20),
        level in 0_u32..=9,
    ) {
        let text: Vec<u8> = pieces.iter().flat_map(|(byte, count)| vec![*byte; *count]).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(&text).unwrap();
        let body = encoder.finish().unwrap();
        match undo_within(&body, 50_000, BUDGET).0 {
            Ok(undone) => {
                prop_assert_eq!(&undone[..], &text[..]);
                prop_assert!(text.len() <= 50_000 && text.len() <= RATIO_MAX * body.len());
            }
            Err(CompressedError::TooLarge) => prop_assert!(text.len() > 50_000),
            Err(error) => {
                prop_assert_eq!(error, CompressedError::TooDense);
                prop_assert!(text.len() > RATIO_MAX * body.len());
            }
        }
    }

    #[test]
    fn any_bytes_are_refused_or_bounded(
        body in prop::collection::vec(any::<u8>(), 0..200),
        change in any::<prop::sample::Index>(),
        to in any::<u8>(),
        text in "[a-c]{0,200}",
    ) {
        let _ = undo(&body);
        let mut changed = gzip(text.as_bytes());
        let at = change.index(changed.len());
        changed[at] = to;
        // What the checksum and the length do not cover is the header, which says nothing of the text.
        match undo(&changed) {
            Ok(undone) => prop_assert_eq!(&undone[..], text.as_bytes()),
            Err(error) => prop_assert!(matches!(error, CompressedError::Broken(_) | CompressedError::Trailing(_))),
        }
    }
}
