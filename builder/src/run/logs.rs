//! What steps print, kept beside the record of their run.
//!
//! # Layout
//! ```text
//! RECORD             the record
//! RECORD.logs/       a folder beside it
//!     STEP.log       what the step printed, a line for each of its lines, as the console shows them
//! ```
//! The machine ends a step that prints more than its log limit, so a file has no more than that many bytes, and a line break for each line.
//! The record says the sha256 of each log, so that one which was changed, or is another run's, is seen. Logs that can't be kept, for want
//! of room, are said and missing; the run goes on.

use crate::run::preflight;
use crate::run::results::Results;
use crate::ui::term;
use formats::store_path::base;
use qemu::{Event, Line};
use records::record::Log;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Takes in the lines of a run.
#[derive(Default)]
pub struct Logs {
    folder: Option<PathBuf>,
    now: Option<Now>,
}

/// The log of the step that runs.
struct Now {
    step: String,
    hash: Sha256,
    size: u64,
    file: Option<BufWriter<File>>,
}

/// Where the logs of a record are.
pub fn folder(record: &Path) -> PathBuf {
    let mut name = record.as_os_str().to_owned();
    name.push(".logs");
    name.into()
}

/// Where the log of a step is.
pub fn file(record: &Path, step: &str) -> PathBuf {
    folder(record).join(named(step))
}

/// A derivation's name in a store is the last part of its path.
fn named(step: &str) -> String {
    format!("{}.log", base(step))
}

impl Logs {
    /// Of a run whose record is to be there; without one, logs are only hashed.
    pub fn beside(record: Option<&Path>) -> Logs {
        // A record that goes to a device or a pipe has nothing beside it.
        let is_file = |path: &&Path| fs::metadata(path).map_or(true, |meta| meta.is_file());
        Logs { folder: record.filter(is_file).map(folder), now: None }
    }

    /// Takes in the next line of the console. What is known of a step's log when it ends goes to the results.
    pub fn line(&mut self, line: &Line, results: &mut Results) {
        match line {
            Line::Event(Event::Step { name }) => self.begin(name),
            Line::Log(text) => self.add(text),
            Line::Event(Event::Built { name, .. } | Event::Failed { name, .. }) => {
                if let Some(log) = self.end(name) {
                    results.logs.insert(name.clone(), log);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, step: &str) {
        let made = self.folder.as_ref().map(|folder| create(folder, step)).transpose();
        let file = made.unwrap_or_else(|error| self.lost(step, &error));
        self.now = Some(Now { step: step.to_owned(), hash: Sha256::new(), size: 0, file });
    }

    fn add(&mut self, text: &str) {
        let Some(now) = &mut self.now else { return };
        let line = [text.as_bytes(), b"\n"].concat();
        now.hash.update(&line);
        now.size += line.len() as u64;
        let written = now.file.as_mut().map_or(Ok(()), |file| file.write_all(&line));
        if let Err(error) = written {
            let step = now.step.clone();
            now.file = None;
            self.lost::<()>(&step, &error);
        }
    }

    fn end(&mut self, step: &str) -> Option<Log> {
        let mut now = self.now.take().filter(|now| now.step == step)?;
        if let Err(error) = now.file.as_mut().map_or(Ok(()), Write::flush) {
            self.lost::<()>(step, &error);
        }
        Some(Log { sha256: <[u8; 32]>::from(now.hash.finalize()).into(), size: now.size })
    }

    /// Says that a log is lost; the others may fare better.
    fn lost<T>(&self, step: &str, error: &io::Error) -> Option<T> {
        let folder = self.folder.as_deref().unwrap_or(Path::new(""));
        term::note(&format!("the log of {step} is not kept in {}: {error}", folder.display()));
        None
    }
}

/// A new file, also where there is one of a run before. The folder is no symbolic link, and neither is the file.
fn create(folder: &Path, step: &str) -> io::Result<BufWriter<File>> {
    if preflight::is_link(folder) {
        return Err(io::Error::other("this is a symbolic link, which is not followed"));
    }
    fs::create_dir_all(folder)?;
    let path = folder.join(named(step));
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    File::options().write(true).create_new(true).open(path).map(BufWriter::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use formats::digest::Sha256;

    #[test]
    fn each_step_has_its_own_and_the_results_have_their_hashes() {
        let temporary = tempfile::tempdir().unwrap();
        let record = temporary.path().join("record.json");
        let (mut logs, mut results) = (Logs::beside(Some(&record)), Results::default());
        let log = |text: &str| Line::Log(text.into());
        let step = |name: &str| Line::Event(Event::Step { name: name.into() });
        let built = |name: &str| Line::Event(Event::Built { name: name.into(), milliseconds: 1 });
        let lines = [
            log("nobody's"),
            step("a"),
            log("one"),
            log(""),
            built("a"),
            log("nobody's"),
            step("b"),
            built("b"),
        ];
        lines.iter().for_each(|line| logs.line(line, &mut results));
        let read = |step: &str| fs::read_to_string(file(&record, step)).unwrap();
        assert_eq!((read("a").as_str(), read("b").as_str()), ("one\n\n", ""));
        assert_eq!(results.logs["a"], Log { sha256: Sha256::of("one\n\n"), size: 5 });
        assert_eq!(results.logs["b"], Log { sha256: Sha256::of(""), size: 0 });
    }

    #[test]
    fn a_link_is_not_written_through() {
        let temporary = tempfile::tempdir().unwrap();
        let at = |name: &str| temporary.path().join(name);
        fs::create_dir(at("real")).unwrap();
        std::os::unix::fs::symlink("real", at("record.logs")).unwrap();
        assert!(create(&at("record.logs"), "a").is_err());
        fs::write(at("victim"), "x").unwrap();
        std::os::unix::fs::symlink("../victim", at("real/a.log")).unwrap();
        create(&at("real"), "a").unwrap();
        assert_eq!(fs::read(at("victim")).unwrap(), b"x");
    }
}
