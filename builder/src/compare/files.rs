//! From the words of the command line to parties: which files are whose, read.

use super::read::{self, Claims};
use super::verdict::Party;
use crate::failure::Failure;
use graphs::Problem;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes of a record, far above what a program writes.
const LARGEST: u64 = 256 << 20;

/// Reads all records; every bad one is reported.
pub fn parties(records: &[String]) -> Result<Vec<Party>, Failure> {
    let named: Vec<_> = records.iter().map(|record| named(record)).collect();
    let mut parties: Vec<Party> = Vec::new();
    let mut problems = Vec::new();
    for (label, path) in &named {
        let same_base = named.iter().filter(|(label, other)| label.is_none() && base(other) == base(path));
        let distinct: BTreeSet<_> = same_base.map(|(_, path)| path).collect();
        let name = label.clone().unwrap_or_else(|| match distinct.len() {
            1 => base(path),
            _ => path.display().to_string(),
        });
        let claims =
            files(path).and_then(|files| files.iter().map(|file| one(file)).collect::<Result<Vec<_>, _>>());
        match claims {
            Err(problem) => problems.push(*problem),
            Ok(claims) => match parties.iter_mut().find(|party| party.name == name) {
                Some(party) => party.claims.extend(claims),
                None => parties.push(Party { name, claims }),
            },
        }
    }
    if problems.is_empty() { Ok(parties) } else { Err(Failure::several(problems)) }
}

/// `LABEL=FILE`, unless that is a file's name.
fn named(record: &str) -> (Option<String>, PathBuf) {
    match record.split_once('=') {
        Some((label, path)) if !label.is_empty() && !Path::new(record).exists() => {
            (Some(label.into()), path.into())
        }
        _ => (None, record.into()),
    }
}

fn base(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The file or, of a folder, all the files in it: the narinfos of one cache, for example.
fn files(path: &Path) -> Result<Vec<PathBuf>, Box<Problem>> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    };
    match list() {
        Ok(files) if !files.is_empty() => Ok(files),
        Ok(_) => Err(problem(format!("{}: there is no file in it", path.display()), "name records")),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn one(path: &Path) -> Result<Claims, Box<Problem>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => return Err(unreadable(path, &error)),
        Ok(size) if size as u64 > LARGEST => {
            let text = format!("{}: more than {} MiB", path.display(), LARGEST >> 20);
            return Err(problem(text, "name a record; the outputs themselves belong to --outputs"));
        }
        Ok(_) => {}
    }
    read::read(&bytes).map_err(|error| {
        problem(
            format!("{}: {error}", path.display()),
            "a record is an in-toto statement, a DSSE envelope with one, a narinfo, what `nix path-info --json` \
             prints, or a list of hashes as sha256sum writes it",
        )
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Box<Problem> {
    problem(format!("{}: {error}", path.display()), "name a record that can be read")
}

fn problem(text: String, help: &str) -> Box<Problem> {
    Box::new(Problem::error(text).help(help))
}
