//! How much memory which lines held at which time, whoever has looked: the agent, `tracemalloc`, memray.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::record;

/// One process: its stacks, and what each held at each look.
#[derive(Debug, Default, Deserialize)]
pub struct Memory {
    /// Files and rows, from the line that asked for the memory outwards.
    pub stacks: Vec<Vec<(PathBuf, u32)>>,
    /// In the order of time.
    pub snapshots: Vec<Snapshot>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Snapshot {
    /// Taken at the end of this round; none for what was taken in between.
    pub round: Option<u32>,
    /// The number of a stack, bytes, blocks.
    pub sizes: Vec<(usize, u64, u64)>,
}

/// What the agents in the processes of a run have left in a folder.
pub fn read_all(folder: &Path) -> Result<Vec<Memory>, String> {
    let paths = record::paths(folder, "memory-")?;
    paths.iter().map(|path| parse(&read(path)?).map_err(|error| said(path, error))).collect()
}

/// Files of other tools, in the order in which they were taken: snapshots that `tracemalloc` has dumped, and what
/// `memray transform csv` prints.
pub fn read_files(paths: &[PathBuf]) -> Result<Memory, String> {
    let mut whole = Memory::default();
    for path in paths {
        let memory = read_file(path)?;
        let before = whole.stacks.len();
        whole.stacks.extend(memory.stacks);
        whole.snapshots.extend(memory.snapshots.into_iter().map(|mut snapshot| {
            snapshot.sizes.iter_mut().for_each(|size| size.0 += before);
            snapshot
        }));
    }
    Ok(whole)
}

fn read_file(path: &Path) -> Result<Memory, String> {
    let bytes = fs::read(path).map_err(|error| said(path, error))?;
    if bytes.starts_with(MEMRAY.as_bytes()) {
        return of_memray(&bytes).map_err(|error| said(path, error));
    }
    if bytes.first() != Some(&PICKLE) {
        return Err(said(path, "neither a snapshot of tracemalloc nor a table of `memray transform csv`"));
    }
    unpickle(path)
}

/// How the table of memray begins.
const MEMRAY: &str = "allocator,num_allocations,size,";
/// How a pickle of any protocol since the second begins.
const PICKLE: u8 = 0x80;

/// Reads a pickle where nothing can happen: see the script.
fn unpickle(path: &Path) -> Result<Memory, String> {
    const SCRIPT: &str = include_str!("../../agent/read_snapshot.py");
    let run = |python: &str| Command::new(python).args(["-I", "-c", SCRIPT]).arg(path).output();
    let output = run("python3").or_else(|_| run("python"));
    let output = output.map_err(|error| format!("a snapshot is read by `python3`, which cannot be run: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(said(path, text.lines().last().unwrap_or("it cannot be read")));
    }
    parse(&String::from_utf8_lossy(&output.stdout)).map_err(|error| said(path, error))
}

/// A row of the table: what is held by one stack, of which each part is `function;file;line`.
fn of_memray(bytes: &[u8]) -> Result<Memory, String> {
    let mut numbers: BTreeMap<Vec<(PathBuf, u32)>, usize> = BTreeMap::new();
    let mut snapshot = Snapshot::default();
    for row in csv::Reader::from_reader(bytes).records() {
        let row = row.map_err(|error| error.to_string())?;
        let field = |index| row.get(index).unwrap_or_default();
        let number = |index| field(index).parse::<u64>().map_err(|_| format!("`{}` is no number", field(index)));
        let stack: Vec<(PathBuf, u32)> = field(5).split('|').filter_map(memray_frame).collect();
        if stack.is_empty() {
            continue;
        }
        let next = numbers.len();
        snapshot.sizes.push((*numbers.entry(stack).or_insert(next), number(2)?, number(1)?));
    }
    let mut stacks = vec![Vec::new(); numbers.len()];
    for (stack, number) in numbers {
        stacks[number] = stack;
    }
    Ok(Memory { stacks, snapshots: vec![snapshot] })
}

fn memray_frame(text: &str) -> Option<(PathBuf, u32)> {
    let (_, place) = text.split_once(';')?;
    let (file, line) = place.rsplit_once(';')?;
    Some((file.into(), line.parse().ok()?))
}

fn parse(text: &str) -> Result<Memory, String> {
    let memory: Memory = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let known = memory.stacks.len();
    let is_whole = memory.snapshots.iter().flat_map(|snapshot| &snapshot.sizes).all(|size| size.0 < known);
    if is_whole { Ok(memory) } else { Err("a stack is missing".into()) }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| said(path, error))
}

fn said(path: &Path, error: impl std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_memray_is_read() {
        let table = "allocator,num_allocations,size,tid,thread_name,stack_trace\r\n\
                     MALLOC,3,3000,1,main,\"keep;app.py;4|main;app.py;9|<module>;app.py;12\"\r\n\
                     MALLOC,1,10,1,main,\r\n";
        let memory = of_memray(table.as_bytes()).unwrap_or_default();
        assert_eq!(memory.stacks, [[("app.py".into(), 4), ("app.py".into(), 9), ("app.py".into(), 12)]]);
        assert_eq!(memory.snapshots[0].sizes, [(0, 3000, 3)]);
    }
}
