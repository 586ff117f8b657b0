//! Calls of i386 for the first 32 signals. Source: sigprocmask(2) "C library/kernel differences".

use super::Arguments;
use crate::errno::EINVAL;
use crate::kernel::{Done, Kernel, Wait};
use crate::platform::Platform;

const LOW: u64 = 0xffff_ffff;

impl<P: Platform> Kernel<P> {
    /// The old sigprocmask.
    pub(crate) fn sys_sigprocmask(&mut self, a: Arguments) -> Done {
        let new = if a[1] == 0 { None } else { Some(u64::from(self.get32(a[1])?)) };
        let thread = self.thread()?;
        let before = thread.mask;
        if let Some(new) = new {
            let mask = match a[0] as u32 {
                0 => before | new,
                1 => before & !new,
                2 => before & !LOW | new,
                _ => return Err(EINVAL.into()),
            };
            thread.mask = mask & !crate::kernel::signal::UNBLOCKABLE;
        }
        if a[2] != 0 {
            self.put32(a[2], before as u32)?;
        }
        Ok(0)
    }

    /// The old sigpending.
    pub(crate) fn sys_sigpending(&mut self, a: Arguments) -> Done {
        let mut set = 0;
        let thread = self.thread()?;
        let mask = thread.mask;
        for info in &thread.pending {
            set |= crate::kernel::signal::bit(info.signal);
        }
        for info in &self.me()?.pending {
            set |= crate::kernel::signal::bit(info.signal);
        }
        self.put32(a[0], (set & mask) as u32)?;
        Ok(0)
    }

    /// The old sigsuspend: its third argument is the mask.
    pub(crate) fn sys_sigsuspend(&mut self, a: Arguments) -> Done {
        self.begin_mask(a[2] & LOW)?;
        if self.signal_waits(self.current) {
            return Err(crate::errno::EINTR.into());
        }
        self.wait(Wait::Sleep)
    }
}
