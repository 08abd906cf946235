//! Starts a program with the agent in front of its path.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::plan::Plan;

/// The agent's own files: path and text.
const FILES: [(&str, &str); 13] = [
    ("sitecustomize.py", include_str!("../../agent/sitecustomize.py")),
    ("unleak_agent/__init__.py", include_str!("../../agent/unleak_agent/__init__.py")),
    ("unleak_agent/cycles.py", include_str!("../../agent/unleak_agent/cycles.py")),
    ("unleak_agent/growth.py", include_str!("../../agent/unleak_agent/growth.py")),
    ("unleak_agent/importing.py", include_str!("../../agent/unleak_agent/importing.py")),
    ("unleak_agent/memory.py", include_str!("../../agent/unleak_agent/memory.py")),
    ("unleak_agent/paths.py", include_str!("../../agent/unleak_agent/paths.py")),
    ("unleak_agent/plan.py", include_str!("../../agent/unleak_agent/plan.py")),
    ("unleak_agent/record.py", include_str!("../../agent/unleak_agent/record.py")),
    ("unleak_agent/resources.py", include_str!("../../agent/unleak_agent/resources.py")),
    ("unleak_agent/rewrite.py", include_str!("../../agent/unleak_agent/rewrite.py")),
    ("unleak_agent/rounds.py", include_str!("../../agent/unleak_agent/rounds.py")),
    ("unleak_agent/watch.py", include_str!("../../agent/unleak_agent/watch.py")),
];

/// Where the plan, the agent and what it sees are. A temporary folder goes when this does.
pub struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    /// The folder that was asked for, emptied of what an earlier run has left in it.
    pub fn new(kept: Option<&Path>) -> Result<Folder, String> {
        let (path, is_temporary) = match kept {
            Some(path) => (path.to_owned(), false),
            None => (env::temp_dir().join(format!("unleak-{}", process::id())), true),
        };
        let said = |error: io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.join("agent/unleak_agent")).map_err(said)?;
        for entry in fs::read_dir(&path).map_err(said)?.flatten() {
            let name = entry.file_name();
            if ["process-", "memory-"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
                fs::remove_file(entry.path()).map_err(said)?;
            }
        }
        let path = fs::canonicalize(&path).map_err(said)?;
        if is_temporary {
            *temporary() = Some(path.clone());
        }
        Ok(Folder { path, is_temporary })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary {
            remove_temporary();
        }
    }
}

/// The folder that is not to be left behind.
static TEMPORARY: Mutex<Option<PathBuf>> = Mutex::new(None);

fn temporary() -> MutexGuard<'static, Option<PathBuf>> {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Called as well when the process is about to end without further ado.
pub fn remove_temporary() {
    if let Some(path) = temporary().take() {
        // A process that ends just now may write into it meanwhile; there is nobody left to tell.
        let _ = (0..5).find(|_| fs::remove_dir_all(&path).is_ok());
    }
}

/// Runs the command to its end; its exit status, or `None` if a signal ended it.
pub fn run(folder: &Folder, plan: &Plan, command: &[OsString]) -> Result<Option<i32>, String> {
    let agent = folder.path().join("agent");
    for (name, text) in FILES {
        write(&agent.join(name), text)?;
    }
    let plan_path = folder.path().join("plan.json");
    write(&plan_path, &serde_json::to_string(plan).map_err(|error| error.to_string())?)?;

    let [program, arguments @ ..] = command else { return Err("there is no command to run".into()) };
    let status = Command::new(program)
        .args(arguments)
        .env("PYTHONPATH", in_front(&agent)?)
        .env("UNLEAK_PLAN", &plan_path)
        .status()
        .map_err(|error| format!("{}: {error}", program.to_string_lossy()));
    // What is kept may lie in the project, and is not to be checked with it.
    fs::remove_dir_all(&agent).map_err(|error| format!("{}: {error}", agent.display()))?;
    Ok(status?.code())
}

/// The path on which Python looks for modules, with a folder put before what is there.
fn in_front(folder: &Path) -> Result<OsString, String> {
    let present = env::var_os("PYTHONPATH").unwrap_or_default();
    let rest = env::split_paths(&present).filter(|path| !path.as_os_str().is_empty());
    env::join_paths(std::iter::once(folder.to_owned()).chain(rest)).map_err(|error| error.to_string())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
