//! How keys are spread over maps.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Places keys in maps. They are hashes already, so little is left to do: they are folded with secrets of this process, because
/// whoever chooses ids could otherwise choose many that fall into one place.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    secrets: [u64; 2],
}

/// A [`Spread`] at work.
#[derive(Clone, Debug)]
pub(super) struct Spreading {
    secrets: [u64; 2],
    folded: u64,
}

impl Default for Spread {
    fn default() -> Self {
        let random = RandomState::new();
        Self { secrets: [random.hash_one(0), random.hash_one(1) | 1] }
    }
}

impl BuildHasher for Spread {
    type Hasher = Spreading;

    fn build_hasher(&self) -> Spreading {
        Spreading { secrets: self.secrets, folded: 0 }
    }
}

impl Hasher for Spreading {
    fn write_u128(&mut self, number: u128) {
        let [low, high] = [number as u64, (number >> 64) as u64];
        self.folded =
            fold(fold(self.folded ^ low ^ self.secrets[0], self.secrets[1]) ^ high, self.secrets[1]);
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(16) {
            let mut number = [0; 16];
            number[..chunk.len()].copy_from_slice(chunk);
            self.write_u128(u128::from_ne_bytes(number));
        }
    }

    fn finish(&self) -> u64 {
        self.folded
    }
}

/// Both halves of a product, of which the lower alone would keep what the lower bits of its factors have in common.
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::idempotency::key::{Key, Owner};

    #[test]
    fn keys_that_have_much_in_common_fall_into_different_places() {
        let spread = Spread::default();
        let place = |call: [u8; 16]| spread.hash_one(Key { owner: Owner([1; 16]), call }) % 1024;
        // As if somebody had looked for ids whose hashes differ in few bits, low or high.
        for at in [0, 7, 8, 15] {
            let mut places: Vec<u64> = (0..=255)
                .map(|byte| {
                    let mut call = [0; 16];
                    call[at] = byte;
                    place(call)
                })
                .collect();
            places.sort_unstable();
            places.dedup();
            assert!(places.len() > 180, "byte {at}: {} places of 256 keys", places.len());
        }
        assert_eq!(place([3; 16]), place([3; 16]));
    }
}
