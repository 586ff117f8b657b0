//! The lock file, `NAME.lock.ron` beside the graph: what the graph leaves open, and what it was when it was last looked at.
//!
//! Encoding: RON, written by `Lock::to_text` alone, one file a line, inputs sorted by name, files in the graph's order, so that a
//! version control system shows what changed. Read strictly: unknown fields, double inputs, hashes that are none and other
//! format versions are errors with line and column. A lock holds every input that floats and nothing else.

mod renew;
mod text;

use super::hash::is_sha256;
pub use renew::{Change, Renewal, renew};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};
pub use text::Error;

/// What a lock file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By the name of the input.
    pub inputs: BTreeMap<String, Entry>,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// In the order in which the graph names the packages; then what these depend on, by name.
    pub files: Vec<Locked>,
    /// How many of the files, the last ones, are there because others depend on them; none where dependencies do not come along.
    #[serde(default)]
    pub needed: Option<usize>,
    /// NAR sha256 of the resulting tree, if it is a tree.
    #[serde(default)]
    pub tree: Option<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locked {
    /// A Debian binary package.
    Deb(Deb),
    /// A wheel.
    Wheel(Wheel),
}

/// A Debian binary package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deb {
    /// Its name.
    pub package: String,
    /// The suite that the graph asks for.
    #[serde(default)]
    pub suite: Option<String>,
    /// Its version.
    pub version: String,
    /// Of the `.deb`.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Path on a mirror.
    pub pool: String,
}

/// A wheel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// The name that the graph uses.
    pub package: String,
    /// Its version.
    pub version: String,
    /// Of the wheel.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// The wheel's file name.
    pub file: String,
}

impl Locked {
    /// The package's name.
    pub fn package(&self) -> &str {
        match self {
            Locked::Deb(deb) => &deb.package,
            Locked::Wheel(wheel) => &wheel.package,
        }
    }

    /// The package's version.
    pub fn version(&self) -> &str {
        match self {
            Locked::Deb(deb) => &deb.version,
            Locked::Wheel(wheel) => &wheel.version,
        }
    }

    /// The file's hash.
    pub fn sha256(&self) -> &str {
        match self {
            Locked::Deb(deb) => &deb.sha256,
            Locked::Wheel(wheel) => &wheel.sha256,
        }
    }

    /// The file's size.
    pub fn size(&self) -> u64 {
        match self {
            Locked::Deb(deb) => deb.size,
            Locked::Wheel(wheel) => wheel.size,
        }
    }
}

impl Entry {
    /// Whether this is what the place would give: the same packages in the same order, of the same suite and version.
    pub fn answers(&self, place: &graphs::Place) -> bool {
        use graphs::Place;
        match (place, &self.files[..]) {
            (Place::Debian { packages, suite, dependencies }, files)
                if *dependencies == self.needed.is_some()
                    && packages.len() + self.needed.unwrap_or(0) == files.len() =>
            {
                packages.iter().zip(files).all(|(wanted, file)| {
                    let (package, version) =
                        wanted.split_once('=').map_or((&wanted[..], None), |(p, v)| (p, Some(v)));
                    matches!(file, Locked::Deb(deb) if deb.package == package && deb.suite == *suite
                        && version.is_none_or(|version| version == deb.version))
                })
            }
            (Place::Wheel { package, version }, [Locked::Wheel(wheel)]) => {
                wheel.package == *package && version.as_ref().is_none_or(|version| *version == wheel.version)
            }
            _ => false,
        }
    }

    /// What a hand-made entry may get wrong.
    fn problem(&self) -> Option<String> {
        let hashes = self.files.iter().map(Locked::sha256).chain(self.tree.as_deref());
        let bad =
            hashes.into_iter().find(|text| !is_sha256(text)).map(|text| format!("\"{text}\" is no sha256"));
        let outside = |file: &Locked| {
            matches!(file, Locked::Deb(deb) if deb.pool.starts_with('/')
            || deb.pool.split('/').any(|part| part == "..") || !deb.pool.bytes().all(|byte| byte.is_ascii_graphic()))
        };
        bad.or_else(|| self.files.is_empty().then(|| "no files".into()))
            .or_else(|| self.files.iter().any(outside).then(|| "a pool path that leaves the mirror".into()))
    }
}

/// `NAME.lock.ron` beside `NAME.ron`.
pub fn path(graph: &Path) -> PathBuf {
    graph.with_extension("lock.ron")
}

impl Lock {
    /// The lock beside a graph; empty when there is none.
    pub fn load(graph: &Path) -> Result<Self, Error> {
        let path = path(graph);
        match fs::read_to_string(&path) {
            Ok(text) => text::read(&path.display().to_string(), &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Lock::default()),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    /// Writes the lock beside its graph, whole or not at all; an empty one is removed instead.
    pub fn save(&self, graph: &Path) -> Result<PathBuf, Error> {
        let path = path(graph);
        let written = if self.inputs.is_empty() {
            fs::remove_file(&path).or_else(|error| if path.exists() { Err(error) } else { Ok(()) })
        } else {
            let folder =
                path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            write(folder, &path, &self.to_text())
        };
        written.map(|()| path.clone()).map_err(|source| Error::Io { path, source })
    }

    /// Reads a lock; `name` stands in errors.
    pub fn read(name: &str, text: &str) -> Result<Self, Error> {
        text::read(name, text)
    }

    /// The one form in which a lock is written.
    pub fn to_text(&self) -> String {
        text::write(self)
    }
}

fn write(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write, os::unix::fs::PermissionsExt};
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    // It belongs to the graph, which others read too; a temporary file is for its owner alone.
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}
