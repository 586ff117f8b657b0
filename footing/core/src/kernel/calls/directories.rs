//! Directories that are read: `.` and `..`, then the entries by the bytes of their names. Source: getdents(2).

use super::{Arguments, fail};
use crate::errno::{EBADF, EFAULT, EINVAL, ENOENT, ENOTDIR, Errno};
use crate::kernel::varied::after;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::Platform;
use crate::tree::{Kind, NodeId};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A name and its node.
type Entry = (Box<[u8]>, NodeId);

/// How a directory's entry is laid out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// `struct linux_dirent64`.
    Large,
    /// `struct linux_dirent`, with numbers of so many bytes.
    Old(usize),
}

/// The type of an entry, as `d_type` has it.
fn type_of(kind: &Kind) -> u8 {
    match kind {
        Kind::Fifo(_) => 1,
        Kind::Device(..) => 2,
        Kind::Folder(_) => 4,
        Kind::File(_) | Kind::Virtual(..) => 8,
        Kind::Link(_) | Kind::Magic(..) => 10,
        Kind::Socket(_) => 12,
    }
}

fn record(layout: Layout, inode: u64, next: u64, kind: u8, name: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len() + 32);
    let word = match layout {
        Layout::Large => 8,
        Layout::Old(word) => word,
    };
    for number in [inode, next] {
        bytes.extend_from_slice(number.to_le_bytes().get(..word).unwrap_or_default());
    }
    let (head, tail) = if layout == Layout::Large { (19, 1) } else { (2 * word + 2, 2) };
    let length = (head + name.len() + tail).next_multiple_of(word);
    bytes.extend_from_slice(&(length as u16).to_le_bytes());
    if layout == Layout::Large {
        bytes.push(kind);
    }
    bytes.extend_from_slice(name);
    bytes.resize(length, 0);
    if let (Layout::Old(_), Some(last)) = (layout, bytes.last_mut()) {
        *last = kind;
    }
    bytes
}

impl<P: Platform> Kernel<P> {
    /// getdents64(2).
    pub(crate) fn sys_getdents64(&mut self, a: Arguments) -> Done {
        self.list(a, Layout::Large)
    }

    /// getdents(2).
    pub(crate) fn sys_getdents(&mut self, a: Arguments) -> Done {
        let word = self.long_size() as usize;
        self.list(a, Layout::Old(word))
    }

    fn list(&mut self, a: Arguments, layout: Layout) -> Done {
        let id = self.fd(a[0] as i32)?.open;
        let open = self.opens.get(id)?;
        if open.flags & super::transfer::O_PATH != 0 {
            return fail(EBADF);
        }
        let Object::Node(folder) = open.object else { return fail(ENOTDIR) };
        let (mut offset, mut last) = (open.offset, open.last.clone());
        let entries = self.tree.folder(folder).map_err(|_| ENOTDIR)?;
        if self.tree.get(folder)?.links == 0 {
            return fail(ENOENT);
        }
        if entries.dynamic.is_some() && offset == 0 {
            self.refresh(folder)?;
        }
        let size = (a[2] & 0xffff_ffff) as usize;
        let mut bytes = Vec::new();
        while let Some((name, node)) = self.entry(folder, offset, last.as_deref())? {
            let kind = type_of(&self.tree.get(node)?.kind);
            let record = record(layout, self.shown_inode(node), offset + 1, kind, &name);
            if bytes.len() + record.len() > size {
                if bytes.is_empty() {
                    return fail(EINVAL);
                }
                break;
            }
            bytes.extend_from_slice(&record);
            if offset >= 2 {
                last = Some(name);
            }
            offset += 1;
        }
        self.store(a[1], &bytes).map_err(|_| EFAULT)?;
        let open = self.opens.get_mut(id)?;
        (open.offset, open.last) = (offset, last);
        Ok(bytes.len() as u64)
    }

    fn entry(&self, folder: NodeId, offset: u64, last: Option<&[u8]>) -> Result<Option<Entry>, Errno> {
        Ok(match offset {
            0 => Some((Box::from(&b"."[..]), folder)),
            1 => {
                let root = self.views.get(self.me()?.view)?.root;
                let above = if folder == root { folder } else { self.tree.parent(folder).unwrap_or(folder) };
                Some((Box::from(&b".."[..]), above))
            }
            _ => {
                let folder = self.tree.folder(folder)?;
                let next = match self.step.vary.entries {
                    None => folder.after(last),
                    Some(seed) => after(folder, last, seed),
                };
                next.map(|(name, node)| (Box::from(name), node))
            }
        })
    }

    /// After lseek(2): the entry of a directory before the one that an offset names.
    pub(super) fn place_folder(&mut self, id: u32, node: NodeId, offset: u64) -> Result<(), Errno> {
        let Ok(folder) = self.tree.folder(node) else { return Ok(()) };
        let skipped = usize::try_from(offset.saturating_sub(2)).unwrap_or(usize::MAX);
        let last = match skipped.checked_sub(1) {
            None => None,
            Some(before) => match self.step.vary.entries {
                None => folder
                    .iter()
                    .nth(before)
                    .or_else(|| folder.iter().last())
                    .map(|(name, _)| Box::from(name)),
                Some(seed) => {
                    let mut last: Option<Box<[u8]>> = None;
                    for _ in 0..=before.min(folder.len()) {
                        let Some((name, _)) = after(folder, last.as_deref(), seed) else { break };
                        last = Some(name.into());
                    }
                    last
                }
            },
        };
        self.opens.get_mut(id)?.last = last;
        Ok(())
    }
}
