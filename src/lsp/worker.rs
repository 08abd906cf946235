//! The thread that checks, so that the editor is always answered.
//!
//! It keeps a project for each folder of the workspace, and one for the open files that are in none of them. What has
//! changed comes in batches, as many changes as there were while the last check ran, and projects in which nothing
//! has changed are not checked again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};

use super::settings::Settings;
use crate::engine::project::Project;
use crate::engine::{Early, Outcome, Progress, panics};
use crate::fix::{self, ChangedFile};

pub enum Change {
    /// The folders of the workspace, and what the user has set.
    Workspace(Vec<PathBuf>, Settings),
    /// The text that stands for a file, by its canonical path.
    Text(PathBuf, Option<Arc<str>>),
    /// A file has been written.
    Written(PathBuf),
    /// Anything may have been written.
    Anything,
}

pub enum Job {
    Check {
        /// Comes back with what was found.
        generation: u64,
        changes: Vec<Change>,
        /// Files that somebody waits for.
        urgent: Vec<PathBuf>,
    },
    /// Mend a file, and say what it would be.
    Mend { ticket: u64, path: PathBuf },
}

pub enum Answer {
    /// What was found in the urgent files.
    Early {
        generation: u64,
        outcome: Outcome,
    },
    /// What was found in each project.
    Checked {
        generation: u64,
        outcomes: Vec<Arc<Outcome>>,
        mistakes: Vec<String>,
    },
    Mended {
        ticket: u64,
        file: Option<ChangedFile>,
    },
}

/// Works until there is nobody to work for.
pub fn run(jobs: &Receiver<Job>, answers: &Sender<Answer>, progress: &Progress) {
    let mut worker = Worker::default();
    for job in jobs {
        let sent = match job {
            Job::Check { generation, changes, urgent } => {
                let mut send = |outcome| drop(answers.send(Answer::Early { generation, outcome }));
                let early = Early { paths: &urgent, send: &mut send };
                let mut mistakes = Vec::new();
                let outcomes = panics::catch(|| {
                    for change in changes {
                        mistakes.extend(worker.take(change));
                    }
                    worker.check(progress, early)
                });
                // What was found before is no longer true, and nothing else is known.
                let outcomes = outcomes.unwrap_or_else(|message| {
                    mistakes.push(format!("unleak failed: {message}"));
                    worker.look_again();
                    Vec::new()
                });
                answers.send(Answer::Checked { generation, outcomes, mistakes })
            }
            Job::Mend { ticket, path } => {
                let file = panics::catch(|| worker.mend(&path)).ok().flatten();
                answers.send(Answer::Mended { ticket, file })
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

#[derive(Default)]
struct Worker {
    settings: Settings,
    /// Each with its canonical folder.
    roots: Vec<(PathBuf, Project)>,
    /// Of files that are in no folder of the workspace.
    loose: Option<Project>,
    loose_files: Vec<PathBuf>,
    texts: Vec<(PathBuf, Arc<str>)>,
}

impl Worker {
    /// What is wrong with what the user has set.
    fn take(&mut self, change: Change) -> Vec<String> {
        match change {
            Change::Workspace(folders, settings) => return self.set_workspace(folders, settings),
            Change::Text(path, text) => return self.set_text(path, text),
            Change::Written(path) => self.all().for_each(|project| project.file_changed(&path)),
            Change::Anything => self.look_again(),
        }
        Vec::new()
    }

    fn look_again(&mut self) {
        self.all().for_each(Project::look_again);
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Project> {
        self.roots.iter_mut().map(|(_, project)| project).chain(&mut self.loose)
    }

    fn set_workspace(&mut self, folders: Vec<PathBuf>, settings: Settings) -> Vec<String> {
        let mut mistakes = Vec::new();
        self.settings = settings;
        let mut known = std::mem::take(&mut self.roots);
        let mut folders: Vec<(PathBuf, PathBuf)> =
            folders.into_iter().map(|folder| (super::uri::canonical(&folder), folder)).collect();
        folders.sort();
        // A folder in another belongs to it.
        folders.dedup_by(|inner, outer| inner.0.starts_with(&outer.0));
        for (key, folder) in folders {
            let request = self.settings.request(vec![folder.clone()], &key).unwrap_or_else(|mistake| {
                mistakes.push(mistake);
                Settings::default().request(vec![folder], &key).unwrap_or_default()
            });
            let project = match known.iter().position(|(other, _)| *other == key) {
                Some(at) => {
                    let mut project = known.swap_remove(at).1;
                    project.set_request(request);
                    Ok(project)
                }
                None => Project::new(request),
            };
            match project {
                Ok(mut project) => {
                    for (path, text) in &self.texts {
                        project.set_text(path, Some(text.clone()));
                    }
                    self.roots.push((key, project));
                }
                Err(message) => mistakes.push(format!("no threads to work on: {message}")),
            }
        }
        self.loose = None;
        self.loose_files.clear();
        let paths: Vec<PathBuf> = self.texts.iter().map(|(path, _)| path.clone()).collect();
        mistakes.extend(self.set_loose(&paths));
        mistakes
    }

    fn set_text(&mut self, path: PathBuf, text: Option<Arc<str>>) -> Vec<String> {
        self.texts.retain(|(other, _)| *other != path);
        self.texts.extend(text.clone().map(|text| (path.clone(), text)));
        for (folder, project) in &mut self.roots {
            if path.starts_with(folder) || project.has(&path) {
                project.set_text(&path, text.clone());
            }
        }
        let mistakes = self.set_loose(std::slice::from_ref(&path));
        if let Some(project) = &mut self.loose
            && (self.loose_files.contains(&path) || project.has(&path))
        {
            project.set_text(&path, text);
        }
        mistakes
    }

    /// Looks at which of some files are open and in no folder of the workspace.
    fn set_loose(&mut self, paths: &[PathBuf]) -> Vec<String> {
        let before = self.loose_files.clone();
        for path in paths {
            let is_loose = !self.roots.iter().any(|(folder, _)| path.starts_with(folder))
                && self.texts.iter().any(|(open, _)| open == path);
            self.loose_files.retain(|other| other != path);
            if is_loose {
                self.loose_files.push(path.clone());
            }
        }
        self.loose_files.sort();
        if self.loose_files == before {
            return Vec::new();
        }
        if self.loose_files.is_empty() {
            self.loose = None;
            return Vec::new();
        }
        let here = self.loose_files.first().and_then(|file| file.parent()).unwrap_or(Path::new("/")).to_owned();
        let request = match self.settings.request(self.loose_files.clone(), &here) {
            Ok(request) => request,
            Err(mistake) => return vec![mistake],
        };
        match &mut self.loose {
            Some(project) => project.set_request(request),
            None => match Project::new(request) {
                Ok(project) => self.loose = Some(project),
                Err(message) => return vec![format!("no threads to work on: {message}")],
            },
        }
        if let Some(project) = &mut self.loose {
            for (path, text) in &self.texts {
                project.set_text(path, Some(text.clone()));
            }
        }
        Vec::new()
    }

    fn check(&mut self, progress: &Progress, early: Early) -> Vec<Arc<Outcome>> {
        let Early { paths, send } = early;
        self.all().map(|project| project.check(progress, Some(Early { paths, send }))).collect()
    }

    fn mend(&mut self, path: &Path) -> Option<ChangedFile> {
        let project = self.all().find(|project| project.has(path))?;
        let before = project.text(path);
        let check = |texts: &fix::Texts| {
            for (shown, text) in texts {
                if let Some(path) = project.path_of(shown) {
                    project.set_text(&path, Some(text.as_str().into()));
                }
            }
            (*project.check(&Progress::default(), None)).clone()
        };
        let mended = fix::mend_by(check, |shown| super::uri::canonical(shown) == path, false);
        project.set_text(path, before);
        mended.files.into_iter().next()
    }
}
