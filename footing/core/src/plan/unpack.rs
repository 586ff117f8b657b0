//! An input's files: nodes over the bytes of the image.

use super::reason::{Fault, at};
use crate::errno::{EEXIST, ENOENT, Errno};
use crate::tree::{Data, File, Folder, Kind, Meta, NodeId, Tree, VolumeId};
use alloc::vec::Vec;
use core::ffi::CStr;
use formats::nar::Encoder;
use formats::unpack::Maker;

/// When everything in inputs and outputs was changed last, in nanoseconds: second 1.
pub(super) const ONE: i64 = 1_000_000_000;

/// An input that is being made.
pub(super) struct Nodes<'a> {
    pub(super) tree: &'a mut Tree,
    /// Where its nodes lie.
    pub(super) volume: VolumeId,
    /// Its root, as soon as that is there.
    pub(super) root: Option<NodeId>,
    /// The directories that are being filled.
    pub(super) open: Vec<NodeId>,
    /// Where it stands: a path below the root.
    pub(super) path: Vec<u8>,
}

impl Nodes<'_> {
    /// Makes a node in the directory that is being filled, or the root.
    fn add(&mut self, name: &CStr, mode: u32, kind: Kind) -> Result<NodeId, Errno> {
        let meta = Meta { mode, uid: 0, gid: 0, time: ONE };
        let name = name.to_bytes();
        match self.open.last() {
            // Names that are there in every directory.
            Some(_) if name == b"." || name == b".." => Err(EEXIST),
            Some(folder) => self.tree.add(*folder, name, kind, meta),
            // A second entry for the root.
            None if self.root.is_some() => Err(EEXIST),
            None => {
                let root = self.tree.make(self.volume, kind, meta)?;
                self.root = Some(root);
                Ok(root)
            }
        }
    }
}

impl Maker for Nodes<'_> {
    type Error = Fault;

    fn refused(what: &'static str) -> Fault {
        Fault::Refused(what)
    }

    fn at(&mut self, path: &[u8]) {
        self.path.clear();
        self.path.extend_from_slice(path);
    }

    fn directory(&mut self, name: &CStr) -> Result<(), Fault> {
        let node = self.add(name, 0o555, Kind::Folder(Folder::default())).map_err(at("mkdir"))?;
        self.open.push(node);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Fault> {
        self.open.pop();
        Ok(())
    }

    fn file(
        &mut self,
        name: &CStr,
        executable: bool,
        bytes: &'static [u8],
        nar: &mut Encoder<'_>,
    ) -> Result<(), Fault> {
        nar.data(bytes);
        let mode = if executable { 0o555 } else { 0o444 };
        self.add(name, mode, Kind::File(File::new(Data::Fixed(bytes)))).map(drop).map_err(at("create"))
    }

    fn symlink(&mut self, name: &CStr, target: &'static [u8], nar: &mut Encoder<'_>) -> Result<(), Fault> {
        nar.symlink(target);
        // As PID 1 hands it to the kernel: a text that ends before its first zero, of at most 4095 bytes.
        let text = target.split(|&byte| byte == 0).next().unwrap_or_default();
        if text.is_empty() || target.len() > 4095 {
            return Err(Fault::System("symlink", ENOENT));
        }
        self.add(name, 0o777, Kind::Link(text.into())).map(drop).map_err(at("symlink"))
    }
}
