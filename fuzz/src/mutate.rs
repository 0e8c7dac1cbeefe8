//! Changed copies of seeds: bits, bytes, blocks, words of the format, pieces of other seeds.

use std::collections::HashSet;

/// No input is longer: the parsers' own bounds are far above, and short inputs find more.
const MAX: usize = 4096;
/// Inputs that are remembered at most.
const POOL: usize = 4096;

/// Numbers at which counters and lengths go wrong.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "2",
    "4294967295",
    "4294967296",
    "2147483648",
    "18446744073709551615",
    "9223372036854775808",
    "-9223372036854775808",
    "1e309",
    "0x7fffffff",
];

/// Bytes at which formats turn.
const MARKS: &[u8] = b"\0\n\t \"'\\$%{}[]()<>:=,;/-@#";

pub struct Mutator {
    state: u64,
    pool: Vec<Vec<u8>>,
    seen: HashSet<u64>,
    words: &'static [&'static str],
    /// How many of the pool are seeds, and how many of these were played.
    seeds: usize,
    next_seed: usize,
}

impl Mutator {
    pub fn new(seed: u64, seeds: Vec<Vec<u8>>, words: &'static [&'static str]) -> Mutator {
        assert!(!seeds.is_empty());
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Mutator { state, seeds: seeds.len(), pool: seeds, seen: HashSet::new(), words, next_seed: 0 }
    }

    /// xorshift64*: even enough for this, and the same everywhere.
    fn random(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.random() % bound.max(1) as u64) as usize
    }

    /// Every seed as it is first, then changed ones for ever.
    pub fn next(&mut self) -> Vec<u8> {
        if self.next_seed < self.seeds {
            self.next_seed += 1;
            return self.pool[self.next_seed - 1].clone();
        }
        let pick = self.below(self.pool.len());
        let mut bytes = self.pool[pick].clone();
        // Mostly few changes: the input has to get past the first check.
        let changes = 1 << self.below(4);
        for _ in 0..changes {
            self.change(&mut bytes);
        }
        bytes.truncate(MAX);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len() + 1);
        let length = 1 + self.below(16);
        let until = (at + length).min(bytes.len());
        match self.below(10) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.random() as u8,
            2 => drop(bytes.drain(at..until)),
            3 => bytes.insert(at, MARKS[self.below(MARKS.len())]),
            4 => {
                let copy = bytes[at..until].to_vec();
                let times = 1 << self.below(8);
                drop(bytes.splice(at..at, copy.repeat(times)));
            }
            5 => {
                let word = NUMBERS[self.below(NUMBERS.len())];
                drop(bytes.splice(at..until, word.bytes()));
            }
            6 | 7 if !self.words.is_empty() => {
                let word = self.words[self.below(self.words.len())];
                let end = if self.below(2) == 0 { at } else { until };
                drop(bytes.splice(at..end, word.bytes()));
            }
            8 => {
                let other = self.below(self.pool.len());
                let from = self.below(self.pool[other].len() + 1);
                let tail = self.pool[other][from..].to_vec();
                bytes.truncate(at);
                bytes.extend(tail);
            }
            _ => bytes.truncate(at),
        }
        bytes.truncate(2 * MAX);
    }

    /// Keeps an input whose answer had a shape that was not seen yet.
    pub fn keep(&mut self, shape: u64, input: Vec<u8>) {
        if self.seen.insert(shape) && self.pool.len() < POOL {
            self.pool.push(input);
        }
    }

    pub fn kept(&self) -> usize {
        self.seen.len()
    }
}
