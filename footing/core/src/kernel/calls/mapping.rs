//! mmap(2), and files that have no name but are memory.

use super::{Arguments, fail};
use crate::errno::{EACCES, EBADF, EEXIST, EFAULT, EINVAL, ENODEV, ENOMEM, EOVERFLOW, EPERM, Errno};
use crate::kernel::region::{Label, pages};
use crate::kernel::{Backing, Done, Kernel, Object};
use crate::platform::{PAGE, Platform};
use crate::tree::{Data, File, Kind, NodeId};
use alloc::vec::Vec;

const SHARED: u64 = 1;
const PRIVATE: u64 = 2;
const VALIDATE: u64 = 3;
const FIXED: u64 = 0x10;
const ANONYMOUS: u64 = 0x20;
const LOW: u64 = 0x40;
const NORESERVE: u64 = 0x4000;
const FIXED_NOREPLACE: u64 = 0x10_0000;
/// Memory of a multiple of this size stands at one, as on Linux since 6.7: a home may use the processor's large pages there.
const LARGE_PAGE: u64 = 2 << 20;

impl<P: Platform> Kernel<P> {
    /// mmap(2). MAP_SYNC, MAP_HUGETLB and MAP_GROWSDOWN are not there.
    pub(crate) fn sys_mmap(&mut self, a: Arguments) -> Done {
        if !a[5].is_multiple_of(PAGE) {
            return fail(EINVAL);
        }
        self.map_call(a, a[5])
    }

    /// mmap(2) with its offset in bytes.
    pub(super) fn map_call(&mut self, a: Arguments, offset: u64) -> Done {
        const HUGE: u64 = 0x4_0000;
        let [at, length, protection, flags, fd, _] = a;
        let flags = flags & 0xffff_ffff;
        let file = if flags & ANONYMOUS == 0 {
            let open = self.open_of(fd as i32)?;
            if open.flags & super::transfer::O_PATH != 0 {
                return fail(EBADF);
            }
            Some((open.object.clone(), open.reads(), open.writes()))
        } else {
            None
        };
        if length == 0 {
            return fail(EINVAL);
        }
        let size = pages(length).ok_or(ENOMEM)?;
        let end = offset.checked_add(size).ok_or(EOVERFLOW)?;
        if flags & HUGE != 0 {
            return fail(if file.is_some() { EINVAL } else { ENOMEM });
        }
        let start = self.place_mapping(at, size, flags)?;
        let shared = match flags & 3 {
            SHARED | VALIDATE => true,
            PRIVATE => false,
            _ => return fail(EINVAL),
        };
        let access = self.access(protection);
        let counted = if access.write && !shared && flags & NORESERVE == 0 { size } else { 0 };
        self.room(size, counted)?;
        let backing = match file {
            None if shared => Backing::Shared(self.new_share(size, None)?, 0),
            None => Backing::Zero,
            Some((object, reads, writes)) => {
                if !reads || shared && protection & 2 != 0 && !writes {
                    return fail(EACCES);
                }
                let Object::Node(node) = object else { return fail(ENODEV) };
                if protection & 4 != 0 && self.tree.noexec(node) {
                    return fail(EPERM);
                }
                if shared && access.write {
                    self.may_change(node, 0)?;
                }
                self.file_backing(node, offset, end, shared)?
            }
        };
        let space = self.me()?.space;
        // What is unmapped at the same place must not end the memory that is mapped there anew.
        self.count_share(backing, 1);
        let mapped = self.map(space, start, size, access, backing, Label::None);
        self.count_share(backing, -1);
        mapped?;
        if counted > 0 && matches!(backing, Backing::Zero) {
            self.foresee(space, start, size);
        }
        Ok(start)
    }

    fn count_share(&mut self, backing: Backing, by: i32) {
        if let Backing::Shared(id, _) = backing
            && let Some(share) = self.shares.get_mut(&id)
        {
            share.users = share.users.saturating_add_signed(by);
        }
    }

    /// Where a mapping goes. EINVAL, ENOMEM, EEXIST, EPERM.
    fn place_mapping(&mut self, at: u64, size: u64, flags: u64) -> Result<u64, Errno> {
        let space = self.spaces.get(self.me()?.space)?;
        if flags & (FIXED | FIXED_NOREPLACE) != 0 {
            let end = at.checked_add(size).ok_or(ENOMEM)?;
            if !at.is_multiple_of(PAGE) {
                return Err(EINVAL);
            }
            if end > space.high {
                return Err(ENOMEM);
            }
            if at < space.low {
                return Err(EPERM);
            }
            let taken = space.first(at).is_some_and(|(start, _)| start < end);
            return if taken && flags & FIXED_NOREPLACE != 0 { Err(EEXIST) } else { Ok(at) };
        }
        let hint = at / PAGE * PAGE;
        if hint >= space.low
            && let Some(end) = hint.checked_add(size)
            && end <= space.high
            && space.first(hint).is_none_or(|(start, _)| start >= end)
        {
            return Ok(hint);
        }
        let top = if flags & LOW != 0 { space.top.min(1 << 31) } else { space.top };
        if flags & ANONYMOUS != 0
            && size.is_multiple_of(LARGE_PAGE)
            && let Some(start) = size.checked_add(LARGE_PAGE).and_then(|more| space.free(more, top))
        {
            return Ok((start + LARGE_PAGE) / LARGE_PAGE * LARGE_PAGE);
        }
        space.free(size, top).or_else(|| space.free(size, space.high)).ok_or(ENOMEM)
    }

    fn file_backing(&mut self, node: NodeId, offset: u64, end: u64, shared: bool) -> Result<Backing, Errno> {
        let place = self.tree.get(node)?;
        match place.kind {
            Kind::File(_) => {}
            // Zeros without end: shared with children if that is asked for.
            Kind::Device(1, 5) if shared => {
                return Ok(Backing::Shared(self.new_share(end - offset, None)?, 0));
            }
            Kind::Device(1, 5) => return Ok(Backing::Zero),
            _ => return Err(ENODEV),
        }
        if shared && !place.frozen {
            let id = self.share_file(node, end)?;
            return Ok(Backing::Shared(id, offset));
        }
        self.pull(node, 0, u64::MAX);
        Ok(Backing::File(node, offset))
    }

    /// memfd_create(2): MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL and MFD_EXEC; MFD_HUGETLB is EINVAL.
    pub(crate) fn sys_memfd_create(&mut self, a: Arguments) -> Done {
        const CLOEXEC: u64 = 1;
        let flags = a[1] & 0xffff_ffff;
        const SEALS: u64 = 2;
        const NO_EXECUTE: u64 = 8;
        const EXECUTE: u64 = 16;
        if flags & !(CLOEXEC | SEALS | NO_EXECUTE | EXECUTE) != 0
            || flags & NO_EXECUTE != 0 && flags & EXECUTE != 0
        {
            return fail(EINVAL);
        }
        let name =
            self.text(a[0], 249, EINVAL).map_err(|errno| if errno == EINVAL { EINVAL } else { EFAULT })?;
        let volume = self.tree.get(self.root)?.volume;
        let meta = self.owned(if flags & NO_EXECUTE != 0 { 0o666 } else { 0o777 });
        let mut file = File::new(Data::Own(Vec::new()));
        file.seals = match () {
            () if flags & NO_EXECUTE != 0 => super::seals::EXECUTE,
            () if flags & SEALS != 0 => 0,
            () => super::seals::SEAL,
        };
        let node = self.tree.make(volume, Kind::File(file), meta)?;
        let mut shown = b"/memfd:".to_vec();
        shown.extend_from_slice(&name);
        shown.extend_from_slice(b" (deleted)");
        let open = self.new_open(Object::Node(node), 2 | super::open::O_LARGEFILE, &shown)?;
        Ok(self.install(open, 0, flags & CLOEXEC != 0)?)
    }
}
