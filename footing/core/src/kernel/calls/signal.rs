//! Signals: sending them, waiting for them, what is done when one arrives.

use crate::errno::{EAGAIN, EINTR, EINVAL, ENOMEM, EPERM, ESRCH, Errno};
use crate::kernel::signal::{SIGKILL, SIGSTOP, UNBLOCKABLE, bit};
use crate::kernel::{Action, Done, Info, Kernel, Object, Stop, Wait, frame};
use crate::platform::Platform;

/// The smallest alternate stack (`MINSIGSTKSZ`).
const MIN_STACK: u64 = 2048;
const SS_DISABLE: u32 = 2;
const SS_ONSTACK: u64 = 1;

impl<P: Platform> Kernel<P> {
    pub(super) fn mask_at(&mut self, at: u64, size: u64) -> Result<u64, Errno> {
        if size != 8 {
            return Err(EINVAL);
        }
        self.get64(at)
    }

    /// rt_sigprocmask(2).
    pub(crate) fn sys_rt_sigprocmask(&mut self, a: [u64; 6]) -> Done {
        let [how, set, old, size, ..] = a;
        if size != 8 {
            return Err(EINVAL.into());
        }
        let before = self.thread()?.mask;
        if set != 0 {
            let set = self.get64(set)?;
            let mask = match how as i32 {
                0 => before | set,
                1 => before & !set,
                2 => set,
                _ => return Err(EINVAL.into()),
            };
            self.thread()?.mask = mask & !UNBLOCKABLE;
        }
        if old != 0 {
            self.put64(old, before)?;
        }
        Ok(0)
    }

    /// rt_sigaction(2).
    pub(crate) fn sys_rt_sigaction(&mut self, a: [u64; 6]) -> Done {
        let [signal, new, old, size, ..] = a;
        let signal = signal as i32;
        if size != 8 || !(1..=64).contains(&signal) || new != 0 && (signal == SIGKILL || signal == SIGSTOP) {
            return Err(EINVAL.into());
        }
        let before = *self.me()?.actions.get(signal as usize).ok_or(EINVAL)?;
        if new != 0 {
            let action = self.action_at(new)?;
            self.set_action(signal, action)?;
        }
        if old != 0 {
            let words = [before.handler, before.flags, before.restorer];
            self.put_longs(old, &words)?;
            self.put64(old.wrapping_add(3 * self.long_size()), before.mask)?;
        }
        Ok(0)
    }

    fn action_at(&mut self, at: u64) -> Result<Action, Errno> {
        let (handler, flags, restorer) =
            (self.get_long(at, 0)?, self.get_long(at, 1)?, self.get_long(at, 2)?);
        let mask = self.get64(at.wrapping_add(3 * self.long_size()))?;
        Ok(Action { handler, flags, restorer, mask: mask & !UNBLOCKABLE })
    }

    fn set_action(&mut self, signal: i32, action: Action) -> Result<(), Errno> {
        let process = self.process()?;
        *process.actions.get_mut(signal as usize).ok_or(EINVAL)? = action;
        // What is ignored from now on does not wait any longer.
        let usually_ignored = action.handler == 0 && matches!(signal, 17 | 18 | 23 | 28);
        if action.handler == 1 || usually_ignored {
            process.pending.retain(|info| info.signal != signal);
            for id in process.threads.clone() {
                if let Some(thread) = self.threads.get_mut(&id) {
                    thread.pending.retain(|info| info.signal != signal);
                }
            }
        }
        Ok(())
    }

    /// sigaction(2) of i386.
    pub(crate) fn sys_sigaction(&mut self, a: [u64; 6]) -> Done {
        let [signal, new, old, ..] = a;
        let signal = signal as i32;
        if !(1..=64).contains(&signal) || new != 0 && (signal == SIGKILL || signal == SIGSTOP) {
            return Err(EINVAL.into());
        }
        let before = *self.me()?.actions.get(signal as usize).ok_or(EINVAL)?;
        if new != 0 {
            let word = |kernel: &mut Self, index| kernel.get_long(new, index);
            let (handler, mask) = (word(self, 0)?, word(self, 1)?);
            let (flags, restorer) = (word(self, 2)?, word(self, 3)?);
            self.set_action(signal, Action { handler, flags, restorer, mask })?;
        }
        if old != 0 {
            self.put_longs(old, &[before.handler, before.mask, before.flags, before.restorer])?;
        }
        Ok(0)
    }

    /// signal(2) of i386: a handler for one time.
    pub(crate) fn sys_signal(&mut self, a: [u64; 6]) -> Done {
        let signal = a[0] as i32;
        if !(1..=64).contains(&signal) || signal == SIGKILL || signal == SIGSTOP {
            return Err(EINVAL.into());
        }
        let before = self.me()?.actions.get(signal as usize).ok_or(EINVAL)?.handler;
        self.set_action(signal, Action { handler: a[1], flags: 0xc000_0000, restorer: 0, mask: 0 })?;
        Ok(before)
    }

    /// rt_sigreturn(2).
    pub(crate) fn sys_rt_sigreturn(&mut self, _: [u64; 6]) -> Done {
        self.return_from_handler(true)
    }

    /// sigreturn(2) of i386.
    pub(crate) fn sys_sigreturn(&mut self, _: [u64; 6]) -> Done {
        self.return_from_handler(false)
    }

    fn return_from_handler(&mut self, real: bool) -> Done {
        let popped = if self.compat { self.pop_frame32(real) } else { self.pop_frame() };
        if popped.is_err() {
            let id = self.me()?.id;
            self.kill_process(id, 11);
        }
        Err(Stop::RESUME)
    }

    /// sigaltstack(2).
    pub(crate) fn sys_sigaltstack(&mut self, a: [u64; 6]) -> Done {
        let pointer = self.registers()?.rsp;
        let (start, size, flags) = self.thread()?.altstack;
        let inside = flags & SS_DISABLE == 0 && pointer > start && pointer - start <= size;
        if a[0] != 0 {
            let long = self.long_size();
            let (place, room) = (self.get_long(a[0], 0)?, self.get_long(a[0], 2)?);
            let wanted = self.get32(a[0].wrapping_add(long))?;
            if inside {
                return Err(EPERM.into());
            }
            let altstack = match wanted & 0x7fff_ffff {
                0 | 1 if room < MIN_STACK => return Err(ENOMEM.into()),
                0 | 1 => (place, room, 0),
                SS_DISABLE => (0, 0, SS_DISABLE),
                _ => return Err(EINVAL.into()),
            };
            self.thread()?.altstack = altstack;
        }
        if a[1] != 0 {
            let flags = if inside { SS_ONSTACK } else { flags.into() };
            self.put_longs(a[1], &[start, flags, size])?;
        }
        Ok(0)
    }

    /// rt_sigpending(2).
    pub(crate) fn sys_rt_sigpending(&mut self, a: [u64; 6]) -> Done {
        if a[1] > 8 {
            return Err(EINVAL.into());
        }
        let thread = self.threads.get(&self.current).ok_or(ESRCH)?;
        let process = self.me()?;
        let all = thread.pending.iter().chain(&process.pending).fold(0, |set, info| set | bit(info.signal));
        let set = (all & thread.mask).to_le_bytes();
        self.store(a[0], set.get(..a[1] as usize).unwrap_or_default())?;
        Ok(0)
    }

    /// rt_sigsuspend(2).
    pub(crate) fn sys_rt_sigsuspend(&mut self, a: [u64; 6]) -> Done {
        if !self.thread()?.retry {
            let mask = self.mask_at(a[0], a[1])?;
            self.begin_mask(mask)?;
        }
        self.wait(Wait::Sleep)
    }

    /// pause(2).
    pub(crate) fn sys_pause(&mut self, _: [u64; 6]) -> Done {
        self.wait(Wait::Sleep)
    }

    /// rt_sigtimedwait(2). EAGAIN when the time is over, EINTR by another signal.
    pub(crate) fn sys_rt_sigtimedwait(&mut self, a: [u64; 6]) -> Done {
        let [set, info, timeout, size, ..] = a;
        let set = self.mask_at(set, size)? & !UNBLOCKABLE;
        if let Some(signal) = self.take_signal(self.current, set) {
            if info != 0 {
                let bytes = frame::siginfo(&signal);
                self.store(info, &bytes)?;
            }
            return Ok(signal.signal as u64);
        }
        if self.expired() {
            return Err(EAGAIN.into());
        }
        if timeout != 0 {
            let after = self.get_time(timeout, 1_000_000_000)?;
            if after == 0 {
                return Err(EAGAIN.into());
            }
            self.wait_until(Some(self.now.saturating_add(after)));
        }
        // Blocked signals do not end a wait by themselves: whoever sends one wakes those that wait for anything.
        self.wait(Wait::Any)
    }

    fn send(&mut self, ids: &[i32], info: Info) -> Done {
        if !(0..=64).contains(&info.signal) {
            return Err(EINVAL.into());
        }
        if ids.iter().all(|id| self.foreign(*id)) {
            return Err(EPERM.into());
        }
        if info.signal > 0 {
            for id in ids {
                if !self.foreign(*id) {
                    self.send_process(*id, info);
                }
            }
        }
        Ok(0)
    }

    /// kill(2). EPERM for process 1, which is another user's, unless it is the builder.
    pub(crate) fn sys_kill(&mut self, a: [u64; 6]) -> Done {
        if !(0..=64).contains(&(a[1] as i32)) {
            return Err(EINVAL.into());
        }
        let ids = self.addressed(a[0] as i32)?;
        let me = self.me()?.id;
        self.send(&ids, Info::user(a[1] as i32, me))
    }

    /// tgkill(2).
    pub(crate) fn sys_tgkill(&mut self, a: [u64; 6]) -> Done {
        self.send_to_thread(Some(a[0] as i32), a[1] as i32, a[2] as i32)
    }

    /// tkill(2).
    pub(crate) fn sys_tkill(&mut self, a: [u64; 6]) -> Done {
        self.send_to_thread(None, a[0] as i32, a[1] as i32)
    }

    fn send_to_thread(&mut self, group: Option<i32>, id: i32, signal: i32) -> Done {
        if id <= 0 || group.is_some_and(|group| group <= 0) || !(0..=64).contains(&signal) {
            return Err(EINVAL.into());
        }
        if self.foreign(id) {
            return Err(EPERM.into());
        }
        let process = self.threads.get(&id).ok_or(ESRCH)?.process;
        if group.is_some_and(|group| group != process) {
            return Err(ESRCH.into());
        }
        let me = self.me()?.id;
        if signal > 0 {
            self.send_thread(id, Info { code: -6, ..Info::user(signal, me) });
        }
        Ok(0)
    }

    fn queued_info(&mut self, at: u64, signal: i32) -> Result<Info, Errno> {
        let code = self.get32(at.wrapping_add(8))? as i32;
        let from = self.get32(at.wrapping_add(if self.compat { 12 } else { 16 }))? as i32;
        let value = if self.compat {
            self.get32(at.wrapping_add(20)).map(u64::from)?
        } else {
            self.get64(at.wrapping_add(24))?
        };
        // Only the kernel's codes are not negative, but that of kill(2) is nobody else's either.
        if code >= 0 || code == -6 {
            return Err(EPERM);
        }
        Ok(Info { code, from, value, ..Info::kernel(signal) })
    }

    /// rt_sigqueueinfo(2).
    pub(crate) fn sys_rt_sigqueueinfo(&mut self, a: [u64; 6]) -> Done {
        let info = self.queued_info(a[2], a[1] as i32)?;
        let id = a[0] as i32;
        if !self.processes.contains_key(&id) {
            return Err(ESRCH.into());
        }
        self.send(&[id], info)
    }

    /// rt_tgsigqueueinfo(2).
    pub(crate) fn sys_rt_tgsigqueueinfo(&mut self, a: [u64; 6]) -> Done {
        let info = self.queued_info(a[3], a[2] as i32)?;
        let id = a[1] as i32;
        if self.threads.get(&id).ok_or(ESRCH)?.process != a[0] as i32 {
            return Err(ESRCH.into());
        }
        if !(0..=64).contains(&info.signal) {
            return Err(EINVAL.into());
        }
        self.send_thread(id, info);
        Ok(0)
    }

    /// pidfd_send_signal(2).
    pub(crate) fn sys_pidfd_send_signal(&mut self, a: [u64; 6]) -> Done {
        let Object::Process(id) = self.open_of(a[0] as i32)?.object else {
            return Err(crate::errno::EBADF.into());
        };
        if !self.processes.contains_key(&id) {
            return Err(ESRCH.into());
        }
        let me = self.me()?.id;
        let info = if a[2] == 0 { Info::user(a[1] as i32, me) } else { self.queued_info(a[2], a[1] as i32)? };
        self.send(&[id], info)
    }

    /// What a call with a mask of its own returns after a signal without a handler ended its wait.
    pub(crate) fn sys_restart_syscall(&mut self, _: [u64; 6]) -> Done {
        Err(EINTR.into())
    }
}
