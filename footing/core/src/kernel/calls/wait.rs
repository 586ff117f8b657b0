//! Waiting for children.

use crate::errno::{ECHILD, EINVAL, Errno};
use crate::kernel::{Done, Kernel, Object, State, Wait};
use crate::platform::Platform;
use alloc::vec::Vec;

const WNOHANG: u64 = 1;
const WUNTRACED: u64 = 2;
const WEXITED: u64 = 4;
const WCONTINUED: u64 = 8;
const WNOWAIT: u64 = 0x100_0000;

/// What a wait found: the child, `si_code` and `si_status`, and the status of wait(2).
struct Changed {
    id: i32,
    code: i32,
    value: u32,
    status: u32,
    calls: u64,
    looked: u64,
}

impl<P: Platform> Kernel<P> {
    /// A child that changed in a way that is asked for. ECHILD if no child can.
    fn changed(&mut self, which: i32, options: u64) -> Result<Option<Changed>, Errno> {
        let me = self.me()?;
        let (id, group) = (me.id, me.group);
        let mut any = false;
        let mut found = None;
        for process in self.processes.values() {
            let meant = match which {
                -1 => true,
                0 => process.group == group,
                ..0 => Some(process.group) == which.checked_neg(),
                _ => process.id == which,
            };
            if process.parent != id || !meant {
                continue;
            }
            any = true;
            let calls = process.calls.saturating_add(process.children_calls);
            let (id, looked) = (process.id, process.looked);
            let change = |code, value, status| Some(Changed { id, code, value, status, calls, looked });
            found = match process.state {
                State::Zombie(status) if options & WEXITED != 0 => {
                    if status & 0x7f == 0 {
                        change(1, status >> 8, status)
                    } else {
                        change(2, status & 0x7f, status)
                    }
                }
                State::Stopped(signal, false) if options & WUNTRACED != 0 => {
                    change(5, signal.into(), u32::from(signal) << 8 | 0x7f)
                }
                State::Alive if process.continued && options & WCONTINUED != 0 => change(6, 18, 0xffff),
                _ => None,
            };
            if found.is_some() {
                break;
            }
        }
        if !any {
            return Err(ECHILD);
        }
        if let Some(changed) = &found
            && options & WNOWAIT == 0
        {
            self.reap(changed);
        }
        Ok(found)
    }

    /// A change is known from here on; a child that ended is gone.
    fn reap(&mut self, changed: &Changed) {
        let Some(process) = self.processes.get_mut(&changed.id) else { return };
        match &mut process.state {
            State::Zombie(_) => {
                self.processes.remove(&changed.id);
                if let Ok(me) = self.process() {
                    me.children_calls = me.children_calls.saturating_add(changed.calls);
                    me.looked = me.looked.max(changed.looked);
                }
            }
            State::Stopped(_, known) => *known = true,
            State::Alive => process.continued = false,
        }
    }

    pub(super) fn put_usage(&mut self, at: u64, calls: u64) -> Result<(), Errno> {
        if at == 0 {
            return Ok(());
        }
        let time = self.shown_cpu(calls) as i64;
        let mut values = alloc::vec![0; 18];
        values[0] = (time / 1_000_000_000) as u64;
        values[1] = (time % 1_000_000_000 / 1000) as u64;
        self.put_longs(at, &values)
    }

    /// wait4(2).
    pub(crate) fn sys_wait4(&mut self, a: [u64; 6]) -> Done {
        let [which, status, options, usage, ..] = a;
        let which = which as i32;
        if options & !(WNOHANG | WUNTRACED | WCONTINUED | 0xe000_0000) & 0xffff_ffff != 0 {
            return Err(EINVAL.into());
        }
        match self.changed(which, options & (WUNTRACED | WCONTINUED) | WEXITED)? {
            Some(changed) => {
                if status != 0 {
                    self.put32(status, changed.status)?;
                }
                self.put_usage(usage, changed.calls)?;
                Ok(changed.id as u64)
            }
            None if options & WNOHANG != 0 => Ok(0),
            None => {
                let id = self.me()?.id;
                self.wait(Wait::Child(id))
            }
        }
    }

    /// waitpid(2) of i386.
    pub(crate) fn sys_waitpid(&mut self, a: [u64; 6]) -> Done {
        self.sys_wait4([a[0], a[1], a[2], 0, 0, 0])
    }

    /// waitid(2), P_PIDFD included.
    pub(crate) fn sys_waitid(&mut self, a: [u64; 6]) -> Done {
        let [kind, which, info, options, usage, _] = a;
        if options & (WEXITED | WUNTRACED | WCONTINUED) == 0 {
            return Err(EINVAL.into());
        }
        let which = match (kind, which as i32) {
            (0, _) => -1,
            (1, which) if which > 0 => which,
            (2, 0) => 0,
            (2, which) if which > 1 => -which,
            (3, fd) => match self.open_of(fd)?.object {
                Object::Process(id) => id,
                _ => return Err(EINVAL.into()),
            },
            _ => return Err(EINVAL.into()),
        };
        let changed = match self.changed(which, options)? {
            None if options & WNOHANG == 0 => {
                let id = self.me()?.id;
                return self.wait(Wait::Child(id));
            }
            changed => changed,
        };
        if info != 0 {
            let mut words = [0_u32; 32];
            if let Some(changed) = &changed {
                let at = if self.compat { 3 } else { 4 };
                let uid = self.step.uid;
                words[0] = 17;
                words[2] = changed.code as u32;
                words[at..at + 3].copy_from_slice(&[changed.id as u32, uid, changed.value]);
            }
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.store(info, &bytes)?;
        }
        self.put_usage(usage, changed.map_or(0, |changed| changed.calls))?;
        Ok(0)
    }
}
