//! futex(2). First come, first woken.

use super::{Arguments, fail};
use crate::errno::{EAGAIN, EFAULT, EINVAL, ENOSYS, ETIMEDOUT, Errno};
use crate::kernel::{Backing, Done, Kernel, Wait};
use crate::platform::Platform;

const WAIT: u32 = 0;
const WAKE: u32 = 1;
const REQUEUE: u32 = 3;
const CMP_REQUEUE: u32 = 4;
const WAKE_OP: u32 = 5;
const WAIT_BITSET: u32 = 9;
const WAKE_BITSET: u32 = 10;
const CLOCK_REALTIME: u32 = 256;
const SECOND: i64 = 1_000_000_000;
/// Marks a key of shared memory.
const SHARED: u64 = 1 << 63;

impl<P: Platform> Kernel<P> {
    /// What an address means to all who may use it: the address space and the address, or the shared memory and the offset.
    fn futex_key(&self, at: u64) -> Result<Wait, Errno> {
        if !at.is_multiple_of(4) {
            return Err(EINVAL);
        }
        let id = self.me()?.space;
        Ok(match self.spaces.get(id)?.at(at) {
            Some((start, region)) => match region.backing {
                Backing::Shared(share, offset) => {
                    Wait::Futex(SHARED | share, offset.wrapping_add(at - start))
                }
                _ => Wait::Futex(id.into(), at),
            },
            None => Wait::Futex(id.into(), at),
        })
    }

    /// Wakes threads that wait at an address.
    pub(crate) fn wake_address(&mut self, at: u64, most: u32) {
        if let Ok(key) = self.futex_key(at) {
            self.wake_waiters(key, most, u32::MAX);
        }
    }

    fn wake_waiters(&mut self, key: Wait, most: u32, bits: u32) -> u64 {
        let mut woken = 0;
        let mut at = 0;
        while let Some(&id) = self.blocked.get(at) {
            if woken >= most {
                break;
            }
            let waits = self.threads.get_mut(&id).filter(|thread| thread.wait == Some(key) && !thread.woken);
            let Some(thread) = waits else {
                at += 1;
                continue;
            };
            // The bits that the thread waits with: progress has them, if it is FUTEX_WAIT_BITSET.
            if thread.progress as u32 & bits == 0 {
                at += 1;
                continue;
            }
            thread.woken = true;
            self.wake_thread(id);
            woken += 1;
        }
        woken.into()
    }

    /// futex(2): waiting and waking, private or not; the operations of priority inheritance are ENOSYS.
    pub(crate) fn sys_futex(&mut self, a: Arguments) -> Done {
        let operation = a[1] as u32;
        let command = operation & 0x7f;
        match command {
            WAIT => {
                let timeout = if a[3] == 0 { None } else { Some(self.get_time(a[3], SECOND)?) };
                let at = timeout.map(|timeout| self.now.saturating_add(timeout));
                self.futex_wait(a[0], a[2] as u32, at, u32::MAX)
            }
            WAIT_BITSET => {
                let clock = if operation & CLOCK_REALTIME != 0 { 0 } else { 1 };
                let timeout = if a[3] == 0 { None } else { Some(self.get_time(a[3], SECOND)?) };
                let at = timeout.map(|timeout| self.moment(clock, timeout));
                self.futex_wait(a[0], a[2] as u32, at, a[5] as u32)
            }
            WAKE | WAKE_BITSET => {
                let bits = if command == WAKE { u32::MAX } else { a[5] as u32 };
                if bits == 0 {
                    return fail(EINVAL);
                }
                let key = self.futex_key(a[0])?;
                Ok(self.wake_waiters(key, (a[2] as u32).max(1), bits))
            }
            REQUEUE | CMP_REQUEUE => self.requeue(a, command == CMP_REQUEUE),
            WAKE_OP => self.wake_op(a),
            _ => fail(ENOSYS),
        }
    }

    fn futex_wait(&mut self, at: u64, expected: u32, until: Option<u64>, bits: u32) -> Done {
        if bits == 0 {
            return fail(EINVAL);
        }
        let key = self.futex_key(at)?;
        self.wait_until(until);
        let thread = self.thread()?;
        if thread.woken {
            return Ok(0);
        }
        if thread.retry && self.expired() {
            return fail(ETIMEDOUT);
        }
        if !self.thread()?.retry {
            if self.get32(at).map_err(|_| EFAULT)? != expected {
                return fail(EAGAIN);
            }
            if until.is_some_and(|until| until <= self.now) {
                return fail(ETIMEDOUT);
            }
        }
        self.thread()?.progress = bits.into();
        self.wait(key)
    }

    fn requeue(&mut self, a: Arguments, compare: bool) -> Done {
        let (wake, move_most) = (a[2] as i32, a[3] as i32);
        if wake < 0 || move_most < 0 {
            return fail(EINVAL);
        }
        let (from, to) = (self.futex_key(a[0])?, self.futex_key(a[4])?);
        if compare && self.get32(a[0])? != a[5] as u32 {
            return fail(EAGAIN);
        }
        let woken = if wake > 0 { self.wake_waiters(from, wake as u32, u32::MAX) } else { 0 };
        let mut moved = 0;
        let mut queue = alloc::vec::Vec::new();
        for id in self.blocked.clone() {
            let Some(thread) = self.threads.get_mut(&id) else { continue };
            if moved < move_most && thread.wait == Some(from) && !thread.woken {
                thread.wait = Some(to);
                moved += 1;
                queue.push(id);
            }
        }
        // They come last in the other queue.
        self.blocked.retain(|id| !queue.contains(id));
        self.blocked.extend(queue);
        Ok(woken + if compare { moved as u64 } else { 0 })
    }

    /// FUTEX_WAKE_OP: changes the second word and wakes there if a comparison of what it was holds.
    fn wake_op(&mut self, a: Arguments) -> Done {
        let (first, second) = (self.futex_key(a[0])?, self.futex_key(a[4])?);
        let coded = a[5] as u32;
        let sign = |bits: u32| (bits << 20) as i32 >> 20;
        let (operation, comparison) = (coded >> 28 & 7, coded >> 24 & 15);
        let (mut operand, compared) = (sign(coded >> 12 & 0xfff), sign(coded & 0xfff));
        if coded >> 31 != 0 {
            operand = 1_i32.checked_shl(operand as u32 & 31).unwrap_or(0);
        }
        let before = self.get32(a[4])? as i32;
        let after = match operation {
            0 => operand,
            1 => before.wrapping_add(operand),
            2 => before | operand,
            3 => before & !operand,
            4 => before ^ operand,
            _ => return fail(ENOSYS),
        };
        self.put32(a[4], after as u32)?;
        let holds = match comparison {
            0 => before == compared,
            1 => before != compared,
            2 => before < compared,
            3 => before <= compared,
            4 => before > compared,
            5 => before >= compared,
            _ => return fail(ENOSYS),
        };
        let mut woken = self.wake_waiters(first, (a[2] as u32).max(1), u32::MAX);
        if holds {
            woken += self.wake_waiters(second, (a[3] as u32).max(1), u32::MAX);
        }
        Ok(woken)
    }
}
