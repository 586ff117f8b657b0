//! Where a path leads. Source: path_resolution(7).

use super::{Kind, NodeId, Tree};
use crate::errno::{EACCES, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV, Errno};
use alloc::vec::Vec;

/// More links than these in one path are ELOOP.
const MAX_LINKS: u32 = 40;
const MAX_PATH: usize = 4096;

/// Who looks, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Lookup {
    /// What `/` is.
    pub root: NodeId,
    /// Where a relative path starts.
    pub from: NodeId,
    /// Whose rights count.
    pub uid: u32,
    /// Whose rights count.
    pub gid: u32,
    /// Whether a link at the end is followed.
    pub follow: bool,
    /// Whether open(2) may make a file at the end: a slash behind its name is EISDIR then.
    pub create: bool,
    /// RESOLVE_NO_MAGICLINKS and its kin of openat2(2).
    pub within: u8,
}

impl Lookup {
    /// A link of `/proc` is ELOOP.
    const NO_MAGIC: u8 = 2;
    /// A link is ELOOP.
    const NO_LINKS: u8 = 4;
    /// What leads above the start is EXDEV.
    pub const BENEATH: u8 = 8;
    /// The start is the root.
    pub const IN_ROOT: u8 = 16;

    /// Whether a link may be followed, one of `/proc` that has no text, or one that has.
    fn may_follow(&self, magic: bool) -> Result<(), Errno> {
        match () {
            () if self.within & Self::NO_LINKS != 0 => Err(ELOOP),
            () if magic && self.within & Self::NO_MAGIC != 0 => Err(ELOOP),
            () if magic && self.within & (Self::BENEATH | Self::IN_ROOT) != 0 => Err(EXDEV),
            () => Ok(()),
        }
    }
}

/// The last component of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    /// A name.
    Name(Vec<u8>),
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// Nothing but slashes.
    Root,
}

/// Where a path leads.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory that the last component lies in.
    pub folder: NodeId,
    /// The last component.
    pub last: Last,
    /// What is there.
    pub node: Option<NodeId>,
    /// The path ends in a slash.
    pub slash: bool,
}

/// What a lookup ends with.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is through.
    Place(Place),
    /// This directory's entry must be made first, if there is one; then the lookup is tried again.
    Missing(NodeId, Vec<u8>),
}

/// Knows what the links of `/proc` lead to.
pub trait Dynamic {
    /// The node.
    fn jump(&self, kind: u32, process: i32) -> Result<NodeId, Errno>;
    /// The text of a link that is relative to who looks, such as `/proc/self`.
    fn text(&self, kind: u32, process: i32) -> Option<Vec<u8>>;
}

impl Tree {
    /// Whether somebody may do what `want` (4 read, 2 write, 1 execute or search) says.
    pub fn may(&self, id: NodeId, uid: u32, gid: u32, want: u32) -> Result<(), Errno> {
        let node = self.get(id)?;
        let shift = if uid == node.uid {
            6
        } else if gid == node.gid {
            3
        } else {
            0
        };
        if uid == 0 || node.mode >> shift & want == want { Ok(()) } else { Err(EACCES) }
    }

    /// Follows a path. ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG.
    pub fn find(&self, how: &Lookup, path: &[u8], dynamic: &dyn Dynamic) -> Result<Found, Errno> {
        if path.is_empty() {
            return Err(ENOENT);
        }
        if path.len() >= MAX_PATH {
            return Err(ENAMETOOLONG);
        }
        let beneath = how.within & Lookup::BENEATH != 0;
        if beneath && path.first() == Some(&b'/') {
            return Err(EXDEV);
        }
        let mut rest: Vec<u8> = path.into();
        let mut at = 0;
        let mut here = if path.first() == Some(&b'/') { how.root } else { how.from };
        let mut links = 0;
        let mut place = Place { folder: here, last: Last::Root, node: Some(here), slash: true };
        loop {
            let Some((start, end, last)) = component(&rest, at) else {
                place.node = Some(here);
                return Ok(Found::Place(place));
            };
            let name = rest.get(start..end).unwrap_or_default();
            let slash = rest.get(end) == Some(&b'/');
            let inside = self.folder(here)?;
            self.may(here, how.uid, how.gid, 1)?;
            if name == b".." && beneath && here == how.from {
                return Err(EXDEV);
            }
            if name == b"." || name == b".." {
                let next =
                    if name == b"." || here == how.root { here } else { self.parent(here).unwrap_or(here) };
                let kind = if name == b"." { Last::Dot } else { Last::DotDot };
                place = Place { folder: here, last: kind, node: Some(next), slash };
                (here, at) = (next, end);
                continue;
            }
            if name.len() > 255 {
                return Err(ENAMETOOLONG);
            }
            if how.create && last && slash {
                return Err(EISDIR);
            }
            let Some(next) = inside.get(name) else {
                if inside.dynamic.is_some() {
                    return Ok(Found::Missing(here, name.into()));
                }
                if !last {
                    return Err(ENOENT);
                }
                return Ok(Found::Place(Place {
                    folder: here,
                    last: Last::Name(name.into()),
                    node: None,
                    slash,
                }));
            };
            place = Place { folder: here, last: Last::Name(name.into()), node: Some(next), slash };
            let follow = how.follow || !last || slash;
            let target = match &self.get(next)?.kind {
                Kind::Link(target) if follow => {
                    how.may_follow(false)?;
                    target.to_vec()
                }
                Kind::Magic(kind, process) if follow => match dynamic.text(*kind, *process) {
                    Some(text) => text,
                    None => {
                        how.may_follow(true)?;
                        (here, at) = (dynamic.jump(*kind, *process)?, end);
                        continue;
                    }
                },
                Kind::Folder(_) => {
                    (here, at) = (next, end);
                    continue;
                }
                _ if last && !slash => return Ok(Found::Place(place)),
                // Only a directory has a slash or more behind it; to make one of that name is EEXIST, so that is for who asks.
                _ if last => return Ok(Found::Place(place)),
                _ => return Err(ENOTDIR),
            };
            links += 1;
            if links > MAX_LINKS {
                return Err(ELOOP);
            }
            if target.first() == Some(&b'/') && beneath {
                return Err(EXDEV);
            }
            if target.first() == Some(&b'/') {
                here = how.root;
            }
            let mut joined = target;
            joined.extend_from_slice(rest.get(end..).unwrap_or_default());
            if joined.len() > 2 * MAX_PATH {
                return Err(ENAMETOOLONG);
            }
            (rest, at) = (joined, 0);
        }
    }

    /// The path of a directory from a root; none if it is not below it or has no name any more.
    pub fn path_of(&self, root: NodeId, mut id: NodeId) -> Option<Vec<u8>> {
        let mut names: Vec<&[u8]> = Vec::new();
        while id != root {
            let above = self.parent(id)?;
            let name = self.folder(above).ok()?.iter().find(|entry| entry.1 == id)?.0;
            names.push(name);
            id = above;
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        Some(path)
    }
}

/// The next component from `at` on: its start and end, and whether nothing but slashes follows.
fn component(path: &[u8], at: usize) -> Option<(usize, usize, bool)> {
    let tail = path.get(at..)?;
    let start = at + tail.iter().position(|&byte| byte != b'/')?;
    let tail = path.get(start..)?;
    let end = start + tail.iter().position(|&byte| byte == b'/').unwrap_or(tail.len());
    let last = path.get(end..).unwrap_or_default().iter().all(|&byte| byte == b'/');
    Some((start, end, last))
}
