//! Maps by pipes and sockets. The kernel counts their numbers up, so one multiplication spreads them, where the hash that
//! std takes for keys that a stranger chooses costs ten times that: half of what it took to name the holders.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys are numbers that the kernel gave.
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

    /// Which variant of an enum it is.
    fn write_isize(&mut self, variant: isize) {
        self.write_u64(variant as u64);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    /// The map takes the lowest bits for the place and the highest to compare; the multiplication mixes upwards.
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
