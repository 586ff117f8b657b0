//! poll(2), select(2) and the calls like them.

use super::ready::{ERR, HUP, IN, INVALID, OUT};
use super::{Arguments, fail};
use crate::errno::{EBADF, EFAULT, EINTR, EINVAL, ENOMEM};
use crate::kernel::{Done, Kernel, Stop, Wait};
use crate::platform::Platform;
use alloc::vec::Vec;

const SECOND: i64 = 1_000_000_000;
const PRIORITY: u32 = 2;

/// The three sets of select(2): which events make a descriptor belong to each.
const SETS: [u32; 3] = [IN | HUP | ERR, OUT | ERR, PRIORITY];

impl<P: Platform> Kernel<P> {
    /// Whether a wait is over without a result; else the thread waits.
    pub(super) fn wait_any(&mut self, over: bool) -> Done {
        if over || self.expired() {
            return Ok(0);
        }
        if self.signal_waits(self.current) {
            return fail(EINTR);
        }
        self.wait(Wait::Any)
    }

    /// A timeout from now; none is for ever.
    pub(super) fn timeout_after(&mut self, length: Option<u64>) {
        let at = length.map(|length| self.now.saturating_add(length));
        self.wait_until(at);
    }

    /// poll(2).
    pub(crate) fn sys_poll(&mut self, a: Arguments) -> Done {
        let timeout = a[2] as i32;
        self.timeout_after(u64::try_from(timeout).ok().map(|timeout| timeout * 1_000_000));
        self.poll(a[0], a[1], timeout == 0)
    }

    /// ppoll(2). What is left of the timeout is stored.
    pub(crate) fn sys_ppoll(&mut self, a: Arguments) -> Done {
        let timeout = if a[2] == 0 { None } else { Some(self.get_time(a[2], SECOND)?) };
        self.timeout_after(timeout);
        self.wait_mask(a[3], a[4])?;
        let done = self.poll(a[0], a[1], timeout == Some(0));
        self.finish_wait(done, a[2], SECOND)
    }

    /// Ends a wait with a mask of its own, and stores what is left of its timeout.
    pub(super) fn finish_wait(&mut self, done: Done, timeout: u64, parts: i64) -> Done {
        match done {
            Err(Stop::BLOCK) | Err(Stop(EINTR)) => return done,
            _ => self.end_mask(),
        }
        if timeout != 0
            && let Ok(thread) = self.thread()
            && let Some(at) = thread.deadline
        {
            let left = at.saturating_sub(self.now);
            // A timeout in memory that can't be written is left as it is.
            let _ = self.put_time(timeout, left as i64, parts);
        }
        done
    }

    fn poll(&mut self, at: u64, count: u64, once: bool) -> Done {
        let count = count & 0xffff_ffff;
        let limit = self.me()?.limits.get(7).map_or(1024, |limit| limit.0);
        if count > limit || count > 1 << 20 {
            return fail(EINVAL);
        }
        let mut bytes = Vec::new();
        bytes.try_reserve(count as usize * 8).map_err(|_| ENOMEM)?;
        bytes.resize(count as usize * 8, 0);
        self.fetch(at, &mut bytes)?;
        let mut found = 0;
        for entry in bytes.chunks_exact_mut(8) {
            let fd = i32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]);
            let events = u32::from(u16::from_le_bytes([entry[4], entry[5]]));
            let ready = match self.fd(fd) {
                _ if fd < 0 => 0,
                Err(_) => INVALID,
                Ok(fd) => self.ready(fd.open)? & (events | ERR | HUP | INVALID),
            };
            entry[6..8].copy_from_slice(&(ready as u16).to_le_bytes());
            found += u64::from(ready != 0);
        }
        let done = if found > 0 { Ok(found) } else { self.wait_any(once) };
        if done.is_ok() {
            for (index, entry) in bytes.chunks_exact(8).enumerate() {
                self.store(at + 8 * index as u64 + 6, &entry[6..8]).map_err(|_| EFAULT)?;
            }
        }
        done
    }

    /// select(2). What is left of the timeout is stored.
    pub(crate) fn sys_select(&mut self, a: Arguments) -> Done {
        let timeout = match a[4] {
            0 => None,
            at => {
                let (seconds, rest) = (self.get_signed(at, 0)?, self.get_signed(at, 1)?);
                if seconds < 0 || rest < 0 {
                    return fail(EINVAL);
                }
                Some(
                    (seconds as u64)
                        .saturating_mul(SECOND as u64)
                        .saturating_add((rest as u64).saturating_mul(1000)),
                )
            }
        };
        self.timeout_after(timeout);
        let done = self.select(a, timeout == Some(0));
        self.finish_wait(done, a[4], 1_000_000)
    }

    /// pselect(2): its sixth argument is the address of a set's address and size.
    pub(crate) fn sys_pselect6(&mut self, a: Arguments) -> Done {
        let timeout = if a[4] == 0 { None } else { Some(self.get_time(a[4], SECOND)?) };
        self.timeout_after(timeout);
        self.pselect(a, timeout)
    }

    pub(super) fn pselect(&mut self, a: Arguments, timeout: Option<u64>) -> Done {
        if a[5] != 0 {
            let (set, size) = (self.get_long(a[5], 0)?, self.get_long(a[5], 1)?);
            self.wait_mask(set, size)?;
        }
        let done = self.select(a, timeout == Some(0));
        self.finish_wait(done, a[4], SECOND)
    }

    fn select(&mut self, a: Arguments, once: bool) -> Done {
        let count = a[0] as i32;
        if count < 0 {
            return fail(EINVAL);
        }
        let table = self.files.get(self.me()?.files)?.fds.len();
        // Linux looks at no more descriptors than a table has room for.
        let count = (count as usize).min(table.next_multiple_of(64).max(64));
        let word = self.long_size() as usize;
        let size = count.div_ceil(word * 8) * word;
        let mut asked: [Vec<u8>; 3] = Default::default();
        for (set, &at) in asked.iter_mut().zip(a.get(1..4).unwrap_or_default()) {
            if at != 0 {
                *set = self.take(at, size as u64)?;
            }
        }
        let mut found = 0;
        let mut answers = [(); 3].map(|()| alloc::vec![0_u8; size]);
        for fd in 0..count {
            let wants = |set: &Vec<u8>| set.get(fd / 8).is_some_and(|byte| byte >> (fd % 8) & 1 != 0);
            if !asked.iter().any(wants) {
                continue;
            }
            let open = self.fd(fd as i32).map_err(|_| EBADF)?.open;
            let ready = self.ready(open)?;
            for ((set, answer), events) in asked.iter().zip(&mut answers).zip(SETS) {
                if wants(set)
                    && ready & events != 0
                    && let Some(byte) = answer.get_mut(fd / 8)
                {
                    *byte |= 1 << (fd % 8);
                    found += 1;
                }
            }
        }
        let done = if found > 0 { Ok(found) } else { self.wait_any(once) };
        if done.is_ok() {
            for (answer, &at) in answers.iter().zip(a.get(1..4).unwrap_or_default()) {
                if at != 0 {
                    self.store(at, answer)?;
                }
            }
        }
        done
    }
}
