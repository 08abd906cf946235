//! Compiles what stands in `rules/` into the binary: the pages and the models, each as it is written.
//!
//! A build script rather than a list by hand, so that adding a page or a library is adding a file, and forgetting
//! one is not possible. Nothing that it says or writes holds the path of this folder: what was built in one clone
//! is good in another.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let rules = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("rules");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    // A folder counts as changed when anything in it does, so new and deleted files are seen as well.
    println!("cargo::rerun-if-changed=rules");

    let pages = files(&rules, 1, "md")?;
    std::fs::write(out.join("pages.rs"), table("PAGES", &pages, |path| path.file_stem(), str::to_owned)?)?;
    let models = files(&rules.join("models"), usize::MAX, "toml")?;
    let whole = table("MODELS", &models, |path| path.file_name(), str::to_owned)?;
    let bare = table("WITHOUT_PROOFS", &models, |path| path.file_name(), without_proofs)?;
    std::fs::write(out.join("models.rs"), whole + &bare)?;
    Ok(())
}

/// The folder's files with this extension in the order of their paths; none if there is no such folder.
fn files(folder: &Path, depth: usize, extension: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    if !folder.exists() {
        return Ok(found);
    }
    for entry in walkdir::WalkDir::new(folder).max_depth(depth).sort_by_file_name() {
        let path = entry?.into_path();
        if path.extension().is_some_and(|actual| actual == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Models without what only proves them, which is more than half of their text and would be read at each start.
fn without_proofs(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let proof = ["expect", "leak", "clean", "missed"]
            .iter()
            .find_map(|key| line.strip_prefix(key)?.trim_start().strip_prefix('=').map(str::trim));
        let Some(proof) = proof else {
            kept.push_str(line);
            kept.push('\n');
            continue;
        };
        for quotes in ["'''", r#"""""#] {
            if proof.strip_prefix(quotes).is_some_and(|rest| !rest.ends_with(quotes)) {
                lines.by_ref().find(|line| line.trim_end().ends_with(quotes));
            }
        }
    }
    kept
}

/// A Rust table of (key, text), the key made of the path.
fn table(
    name: &str,
    paths: &[PathBuf],
    key: impl Fn(&Path) -> Option<&std::ffi::OsStr>,
    kept: impl Fn(&str) -> String,
) -> Result<String, Box<dyn Error>> {
    let mut code = format!("pub const {name}: &[(&str, &str)] = &[\n");
    for path in paths {
        let key = key(path).and_then(|key| key.to_str()).ok_or("a name in rules/ is not UTF-8")?;
        let text = kept(&std::fs::read_to_string(path)?);
        writeln!(code, "    ({key:?}, {text:?}),")?;
    }
    code.push_str("];\n");
    Ok(code)
}
