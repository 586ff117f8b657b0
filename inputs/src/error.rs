//! Why an input could not be had.
#![expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]

use graphs::words::count;
use std::{io, path::PathBuf};

/// A failure of one input, complete enough to be shown as it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every place was tried.
    #[error("input \"{name}\" could not be obtained{}", list(attempts))]
    Unobtainable { name: String, attempts: Vec<Attempt> },
    #[error("input \"{name}\" has no sha256 and is not in the lock file; `groundup lock GRAPH` resolves it")]
    NotLocked { name: String },
    #[error(
        "input \"{name}\" has no sha256, and only packages may float; what its place gives now hashes to {found}"
    )]
    NotPinned { name: String, found: String },
    #[error("input \"{name}\": {what}; `groundup lock GRAPH` renews the lock file")]
    StaleLock { name: String, what: String },
    #[error("input \"{name}\": archive {archive}: {source}")]
    Unpack { name: String, archive: String, source: super::unpack::Error },
    #[error("cache {}: {source}", path.display())]
    Cache { path: PathBuf, source: io::Error },
    /// The cache's file system took no more. What was being made is gone.
    #[error("no room in {} for {what}: {source}", folder.display())]
    Full { folder: PathBuf, what: String, source: io::Error },
}

/// One place that was tried.
#[derive(Debug)]
pub struct Attempt {
    /// Its number among the input's places.
    pub place: usize,
    /// What was tried, in a few words.
    pub what: String,
    /// Why it did not give what it should.
    pub reason: Reason,
}

/// Why one place did not give what it should.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    #[error("wrong sha256: expected {expected}, found {found} ({}); nothing was kept", count(*size as usize, "byte"))]
    WrongHash { expected: String, found: String, size: u64 },
    #[error("what it has now hashes to {found}, expected {expected}; nothing was kept")]
    OtherFile { expected: String, found: String },
    #[error("line {line}, column {column} of the hex: {what}")]
    Hex { line: usize, column: usize, what: String },
    #[error("the path leaves the graph's folder")]
    Escape,
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// The cache's file system took no more.
    #[error("no room in {} for {what}: {source}", folder.display())]
    Full { folder: PathBuf, what: String, source: io::Error },
    /// The server has no such file, or does not give it.
    #[error("the server answered {text}")]
    Status { code: u16, text: String },
    /// Broken off halfway.
    #[error("{0}")]
    Http(String),
    /// Neither name nor connection: it is not known whether the file is there.
    #[error("the server can't be reached: {0}")]
    Unreachable(String),
    /// The address, or where it leads to, is wrong.
    #[error("{0}")]
    Address(String),
    #[error(
        "too slow: {bytes} bytes came within {seconds} seconds, and less than {rate} bytes a second are not waited for"
    )]
    Slow { bytes: u64, seconds: u64, rate: u64 },
    #[error("larger than the limit of {0} bytes")]
    TooLarge(u64),
    #[error("\"{0}\" is no URL that can be fetched: http:, https: and file: can")]
    Scheme(String),
    #[error("the program {program} is missing; Debian's package {package} has it")]
    MissingProgram { program: &'static str, package: &'static str },
    #[error("{program}: {what}")]
    Program { program: &'static str, what: String },
    /// What a program of `apt` could not fetch, with the status that the mirror gave.
    #[error("apt-helper: {what}")]
    Mirror { code: Option<u16>, what: String },
    /// No mirror gave it, and not all of them said that they don't have it.
    #[error("{}", .0.join("; "))]
    Mirrors(Vec<String>),
    /// A source package, or a file of it, that the index does not have.
    #[error("{missing} is not in the index of suite {suite}, which has {there}")]
    NoSource { missing: String, suite: String, there: String },
    #[error("no such package in {place}: {names}")]
    UnknownPackage { names: String, place: String },
    #[error("package {package} version {version} has vanished from the mirrors{}; {advice}", indent(tried))]
    Vanished { package: String, version: String, tried: Vec<String>, advice: &'static str },
    #[error("not in the lock file, and no sha256 in the graph")]
    NotLocked,
}

impl Reason {
    /// Whether the place said, beyond doubt, that it does not have the file. No text is looked at: a hash holds any digits.
    pub fn is_absent(&self) -> bool {
        match self {
            Reason::Status { code, .. } | Reason::Mirror { code: Some(code), .. } => {
                matches!(code, 404 | 410)
            }
            Reason::Read { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Whether the same may work at another time, from another machine, or with more room: what was asked for is not at fault.
    pub fn is_elsewhere(&self) -> bool {
        match self {
            Reason::Status { code, .. } => matches!(code, 408 | 429 | 500..),
            Reason::Full { .. }
            | Reason::Http(_)
            | Reason::Unreachable(_)
            | Reason::Slow { .. }
            | Reason::Mirrors(_) => true,
            Reason::Mirror { code, .. } => !matches!(code, Some(400..=499)),
            _ => false,
        }
    }
}

/// Whether a file system had no room left.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

impl Error {
    /// Whether trying again elsewhere or later may help (exit status 3), rather than a change of what was asked for (2).
    pub fn is_elsewhere(&self) -> bool {
        match self {
            Error::Unobtainable { attempts, .. } => attempts.iter().any(|one| one.reason.is_elsewhere()),
            Error::Full { .. } => true,
            _ => false,
        }
    }
}

/// What to do about a locked package that is gone.
pub const RENEW: &str = "`groundup lock GRAPH` picks the present one";
/// What to do about a pinned file that is gone.
pub const PINNED: &str =
    "add another place that still has the file (its sha256 stays), or pin a present version with its sha256";

fn list(attempts: &[Attempt]) -> String {
    match attempts {
        [] => ": it names no place".into(),
        _ => attempts.iter().map(|attempt| format!("\n  {}: {}", attempt.what, attempt.reason)).collect(),
    }
}

fn indent(tried: &[String]) -> String {
    tried.iter().map(|line| format!("\n    {line}")).collect::<String>()
        + if tried.is_empty() { "" } else { "\n    " }
}

/// Names the path in whatever went wrong with the cache.
pub fn cache<T>(path: &std::path::Path, result: io::Result<T>) -> Result<T, Error> {
    result.map_err(|source| match is_full(&source) {
        true => {
            let (folder, what) = place(path);
            Error::Full { folder, what, source }
        }
        false => Error::Cache { path: path.into(), source },
    })
}

/// The folder and the name of something that was to be written.
fn place(path: &std::path::Path) -> (PathBuf, String) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    (path.parent().unwrap_or(path).into(), name.into_owned())
}

/// What went wrong while `path` was written; where there was no room, what was written of it is removed, so that it does not
/// take the room of something else.
pub fn written(path: &std::path::Path, source: io::Error) -> Reason {
    if !is_full(&source) {
        return Reason::Read { path: path.into(), source };
    }
    super::discard::discard(path);
    let (folder, what) = place(path);
    Reason::Full { folder, what, source }
}

/// What the cache could not do, as a reason why a place failed.
pub fn into_reason(error: Error) -> Reason {
    match error {
        Error::Cache { path, source } => Reason::Read { path, source },
        Error::Full { folder, what, source } => Reason::Full { folder, what, source },
        other => Reason::Program { program: "cache", what: other.to_string() },
    }
}
