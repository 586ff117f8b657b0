//! What nodes, files, directories and file systems are.

use crate::map::Map;
use crate::platform::{FileId, SharedId};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A node's number; it may name another node once the node is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// A file system: what has a device number and a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumeId(pub u16);

/// The bytes of a file.
#[derive(Debug)]
pub enum Data {
    /// Of the image.
    Fixed(&'static [u8]),
    /// Written by a step.
    Own(Vec<u8>),
}

/// A file: what is behind the end of `data` and before `size` is zeros.
#[derive(Debug)]
pub struct File {
    /// The bytes that are stored.
    pub data: Data,
    /// In bytes.
    pub size: u64,
    /// By which the home knows these bytes; none once they have changed.
    pub cache: Option<FileId>,
    /// Memory that holds the file's first bytes while it is mapped shared.
    pub shared: Option<SharedId>,
    /// What must not be done with it any more: F_SEAL_SEAL and its kin of fcntl(2).
    pub seals: u8,
}

/// A folder.
#[derive(Debug, Default)]
pub struct Folder {
    pub(super) entries: Map<Box<[u8]>, NodeId>,
    /// What `..` is; in a folder that is bound, [`Tree::parent`] knows better.
    pub(super) parent: Option<NodeId>,
    /// Whether entries appear when they are looked up (`/proc`).
    pub dynamic: Option<u32>,
}

/// What a node is.
#[derive(Debug)]
pub enum Kind {
    /// A plain file.
    File(File),
    /// A directory.
    Folder(Folder),
    /// A symbolic link.
    Link(Box<[u8]>),
    /// A character device, major and minor number.
    Device(u32, u32),
    /// A named pipe, and the pipe behind it while it is open.
    Fifo(Option<u32>),
    /// The name of a listening or bound socket.
    Socket(Option<u32>),
    /// A file of `/proc` that is written when it is opened; the kernel knows what the numbers mean.
    Virtual(u32, i32),
    /// A link of `/proc` that leads where no path may lead; the kernel knows what the numbers mean.
    Magic(u32, i32),
}

/// A node.
#[derive(Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Permissions, 12 bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Names that lead to it.
    pub links: u32,
    /// Descriptors, mappings and folders of processes that hold it.
    pub holds: u32,
    /// Times of access, modification and change: nanoseconds since 1970.
    pub times: [i64; 3],
    /// Where it lies.
    pub volume: VolumeId,
    /// It never changes again.
    pub frozen: bool,
    pub(super) inode: u32,
}

/// A file system.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    /// Bytes that its files may store, in whole pages.
    pub limit: u64,
    /// Its files can't be executed.
    pub noexec: bool,
    /// The device number that a step sees.
    pub device: u32,
    pub(super) used: u64,
    pub(super) nodes: u64,
}

/// Who made a node, and when.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Permissions, 12 bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Nanoseconds since 1970.
    pub time: i64,
}

impl Folder {
    /// The node of a name.
    pub fn get(&self, name: &[u8]) -> Option<NodeId> {
        self.entries.get(name).copied()
    }

    /// The first entry after a name, or the first of all.
    pub fn after(&self, name: Option<&[u8]>) -> Option<(&[u8], NodeId)> {
        let next = name.map_or_else(|| self.entries.first(), |name| self.entries.after(name));
        next.map(|(name, &id)| (&**name, id))
    }

    /// The last entry before a name, or the last of all.
    pub fn before(&self, name: Option<&[u8]>) -> Option<(&[u8], NodeId)> {
        let last = name.map_or_else(|| self.entries.last(), |name| self.entries.before(name));
        last.map(|(name, &id)| (&**name, id))
    }

    /// All entries, ascending by the bytes of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], NodeId)> {
        self.entries.iter().map(|(name, &id)| (&**name, id))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl File {
    /// A file of these bytes.
    pub fn new(data: Data) -> File {
        let size = match &data {
            Data::Fixed(bytes) => bytes.len(),
            Data::Own(bytes) => bytes.len(),
        };
        File { data, size: size as u64, cache: None, shared: None, seals: 1 }
    }
}
