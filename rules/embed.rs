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
    std::fs::write(out.join("pages.rs"), table("PAGES", &pages, |path| path.file_stem())?)?;
    let models = files(&rules.join("models"), usize::MAX, "toml")?;
    std::fs::write(out.join("models.rs"), table("MODELS", &models, |path| path.file_name())?)?;
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

/// A Rust table of (key, text), the key made of the path.
fn table(
    name: &str,
    paths: &[PathBuf],
    key: impl Fn(&Path) -> Option<&std::ffi::OsStr>,
) -> Result<String, Box<dyn Error>> {
    let mut code = format!("pub const {name}: &[(&str, &str)] = &[\n");
    for path in paths {
        let key = key(path).and_then(|key| key.to_str()).ok_or("a name in rules/ is not UTF-8")?;
        let text = std::fs::read_to_string(path)?;
        writeln!(code, "    ({key:?}, {text:?}),")?;
    }
    code.push_str("];\n");
    Ok(code)
}
