//! A file beside the graph. The graph is text from anywhere: it must not read what lies outside its own folder.

use super::error::Reason;
use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

/// The file, once it is sure that it lies in the folder: no absolute path, no `..`, no symbolic link that leads outside.
pub fn find(folder: &Path, relative: &str) -> Result<PathBuf, Reason> {
    let path = Path::new(relative);
    if relative.is_empty()
        || !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    {
        return Err(Reason::Escape);
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let read = |path: &Path, source: io::Error| Reason::Read { path: path.into(), source };
    let root = folder.canonicalize().map_err(|error| read(folder, error))?;
    let joined = folder.join(path);
    let real = joined.canonicalize().map_err(|error| read(&joined, error))?;
    if !real.starts_with(&root) {
        return Err(Reason::Escape);
    }
    match fs::metadata(&real) {
        Ok(meta) if meta.is_file() => Ok(real),
        Ok(_) => Err(read(&joined, io::Error::other("this is no regular file"))),
        Err(error) => Err(read(&joined, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn stays_inside() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("graph");
        fs::create_dir_all(folder.join("sub")).unwrap();
        fs::write(outer.path().join("secret"), "x").unwrap();
        fs::write(folder.join("sub/notes"), "x").unwrap();
        symlink("sub/notes", folder.join("good")).unwrap();
        symlink("../secret", folder.join("bad")).unwrap();
        symlink("/", folder.join("root")).unwrap();
        for good in ["sub/notes", "./sub/notes", "good"] {
            assert!(find(&folder, good).is_ok(), "{good}");
        }
        for bad in ["../secret", "sub/../sub/notes", "/etc/passwd", "bad", "root/etc/passwd", ""] {
            assert!(matches!(find(&folder, bad), Err(Reason::Escape)), "{bad}");
        }
        for missing in ["nothing", "sub"] {
            assert!(matches!(find(&folder, missing), Err(Reason::Read { .. })), "{missing}");
        }
    }
}
