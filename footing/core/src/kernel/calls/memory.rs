//! Memory that is there already: its protection, its heap, what is known of it. Source: mprotect(2), brk(2), madvise(2).

use super::{Arguments, fail};
use crate::errno::{EACCES, EINVAL, ENOMEM, Errno};
use crate::kernel::region::{Label, pages};
use crate::kernel::{Backing, Done, Kernel};
use crate::platform::{Access, Content, PAGE, Platform, SharedId};

const RLIMIT_DATA: usize = 2;
const RLIMIT_AS: usize = 9;
const READ_IMPLIES_EXEC: u32 = 0x40_0000;

impl<P: Platform> Kernel<P> {
    /// What PROT_READ, PROT_WRITE and PROT_EXEC allow on this processor.
    pub(super) fn access(&self, protection: u64) -> Access {
        let (read, write) = (protection & 1 != 0, protection & 2 != 0);
        let everything = self.me().is_ok_and(|me| me.personality & READ_IMPLIES_EXEC != 0);
        let execute = protection & 4 != 0;
        Access { read: read || write || execute, write, execute: execute || everything && read }
    }

    /// Whether so many bytes more may be mapped, and so many to write to. ENOMEM.
    pub(super) fn room(&self, more: u64, committed: u64) -> Result<(), Errno> {
        let me = self.me()?;
        let limit = me.limits.get(RLIMIT_AS).map_or(u64::MAX, |limit| limit.0);
        if self.spaces.get(me.space)?.total.saturating_add(more) > limit {
            return Err(ENOMEM);
        }
        let limit = self.step.memory_limit;
        if limit == 0 || committed == 0 {
            return Ok(());
        }
        let mut sum = committed;
        for number in self.spaces.numbers() {
            sum = sum.saturating_add(self.spaces.get(number).map_or(0, |space| space.committed));
        }
        if sum > limit { Err(ENOMEM) } else { Ok(()) }
    }

    /// A range's end. EINVAL unless it starts at a page; ENOMEM if it is too long.
    fn end_of(&self, start: u64, length: u64) -> Result<u64, Errno> {
        if !start.is_multiple_of(PAGE) {
            return Err(EINVAL);
        }
        pages(length).and_then(|length| start.checked_add(length)).ok_or(ENOMEM)
    }

    /// munmap(2).
    pub(crate) fn sys_munmap(&mut self, a: Arguments) -> Done {
        let end = self.end_of(a[0], a[1]).map_err(|_| EINVAL)?;
        let space = self.me()?.space;
        if a[1] == 0 || end > self.spaces.get(space)?.high.max(1 << 47) {
            return fail(EINVAL);
        }
        self.unmap(space, a[0], end)?;
        Ok(0)
    }

    /// mprotect(2).
    pub(crate) fn sys_mprotect(&mut self, a: Arguments) -> Done {
        const GROWS: u64 = 0x300_0000;
        if a[2] & !(7 | 8 | GROWS) & 0xffff_ffff != 0 || a[2] & GROWS == GROWS {
            return fail(EINVAL);
        }
        let end = self.end_of(a[0], a[1])?;
        if end == a[0] {
            return Ok(0);
        }
        let access = self.access(a[2]);
        let space = self.me()?.space;
        self.protect(space, a[0], end, access)?;
        Ok(0)
    }

    /// brk(2): the heap's end, old or new.
    pub(crate) fn sys_brk(&mut self, a: Arguments) -> Done {
        let me = self.me()?;
        let (id, limit) = (me.space, me.limits.get(RLIMIT_DATA).map_or(u64::MAX, |limit| limit.0));
        let space = self.spaces.get(id)?;
        let (start, now, wanted) = (space.heap, space.heap_end, a[0]);
        if wanted < start || wanted - start > limit {
            return Ok(now);
        }
        let (Some(old), Some(new)) = (pages(now), pages(wanted)) else { return Ok(now) };
        if new > old {
            let taken = space.first(old).is_some_and(|(first, _)| first < new.saturating_add(PAGE));
            if taken || new > space.high || self.room(new - old, new - old).is_err() {
                return Ok(now);
            }
            let access = self.access(3);
            if self.map(id, old, new - old, access, Backing::Zero, Label::Heap).is_err() {
                return Ok(now);
            }
            self.foresee(id, old, new - old);
        } else if new < old {
            self.unmap(id, new, old)?;
        }
        self.spaces.get_mut(id)?.heap_end = wanted;
        Ok(wanted)
    }

    /// madvise(2): MADV_DONTNEED as it says; MADV_REMOVE of shared memory; what only helps is accepted; MADV_WIPEONFORK is EINVAL.
    pub(crate) fn sys_madvise(&mut self, a: Arguments) -> Done {
        let end = self.end_of(a[0], a[1]).map_err(|_| EINVAL)?;
        let advice = a[2] & 0xffff_ffff;
        if !matches!(advice, 0..=4 | 8 | 9 | 10..=17 | 20..=23 | 25) {
            return fail(EINVAL);
        }
        if end == a[0] {
            return Ok(0);
        }
        let space = self.me()?.space;
        if advice == 9 {
            return self.remove_pages(space, a[0], end);
        }
        if advice == 4 || advice == 8 {
            self.forget_pages(space, a[0], end)?;
        }
        if self.spaces.get(space)?.covers(a[0], end) { Ok(0) } else { fail(ENOMEM) }
    }

    /// Shared pages that may be written are zeros again. EINVAL for others, ENOMEM where nothing is mapped.
    fn remove_pages(&mut self, id: u32, start: u64, end: u64) -> Done {
        let mut at = start;
        let mut gaps = false;
        while at < end {
            let Some((first, region)) = self.spaces.get(id)?.first(at).filter(|(first, _)| *first < end)
            else {
                gaps = true;
                break;
            };
            gaps |= first > at;
            at = at.max(first);
            let Backing::Shared(share, offset) = region.backing else { return fail(EINVAL) };
            if !region.access.write {
                return fail(EACCES);
            }
            let to = region.end.min(end);
            let from = offset.saturating_add(at - first);
            let size = usize::try_from(to - at).map_err(|_| EINVAL)?;
            let bytes = self.platform.shared(SharedId(share));
            let bytes = usize::try_from(from).ok().and_then(|from| bytes.get_mut(from..)).unwrap_or_default();
            bytes.iter_mut().take(size).for_each(|byte| *byte = 0);
            at = to;
        }
        if gaps { fail(ENOMEM) } else { Ok(0) }
    }

    /// Private pages are again what they were when they were mapped.
    fn forget_pages(&mut self, id: u32, start: u64, end: u64) -> Result<(), Errno> {
        let mut at = start;
        while at < end {
            let space = self.spaces.get_mut(id)?;
            let Some((first, region)) = space.first(at) else { break };
            if first >= end {
                break;
            }
            let (from, to) = (first.max(at), region.end.min(end));
            let content = match region.backing {
                Backing::Zero => Some(Content::Zero),
                Backing::Shared(..) => None,
                Backing::File(node, offset) => match (self.tree.cached(node), self.tree.file(node)) {
                    (Some(id), Ok(file)) => {
                        Some(Content::File { id, bytes: file.bytes(), offset: offset + (from - first) })
                    }
                    _ => Some(Content::Zero),
                },
            };
            if let Some(content) = content {
                self.platform.map(&mut space.space, from..to, region.access, content)?;
            }
            at = to;
        }
        Ok(())
    }

    /// msync(2): shared pages of files become the files' bytes.
    pub(crate) fn sys_msync(&mut self, a: Arguments) -> Done {
        const ASYNC: u64 = 1;
        const SYNC: u64 = 4;
        let flags = a[2] & 0xffff_ffff;
        if flags & !7 != 0 || flags & (ASYNC | SYNC) == ASYNC | SYNC {
            return fail(EINVAL);
        }
        let end = self.end_of(a[0], a[1])?;
        let space = self.me()?.space;
        let space = self.spaces.get(space)?;
        if !space.covers(a[0], end) {
            return fail(ENOMEM);
        }
        let mut shares = alloc::vec::Vec::new();
        for region in space.regions.values() {
            if let Backing::Shared(id, _) = region.backing {
                shares.push(id);
            }
        }
        for id in shares {
            if let Some(node) = self.shares.get(&id).and_then(|share| share.node) {
                self.pull(node, 0, u64::MAX);
            }
        }
        Ok(0)
    }

    /// mincore(2): all that is mapped is there.
    pub(crate) fn sys_mincore(&mut self, a: Arguments) -> Done {
        let end = self.end_of(a[0], a[1])?;
        let space = self.me()?.space;
        if !self.spaces.get(space)?.covers(a[0], end) {
            return fail(ENOMEM);
        }
        let mut at = a[2];
        let mut left = (end - a[0]) / PAGE;
        while left > 0 {
            let ones = [1; 256];
            let part = ones.get(..left.min(256) as usize).unwrap_or_default();
            self.store(at, part)?;
            (at, left) = (at + part.len() as u64, left - part.len() as u64);
        }
        Ok(0)
    }

    /// mlock(2), munlock(2): nothing is ever swapped.
    pub(crate) fn sys_mlock(&mut self, a: Arguments) -> Done {
        let start = a[0] / PAGE * PAGE;
        let end = self.end_of(start, a[1].saturating_add(a[0] % PAGE))?;
        let space = self.me()?.space;
        if self.spaces.get(space)?.covers(start, end) { Ok(0) } else { fail(ENOMEM) }
    }

    /// mlock2(2).
    pub(crate) fn sys_mlock2(&mut self, a: Arguments) -> Done {
        if a[2] & !1 & 0xffff_ffff != 0 { fail(EINVAL) } else { self.sys_mlock(a) }
    }

    /// mlockall(2).
    pub(crate) fn sys_mlockall(&mut self, a: Arguments) -> Done {
        let flags = a[0] & 0xffff_ffff;
        if flags == 0 || flags & !7 != 0 || flags == 4 { fail(EINVAL) } else { Ok(0) }
    }

    /// munlockall(2).
    pub(crate) fn sys_munlockall(&mut self, _: Arguments) -> Done {
        Ok(0)
    }

    /// membarrier(2): one thread runs at a time, so all orders hold already.
    pub(crate) fn sys_membarrier(&mut self, a: Arguments) -> Done {
        const KNOWN: u64 = 0x7f;
        match a[0] & 0xffff_ffff {
            _ if a[1] & 0xffff_ffff != 0 => fail(EINVAL),
            0 => Ok(KNOWN),
            command if command.is_power_of_two() && command & KNOWN != 0 => Ok(0),
            _ => fail(EINVAL),
        }
    }
}
