//! Two trees side by side.

use super::bytes::{Part, parts};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One difference between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, below the roots; empty for the roots themselves.
    pub path: PathBuf,
    /// What is different there.
    pub what: What,
}

/// What is different at a path. `one` and `other` are in the order in which the trees were handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Only one of the trees has it: the first one, or not.
    OnlyIn {
        /// Whether it is the first one.
        first: bool,
    },
    /// They are of different kinds.
    Kind {
        /// A word for the first one's kind.
        one: &'static str,
        /// A word for the other's.
        other: &'static str,
    },
    /// One is executable and the other is not.
    Executable {
        /// Whether it is the first one.
        first: bool,
    },
    /// Symbolic links lead to different places.
    Target {
        /// Where the first one leads.
        one: PathBuf,
        /// Where the other one leads.
        other: PathBuf,
    },
    /// The contents differ.
    Bytes {
        /// Bytes of the first one, and of the other.
        sizes: (u64, u64),
        /// Each part that differs.
        parts: Vec<Part>,
    },
}

/// All differences of two trees, or of two files, that a NAR would show, in the order of their paths. Modes other than whether
/// the owner may execute a file, times and owners are none of it.
///
/// # Errors
/// What can not be read, with its path.
pub fn differences(one: &Path, other: &Path) -> io::Result<Vec<Difference>> {
    let mut all = Vec::new();
    walk(one, other, Path::new(""), &mut all)?;
    Ok(all)
}

fn walk(one: &Path, other: &Path, path: &Path, all: &mut Vec<Difference>) -> io::Result<()> {
    let (first, second) = (at(one, fs::symlink_metadata)?, at(other, fs::symlink_metadata)?);
    let mut add = |what| all.push(Difference { path: path.to_owned(), what });
    let (kind, other_kind) = (kind(&first), kind(&second));
    if kind != other_kind {
        add(What::Kind { one: kind, other: other_kind });
    } else if first.is_symlink() {
        let (one, other) = (at(one, fs::read_link)?, at(other, fs::read_link)?);
        if one != other {
            add(What::Target { one, other });
        }
    } else if first.is_dir() {
        let (names, theirs) = (names(one)?, names(other)?);
        for name in names.union(&theirs) {
            let path = path.join(name);
            match (names.contains(name), theirs.contains(name)) {
                (true, true) => walk(&one.join(name), &other.join(name), &path, all)?,
                (first, _) => all.push(Difference { path, what: What::OnlyIn { first } }),
            }
        }
    } else {
        let executable = |meta: &fs::Metadata| meta.mode() & 0o100 != 0;
        if executable(&first) != executable(&second) {
            add(What::Executable { first: executable(&first) });
        }
        let parts = parts(&at(one, fs::read)?, &at(other, fs::read)?);
        if !parts.is_empty() {
            add(What::Bytes { sizes: (first.len(), second.len()), parts });
        }
    }
    Ok(())
}

fn names(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    at(folder, fs::read_dir)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

fn kind(meta: &fs::Metadata) -> &'static str {
    match meta.file_type() {
        kind if kind.is_dir() => "folder",
        kind if kind.is_symlink() => "symbolic link",
        kind if kind.is_file() => "file",
        _ => "special file",
    }
}

/// An error that says where.
fn at<'a, T>(path: &'a Path, act: impl FnOnce(&'a Path) -> io::Result<T>) -> io::Result<T> {
    act(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn everything_that_a_nar_shows_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        for (root, text, link, mode) in [(&one, "a\nb\n", "x", 0o755), (&other, "a\nc\n", "y", 0o655)] {
            fs::create_dir_all(root.join("sub")).unwrap();
            fs::write(root.join("sub/text"), text).unwrap();
            fs::write(root.join("run"), "").unwrap();
            fs::set_permissions(root.join("run"), fs::Permissions::from_mode(mode)).unwrap();
            symlink(link, root.join("link")).unwrap();
        }
        assert_eq!(differences(&one, &one).unwrap(), []);
        fs::write(one.join("kind"), "").unwrap();
        fs::create_dir(other.join("kind")).unwrap();
        fs::write(other.join("more"), "").unwrap();
        let found = differences(&one, &other).unwrap();
        let paths: Vec<_> = found.iter().map(|difference| difference.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["kind", "link", "more", "run", "sub/text"]);
        assert_eq!(found[0].what, What::Kind { one: "file", other: "folder" });
        assert_eq!(found[1].what, What::Target { one: "x".into(), other: "y".into() });
        assert_eq!(found[2].what, What::OnlyIn { first: false });
        assert_eq!(found[3].what, What::Executable { first: true });
        assert!(matches!(&found[4].what, What::Bytes { sizes: (4, 4), parts } if parts[0].first == 2));
    }
}
