//! Files that are written at once or not at all.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lets `write` make the file's new content, and puts it in the place of the old. If anything fails, the file is what
/// it was. Links stay links, and permissions stay.
pub fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    if is_device(path) {
        let mut out = BufWriter::new(open_device(path)?);
        return write(&mut out).and_then(|()| out.flush());
    }
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let permissions = fs::metadata(&path).ok().map(|known| known.permissions());
    let (temporary, file) = create_beside(&path)?;
    let mut out = BufWriter::new(file);
    let result = write(&mut out)
        .and_then(|()| out.flush())
        .and_then(|()| out.get_ref().sync_all())
        .and_then(|()| permissions.map_or(Ok(()), |permissions| fs::set_permissions(&temporary, permissions)));
    // Whoever stops the run now waits until the file is in its place, or has taken it away and keeps this from going on.
    let mut unfinished = unfinished();
    let result = result.and_then(|()| fs::rename(&temporary, &path));
    if result.is_err() {
        // The first error is the one to tell of.
        let _ = fs::remove_file(&temporary);
    }
    *unfinished = None;
    result
}

/// The new file that is not in its place yet.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

fn unfinished() -> MutexGuard<'static, Option<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Called when the process is about to end: from then on no file gets into its place.
pub fn remove_unfinished() {
    let mut unfinished = unfinished();
    if let Some(path) = unfinished.take() {
        // There is nobody left to tell.
        let _ = fs::remove_file(path);
    }
    std::mem::forget(unfinished);
}

/// What is there to be written to, not to be replaced: `/dev/null`, `/dev/stderr` (which may be a file by another name),
/// pipes. Below `/dev/shm` are files like others.
fn is_device(path: &Path) -> bool {
    (path.starts_with("/dev") && !path.starts_with("/dev/shm"))
        || fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// Where a standard stream is a file, opening it once more would write over what the stream has written and will write.
fn open_device(path: &Path) -> io::Result<Box<dyn Write>> {
    Ok(match path.to_str() {
        Some("/dev/stdout") => Box::new(io::stdout()),
        Some("/dev/stderr") => Box::new(io::stderr()),
        _ => Box::new(fs::OpenOptions::new().write(true).open(path)?),
    })
}

/// A new file in the same folder: only there it can take the other's place at once.
fn create_beside(path: &Path) -> io::Result<(PathBuf, fs::File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.unleak", std::process::id()));
    // Known before it is there, so that it cannot be forgotten.
    *unfinished() = Some(temporary.clone());
    let file = fs::File::create_new(&temporary);
    if file.is_err() {
        *unfinished() = None;
    }
    Ok((temporary, file?))
}
