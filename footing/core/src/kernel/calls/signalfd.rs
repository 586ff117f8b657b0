//! Signals that are read.

use crate::errno::{EAGAIN, EFAULT, EINVAL};
use crate::kernel::signal::UNBLOCKABLE;
use crate::kernel::{Done, Kernel, Object};
use crate::platform::Platform;

impl<P: Platform> Kernel<P> {
    /// signalfd(2) and signalfd4(2): a new descriptor, or another set for an old one.
    pub(crate) fn sys_signalfd4(&mut self, a: [u64; 6]) -> Done {
        let set = self.mask_at(a[1], a[2])? & !UNBLOCKABLE;
        let flags = a[3] as u32;
        if flags & !0x80800 != 0 {
            return Err(EINVAL.into());
        }
        if a[0] as i32 != -1 {
            let open = self.fd(a[0] as i32)?.open;
            let Object::Signal(signals) = &mut self.opens.get_mut(open)?.object else {
                return Err(EINVAL.into());
            };
            *signals = set;
            return Ok(a[0]);
        }
        let open = self.new_open(Object::Signal(set), 2 | flags & 0x800, b"")?;
        Ok(self.install(open, 0, flags & 0x80000 != 0)?)
    }

    /// signalfd(2).
    pub(crate) fn sys_signalfd(&mut self, a: [u64; 6]) -> Done {
        self.sys_signalfd4([a[0], a[1], a[2], 0, 0, 0])
    }

    /// Reads from a signalfd: whole `struct signalfd_siginfo`. EAGAIN, EINVAL for less room than one.
    pub(crate) fn read_signals(&mut self, set: u64, at: u64, length: u64) -> Done {
        if length < 128 {
            return Err(EINVAL.into());
        }
        let mut done = 0;
        while done + 128 <= length {
            let Some(info) = self.take_signal(self.current, set) else { break };
            let mut words = [0_u32; 32];
            words[0] = info.signal as u32;
            words[1] = info.errno as u32;
            words[2] = info.code as u32;
            words[3] = info.from as u32;
            words[4] = self.step.uid;
            words[10] = info.value as u32;
            for (at, word) in [(12, info.value as u32), (13, (info.value >> 32) as u32)] {
                words[at] = word;
            }
            let bytes: alloc::vec::Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.store(at.checked_add(done).ok_or(EFAULT)?, &bytes)?;
            done += 128;
        }
        if done == 0 { Err(EAGAIN.into()) } else { Ok(done) }
    }
}
