//! A tree of files in the one order that everything here goes by: entries ascending by the bytes of their names, a directory
//! before what it holds.

use core::ffi::CStr;
use core::fmt;
use core::mem::MaybeUninit;
use formats::canonical::MAX_DEPTH;
use formats::say;
use formats::say::{Display, LineBuf};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use rustix::io::Errno;

/// What stops a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A system call failed.
    System(&'static str, Errno),
    /// The tree is not one that an output may be.
    Refused(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::System(what, errno) => write!(f, "{what}: {}", crate::errno::Text(*errno)),
            Error::Refused(what) => f.write_str(what),
        }
    }
}

impl core::error::Error for Error {}

impl Display for Error {
    fn say(self, words: &mut LineBuf) {
        match self {
            Error::System(what, errno) => say!(words, what, ": ", crate::errno::Text(errno)),
            Error::Refused(what) => what.say(words),
        }
    }
}

/// `result.map_err(at("what was tried"))`
pub fn at(what: &'static str) -> impl FnOnce(Errno) -> Error {
    move |errno| Error::System(what, errno)
}

/// One entry: a name in an open directory.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// The directory that holds it.
    pub dir: BorrowedFd<'a>,
    /// Its name there.
    pub name: &'a CStr,
    /// What lstat(2) says of it.
    pub stat: &'a Stat,
}

impl Entry<'_> {
    /// What kind of file it is.
    pub fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }
}

/// What is done with the entries.
pub trait Visitor {
    /// A directory, before its entries; anything that is not a directory, once.
    fn enter(&mut self, entry: Entry<'_>) -> Result<(), Error>;
    /// An entry of the directory entered last is about to follow; its name.
    fn child(&mut self, _name: &[u8]) {}
    /// The entry announced by `child` is through.
    fn child_done(&mut self) {}
    /// A directory, after its entries.
    fn leave(&mut self, _entry: Entry<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// Room for the names of the directories that lead to an entry, and of their other entries.
pub struct Buffers<'a> {
    names: &'a mut [u8],
    order: &'a mut [u32],
}

impl<'a> Buffers<'a> {
    /// `names` holds each name with its NUL, `order` a number for each entry.
    pub fn new(names: &'a mut [u8], order: &'a mut [u32]) -> Buffers<'a> {
        Buffers { names, order }
    }
}

/// Where a walk stands: the path below its root, cut where room ends.
pub struct Path {
    bytes: [u8; 1024],
    length: usize,
}

impl Path {
    /// The root itself.
    pub const fn new() -> Path {
        Path { bytes: [0; 1024], length: 0 }
    }

    /// The components with slashes between them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length.min(self.bytes.len())]
    }

    /// The path of another entry.
    pub fn set(&mut self, path: &[u8]) {
        self.length = 0;
        if !path.is_empty() {
            self.push(path);
        }
    }

    fn push(&mut self, name: &[u8]) {
        let slash: &[u8] = if self.length == 0 { b"" } else { b"/" };
        for &byte in slash.iter().chain(name) {
            if let Some(place) = self.bytes.get_mut(self.length) {
                *place = byte;
            }
            self.length += 1;
        }
    }
}

impl Default for Path {
    fn default() -> Path {
        Path::new()
    }
}

/// Walks the tree at `name` in `dir`. After an error, `path` says where.
pub fn walk(
    dir: BorrowedFd<'_>,
    name: &CStr,
    room: Buffers<'_>,
    path: &mut Path,
    visitor: &mut dyn Visitor,
) -> Result<(), Error> {
    visit(dir, name, room, path, MAX_DEPTH, visitor)
}

fn visit(
    dir: BorrowedFd<'_>,
    name: &CStr,
    room: Buffers<'_>,
    path: &mut Path,
    depth: usize,
    visitor: &mut dyn Visitor,
) -> Result<(), Error> {
    let stat = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).map_err(at("lstat"))?;
    let entry = Entry { dir, name, stat: &stat };
    visitor.enter(entry)?;
    if entry.file_type() != FileType::Directory {
        return Ok(());
    }
    // Each level costs a descriptor and some stack.
    if depth == 0 {
        return Err(Error::Refused("directories more than 256 deep"));
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let this = rustix::fs::openat(dir, name, flags, Mode::empty()).map_err(at("open"))?;
    let (names, order, rest) = list(this.as_fd(), room)?;
    sort(order, |a, b| name_at(names, a) < name_at(names, b));
    for &offset in order.iter() {
        let name = name_at(names, offset);
        let length = path.length;
        path.push(name.to_bytes());
        visitor.child(name.to_bytes());
        let room = Buffers { names: &mut *rest.names, order: &mut *rest.order };
        visit(this.as_fd(), name, room, path, depth - 1, visitor)?;
        visitor.child_done();
        path.length = length;
    }
    visitor.leave(entry)
}

/// Heapsort: small, without recursion, and never quadratic, whatever names a hostile step chooses. (`core`'s sort is
/// faster, and 4 KB of PID 1.)
fn sort(items: &mut [u32], less: impl Fn(u32, u32) -> bool) {
    let sift = |items: &mut [u32], mut root: usize| {
        loop {
            let Some(mut child) = items.get(2 * root + 1).map(|_| 2 * root + 1) else { return };
            if child + 1 < items.len() && less(items[child], items[child + 1]) {
                child += 1;
            }
            if !less(items[root], items[child]) {
                return;
            }
            items.swap(root, child);
            root = child;
        }
    };
    (0..items.len() / 2).rev().for_each(|root| sift(items, root));
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sift(&mut items[..end], 0);
    }
}

fn name_at(names: &[u8], offset: u32) -> &CStr {
    CStr::from_bytes_until_nul(&names[offset as usize..]).unwrap_or_default()
}

type Listing<'a> = (&'a [u8], &'a mut [u32], Buffers<'a>);

/// The names in a directory, where each starts, and the room that is left.
fn list<'a>(dir: BorrowedFd<'_>, room: Buffers<'a>) -> Result<Listing<'a>, Error> {
    const FULL: Error = Error::Refused("more names than there is room for");
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let (mut count, mut used) = (0, 0);
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(at("getdents"))?;
        let name = entry.file_name().to_bytes_with_nul();
        if name == b".\0" || name == b"..\0" {
            continue;
        }
        let place = room.names.get_mut(used..used + name.len()).ok_or(FULL)?;
        place.copy_from_slice(name);
        *room.order.get_mut(count).ok_or(FULL)? = u32::try_from(used).map_err(|_| FULL)?;
        count += 1;
        used += name.len();
    }
    let (names, more_names) = room.names.split_at_mut(used);
    let (order, more_order) = room.order.split_at_mut(count);
    Ok((names, order, Buffers { names: more_names, order: more_order }))
}

/// Removes all that is in a directory, but for the names that are kept. After an error, `path` says where.
pub fn clear(
    dir: BorrowedFd<'_>,
    keep: &dyn Fn(&[u8]) -> bool,
    room: Buffers<'_>,
    path: &mut Path,
) -> Result<(), Error> {
    let (names, order, rest) = list(dir, room)?;
    for &offset in order.iter() {
        let name = name_at(names, offset);
        if !keep(name.to_bytes()) {
            let room = Buffers { names: &mut *rest.names, order: &mut *rest.order };
            walk(dir, name, room, path, &mut Remove)?;
        }
    }
    Ok(())
}

/// A visitor that removes all that it sees. What can't be removed stays, with the directories that lead to it.
pub struct Remove;

impl Visitor for Remove {
    fn enter(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        match entry.file_type() {
            FileType::Directory => Ok(()),
            _ => rustix::fs::unlinkat(entry.dir, entry.name, AtFlags::empty()).map_err(at("unlink")),
        }
    }

    fn leave(&mut self, entry: Entry<'_>) -> Result<(), Error> {
        rustix::fs::unlinkat(entry.dir, entry.name, AtFlags::REMOVEDIR).map_err(at("rmdir"))
    }
}
