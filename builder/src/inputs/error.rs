//! Why an input could not be had.
#![expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]

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
    #[error("wrong sha256: expected {expected}, found {found} ({size} bytes); nothing was kept")]
    WrongHash { expected: String, found: String, size: u64 },
    #[error("what it has now hashes to {found}, expected {expected}; nothing was kept")]
    OtherFile { expected: String, found: String },
    #[error("line {line}, column {column} of the hex: {what}")]
    Hex { line: usize, column: usize, what: String },
    #[error("the path leaves the graph's folder")]
    Escape,
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Http(String),
    #[error("larger than the limit of {0} bytes")]
    TooLarge(u64),
    #[error("\"{0}\" is no URL that can be fetched: http:, https: and file: can")]
    Scheme(String),
    #[error("the program {program} is missing; Debian's package {package} has it")]
    MissingProgram { program: &'static str, package: &'static str },
    #[error("{program}: {what}")]
    Program { program: &'static str, what: String },
    #[error("no such package in {place}: {names}")]
    UnknownPackage { names: String, place: String },
    #[error("package {package} version {version} has vanished from the mirrors{}; {advice}", indent(tried))]
    Vanished { package: String, version: String, tried: Vec<String>, advice: &'static str },
    #[error("not in the lock file, and no sha256 in the graph")]
    NotLocked,
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
    result.map_err(|source| Error::Cache { path: path.into(), source })
}

/// What the cache could not do, as a reason why a place failed.
pub fn into_reason(error: Error) -> Reason {
    match error {
        Error::Cache { path, source } => Reason::Read { path, source },
        other => Reason::Program { program: "cache", what: other.to_string() },
    }
}
