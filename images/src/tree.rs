//! Walking an input's directory in an order that depends on its names alone.
//!
//! A directory's entries follow it at once, sorted by bytes, each with everything below it: parents stand before
//! children, and the walk needs no more memory than the names of the directories it is in.

use std::fs::{self, File, FileType};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::{Archive, Error};

/// `O_NOFOLLOW` on Linux, x86 and most others: a file replaced by a link while we walk is not followed.
const O_NOFOLLOW: i32 = 0o400_000;
/// `O_NONBLOCK`: opening a file replaced by a FIFO while we walk does not wait for a writer.
const O_NONBLOCK: i32 = 0o4000;

/// Adds the directory at `path`, and all below it, under `name`.
pub(crate) fn add<W: Write>(archive: &mut Archive<W>, name: &[u8], path: &Path) -> Result<(), Error> {
    archive.directory(name)?;
    // The next one last.
    let mut pending = children(path, name)?;
    while let Some(Child { path, name, kind }) = pending.pop() {
        if kind.is_dir() {
            archive.directory(&name)?;
            pending.extend(children(&path, &name)?);
        } else {
            leaf(archive, &name, &path)?;
        }
    }
    Ok(())
}

/// Adds the plain file or the symbolic link at `path`.
pub(crate) fn leaf<W: Write>(archive: &mut Archive<W>, name: &[u8], path: &Path) -> Result<(), Error> {
    let kind = fs::symlink_metadata(path).map_err(|source| read_error(path, source))?.file_type();
    if kind.is_symlink() {
        let target = fs::read_link(path).map_err(|source| read_error(path, source))?;
        archive.symlink(name, target.as_os_str().as_bytes())
    } else if kind.is_file() {
        file(archive, name, path, None)
    } else {
        Err(Error::SetIdPolicy { found: special(kind), path: path.to_owned() })
    }
}

/// Adds the plain file at `path`; it is executable if `executable` says so or, without, its owner may execute it.
pub(crate) fn file<W: Write>(
    archive: &mut Archive<W>,
    name: &[u8],
    path: &Path,
    executable: Option<bool>,
) -> Result<(), Error> {
    let flags = O_NONBLOCK | if executable.is_none() { O_NOFOLLOW } else { 0 };
    let mut opened = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|source| read_error(path, source))?;
    let meta = opened.metadata().map_err(|source| read_error(path, source))?;
    if !meta.is_file() {
        let found = if meta.is_dir() { "a directory" } else { special(meta.file_type()) };
        return Err(Error::Kind { path: path.to_owned(), expected: "a plain file", found });
    }
    let executable = executable.unwrap_or(meta.mode() & 0o100 != 0);
    archive.file(name, executable, path, meta.len(), &mut opened)
}

/// Something in a directory.
struct Child {
    path: PathBuf,
    /// Its path in the image.
    name: Vec<u8>,
    /// From the directory itself: no system call for each file.
    kind: FileType,
}

/// What is in a directory, the first by bytes last.
fn children(path: &Path, name: &[u8]) -> Result<Vec<Child>, Error> {
    let mut children = Vec::new();
    for entry in fs::read_dir(path).map_err(|source| read_error(path, source))? {
        let entry = entry.map_err(|source| read_error(path, source))?;
        let kind = entry.file_type().map_err(|source| read_error(&entry.path(), source))?;
        let name = [name, b"/", entry.file_name().as_bytes()].concat();
        children.push(Child { path: entry.path(), name, kind });
    }
    children.sort_unstable_by(|a, b| b.name.cmp(&a.name));
    Ok(children)
}

fn read_error(path: &Path, source: std::io::Error) -> Error {
    Error::Read { path: path.to_owned(), source }
}

fn special(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a FIFO"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() {
        "a block device"
    } else if kind.is_char_device() {
        "a character device"
    } else {
        "no file of a known kind"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_bytes_and_parents_come_first() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b", "a-b", "a/c", "a/\u{e4}", "a/B"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let mut archive = Archive::new(Vec::new());
        add(&mut archive, b"t", dir.path()).unwrap();
        let bytes = archive.finish().unwrap().0;
        let names: Vec<_> = crate::read::entries(&bytes)
            .map(|entry| String::from_utf8(entry.unwrap().name.to_vec()).unwrap())
            .collect();
        assert_eq!(names, ["t", "t/a", "t/a/B", "t/a/c", "t/a/\u{e4}", "t/a-b", "t/b"]);
    }

    #[test]
    fn special_files_are_refused_with_their_path() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let error = add(&mut Archive::new(Vec::new()), b"t", dir.path()).unwrap_err();
        assert!(
            matches!(&error, Error::SetIdPolicy { path, found: "a socket" } if *path == socket),
            "{error}"
        );
    }
}
