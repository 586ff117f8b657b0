//! What can be known to fail before anything long is begun: places that results could not be written to.

use crate::failure::Failure;
use graphs::Problem;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Places that were asked for, each with the option that names it.
#[derive(Default)]
pub struct Ahead {
    problems: Vec<Problem>,
}

impl Ahead {
    /// A file that will be written where it is, be it a device or a pipe.
    pub fn file(self, option: &str, path: Option<&Path>) -> Ahead {
        self.place(option, path, |path| match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => Err(is_folder()),
            // Neither shortened nor waited for: a record of before stays until there is another.
            Ok(meta) if meta.is_file() => File::options().append(true).open(path).map(drop),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => try_in(folder(path)),
            Err(error) => Err(error),
        })
    }

    /// A file that will be put in its place whole, by a rename.
    pub fn whole_file(self, option: &str, path: Option<&Path>) -> Ahead {
        self.place(option, path, |path| match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_dir() => Err(is_folder()),
            Ok(meta) if !meta.is_file() => {
                Err(io::Error::other("no regular file, and it would be replaced by one"))
            }
            _ => try_in(folder(path)),
        })
    }

    /// A folder that is there or can be made. A symbolic link is neither: who made it may lead elsewhere what is written.
    pub fn folder(self, option: &str, path: Option<&Path>) -> Ahead {
        self.place(option, path, |path| {
            if is_link(path) {
                return Err(io::Error::other("this is a symbolic link, which is not followed"));
            }
            let there = path.ancestors().find(|path| path.exists() || path.as_os_str().is_empty());
            try_in(there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new(".")))
        })
    }

    /// All that is wrong.
    pub fn done(self) -> Result<(), Failure> {
        if self.problems.is_empty() { Ok(()) } else { Err(Failure::several(self.problems)) }
    }

    fn place(mut self, option: &str, path: Option<&Path>, test: impl Fn(&Path) -> io::Result<()>) -> Ahead {
        let Some(path) = path else { return self };
        if let Err(error) = test(path) {
            let text = format!("{option} {}: {error}", path.display());
            let help = match error.kind() {
                io::ErrorKind::NotFound => "make the folder first, or name another",
                io::ErrorKind::IsADirectory => "name a file in it",
                _ => "name a place that this user can write to",
            };
            self.problems.push(Problem::error(text).help(help));
        }
        self
    }
}

/// Root may write where modes say no, and nobody on a read-only file system: only trying tells.
fn try_in(folder: &Path) -> io::Result<()> {
    let place = folder.join(format!(".groundup-{}", std::process::id()));
    fs::create_dir(&place)?;
    fs::remove_dir(&place)
}

/// Whether a path itself is a symbolic link, also one that ends in a slash.
pub fn is_link(path: &Path) -> bool {
    let path: PathBuf = path.components().collect();
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink())
}

fn is_folder() -> io::Error {
    io::Error::new(io::ErrorKind::IsADirectory, "this is a folder")
}

/// The folder that a file is in.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ahead: Ahead) -> String {
        ahead.done().map_or_else(|failure| failure.to_string(), |()| String::new())
    }

    #[test]
    fn good_places_are_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("old"), "old").unwrap();
        let ahead = Ahead::default()
            .file("--a", Some(&at("old")))
            .file("--b", Some(&at("new")))
            .file("--c", Some(Path::new("/dev/null")))
            .file("--d", None)
            .whole_file("-o", Some(&at("old")))
            .folder("--out", Some(&at("deep/er")))
            .folder("--out", Some(Path::new("relative")));
        assert_eq!(said(ahead), "");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(at("old")).unwrap(), b"old");
    }

    #[test]
    fn all_bad_places_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "").unwrap();
        let ahead = Ahead::default()
            .file("--a", Some(folder.path()))
            .file("--b", Some(&at("none/x")))
            .whole_file("-o", Some(Path::new("/dev/null")))
            .folder("--out", Some(&at("file")));
        let said = said(ahead);
        for says in ["--a", "this is a folder", "--b", "No such file", "no regular file", "Not a directory"] {
            assert!(said.contains(says), "{said}\n{says}");
        }
    }
}
