//! What the machine is, and limits. Nothing of the real machine shows.

use super::{Arguments, fail};
use crate::errno::{EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, Errno};
use crate::kernel::procfs::{RELEASE, VERSION};
use crate::kernel::{Done, Kernel};
use crate::platform::Platform;
use alloc::vec::Vec;

const UNAME26: u32 = 0x2_0000;
const LINUX32: u32 = 8;
const RESOURCES: u32 = 16;
const RLIMIT_NOFILE: usize = 7;

impl<P: Platform> Kernel<P> {
    /// uname(2), with PER_LINUX32 and UNAME26.
    pub(crate) fn sys_uname(&mut self, a: Arguments) -> Done {
        let personality = self.me()?.personality;
        let release = if personality & UNAME26 != 0 { b"2.6.72" } else { RELEASE };
        let machine: &[u8] = if personality & 0xff == LINUX32 { b"i686" } else { b"x86_64" };
        let mut bytes = Vec::with_capacity(390);
        for text in [b"Linux", &*self.step.hostname, release, VERSION, machine, &*self.step.domainname] {
            let start = bytes.len();
            bytes.extend_from_slice(text.get(..text.len().min(64)).unwrap_or_default());
            bytes.resize(start + 65, 0);
        }
        self.store(a[0], &bytes)?;
        Ok(0)
    }

    /// rseq(2): ENOSYS, as of a kernel that is built without it. Every program with a C library asks, and none needs it.
    pub(crate) fn sys_rseq(&mut self, _a: Arguments) -> Done {
        fail(ENOSYS)
    }

    /// sysinfo(2).
    pub(crate) fn sys_sysinfo(&mut self, a: Arguments) -> Done {
        let (total, unit) =
            if self.compat { (self.shown_memory() / 4096, 4096_u32) } else { (self.shown_memory(), 1) };
        let free = total / 4 * 3;
        let word = self.long_size() as usize;
        let mut bytes = Vec::with_capacity(112);
        for value in [self.shown_now() / 1_000_000_000, 0, 0, 0, total, free, 0, 0, 0, 0] {
            bytes.extend_from_slice(value.to_le_bytes().get(..word).unwrap_or_default());
        }
        bytes.extend_from_slice(&(self.processes.len() as u16).to_le_bytes());
        bytes.resize(bytes.len().next_multiple_of(word), 0);
        bytes.resize(bytes.len() + 2 * word, 0);
        bytes.extend_from_slice(&unit.to_le_bytes());
        bytes.resize(if self.compat { 64 } else { 112 }, 0);
        self.store(a[0], &bytes)?;
        Ok(0)
    }

    /// A limit of a process. ESRCH, EINVAL.
    fn limit(&mut self, process: i32, resource: u64) -> Result<&mut (u64, u64), Errno> {
        let id = if process == 0 { self.me()?.id } else { process };
        if resource as u32 >= RESOURCES {
            return Err(EINVAL);
        }
        if self.foreign(id) {
            return Err(EPERM);
        }
        let process = self.processes.get_mut(&id).ok_or(ESRCH)?;
        process.limits.get_mut(resource as u32 as usize).ok_or(EINVAL)
    }

    fn set_limit(&mut self, process: i32, resource: u64, soft: u64, hard: u64) -> Result<(), Errno> {
        let root = self.rights().0 == 0;
        let place = self.limit(process, resource)?;
        if soft > hard {
            return Err(EINVAL);
        }
        if hard > place.1 && !root || resource as usize == RLIMIT_NOFILE && hard > 1 << 20 {
            return Err(EPERM);
        }
        *place = (soft, hard);
        Ok(())
    }

    /// A limit as a `long` shows it.
    fn short(&self, limit: u64, most: u64) -> u64 {
        if self.compat { limit.min(most) } else { limit }
    }

    /// getrlimit(2).
    pub(crate) fn sys_getrlimit(&mut self, a: Arguments) -> Done {
        let (soft, hard) = *self.limit(0, a[0])?;
        let most = u64::from(u32::MAX);
        let values = [self.short(soft, most), self.short(hard, most)];
        self.put_longs(a[1], &values)?;
        Ok(0)
    }

    /// The first getrlimit of i386, which knows no more than 31 bits.
    pub(crate) fn sys_old_getrlimit(&mut self, a: Arguments) -> Done {
        let (soft, hard) = *self.limit(0, a[0])?;
        let values = [self.short(soft, 0x7fff_ffff), self.short(hard, 0x7fff_ffff)];
        self.put_longs(a[1], &values)?;
        Ok(0)
    }

    /// setrlimit(2).
    pub(crate) fn sys_setrlimit(&mut self, a: Arguments) -> Done {
        let (soft, hard) = (self.get_long(a[1], 0)?, self.get_long(a[1], 1)?);
        let wide = |limit: u64| if limit == u64::from(u32::MAX) { u64::MAX } else { limit };
        let (soft, hard) = if self.compat { (wide(soft), wide(hard)) } else { (soft, hard) };
        self.set_limit(0, a[0], soft, hard)?;
        Ok(0)
    }

    /// prlimit(2).
    pub(crate) fn sys_prlimit64(&mut self, a: Arguments) -> Done {
        let process = a[0] as i32;
        let new = match a[2] {
            0 => None,
            at => Some((self.get64(at)?, self.get64(at + 8)?)),
        };
        let (soft, hard) = *self.limit(process, a[1])?;
        if let Some((soft, hard)) = new {
            self.set_limit(process, a[1], soft, hard)?;
        }
        if a[3] != 0 {
            self.put64(a[3], soft)?;
            self.put64(a[3] + 8, hard)?;
        }
        Ok(0)
    }

    /// A process or thread that a call names; 0 is the caller. ESRCH.
    fn named(&self, id: u64) -> Result<(), Errno> {
        let id = id as i32;
        if id < 0 {
            return Err(EINVAL);
        }
        if id == 0 || self.processes.contains_key(&id) || self.threads.contains_key(&id) {
            Ok(())
        } else {
            Err(ESRCH)
        }
    }

    /// Whether a process or thread may be changed: also EPERM, for process 1.
    fn owned_by_us(&self, id: u64) -> Result<(), Errno> {
        self.named(id)?;
        if self.foreign(id as i32) { Err(EPERM) } else { Ok(()) }
    }

    /// sched_getaffinity(2): all processors.
    pub(crate) fn sys_sched_getaffinity(&mut self, a: Arguments) -> Done {
        let word = self.long_size();
        let length = a[1] & 0xffff_ffff;
        if length < word || !length.is_multiple_of(word) {
            return fail(EINVAL);
        }
        self.named(a[0])?;
        let all = u64::MAX >> (64 - self.cpus());
        self.put_longs(a[2], &[all])?;
        Ok(word)
    }

    /// sched_setaffinity(2): EINVAL without a processor; no effect.
    pub(crate) fn sys_sched_setaffinity(&mut self, a: Arguments) -> Done {
        let mask = self.take(a[2], (a[1] & 0xffff_ffff).min(8))?;
        self.owned_by_us(a[0])?;
        let all = u64::MAX >> (64 - self.cpus());
        let is_there = mask.iter().zip(all.to_le_bytes()).any(|(byte, there)| byte & there != 0);
        if is_there { Ok(0) } else { fail(EINVAL) }
    }

    /// sched_getscheduler(2): SCHED_OTHER.
    pub(crate) fn sys_sched_getscheduler(&mut self, a: Arguments) -> Done {
        self.named(a[0])?;
        Ok(0)
    }

    /// sched_setscheduler(2): SCHED_OTHER, SCHED_BATCH and SCHED_IDLE, without effect; EPERM for the others.
    pub(crate) fn sys_sched_setscheduler(&mut self, a: Arguments) -> Done {
        self.owned_by_us(a[0])?;
        let priority = self.get32(a[2])?;
        match (a[1] as u32 & !0x4000_0000, priority) {
            (0 | 3 | 5, 0) => Ok(0),
            (1 | 2, 1..=99) => fail(EPERM),
            _ => fail(EINVAL),
        }
    }

    /// sched_getparam(2).
    pub(crate) fn sys_sched_getparam(&mut self, a: Arguments) -> Done {
        self.named(a[0])?;
        self.put32(a[1], 0)?;
        Ok(0)
    }

    /// sched_setparam(2): priority 0.
    pub(crate) fn sys_sched_setparam(&mut self, a: Arguments) -> Done {
        self.owned_by_us(a[0])?;
        if self.get32(a[1])? == 0 { Ok(0) } else { fail(EINVAL) }
    }

    /// sched_get_priority_max(2).
    pub(crate) fn sys_sched_get_priority_max(&mut self, a: Arguments) -> Done {
        match a[0] as u32 {
            1 | 2 => Ok(99),
            0 | 3 | 5 | 6 => Ok(0),
            _ => fail(EINVAL),
        }
    }

    /// sched_get_priority_min(2).
    pub(crate) fn sys_sched_get_priority_min(&mut self, a: Arguments) -> Done {
        match a[0] as u32 {
            1 | 2 => Ok(1),
            0 | 3 | 5 | 6 => Ok(0),
            _ => fail(EINVAL),
        }
    }

    /// sched_rr_get_interval(2).
    pub(crate) fn sys_sched_rr_get_interval(&mut self, a: Arguments) -> Done {
        self.named(a[0])?;
        self.put_time(a[1], 4_000_000, 1_000_000_000)?;
        Ok(0)
    }

    /// sched_getattr(2): SCHED_OTHER.
    pub(crate) fn sys_sched_getattr(&mut self, a: Arguments) -> Done {
        if a[3] != 0 || !(48..=4096).contains(&(a[2] & 0xffff_ffff)) {
            return fail(EINVAL);
        }
        self.named(a[0])?;
        let mut bytes = [0; 56];
        bytes[0] = 56;
        self.store(a[1], &bytes[..(a[2] & 0xffff_ffff).min(56) as usize]).map_err(|_| EFAULT)?;
        Ok(0)
    }

    /// getpriority(2), as the kernel has it: 20 minus the nice value, which is 0.
    pub(crate) fn sys_getpriority(&mut self, a: Arguments) -> Done {
        if a[0] as u32 > 2 {
            return fail(EINVAL);
        }
        if a[0] as u32 == 0 {
            self.named(a[1]).map_err(|_| ESRCH)?;
        }
        Ok(20)
    }

    /// setpriority(2): less is accepted and has no effect, more is EACCES.
    pub(crate) fn sys_setpriority(&mut self, a: Arguments) -> Done {
        if a[0] as u32 > 2 {
            return fail(EINVAL);
        }
        if (a[2] as i32) < 0 && self.rights().0 != 0 {
            return fail(crate::errno::EACCES);
        }
        if a[0] as u32 == 0 {
            self.owned_by_us(a[1]).map_err(|errno| if errno == EPERM { EPERM } else { ESRCH })?;
        }
        Ok(0)
    }

    /// nice(2) of i386.
    pub(crate) fn sys_nice(&mut self, a: Arguments) -> Done {
        if (a[0] as i32) < 0 && self.rights().0 != 0 { fail(EPERM) } else { Ok(0) }
    }

    /// getcpu(2): the first processor and node.
    pub(crate) fn sys_getcpu(&mut self, a: Arguments) -> Done {
        for &at in &a[..2] {
            if at != 0 {
                self.put32(at, 0)?;
            }
        }
        Ok(0)
    }

    /// getrandom(2): from the step's own stream; it never waits.
    pub(crate) fn sys_getrandom(&mut self, a: Arguments) -> Done {
        let flags = a[2] & 0xffff_ffff;
        if flags & !7 != 0 || flags & 6 == 6 {
            return fail(EINVAL);
        }
        self.check_range(a[0], a[1])?;
        let length = a[1].min(0x7fff_ffff);
        Ok(self.fill_ranges(&[(a[0], length)], |kernel, bytes| kernel.random.fill(bytes))?)
    }

    /// syslog(2): EPERM.
    pub(crate) fn sys_syslog(&mut self, _: Arguments) -> Done {
        fail(EPERM)
    }
}
