//! From the words of the command line to parties: which files are whose, read.

use crate::failure::Failure;
use graphs::Problem;
use records::read::{self, Claims};
use records::sign::{self, Keys};
use records::verdict::Party;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes of a record, far above what a program writes.
const LARGEST: u64 = 256 << 20;

/// Reads all records; every bad one is reported. With keys, every record must be signed by one of them, and the parties are
/// the signers: whoever signs two records still is one.
pub fn parties(records: &[String], keys: Option<&Keys>) -> Result<Vec<Party>, Failure> {
    // However often a file is named, and by which paths: without a label it is one party's.
    let mut seen: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut once = |(label, path): (Option<String>, PathBuf)| match label {
        Some(_) => (label, path),
        None => {
            let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
            (None, seen.entry(real).or_insert(path).clone())
        }
    };
    let named: Vec<_> = records.iter().map(|record| once(named(record))).collect();
    let mut parties: Vec<Party> = Vec::new();
    let mut problems = Vec::new();
    for (label, path) in &named {
        let same_base = named.iter().filter(|(label, other)| label.is_none() && base(other) == base(path));
        let distinct: BTreeSet<_> = same_base.map(|(_, path)| path).collect();
        let name = label.clone().unwrap_or_else(|| match distinct.len() {
            1 => base(path),
            _ => path.display().to_string(),
        });
        let read = files(path)
            .and_then(|files| files.iter().map(|file| one(file, keys)).collect::<Result<Vec<_>, _>>());
        match read {
            Err(problem) => problems.push(*problem),
            Ok(read) => {
                for (claims, signers) in read {
                    let names = if keys.is_some() { signers } else { BTreeSet::from([name.clone()]) };
                    names.into_iter().for_each(|name| add(&mut parties, name, claims.clone()));
                }
            }
        }
    }
    if problems.is_empty() { Ok(parties) } else { Err(Failure::several(problems)) }
}

fn add(parties: &mut Vec<Party>, name: String, claims: Claims) {
    match parties.iter_mut().find(|party| party.name == name) {
        Some(party) => party.claims.push(claims),
        None => parties.push(Party { name, claims: vec![claims] }),
    }
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

/// The file or, of a folder, all the files in it that may be records: the narinfos of one cache, for example.
fn files(path: &Path) -> Result<Vec<PathBuf>, Box<Problem>> {
    if !path.is_dir() {
        return Ok(vec![path.into()]);
    }
    let list = || -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let other =
                path.extension().is_some_and(|ending| ending == "sig") || path.ends_with("nix-cache-info");
            if path.is_file() && !other {
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

/// The bytes of a record, or of what is said to be one.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Box<Problem>> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(unreadable(path, &error)),
        Ok(size) if size as u64 > LARGEST => {
            let text = format!("{}: more than {} MiB", path.display(), LARGEST >> 20);
            Err(problem(text, "name a record; the outputs themselves belong to --outputs"))
        }
        Ok(_) => Ok(bytes),
    }
}

/// The signature `FILE.sig` beside a file, if there is one.
pub fn signature_beside(path: &Path) -> Result<Option<String>, Box<Problem>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".sig");
    match fs::read_to_string(&name) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(Path::new(&name), &error)),
    }
}

fn one(path: &Path, keys: Option<&Keys>) -> Result<(Claims, BTreeSet<String>), Box<Problem>> {
    let bytes = read_file(path)?;
    let builds = |claims: &Claims| match &claims.no_build {
        None => Ok(()),
        Some(why) => {
            let help = "compare counts who built what: name a provenance or a record, and leave this out";
            Err(problem(format!("{}: predicateType: {why}", path.display()), help))
        }
    };
    if let Some(keys) = keys {
        let verified = sign::verify(&bytes, signature_beside(path)?.as_deref(), keys);
        let verified = verified.map_err(|refused| {
            let text = format!("{} is refused: {refused}", path.display());
            problem(text, "leave it out, or leave out --keys, and then no signature is verified")
        })?;
        return builds(&verified.claims).map(|()| (verified.claims, verified.signers));
    }
    let claims = read::read(&bytes).map_err(|error| {
        problem(
            format!("{}: {error}", path.display()),
            "a record is an in-toto statement, a DSSE envelope with one, a narinfo, what `nix path-info --json` \
             prints, or a list of hashes as sha256sum writes it",
        )
    });
    let claims = claims?;
    builds(&claims).map(|()| (claims, BTreeSet::new()))
}

fn unreadable(path: &Path, error: &io::Error) -> Box<Problem> {
    problem(format!("{}: {error}", path.display()), "name a record that can be read")
}

fn problem(text: String, help: &str) -> Box<Problem> {
    Box::new(Problem::error(text).help(help))
}
