//! An input's files: nodes over the bytes of the image, hashed on the way.
//!
//! An archive is in the order of a NAR: a directory, then its entries, ascending by the bytes of their names, with all that is
//! below each.

use super::reason::{Fault, at};
use crate::errno::{EEXIST, ENOENT};
use crate::tree::{Data, File, Folder, Kind, Meta, NodeId, Tree, VolumeId};
use alloc::vec::Vec;
use formats::archive::{Archive, Entry};
use formats::hex::Digest;
use formats::nar::{Discard, Encoder};
use formats::plan::{Input, Kind as InputKind};

/// When everything in inputs and outputs was changed last, in nanoseconds: second 1.
pub(super) const ONE: i64 = 1_000_000_000;

const DISORDER: Fault = Fault::Refused("an image out of order");

const FORMAT: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;

/// What becomes of an entry.
enum Part {
    Directory,
    File(bool),
    Symlink,
}

/// A directory that is being filled: its path, its node, and the name of what was last made in it.
type Open = (&'static [u8], NodeId, &'static [u8]);

/// An input that is being made.
pub(super) struct Unpack<'a> {
    pub(super) tree: &'a mut Tree,
    /// Where its nodes lie.
    pub(super) volume: VolumeId,
    /// Its root, as soon as that is there.
    pub(super) root: Option<NodeId>,
    /// Where it stands: a path below the root.
    pub(super) path: Vec<u8>,
}

impl Unpack<'_> {
    /// Makes the input whose entries start here, and returns its hash, of no meaning if nobody asks.
    pub(super) fn make(&mut self, entries: Archive<'static>, input: &Input<'_>) -> Result<Digest, Fault> {
        let mut discard = Discard;
        let mut nar = Encoder::new(&mut discard, input.hashed());
        let (mut root, mut open): (&[u8], Vec<Open>) = (b"", Vec::new());
        let mut entries = entries.map(Result::ok);
        loop {
            let next = entries.next();
            let entry = if let Some(None) = next { return Err(DISORDER) } else { next.flatten() };
            let path = entry.as_ref().map_or(&b""[..], |entry| entry.name.to_bytes());
            if self.root.is_none() {
                root = path;
            }
            while let Some((folder, ..)) = open.last()
                && below(path, folder).is_none()
            {
                open.pop();
                nar.leave();
                if !open.is_empty() {
                    nar.child_done();
                }
            }
            let Some(entry) = entry.filter(|_| path == root || below(path, root).is_some()) else {
                return Ok(nar.finish().0);
            };
            let is_root = path == root;
            let name = if is_root { path } else { self.child(path, root, &mut open)? };
            if !is_root {
                nar.child(name);
            }
            let part = part(&entry, input)?;
            let node = self.node(&entry, &part, open.last().map(|open| open.1), name)?;
            match part {
                Part::Directory => {
                    nar.directory();
                    open.push((path, node, b""));
                    continue;
                }
                Part::File(executable) => {
                    nar.file(executable, entry.data.len() as u64);
                    nar.data(entry.data);
                    nar.file_end();
                }
                Part::Symlink => nar.symlink(entry.data),
            }
            if !is_root {
                nar.child_done();
            }
        }
    }

    /// The name of an entry in the directory that is being filled.
    fn child(&mut self, path: &'static [u8], root: &[u8], open: &mut [Open]) -> Result<&'static [u8], Fault> {
        self.path.clear();
        self.path.extend_from_slice(below(path, root).unwrap_or_default());
        let (folder, _, last) = open.last_mut().ok_or(DISORDER)?;
        let name = below(path, folder).ok_or(DISORDER)?;
        if name <= *last || name.contains(&b'/') {
            return Err(DISORDER);
        }
        *last = name;
        Ok(name)
    }

    fn node(
        &mut self,
        entry: &Entry<'static>,
        part: &Part,
        folder: Option<NodeId>,
        name: &[u8],
    ) -> Result<NodeId, Fault> {
        let (what, mode, kind) = match part {
            Part::Directory => ("mkdir", 0o555, Kind::Folder(Folder::default())),
            Part::File(executable) => {
                let mode = if *executable { 0o555 } else { 0o444 };
                ("create", mode, Kind::File(File::new(Data::Fixed(entry.data))))
            }
            Part::Symlink => {
                let target = entry.data.split(|&byte| byte == 0).next().unwrap_or_default();
                if target.is_empty() || entry.data.len() > 4095 {
                    return Err(Fault::System("symlink", ENOENT));
                }
                ("symlink", 0o777, Kind::Link(target.into()))
            }
        };
        let meta = Meta { mode, uid: 0, gid: 0, time: ONE };
        let Some(folder) = folder else {
            // A second entry for the root.
            if self.root.is_some() {
                return Err(Fault::System(what, EEXIST));
            }
            let node = self.tree.make(self.volume, kind, meta).map_err(at(what))?;
            self.root = Some(node);
            return Ok(node);
        };
        if name == b"." || name == b".." {
            return Err(Fault::System(what, EEXIST));
        }
        self.tree.add(folder, name, kind, meta).map_err(at(what))
    }
}

/// What an entry is to become.
fn part(entry: &Entry<'_>, input: &Input<'_>) -> Result<Part, Fault> {
    let is_tree = matches!(input.kind, InputKind::Tree | InputKind::Data);
    match entry.mode & FORMAT {
        DIRECTORY if is_tree => Ok(Part::Directory),
        REGULAR if is_tree => Ok(Part::File(entry.mode & 0o100 != 0)),
        REGULAR => Ok(Part::File(input.kind == InputKind::Exec)),
        SYMLINK if is_tree => Ok(Part::Symlink),
        _ => Err(Fault::Refused("a file that is no plain file, directory or symbolic link")),
    }
}

/// What is left of a path below a directory.
fn below<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    path.strip_prefix(folder)?.strip_prefix(b"/")
}
