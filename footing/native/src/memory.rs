//! Mappings: footing's own calls are queued until the process runs or its memory is looked at.

use std::ops::Range;

use footing_core::platform::{Access, Content, NoMemory, PAGE};

use crate::list::Stopped;
use crate::space::{Space, State};
use crate::store::ROOM;
use crate::stub::{self, Call};
use crate::trace::{self, Gone};
use crate::{Native, filter};

/// Empty processes that are kept.
const POOL: usize = 8;
/// The processor's.
const LARGE_PAGE: u64 = 2 << 20;
/// Bytes up to which pages are given before they are touched.
const AT_ONCE: u64 = 256 << 10;
/// Killed processes after which they are waited for.
const KILLED: usize = 16;

/// A write to a page reads it, and so does executing it, on this processor: all hosts shall agree.
fn protection(access: Access) -> u64 {
    let mut bits = libc::PROT_NONE;
    if access.read || access.write || access.execute {
        bits |= libc::PROT_READ;
    }
    if access.write {
        bits |= libc::PROT_WRITE;
    }
    if access.execute {
        bits |= libc::PROT_EXEC;
    }
    bits as u64
}

fn map(at: Range<u64>, protection: u64, flags: i32, place: Option<(i32, u64)>) -> Call {
    let (fd, offset) = place.map_or((u64::from(u32::MAX), 0), |(fd, offset)| (fd as u64, offset));
    let flags = (flags | libc::MAP_FIXED | libc::MAP_NORESERVE) as u64;
    [libc::SYS_mmap as u64, at.start, at.end - at.start, protection, flags, fd, offset]
}

fn unmap(at: Range<u64>) -> Call {
    [libc::SYS_munmap as u64, at.start, at.end - at.start, 0, 0, 0, 0]
}

impl Native {
    pub(crate) fn queue_map(
        &mut self,
        space: &mut Space,
        at: Range<u64>,
        access: Access,
        content: Content<'_>,
    ) -> Result<(), NoMemory> {
        if stub::touches(&at) || at.start >= at.end || at.end > stub::TOP {
            return Err(NoMemory);
        }
        let bits = protection(access);
        let zero = |at: Range<u64>| map(at, bits, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, None);
        let fd = self.store.fd;
        match content {
            Content::Zero => space.queue.push(zero(at)),
            Content::File { id, bytes, offset } => {
                let stored = (bytes.len() as u64).next_multiple_of(PAGE).saturating_sub(offset);
                let middle = at.start + stored.min(at.end - at.start);
                if middle > at.start {
                    let place = self.store.file(id, bytes, !space.files.contains(&id))?;
                    space.files.insert(id);
                    let place = Some((fd, place + offset));
                    space.queue.push(map(at.start..middle, bits, libc::MAP_PRIVATE, place));
                }
                if middle < at.end {
                    space.queue.push(zero(middle..at.end));
                }
            }
            Content::Shared(id, offset) => {
                let (place, bytes) = self.store.shared_at(id).ok_or(NoMemory)?;
                let middle = at.start + bytes.saturating_sub(offset).min(at.end - at.start);
                if middle > at.start {
                    space.queue.push(map(
                        at.start..middle,
                        bits,
                        libc::MAP_SHARED,
                        Some((fd, place + offset)),
                    ));
                }
                // Behind the end of the memfd an access is SIGBUS, as behind the end of a file.
                if middle < at.end {
                    space.queue.push(map(middle..at.end, bits, libc::MAP_SHARED, Some((fd, ROOM))));
                }
            }
        }
        Ok(())
    }

    /// Lets the host use large pages where it has some to spare, and else give pages that stand beside each other all at once: a page
    /// that is given when it is touched costs twice as much.
    pub(crate) fn queue_foreseen(&self, space: &mut Space, at: Range<u64>) {
        let length = at.end - at.start;
        if length > 0 && at.start.is_multiple_of(LARGE_PAGE) && length.is_multiple_of(LARGE_PAGE) {
            if self.first.large {
                space.queue.push([libc::SYS_madvise as u64, at.start, length, filter::ADVICE, 0, 0, 0]);
            }
        } else if length <= AT_ONCE
            && let Some([number, start, mapped, _, flags, ..]) = space.queue.last_mut()
            && (*number, *start, *mapped) == (libc::SYS_mmap as u64, at.start, length)
        {
            *flags |= libc::MAP_POPULATE as u64;
        }
    }

    pub(crate) fn queue_unmap(space: &mut Space, at: Range<u64>) {
        space.queue.extend(stub::outside(at.start..at.end.min(stub::TOP)).map(unmap));
    }

    pub(crate) fn queue_protect(space: &mut Space, at: Range<u64>, access: Access) {
        for part in stub::outside(at.start..at.end.min(stub::TOP)) {
            let call = libc::SYS_mprotect as u64;
            space.queue.push([call, part.start, part.end - part.start, protection(access), 0, 0, 0]);
        }
    }

    /// Makes the calls that are queued.
    pub(crate) fn carry_out(&mut self, space: &mut Space) -> Result<(), Gone> {
        if space.queue.is_empty() {
            return if space.state == State::Gone { Err(Gone) } else { Ok(()) };
        }
        self.make(space, None).map(|_| ()).map_err(|_| Gone)
    }

    /// Makes the calls that are queued and one more; the result of the last.
    fn make(&mut self, space: &mut Space, last: Option<Call>) -> Result<u64, Stopped> {
        space.halt()?;
        if let Some(live) = space.live.clone()
            && !live.borrow().known
        {
            space.know(trace::registers(space.pid)?);
        }
        let mut calls = std::mem::take(&mut space.queue);
        calls.extend(last);
        let made = self.list.make(space.pid, &calls);
        // What is mapped is not known any more, unless it was the call that may fail.
        if made.is_err() && (last.is_none() || made == Err(Stopped::Gone)) {
            self.lose(space);
        }
        made
    }

    /// Ends a process that can not go on.
    fn lose(&mut self, space: &mut Space) {
        if space.state != State::Gone {
            trace::kill(space.pid);
            space.state = State::Gone;
        }
    }

    /// Moves pages that may be several mappings of the host's.
    pub(crate) fn move_pages(
        &mut self,
        space: &mut Space,
        from: Range<u64>,
        to: u64,
    ) -> Result<(), NoMemory> {
        let length = from.end.saturating_sub(from.start);
        let target = to..to.checked_add(length).ok_or(NoMemory)?;
        if stub::touches(&from) || stub::touches(&target) || target.end > stub::TOP {
            return Err(NoMemory);
        }
        self.carry_out(space).map_err(|_| NoMemory)?;
        let one = |from: u64, to: u64, length: u64| {
            let flags = (libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED) as u64;
            [libc::SYS_mremap as u64, from, length, length, flags, to, 0]
        };
        match self.make(space, Some(one(from.start, to, length))) {
            Ok(_) => Ok(()),
            Err(Stopped::Refused(libc::EFAULT)) => {
                let pages = (0..length).step_by(PAGE as usize);
                space.queue.extend(pages.map(|at| one(from.start + at, to + at, PAGE)));
                self.carry_out(space).map_err(|_| NoMemory)
            }
            Err(_) => Err(NoMemory),
        }
    }

    /// A copy of a process.
    pub(crate) fn copy(&mut self, space: &mut Space) -> Result<Space, NoMemory> {
        self.carry_out(space).map_err(|_| NoMemory)?;
        self.counts.forks += 1;
        let clone = [libc::SYS_clone as u64, filter::FORK, 0, 0, 0, 0, 0];
        let pid = self.make(space, Some(clone)).map_err(|_| NoMemory)?;
        let mut copy = Space::new(stopped(pid)?);
        copy.files.clone_from(&space.files);
        copy.compat = space.compat;
        for &id in &copy.files {
            self.store.again(id);
        }
        Ok(copy)
    }

    /// An empty process.
    pub(crate) fn empty(&mut self) -> Result<Space, NoMemory> {
        if let Some(pid) = self.pool.pop() {
            return Ok(Space::new(pid));
        }
        self.counts.forks += 1;
        let clone = [libc::SYS_clone as u64, filter::FORK, 0, 0, 0, 0, 0];
        let pid = self.list.make(self.first.pid, &[clone]).map_err(|_| NoMemory)?;
        Ok(Space::new(stopped(pid)?))
    }

    /// Ends a process, or keeps it empty.
    pub(crate) fn end(&mut self, mut space: Space) {
        let saved = space.park();
        for &id in &space.files {
            self.store.leave(id);
        }
        let kept = saved.is_ok() && space.state == State::Stopped && !space.compat && self.pool.len() < POOL;
        let pages = stub::PAGES;
        if kept && self.list.make(space.pid, &[unmap(0..pages.start), unmap(pages.end..stub::TOP)]).is_ok() {
            self.pool.push(space.pid);
            return;
        }
        self.lose(&mut space);
        self.killed.push(space.pid);
        if self.killed.len() > KILLED {
            for pid in std::mem::take(&mut self.killed) {
                trace::reap(pid);
            }
        }
    }
}

/// Waits until a copy is stopped.
fn stopped(pid: u64) -> Result<libc::pid_t, NoMemory> {
    let pid = libc::pid_t::try_from(pid).map_err(|_| NoMemory)?;
    match trace::wait(pid) {
        trace::Status::Signal(_) => Ok(pid),
        _ => Err(NoMemory),
    }
}
