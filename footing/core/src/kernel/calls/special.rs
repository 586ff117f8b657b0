//! Descriptors of events, timers and signals. Source: eventfd(2), timerfd_create(2), signalfd(2).

use super::{Arguments, Range, fail, total};
use crate::errno::{EAGAIN, EINVAL, EPERM, Errno};
use crate::kernel::{Done, EventFd, Kernel, Object, Stop, Wait};
use crate::platform::Platform;
use crate::tree::NodeId;

const SEMAPHORE: u64 = 1;
const O_NONBLOCK: u64 = 0o4000;
const O_CLOEXEC: u64 = 0o200_0000;

impl<P: Platform> Kernel<P> {
    /// eventfd(2) without flags.
    pub(crate) fn sys_eventfd(&mut self, a: Arguments) -> Done {
        self.sys_eventfd2([a[0], 0, 0, 0, 0, 0])
    }

    /// eventfd(2).
    pub(crate) fn sys_eventfd2(&mut self, a: Arguments) -> Done {
        if a[1] & !(SEMAPHORE | O_NONBLOCK | O_CLOEXEC) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let event = EventFd { count: a[0] & 0xffff_ffff, semaphore: a[1] & SEMAPHORE != 0 };
        let event = self.events.add(event)?;
        let open = self.new_open(Object::Event(event), 2 | (a[1] & O_NONBLOCK) as u32, b"")?;
        Ok(self.install(open, 0, a[1] & O_CLOEXEC != 0)?)
    }

    /// A wait for a description that is not ready, or EAGAIN.
    fn not_ready(&mut self, open: u32) -> Done {
        if self.opens.get(open)?.impatient() { fail(EAGAIN) } else { self.wait(Wait::Any) }
    }

    /// Puts eight bytes where a read wants them.
    fn put_count(&mut self, ranges: &[Range], count: u64) -> Result<u64, Errno> {
        let bytes = count.to_le_bytes();
        let mut rest = bytes.as_slice();
        for &(start, length) in ranges {
            let (now, later) = rest.split_at(rest.len().min(length as usize));
            self.store(start, now)?;
            rest = later;
        }
        if rest.is_empty() { Ok(8) } else { Err(EINVAL) }
    }

    pub(super) fn read_event(&mut self, open: u32, event: u32, ranges: &[Range]) -> Done {
        if total(ranges) < 8 {
            return fail(EINVAL);
        }
        let place = self.events.get_mut(event)?;
        if place.count == 0 {
            return self.not_ready(open);
        }
        let count = if place.semaphore { 1 } else { place.count };
        // As on Linux, a count that can't be stored is gone.
        place.count -= count;
        let done = self.put_count(ranges, count);
        self.stir_open(open);
        Ok(done?)
    }

    pub(super) fn write_event(&mut self, open: u32, event: u32, ranges: &[Range]) -> Done {
        let [(start, 8)] = *ranges else { return fail(EINVAL) };
        let more = self.get64(start)?;
        let place = self.events.get_mut(event)?;
        if more == u64::MAX {
            return fail(EINVAL);
        }
        match place.count.checked_add(more) {
            Some(sum) if sum < u64::MAX => place.count = sum,
            _ => return self.not_ready(open),
        }
        self.stir_open(open);
        Ok(8)
    }

    pub(super) fn read_timer(&mut self, open: u32, timer: u32, ranges: &[Range]) -> Done {
        if total(ranges) < 8 {
            return fail(EINVAL);
        }
        let fired = self.timer_fds.get(timer)?.fired;
        if fired == 0 {
            return self.not_ready(open);
        }
        self.timer_fds.get_mut(timer)?.fired = 0;
        Ok(self.put_count(ranges, fired)?)
    }

    pub(super) fn read_signals_of(&mut self, open: u32, set: u64, ranges: &[Range]) -> Done {
        let (start, length) = ranges.first().copied().unwrap_or_default();
        match self.read_signals(set, start, length) {
            Err(Stop(EAGAIN)) => self.not_ready(open),
            done => done,
        }
    }

    /// Files of `/proc` whose text may be set take nothing.
    pub(super) fn write_text(&mut self, _node: NodeId, ranges: &[Range]) -> Done {
        if total(ranges) == 0 { Ok(0) } else { fail(EPERM) }
    }
}
