//! The NAR sha256 of a tree on disk.

use std::{fs, io, io::Write, os::unix::ffi::OsStrExt, os::unix::fs::PermissionsExt, path::Path};

use super::hash::{self, Hashing};

/// Hash and size of the NAR of a path.
pub fn nar(path: &Path) -> io::Result<(String, u64)> {
    let mut sink = Counting { inner: Hashing::new(io::sink()), count: 0 };
    string(&mut sink, b"nix-archive-1")?;
    node(&mut sink, path)?;
    Ok((sink.inner.finish().1, sink.count))
}

struct Counting {
    inner: Hashing<io::Sink>,
    count: u64,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.count += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn string(sink: &mut Counting, bytes: &[u8]) -> io::Result<()> {
    sink.write_all(&(bytes.len() as u64).to_le_bytes())?;
    sink.write_all(bytes)?;
    pad(sink, bytes.len() as u64)
}

fn pad(sink: &mut Counting, size: u64) -> io::Result<()> {
    sink.write_all(&[0; 8][..(8 - size as usize % 8) % 8])
}

fn node(sink: &mut Counting, path: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    string(sink, b"(")?;
    string(sink, b"type")?;
    if meta.is_symlink() {
        string(sink, b"symlink")?;
        string(sink, b"target")?;
        string(sink, fs::read_link(path)?.as_os_str().as_bytes())?;
    } else if meta.is_dir() {
        string(sink, b"directory")?;
        let mut names =
            fs::read_dir(path)?.map(|e| e.map(|e| e.file_name())).collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            string(sink, b"entry")?;
            string(sink, b"(")?;
            string(sink, b"name")?;
            string(sink, name.as_bytes())?;
            string(sink, b"node")?;
            node(sink, &path.join(&name))?;
            string(sink, b")")?;
        }
    } else if meta.is_file() {
        string(sink, b"regular")?;
        if meta.permissions().mode() & 0o100 != 0 {
            string(sink, b"executable")?;
            string(sink, b"")?;
        }
        string(sink, b"contents")?;
        sink.write_all(&meta.len().to_le_bytes())?;
        let size = hash::copy(&mut fs::File::open(path)?, sink)?;
        if size != meta.len() {
            return Err(io::Error::other("the file changed while it was read"));
        }
        pad(sink, size)?;
    } else {
        return Err(io::Error::other(format!("{} is a special file", path.display())));
    }
    string(sink, b")")
}
