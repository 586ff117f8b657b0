//! An input as it lies in an image: an archive in the order of a NAR, so that it is hashed in one pass while it is unpacked. A
//! directory comes before its entries, these ascend by the bytes of their names, and all that is below one comes before the next.

use crate::archive::{Archive, Entry};
use crate::hex::Digest;
use crate::nar::{Discard, Encoder};
use crate::plan::{Input, Kind};
use core::ffi::CStr;

/// The folder of an image in which its inputs are.
pub const FOLDER: &[u8] = b"inputs/";

const FORMAT: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

/// What makes the files of an input, in the archive's order.
pub trait Maker {
    /// What can go wrong.
    type Error;
    /// An input that can't be made, and why.
    fn refused(what: &'static str) -> Self::Error;
    /// What follows has this path below the input's root.
    fn at(&mut self, path: &[u8]);
    /// A directory, in which the parts up to its `leave` are made.
    fn directory(&mut self, name: &CStr) -> Result<(), Self::Error>;
    /// All that is in the directory was there.
    fn leave(&mut self) -> Result<(), Self::Error>;
    /// A file of these bytes, all of which `nar` is to get as they are in the file.
    fn file(
        &mut self,
        name: &CStr,
        executable: bool,
        bytes: &'static [u8],
        nar: &mut Encoder<'_>,
    ) -> Result<(), Self::Error>;
    /// A symbolic link, whose target `nar` is to get.
    fn symlink(
        &mut self,
        name: &CStr,
        target: &'static [u8],
        nar: &mut Encoder<'_>,
    ) -> Result<(), Self::Error>;
}

/// Makes the input whose entries start here and returns its hash, of no meaning if nobody asks.
pub fn unpack<M: Maker>(
    entries: Archive<'static>,
    input: &Input<'_>,
    maker: &mut M,
) -> Result<Digest, M::Error> {
    let disorder = || M::refused("an image out of order");
    let is_tree = matches!(input.kind, Kind::Tree | Kind::Data);
    let mut discard = Discard;
    let mut nar = Encoder::new(&mut discard, input.hashed());
    // Paths of the input and of the directory that is being filled; the name of what was last made in that.
    let (mut root, mut folder, mut last) = (&b""[..], &b""[..], &b""[..]);
    let mut entries = entries.map(Result::ok);
    loop {
        let next = entries.next();
        let entry = if let Some(None) = next { return Err(disorder()) } else { next.flatten() };
        let path = entry.as_ref().map_or(&b""[..], |entry| entry.name.to_bytes());
        if root.is_empty() {
            root = path;
        }
        let is_root = root == path;
        while !folder.is_empty() && below(path, folder).is_none() {
            nar.leave();
            maker.leave()?;
            if folder == root {
                folder = b"";
            } else {
                nar.child_done();
                let slash = folder.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
                (folder, last) = (&folder[..slash], &folder[slash + 1..]);
            }
        }
        let Some(entry) = entry.filter(|_| is_root || below(path, root).is_some()) else {
            return Ok(nar.finish().0);
        };
        let length = if is_root { path.len() - input.name.as_bytes().len() } else { folder.len() + 1 };
        let name = &path[length..];
        if !is_root {
            maker.at(&path[root.len() + 1..]);
            if folder.is_empty() || name <= last || has_slash(name) {
                return Err(disorder());
            }
            nar.child(name);
        }
        last = name;
        let name = CStr::from_bytes_until_nul(&entry.name.to_bytes_with_nul()[length..]).unwrap_or_default();
        match entry.mode & FORMAT {
            DIRECTORY if is_tree => {
                nar.directory();
                maker.directory(name)?;
                (folder, last) = (path, b"");
                continue;
            }
            REGULAR => {
                let executable = if is_tree { entry.mode & 0o100 != 0 } else { input.kind == Kind::Exec };
                nar.file(executable, entry.data.len() as u64);
                maker.file(name, executable, entry.data, &mut nar)?;
                nar.file_end();
            }
            SYMLINK if is_tree => maker.symlink(name, entry.data, &mut nar)?,
            _ => return Err(M::refused("a file that is no plain file, directory or symbolic link")),
        }
        if !is_root {
            nar.child_done();
        }
    }
}

/// Whether an entry is an input's root, and the input's name.
pub fn input<'a>(entry: &Entry<'a>) -> Option<&'a [u8]> {
    entry.name.to_bytes().strip_prefix(FOLDER).filter(|name| !has_slash(name))
}

/// What is left of a path below a directory.
fn below<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    path.strip_prefix(folder)?.strip_prefix(b"/")
}

/// Whether this is more than a single component of a path.
#[expect(clippy::manual_contains, reason = "that takes a fifth of a kilobyte")]
pub fn has_slash(name: &[u8]) -> bool {
    name.iter().any(|&byte| byte == b'/')
}
