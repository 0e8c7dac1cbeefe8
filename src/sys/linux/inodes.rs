//! Hash maps whose keys are inode numbers of pipes and sockets. The kernel counts these numbers up, so one
//! multiplication spreads them. The default hash of std, which is safe for keys that an attacker chooses, costs ten
//! times as much: it took half of the time in which holders are found.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash map whose keys contain inode numbers.
pub(super) type InodeMap<K, V> = HashMap<K, V, BuildHasherDefault<InodeHasher>>;

/// One multiplication for each number.
#[derive(Default)]
pub(super) struct InodeHasher(u64);

impl Hasher for InodeHasher {
    fn write_u64(&mut self, number: u64) {
        /// 2^64 divided by the golden ratio: neighbours land far from each other (Knuth, volume 3, 6.4).
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(SPREAD);
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(number.into());
    }

    /// The discriminant of an enum.
    fn write_isize(&mut self, variant: isize) {
        self.write_u64(variant as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    /// The map uses the lowest bits for the position and the highest bits to compare, but the multiplication mixes
    /// towards the highest bits.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::{BuildHasher as _, BuildHasherDefault};

    use super::*;
    use crate::sys::descriptors::End;

    #[test]
    fn neighbours_and_the_two_ends_of_a_pipe_are_spread() {
        let hashes = BuildHasherDefault::<InodeHasher>::default();
        let ends = (13_000_000..13_004_096u64).flat_map(|inode| [End::Reader(inode), End::Writer(inode)]);
        let places: HashSet<u64> = ends.map(|end| hashes.hash_one(end) % 8192).collect();
        // Chance leaves a place of three empty.
        assert!(places.len() > 8192 / 2, "{} of 8192", places.len());
    }
}
