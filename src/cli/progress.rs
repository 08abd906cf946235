//! A bar on standard error while a long run goes on.
//!
//! Most runs are over before it would be read, so it waits first; and it only ever shows on a terminal, where it is
//! wiped away at the end.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::engine::Progress;

const BEFORE_IT_SHOWS: Duration = Duration::from_millis(500);
const BETWEEN_UPDATES: Duration = Duration::from_millis(100);

/// Does the work, and shows how far it is if that is wanted and somebody can see it.
pub fn shown<T>(wanted: bool, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::default();
    if !wanted || !stderr().is_terminal() {
        return work(&progress);
    }
    std::thread::scope(|scope| {
        // Dropped when the work is over, also by a panic; that is how the thread learns of it.
        let (running, is_running) = channel::<()>();
        scope.spawn(|| draw(&progress, is_running));
        let result = work(&progress);
        drop(running);
        result
    })
}

fn draw(progress: &Progress, is_running: Receiver<()>) {
    let mut wait = BEFORE_IT_SHOWS;
    let mut bar: Option<ProgressBar> = None;
    while is_running.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        wait = BETWEEN_UPDATES;
        let bar = bar.get_or_insert_with(|| ProgressBar::no_length().with_style(style("{spinner} {pos} files")));
        let files = progress.files.load(Ordering::Relaxed) as u64;
        // Zero until all folders are walked.
        if files > 0 && bar.length() != Some(files) {
            bar.set_style(style("{spinner} {pos}/{len} files {wide_bar}"));
            bar.set_length(files);
        }
        bar.set_position(progress.done.load(Ordering::Relaxed) as u64);
        bar.tick();
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
