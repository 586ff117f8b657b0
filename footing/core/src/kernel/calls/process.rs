//! Numbers, groups and sessions of processes, and their end.

use crate::errno::{EACCES, EINVAL, EPERM, ESRCH, Errno};
use crate::kernel::{Done, Kernel, Object, Stop};
use crate::platform::Platform;

impl<P: Platform> Kernel<P> {
    /// getpid(2).
    pub(crate) fn sys_getpid(&mut self, _: [u64; 6]) -> Done {
        Ok(self.me()?.id as u64)
    }

    /// getppid(2).
    pub(crate) fn sys_getppid(&mut self, _: [u64; 6]) -> Done {
        Ok(self.me()?.parent as u64)
    }

    /// gettid(2).
    pub(crate) fn sys_gettid(&mut self, _: [u64; 6]) -> Done {
        Ok(self.current as u64)
    }

    /// getpgrp(2).
    pub(crate) fn sys_getpgrp(&mut self, _: [u64; 6]) -> Done {
        Ok(self.me()?.group as u64)
    }

    fn process_of(&self, id: u64) -> Result<i32, Errno> {
        let id = if id as i32 == 0 { self.me()?.id } else { id as i32 };
        if self.processes.contains_key(&id) { Ok(id) } else { Err(ESRCH) }
    }

    /// getpgid(2).
    pub(crate) fn sys_getpgid(&mut self, a: [u64; 6]) -> Done {
        let id = self.process_of(a[0])?;
        Ok(self.processes.get(&id).ok_or(ESRCH)?.group as u64)
    }

    /// getsid(2).
    pub(crate) fn sys_getsid(&mut self, a: [u64; 6]) -> Done {
        let id = self.process_of(a[0])?;
        Ok(self.processes.get(&id).ok_or(ESRCH)?.session as u64)
    }

    /// setpgid(2). ESRCH for what is neither the caller nor its child, EACCES after the child's exec, EPERM across sessions.
    pub(crate) fn sys_setpgid(&mut self, a: [u64; 6]) -> Done {
        let (me, session) = (self.me()?.id, self.me()?.session);
        let id = self.process_of(a[0])?;
        let group = if a[1] as i32 == 0 { id } else { a[1] as i32 };
        if group < 0 {
            return Err(EINVAL.into());
        }
        let process = self.processes.get(&id).ok_or(ESRCH)?;
        if id != me && process.parent != me {
            return Err(ESRCH.into());
        }
        if id != me && process.executed {
            return Err(EACCES.into());
        }
        let known = group == id
            || self.processes.values().any(|process| process.group == group && process.session == session);
        if process.session != session || process.session == id || !known {
            return Err(EPERM.into());
        }
        if let Some(process) = self.processes.get_mut(&id) {
            process.group = group;
        }
        Ok(0)
    }

    /// setsid(2). EPERM for a group's leader.
    pub(crate) fn sys_setsid(&mut self, _: [u64; 6]) -> Done {
        let id = self.me()?.id;
        if self.processes.values().any(|process| process.group == id) {
            return Err(EPERM.into());
        }
        let process = self.process()?;
        (process.group, process.session) = (id, id);
        Ok(id as u64)
    }

    /// set_tid_address(2).
    pub(crate) fn sys_set_tid_address(&mut self, a: [u64; 6]) -> Done {
        self.thread()?.clear_tid = a[0];
        Ok(self.current as u64)
    }

    /// set_robust_list(2).
    pub(crate) fn sys_set_robust_list(&mut self, a: [u64; 6]) -> Done {
        if a[1] != 3 * self.long_size() {
            return Err(EINVAL.into());
        }
        self.thread()?.robust = a[0];
        Ok(0)
    }

    /// get_robust_list(2), of the caller and its threads.
    pub(crate) fn sys_get_robust_list(&mut self, a: [u64; 6]) -> Done {
        let id = if a[0] as i32 == 0 { self.current } else { a[0] as i32 };
        let head = self.threads.get(&id).ok_or(ESRCH)?.robust;
        let size = 3 * self.long_size();
        self.put_longs(a[1], &[head])?;
        self.put_longs(a[2], &[size])?;
        Ok(0)
    }

    /// exit(2): of the thread.
    pub(crate) fn sys_exit(&mut self, a: [u64; 6]) -> Done {
        self.exit_thread((a[0] as u32 & 0xff) << 8);
        Err(Stop::RESUME)
    }

    /// exit_group(2).
    pub(crate) fn sys_exit_group(&mut self, a: [u64; 6]) -> Done {
        let id = self.me()?.id;
        self.exit_process(id, (a[0] as u32 & 0xff) << 8);
        Err(Stop::RESUME)
    }

    /// ptrace(2): nobody traces anybody.
    pub(crate) fn sys_ptrace(&mut self, _: [u64; 6]) -> Done {
        Err(EPERM.into())
    }

    /// pidfd_open(2).
    pub(crate) fn sys_pidfd_open(&mut self, a: [u64; 6]) -> Done {
        if a[0] as i32 <= 0 || a[1] & !0x800 != 0 {
            return Err(EINVAL.into());
        }
        let id = self.process_of(a[0])?;
        let open = self.new_open(Object::Process(id), 2 | a[1] as u32, b"")?;
        self.install(open, 0, true).map_err(Stop::from)
    }
}
