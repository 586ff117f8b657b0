//! Seals of files. Source: fcntl(2) "File Sealing", memfd_create(2).

use super::{Arguments, fail};
use crate::errno::{EBUSY, EINVAL, EPERM, Errno};
use crate::kernel::{Backing, Done, Kernel, Object};
use crate::platform::Platform;
use crate::tree::NodeId;

pub(super) const SEAL: u8 = 1;
pub(super) const SHRINK: u8 = 2;
pub(super) const GROW: u8 = 4;
const WRITE: u8 = 8;
const FUTURE_WRITE: u8 = 0x10;
pub(super) const EXECUTE: u8 = 0x20;
const ALL: u64 = 0x3f;

impl<P: Platform> Kernel<P> {
    /// F_ADD_SEALS and F_GET_SEALS. A file that memfd_create(2) did not make is sealed against seals, as on tmpfs.
    pub(super) fn seal(&mut self, a: Arguments, add: bool) -> Done {
        let open = self.open_of(a[0] as i32)?;
        let writes = open.writes();
        let object = open.object.clone();
        let more = a[2] & 0xffff_ffff;
        if add && !writes {
            return fail(EPERM);
        }
        if add && more & !ALL != 0 {
            return fail(EINVAL);
        }
        let Object::Node(node) = object else { return fail(EINVAL) };
        let Ok(file) = self.tree.file(node) else { return fail(EINVAL) };
        let before = file.seals;
        if !add {
            return Ok(before.into());
        }
        if before & SEAL != 0 {
            return fail(EPERM);
        }
        let mut more = more as u8;
        if more & WRITE != 0 && before & WRITE == 0 && self.mapped_to_write(node) {
            return fail(EBUSY);
        }
        if more & EXECUTE != 0 && self.tree.get(node)?.mode & 0o111 != 0 {
            more |= SHRINK | GROW | WRITE | FUTURE_WRITE;
        }
        self.tree.file_mut(node)?.seals |= more;
        Ok(0)
    }

    /// Whether anybody has this file mapped shared so that it can be written.
    fn mapped_to_write(&self, node: NodeId) -> bool {
        let ours = |id: &u64| self.shares.get(id).is_some_and(|share| share.node == Some(node));
        self.spaces.numbers().filter_map(|number| self.spaces.get(number).ok()).any(|space| {
            space.regions.values().any(|region| {
                region.access.write && matches!(&region.backing, Backing::Shared(id, _) if ours(id))
            })
        })
    }

    /// EPERM for a write up to `end` that a seal forbids.
    pub(super) fn may_change(&self, node: NodeId, end: u64) -> Result<(), Errno> {
        let Ok(file) = self.tree.file(node) else { return Ok(()) };
        let grows = end > file.size && file.seals & GROW != 0;
        if file.seals & (WRITE | FUTURE_WRITE) != 0 || grows { Err(EPERM) } else { Ok(()) }
    }

    /// EPERM for a size that a seal forbids.
    pub(super) fn may_resize(&self, node: NodeId, size: u64) -> Result<(), Errno> {
        let file = self.tree.file(node)?;
        let forbidden = if size < file.size { SHRINK } else { GROW };
        if size != file.size && file.seals & forbidden != 0 { Err(EPERM) } else { Ok(()) }
    }
}
