//! What the agent is told: which places of which files belong to which finding.
//!
//! Places are spans of bytes; the agent finds the syntax nodes that stand there and sees what they do. So the plan
//! needs nothing that a finding does not say already, and whatever rule comes next is watched by its family.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Run;
use crate::engine::{Outcome, ShownFile};
use crate::finding::Finding;
use crate::source::{Location, SourceKind};

#[derive(Debug, Serialize)]
pub struct Plan {
    /// Where each process writes what it sees.
    output: PathBuf,
    rounds: u32,
    inject: bool,
    /// The memory of each line is looked at.
    memory: bool,
    /// The references that make a cycle are looked for.
    cycles: bool,
    /// What of the memory is the program's own.
    roots: Vec<PathBuf>,
    /// The CRC-32 of each file's decoded text: the agent leaves a file alone that is not what was checked.
    files: BTreeMap<PathBuf, u32>,
    /// In the order of the findings.
    pub watches: Vec<Watch>,
}

/// One finding to be watched.
#[derive(Debug, Serialize)]
pub struct Watch {
    pub fingerprint: String,
    pub code: &'static str,
    pub symbol: String,
    pub kind: Kind,
    /// The finding's own place, then those of its argument.
    pub places: Vec<Place>,
    #[serde(skip)]
    pub rounds: u32,
}

/// Bytes of a file's decoded text.
#[derive(Debug, Serialize)]
pub struct Place {
    pub file: PathBuf,
    start: u32,
    end: u32,
}

/// How a leak of a rule can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// By the size of a container or cache.
    Growth,
    /// By the size of a library's own table.
    Registry,
    /// By what was acquired and not released.
    Resource,
    Lock,
    /// By who frees the instances of a class.
    Instances,
    /// By who frees the functions that a function makes.
    Functions,
    /// The same of classes.
    Classes,
    /// The same of frames.
    Frames,
    /// By who frees what a weak reference was made to.
    Referents,
    /// By the size of what an emitter keeps its listeners in.
    Listeners,
    /// By how many of the loops over an async generator are left before its end.
    Generators,
    /// Not at all.
    None,
}

impl Kind {
    fn of(code: &str) -> Kind {
        match code {
            "LK106" | "LK401" => Kind::Registry,
            "LK402" => Kind::Listeners,
            "LK407" => Kind::Referents,
            "LK408" => Kind::Generators,
            "LK207" => Kind::Lock,
            "LK301" => Kind::Instances,
            "LK303" | "LK304" => Kind::Frames,
            "LK305" => Kind::Functions,
            "LK306" => Kind::Classes,
            _ if code.starts_with("LK1") => Kind::Growth,
            _ if code.starts_with("LK2") => Kind::Resource,
            _ => Kind::None,
        }
    }
}

impl Plan {
    pub fn new(outcome: &Outcome, fingerprints: &[String], run: &Run, output: &Path) -> Plan {
        let mut plan = Plan {
            output: output.to_owned(),
            rounds: run.rounds,
            inject: run.inject,
            memory: run.memory,
            cycles: run.cycles,
            roots: run.roots.clone(),
            files: BTreeMap::new(),
            watches: Vec::new(),
        };
        for (finding, fingerprint) in outcome.findings.iter().zip(fingerprints) {
            let watch = plan.watch(finding, fingerprint, outcome);
            plan.watches.push(watch);
        }
        plan
    }

    fn watch(&mut self, finding: &Finding, fingerprint: &str, outcome: &Outcome) -> Watch {
        let related = finding.related.iter().map(|label| label.location);
        let locations = std::iter::once(finding.location).chain(related);
        let places: Vec<Place> = locations.filter_map(|location| self.place(location, outcome)).collect();
        let is_own = outcome.file(finding.location.file).is_some_and(|file| file.source.kind == SourceKind::Python);
        Watch {
            fingerprint: fingerprint.to_owned(),
            code: finding.code,
            symbol: finding.symbol.clone(),
            kind: if is_own && !places.is_empty() { Kind::of(finding.code) } else { Kind::None },
            places,
            rounds: self.rounds,
        }
    }

    fn place(&mut self, location: Location, outcome: &Outcome) -> Option<Place> {
        let ShownFile { source, .. } = outcome.file(location.file)?;
        let file = std::fs::canonicalize(&source.path).ok().filter(|_| source.kind == SourceKind::Python)?;
        self.files.entry(file.clone()).or_insert_with(|| crc32(source.text.as_bytes()));
        Some(Place { file, start: location.span.start, end: location.span.end })
    }
}

/// The CRC-32 of zlib and PNG (polynomial 0xEDB88320, reflected), which Python's standard library has as well.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    let table: [u32; 256] = std::array::from_fn(|byte| (0..8).fold(byte as u32, |crc, _| step(crc)));
    !bytes.iter().fold(!0, |crc, byte| (crc >> 8) ^ table[(crc as u8 ^ byte) as usize])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(super::crc32(b"123456789"), 0xCBF4_3926);
    }
}
