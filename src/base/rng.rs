//! Randomness as a parameter.

use std::{cell::RefCell, fmt, sync::Arc};

/// Where random bytes come from.
pub trait Rng: Send + Sync + fmt::Debug + 'static {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// A source that can be shared.
pub type SharedRng = Arc<dyn Rng>;

/// The operating system's generator, by way of the cryptographic library's.
///
/// Every request draws an id, and the library's work for one is nearly all its work for thirty. Ids and nonces, which are
/// no secrets, come from a block that each thread draws at once and uses up; whatever is longer is drawn by itself.
#[derive(Debug, Default)]
pub struct SystemRng;

/// The longest draw that comes from a block: an id's 16 bytes.
const FROM_BLOCK_MAX: usize = 16;
const BLOCK: usize = 32 * FROM_BLOCK_MAX;

struct Block {
    bytes: [u8; BLOCK],
    used: usize,
}

thread_local! {
    static DRAWN: RefCell<Block> = const { RefCell::new(Block { bytes: [0; BLOCK], used: BLOCK }) };
}

fn draw(bytes: &mut [u8]) {
    if aws_lc_rs::rand::fill(bytes).is_err() {
        // Without randomness no key, id or nonce is safe: there is nothing to go on with.
        std::process::abort();
    }
}

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > FROM_BLOCK_MAX {
            return draw(bytes);
        }
        DRAWN.with_borrow_mut(|block| {
            if BLOCK - block.used < bytes.len() {
                draw(&mut block.bytes);
                block.used = 0;
            }
            let drawn = &mut block.bytes[block.used..block.used + bytes.len()];
            bytes.copy_from_slice(drawn);
            // Nothing that was given out is kept.
            drawn.fill(0);
            block.used += bytes.len();
        });
    }
}

/// A repeatable source for tests (SplitMix64); never for keys.
#[derive(Debug)]
pub struct SeededRng(std::sync::Mutex<u64>);

impl SeededRng {
    /// The same seed gives the same bytes.
    pub fn new(seed: u64) -> Self {
        Self(std::sync::Mutex::new(seed))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_given_out_twice() {
        let mut seen = HashSet::new();
        for length in [16, 12, 7, 16, 30, 16].into_iter().cycle().take(1_000) {
            let mut bytes = vec![0; length];
            SystemRng.fill(&mut bytes);
            // Seven bytes are the shortest: two alike would be an accident of one in 10^11.
            assert!(seen.insert(bytes));
        }
    }
}
