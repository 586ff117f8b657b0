//! Calls of i386 that pass numbers of 64 bits in two halves, others in memory, or have structures of x86-64.

use super::{Arguments, fail};
use crate::errno::{EFAULT, EINVAL, ENOMEM, EOVERFLOW, ESRCH, Errno};
use crate::kernel::{Done, Kernel};
use crate::platform::{PAGE, Platform};

const SECOND: i64 = 1_000_000_000;

fn joined(low: u64, high: u64) -> u64 {
    low & 0xffff_ffff | high << 32
}

/// A user or group of 16 bits; 65535 means the same as before.
fn wide_id(id: u64) -> u64 {
    if id & 0xffff == 0xffff { u64::from(u32::MAX) } else { id & 0xffff }
}

/// A user or group in 16 bits; 65534 stands for one that has more.
fn narrow_id(id: u64) -> u64 {
    if id > 0xffff { 65534 } else { id }
}

/// Makes calls that widen users and groups of 16 bits.
macro_rules! narrow {
    ($($name:ident $wide:ident $from:literal $to:literal)*) => {
        impl<P: Platform> Kernel<P> {
            $(
                /// The same with users and groups of 16 bits.
                pub(crate) fn $name(&mut self, mut a: Arguments) -> Done {
                    for id in a.iter_mut().take($to).skip($from) {
                        *id = wide_id(*id);
                    }
                    self.$wide(a)
                }
            )*
        }
    };
}

narrow! {
    sys_lchown16 sys_lchown 1 3
    sys_fchown16 sys_fchown 1 3
    sys_chown16 sys_chown 1 3
    sys_setuid16 sys_setuid 0 1
    sys_setgid16 sys_setgid 0 1
    sys_setreuid16 sys_setreuid 0 2
    sys_setregid16 sys_setregid 0 2
    sys_setresuid16 sys_setresuid 0 3
    sys_setresgid16 sys_setresgid 0 3
}

/// Makes calls whose structures are those of x86-64.
macro_rules! wide {
    ($($name:ident $wide:ident)*) => {
        impl<P: Platform> Kernel<P> {
            $(
                /// The same with times of 64 bits.
                pub(crate) fn $name(&mut self, a: Arguments) -> Done {
                    self.wide(Self::$wide, a)
                }
            )*
        }
    };
}

wide! {
    sys_clock_gettime64 sys_clock_gettime
    sys_clock_getres64 sys_clock_getres
    sys_clock_nanosleep64 sys_clock_nanosleep
    sys_timer_gettime64 sys_timer_gettime
    sys_timer_settime64 sys_timer_settime
    sys_timerfd_gettime64 sys_timerfd_gettime
    sys_timerfd_settime64 sys_timerfd_settime
    sys_utimensat64 sys_utimensat
    sys_ppoll64 sys_ppoll
    sys_rt_sigtimedwait64 sys_rt_sigtimedwait
    sys_futex64 sys_futex
    sys_sched_rr_get_interval64 sys_sched_rr_get_interval
}

impl<P: Platform> Kernel<P> {
    /// pread64 of i386.
    pub(crate) fn sys_pread32(&mut self, a: Arguments) -> Done {
        self.sys_pread64([a[0], a[1], a[2], joined(a[3], a[4]), 0, 0])
    }

    /// pwrite64 of i386.
    pub(crate) fn sys_pwrite32(&mut self, a: Arguments) -> Done {
        self.sys_pwrite64([a[0], a[1], a[2], joined(a[3], a[4]), 0, 0])
    }

    /// preadv of i386.
    pub(crate) fn sys_preadv32(&mut self, a: Arguments) -> Done {
        self.sys_preadv([a[0], a[1], a[2], joined(a[3], a[4]), 0, 0])
    }

    /// pwritev of i386.
    pub(crate) fn sys_pwritev32(&mut self, a: Arguments) -> Done {
        self.sys_pwritev([a[0], a[1], a[2], joined(a[3], a[4]), 0, 0])
    }

    /// preadv2 of i386.
    pub(crate) fn sys_preadv2_32(&mut self, a: Arguments) -> Done {
        self.sys_preadv2([a[0], a[1], a[2], joined(a[3], a[4]), 0, a[5]])
    }

    /// pwritev2 of i386.
    pub(crate) fn sys_pwritev2_32(&mut self, a: Arguments) -> Done {
        self.sys_pwritev2([a[0], a[1], a[2], joined(a[3], a[4]), 0, a[5]])
    }

    /// truncate64 of i386.
    pub(crate) fn sys_truncate64(&mut self, a: Arguments) -> Done {
        self.truncate_path(a[0], joined(a[1], a[2]) as i64)
    }

    /// ftruncate64 of i386.
    pub(crate) fn sys_ftruncate64(&mut self, a: Arguments) -> Done {
        self.truncate_fd(a[0], joined(a[1], a[2]) as i64)
    }

    /// fallocate of i386.
    pub(crate) fn sys_fallocate32(&mut self, a: Arguments) -> Done {
        self.sys_fallocate([a[0], a[1], joined(a[2], a[3]), joined(a[4], a[5]), 0, 0])
    }

    /// fadvise64 of i386: a length of 32 bits.
    pub(crate) fn sys_fadvise32(&mut self, a: Arguments) -> Done {
        self.advise(a[0], self.signed(a[3]), a[4])
    }

    /// fadvise64_64 of i386.
    pub(crate) fn sys_fadvise32_64(&mut self, a: Arguments) -> Done {
        self.advise(a[0], joined(a[3], a[4]) as i64, a[5])
    }

    /// _llseek(2).
    pub(crate) fn sys_llseek(&mut self, a: Arguments) -> Done {
        let offset = joined(a[2], a[1]) as i64;
        let at = self.seek(a[0] as i32, offset, a[4] as u32)?;
        self.put64(a[3], at)?;
        Ok(0)
    }

    /// fcntl64(2): as fcntl(2), with locks of 64 bits.
    pub(crate) fn sys_fcntl64(&mut self, a: Arguments) -> Done {
        self.sys_fcntl(a)
    }

    /// mmap2(2): the offset counts pages.
    pub(crate) fn sys_mmap2(&mut self, a: Arguments) -> Done {
        let offset = (a[5] & 0xffff_ffff) * PAGE;
        self.map_call(a, offset)
    }

    /// The arguments of a call that lie in memory.
    fn arguments_at(&mut self, at: u64, count: u64) -> Result<Arguments, Errno> {
        let mut a = [0; 6];
        for (index, place) in a.iter_mut().take(count as usize).enumerate() {
            *place = self.get32(at + 4 * index as u64)?.into();
        }
        Ok(a)
    }

    /// The first mmap of i386.
    pub(crate) fn sys_old_mmap(&mut self, a: Arguments) -> Done {
        let a = self.arguments_at(a[0], 6)?;
        self.sys_mmap(a)
    }

    /// The first select of i386.
    pub(crate) fn sys_old_select(&mut self, a: Arguments) -> Done {
        let a = self.arguments_at(a[0], 5)?;
        self.sys_select(a)
    }

    /// time(2) of i386. EOVERFLOW after 2038, which the C library asks otherwise.
    pub(crate) fn sys_time32(&mut self, a: Arguments) -> Done {
        if self.clock_now(0)? / SECOND > i64::from(i32::MAX) { fail(EOVERFLOW) } else { self.sys_time(a) }
    }

    /// pselect6 of i386 with a timeout of 64 bits; the set's address is one of 32.
    pub(crate) fn sys_pselect6_64(&mut self, a: Arguments) -> Done {
        let timeout = match a[4] {
            0 => None,
            at => {
                self.compat = false;
                let time = self.get_time(at, SECOND);
                self.compat = true;
                Some(time?)
            }
        };
        self.timeout_after(timeout);
        // What is left of the timeout would be stored in 32 bits: it is not stored.
        let mut a = a;
        a[4] = 0;
        self.pselect(a, timeout)
    }

    /// socketcall(2).
    pub(crate) fn sys_socketcall(&mut self, a: Arguments) -> Done {
        const COUNTS: [u64; 21] = [0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4, 5, 4];
        let number = a[0] as u32;
        let Some(&count) = COUNTS.get(number as usize).filter(|&&count| count > 0) else {
            return fail(EINVAL);
        };
        let mut a = self.arguments_at(a[1], count).map_err(|_| EFAULT)?;
        if matches!(number, 9 | 10) {
            (a[4], a[5]) = (0, 0);
        }
        match number {
            1 => self.sys_socket(a),
            2 => self.sys_bind(a),
            3 => self.sys_connect(a),
            4 => self.sys_listen(a),
            5 => self.sys_accept(a),
            6 => self.sys_getsockname(a),
            7 => self.sys_getpeername(a),
            8 => self.sys_socketpair(a),
            9 | 11 => self.sys_sendto(a),
            10 | 12 => self.sys_recvfrom(a),
            13 => self.sys_shutdown(a),
            14 => self.sys_setsockopt(a),
            15 => self.sys_getsockopt(a),
            16 => self.sys_sendmsg(a),
            17 => self.sys_recvmsg(a),
            18 => self.sys_accept4(a),
            19 => self.sys_recvmmsg(a),
            _ => self.sys_sendmmsg(a),
        }
    }

    /// ipc(2): none of it.
    pub(crate) fn sys_ipc(&mut self, _: Arguments) -> Done {
        self.unknown("ipc")
    }

    /// set_thread_area(2): the first three entries for programs.
    pub(crate) fn sys_set_thread_area(&mut self, a: Arguments) -> Done {
        self.set_thread_area(a[0], false)?;
        Ok(0)
    }

    /// getuid and geteuid with 16 bits.
    pub(crate) fn sys_getuid16(&mut self, _: Arguments) -> Done {
        Ok(narrow_id(self.rights().0.into()))
    }

    /// getgid and getegid with 16 bits.
    pub(crate) fn sys_getgid16(&mut self, _: Arguments) -> Done {
        Ok(narrow_id(self.rights().1.into()))
    }

    /// setfsuid with 16 bits.
    pub(crate) fn sys_setfsuid16(&mut self, a: Arguments) -> Done {
        self.sys_getuid16(a)
    }

    /// setfsgid with 16 bits.
    pub(crate) fn sys_setfsgid16(&mut self, a: Arguments) -> Done {
        self.sys_getgid16(a)
    }

    /// getgroups with 16 bits: none.
    pub(crate) fn sys_getgroups16(&mut self, a: Arguments) -> Done {
        self.sys_getgroups(a)
    }

    fn put_three16(&mut self, a: Arguments, id: u32) -> Done {
        let id = narrow_id(id.into()) as u16;
        for &at in &a[..3] {
            self.store(at, &id.to_le_bytes())?;
        }
        Ok(0)
    }

    /// getresuid with 16 bits.
    pub(crate) fn sys_getresuid16(&mut self, a: Arguments) -> Done {
        self.put_three16(a, self.rights().0)
    }

    /// getresgid with 16 bits.
    pub(crate) fn sys_getresgid16(&mut self, a: Arguments) -> Done {
        self.put_three16(a, self.rights().1)
    }

    /// Sets the base of the segment that a `struct user_desc` describes, for the current thread or, with `child`, for the one that
    /// clone(2) made. EINVAL, EFAULT.
    pub(crate) fn set_thread_area(&mut self, at: u64, child: bool) -> Result<(), Errno> {
        /// The first selector that programs have for it (`GDT_ENTRY_TLS_MIN`).
        const FIRST: u32 = 12;
        let entry = self.get32(at)?;
        let base = self.get32(at + 4)?;
        if !child && entry == u32::MAX {
            self.put32(at, FIRST)?;
        } else if !(FIRST..FIRST + 3).contains(&entry) {
            return Err(EINVAL);
        }
        let Some(thread) = self.threads.get_mut(&self.current) else { return Err(ESRCH) };
        let Some(process) = self.processes.get(&thread.process) else { return Err(ESRCH) };
        let space = self.spaces.get_mut(process.space).map_err(|_| ENOMEM)?;
        let mut registers = self.platform.registers(&mut space.space, &mut thread.context);
        registers.gs_base = base.into();
        self.platform.set_registers(&mut space.space, &mut thread.context, &registers);
        Ok(())
    }
}
