//! Inputs that the machine's kernel did not unpack. A kernel holds its initrd until all of it is unpacked: twice the image,
//! before the first step. So a machine can leave the inputs out of the initrd and share the whole image as the memory of a
//! device instead, which takes none of its own, and PID 1 unpacks each input from there when it is first used: in canonical
//! form, and hashed on the way.

use crate::machine::Fatal;
use crate::memory::has_slash;
use core::ffi::CStr;
use formats::archive::{Archive, Entry};
use formats::hex::Digest;
use formats::nar::{Discard, Encoder};
use formats::plan::{Input, Kind, Name};
use init::keep::Keeper;
use init::nar::Parts as _;
use init::walk::{Error, Path};
use rustix::fs::FileType;

/// The folder of the image in which its inputs are.
const FOLDER: &[u8] = b"inputs/";

/// The image, and where each of its inputs starts.
pub struct Image {
    bytes: &'static [u8],
    /// In units of four bytes, which all entries are aligned to.
    starts: &'static mut [u32],
    count: usize,
}

impl Image {
    /// Finds the inputs in an image. `starts` is room for their places.
    pub fn new(bytes: &'static [u8], starts: &'static mut [u32]) -> Result<Image, Fatal> {
        let mut image = Image { bytes, starts, count: 0 };
        let mut entries = Archive::new(bytes);
        loop {
            let start = entries.at();
            let Some(entry) = entries.next() else { return Ok(image) };
            let name = entry.map_err(Fatal::Image)?.name.to_bytes();
            if name.strip_prefix(FOLDER).is_some_and(|name| !has_slash(name)) {
                *image.starts.get_mut(image.count).ok_or(Fatal::Image(start))? = (start / 4) as u32;
                image.count += 1;
            }
        }
    }

    /// The entries from an input on.
    fn find(&self, name: Name<'_>) -> Option<Archive<'static>> {
        let is_it = |entry: &Entry<'_>| entry.name.to_bytes().strip_prefix(FOLDER) == Some(name.as_bytes());
        let mut starts = self.starts[..self.count].iter();
        starts.find_map(|&start| {
            let bytes = self.bytes.get(start as usize * 4..)?;
            let first = Archive::new(bytes).next()?.ok()?;
            is_it(&first).then(|| Archive::new(bytes))
        })
    }

    /// Makes an input with this keeper and returns its hash, of no meaning if nobody asks. Nothing if it is not in the image.
    pub fn unpack(
        &self,
        input: &Input<'_>,
        keeper: &mut Keeper,
        buffer: &mut [u8],
        path: &mut Path,
    ) -> Option<Result<Digest, Error>> {
        self.find(input.name).map(|entries| make(entries, input, keeper, buffer, path))
    }
}

/// An archive is in the order of a NAR: a directory, then its entries, ascending by the bytes of their names, with all that is below
/// each. What is hashed and written is a copy that nobody outside of the machine can change.
fn make(
    entries: Archive<'static>,
    input: &Input<'_>,
    keeper: &mut Keeper,
    buffer: &mut [u8],
    at: &mut Path,
) -> Result<Digest, Error> {
    const DISORDER: Error = Error::Refused("an image out of order");
    let is_tree = matches!(input.kind, Kind::Tree | Kind::Data);
    let mut discard = Discard;
    let mut nar = Encoder::new(&mut discard, input.hashed());
    // Paths of the input and of the directory that is being filled; the name of what was last made in that.
    let (mut root, mut folder, mut last) = (&b""[..], &b""[..], &b""[..]);
    let mut entries = entries.map(Result::ok);
    loop {
        let next = entries.next();
        let entry = if let Some(None) = next { return Err(DISORDER) } else { next.flatten() };
        let path = entry.as_ref().map_or(&b""[..], |entry| entry.name.to_bytes());
        if root.is_empty() {
            root = path;
        }
        let is_root = root == path;
        while !folder.is_empty() && below(path, folder).is_none() {
            nar.leave();
            keeper.leave()?;
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
            at.set(&path[root.len() + 1..]);
            if folder.is_empty() || name <= last || has_slash(name) {
                return Err(DISORDER);
            }
            nar.child(name);
        }
        last = name;
        let name = CStr::from_bytes_until_nul(&entry.name.to_bytes_with_nul()[length..]).unwrap_or_default();
        match FileType::from_raw_mode(entry.mode) {
            FileType::Directory if is_tree => {
                nar.directory();
                keeper.directory(name)?;
                (folder, last) = (path, b"");
                continue;
            }
            FileType::RegularFile => {
                let executable = if is_tree { entry.mode & 0o100 != 0 } else { input.kind == Kind::Exec };
                nar.file(executable, entry.data.len() as u64);
                keeper.file(name, executable)?;
                for chunk in entry.data.chunks(buffer.len()) {
                    let copy = &mut buffer[..chunk.len()];
                    copy.copy_from_slice(chunk);
                    nar.data(copy);
                    keeper.data(copy)?;
                }
                nar.file_end();
                keeper.file_end()?;
            }
            FileType::Symlink if is_tree => {
                let copy = buffer.get_mut(..entry.data.len()).ok_or(DISORDER)?;
                copy.copy_from_slice(entry.data);
                nar.symlink(copy);
                keeper.symlink(name, copy)?;
            }
            _ => return Err(Error::Refused("a file that is no plain file, directory or symbolic link")),
        }
        if !is_root {
            nar.child_done();
        }
    }
}

/// What is left of a path below a directory.
fn below<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    path.strip_prefix(folder)?.strip_prefix(b"/")
}
