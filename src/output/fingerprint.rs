//! What stays the same of a finding while code moves around it.
//!
//! Baselines and dashboards compare runs by it, so it is a promise: the rule, the symbol and the words of the flagged
//! line, no numbers and no path. The hash is FNV-1a (Fowler, Noll and Vo, 64 bits), written out here because the
//! hashes of libraries change between versions.

use std::hash::Hasher;

use rustc_hash::FxHashMap;

use crate::finding::Finding;

/// Gives out fingerprints in the order of the findings: a second finding of the same words gets `-2` behind its own.
#[derive(Default)]
pub struct Fingerprints {
    seen: FxHashMap<u64, usize>,
}

impl Fingerprints {
    pub fn of(&mut self, finding: &Finding, line: &str) -> String {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        for part in [finding.code, &finding.symbol] {
            hash.write(part.as_bytes());
            hash.write(b"\0");
        }
        for word in line.split_whitespace() {
            hash.write(word.as_bytes());
            hash.write(b" ");
        }
        let hash = hash.finish();
        let count = self.seen.entry(hash).or_insert(0);
        *count += 1;
        match *count {
            1 => format!("{hash:016x}"),
            ordinal => format!("{hash:016x}-{ordinal}"),
        }
    }
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
