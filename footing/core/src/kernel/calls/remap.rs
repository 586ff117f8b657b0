//! mremap(2).

use super::{Arguments, fail};
use crate::errno::{EFAULT, EINVAL, ENOMEM, Errno};
use crate::kernel::region::pages;
use crate::kernel::{Backing, Done, Kernel, Region};
use crate::platform::{Access, PAGE, Platform};

const MAYMOVE: u64 = 1;
const FIXED: u64 = 2;

impl<P: Platform> Kernel<P> {
    /// mremap(2): MREMAP_MAYMOVE and MREMAP_FIXED; MREMAP_DONTUNMAP and a size of 0 are EINVAL.
    pub(crate) fn sys_mremap(&mut self, a: Arguments) -> Done {
        let [start, old, new, flags, to, _] = a;
        let flags = flags & 0xffff_ffff;
        if flags & !(MAYMOVE | FIXED) != 0 || flags == FIXED || !start.is_multiple_of(PAGE) {
            return fail(EINVAL);
        }
        let (Some(old), Some(new)) = (pages(old), pages(new)) else { return fail(EINVAL) };
        let id = self.me()?.space;
        if old == 0 && new > 0 && flags & FIXED == 0 {
            // Linux looks at the mapping first; a shared one would be mapped a second time.
            return match self.spaces.get(id)?.at(start) {
                None => fail(EFAULT),
                Some((_, region))
                    if matches!(region.backing, Backing::Shared(..)) && flags & MAYMOVE == 0 =>
                {
                    fail(ENOMEM)
                }
                Some(_) => fail(EINVAL),
            };
        }
        if new == 0 || old == 0 && self.spaces.get(id)?.at(start).is_some() {
            return fail(EINVAL);
        }
        let old_end = start.checked_add(old).ok_or(EINVAL)?;
        let new_end = start.checked_add(new).ok_or(EINVAL)?;
        if old == 0 && self.spaces.get(id)?.at(start).is_none() {
            return fail(EFAULT);
        }
        if flags & FIXED != 0 {
            let space = self.spaces.get(id)?;
            let end = to.checked_add(new).ok_or(EINVAL)?;
            if !to.is_multiple_of(PAGE) || end > space.high || to < old_end && start < end {
                return fail(EINVAL);
            }
            self.whole(id, start, old_end.min(new_end))?;
            self.unmap(id, to, end)?;
            if new < old {
                self.unmap(id, new_end, old_end)?;
            }
            return self.move_mapping(id, (start, old.min(new)), to, new);
        }
        if !self.spaces.get(id)?.covers(start, start.saturating_add(PAGE)) {
            return fail(EFAULT);
        }
        if new <= old {
            self.unmap(id, new_end, old_end)?;
            return Ok(start);
        }
        let region = self.whole(id, start, old_end)?;
        let space = self.spaces.get(id)?;
        let free = space.first(old_end).is_none_or(|(next, _)| next >= new_end) && new_end <= space.high;
        let more = new - old;
        self.room(more, if region.access.write { more } else { 0 })?;
        if free && region.end == old_end {
            self.lengthen(id, start, old_end, new_end)?;
            return Ok(start);
        }
        if flags & MAYMOVE == 0 {
            return fail(ENOMEM);
        }
        let space = self.spaces.get(id)?;
        let to = space.free(new, space.top).ok_or(ENOMEM)?;
        self.move_mapping(id, (start, old), to, new)
    }

    /// The region that all of a range lies in. EFAULT.
    fn whole(&self, id: u32, start: u64, end: u64) -> Result<Region, Errno> {
        let space = self.spaces.get(id)?;
        match space.at(start) {
            Some((_, region)) if region.end >= end => Ok(region),
            // Regions that touch and differ in nothing but their files' offsets are one mapping of Linux.
            Some((_, region)) if space.covers(start, end) && region.backing == Backing::Zero => Ok(region),
            _ => Err(EFAULT),
        }
    }

    /// Maps more right behind a mapping, of the same kind.
    fn lengthen(&mut self, id: u32, start: u64, from: u64, to: u64) -> Result<(), Errno> {
        let (first, region) = self.spaces.get(id)?.at(start).ok_or(EFAULT)?;
        let further = from - first;
        let backing = match region.backing {
            Backing::Zero => Backing::Zero,
            Backing::File(node, offset) => Backing::File(node, offset.saturating_add(further)),
            Backing::Shared(share, offset) => {
                let end = offset.saturating_add(to - first);
                let share = match self.shares.get(&share) {
                    Some(known) if known.size >= end => share,
                    Some(known) => match known.node {
                        Some(node) => self.share_file(node, end)?,
                        // Behind the end of shared memory without a file there is nothing to touch.
                        None => {
                            let none = Access { read: false, write: false, execute: false };
                            return self.map(id, from, to - from, none, Backing::Zero, region.label);
                        }
                    },
                    None => return Err(EFAULT),
                };
                Backing::Shared(share, offset.saturating_add(further))
            }
        };
        self.map(id, from, to - from, region.access, backing, region.label)
    }

    /// Moves pages to a free place and maps what is new behind them.
    fn move_mapping(&mut self, id: u32, (start, old): (u64, u64), to: u64, new: u64) -> Done {
        let space = self.spaces.get_mut(id)?;
        let (regions, more) = space.cut(start, start.saturating_add(old));
        for share in more.into_iter().flatten() {
            if let Some(share) = self.shares.get_mut(&share) {
                share.users = share.users.saturating_add(1);
            }
        }
        self.platform.shift(&mut space.space, start..start + old, to).map_err(Errno::from)?;
        for (at, _) in &regions {
            space.remove(*at);
        }
        for (at, region) in regions {
            let place = to + (at - start);
            space.insert(place, Region { end: to + (region.end - start), ..region });
        }
        if new > old {
            self.lengthen(id, to, to + old, to + new)?;
        }
        Ok(to)
    }
}
