//! New processes and threads.

use crate::errno::{EINVAL, ENOSYS, EPERM, Errno};
use crate::kernel::life::Sharing;
use crate::kernel::{Done, Kernel, Object, Wait};
use crate::platform::Platform;

const CLONE_VM: u64 = 0x100;
const CLONE_FS: u64 = 0x200;
const CLONE_FILES: u64 = 0x400;
const CLONE_SIGHAND: u64 = 0x800;
const CLONE_PIDFD: u64 = 0x1000;
const CLONE_VFORK: u64 = 0x4000;
const CLONE_PARENT: u64 = 0x8000;
const CLONE_THREAD: u64 = 0x1_0000;
const CLONE_SETTLS: u64 = 0x8_0000;
const CLONE_PARENT_SETTID: u64 = 0x10_0000;
const CLONE_CHILD_CLEARTID: u64 = 0x20_0000;
const CLONE_CHILD_SETTID: u64 = 0x100_0000;
/// New namespaces: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET.
const NAMESPACES: u64 = 0x7e02_0000;

/// What clone(2) and its like ask for.
#[derive(Clone, Copy, Default)]
struct Clone {
    flags: u64,
    stack: u64,
    parent_tid: u64,
    child_tid: u64,
    tls: u64,
    signal: i32,
}

impl<P: Platform> Kernel<P> {
    /// fork(2).
    pub(crate) fn sys_fork(&mut self, _: [u64; 6]) -> Done {
        self.clone_with(Clone { signal: 17, ..Clone::default() })
    }

    /// vfork(2).
    pub(crate) fn sys_vfork(&mut self, _: [u64; 6]) -> Done {
        self.clone_with(Clone { flags: CLONE_VM | CLONE_VFORK, signal: 17, ..Clone::default() })
    }

    /// clone(2) in the order of arguments of each table. EINVAL for flags that do not go together, EPERM for namespaces.
    pub(crate) fn sys_clone(&mut self, a: [u64; 6]) -> Done {
        let (child_tid, tls) = if self.compat { (a[4], a[3]) } else { (a[3], a[4]) };
        let signal = (a[0] & 0xff) as i32;
        self.clone_with(Clone { flags: a[0] & !0xff, stack: a[1], parent_tid: a[2], child_tid, tls, signal })
    }

    /// clone3(2) is not there: programs use clone(2).
    pub(crate) fn sys_clone3(&mut self, _: [u64; 6]) -> Done {
        Err(ENOSYS.into())
    }

    fn clone_with(&mut self, how: Clone) -> Done {
        let flags = how.flags;
        let thread = self.thread()?;
        if thread.retry {
            // The parent of a vfork goes on once the child has let go.
            return Ok(thread.progress);
        }
        let apart = flags & CLONE_THREAD != 0 && flags & CLONE_SIGHAND == 0
            || flags & CLONE_SIGHAND != 0 && flags & CLONE_VM == 0;
        if apart || !(0..=64).contains(&how.signal) {
            return Err(EINVAL.into());
        }
        if flags & NAMESPACES != 0 {
            return Err(EPERM.into());
        }
        let sharing = Sharing {
            memory: flags & CLONE_VM != 0,
            view: flags & CLONE_FS != 0,
            files: flags & CLONE_FILES != 0,
            process: flags & CLONE_THREAD != 0,
            parent: flags & CLONE_PARENT != 0,
        };
        let parent = self.current;
        let compat = self.compat;
        let id = self.spawn(sharing, how.signal)?;
        self.set_up_child(parent, id, how, compat)?;
        if flags & CLONE_PARENT_SETTID != 0 {
            self.put32(how.parent_tid, id as u32)?;
        }
        if flags & CLONE_PIDFD != 0 {
            let open = self.new_open(Object::Process(id), 2, b"")?;
            let fd = self.install(open, 0, true)?;
            self.put32(how.parent_tid, fd as u32)?;
        }
        if flags & CLONE_VFORK != 0 {
            self.thread()?.progress = id as u64;
            if let Some(child) = self.threads.get_mut(&id) {
                child.vfork = Some(parent);
            }
            return self.wait(Wait::Vfork(id));
        }
        Ok(id as u64)
    }

    /// Stack, thread pointer and numbers of a new thread.
    fn set_up_child(&mut self, parent: i32, id: i32, how: Clone, compat: bool) -> Result<(), Errno> {
        self.current = id;
        let done = self.child_registers(how, compat);
        if how.flags & CLONE_CHILD_SETTID != 0 {
            // Linux ignores an address where nothing is.
            let _ = self.put32(how.child_tid, id as u32);
        }
        if how.flags & CLONE_CHILD_CLEARTID != 0 {
            self.thread()?.clear_tid = how.child_tid;
        }
        self.current = parent;
        done
    }

    fn child_registers(&mut self, how: Clone, compat: bool) -> Result<(), Errno> {
        let tls = how.flags & CLONE_SETTLS != 0;
        if how.stack == 0 && !tls {
            return Ok(());
        }
        let mut registers = self.registers()?;
        if how.stack != 0 {
            registers.rsp = how.stack;
        }
        if tls && !compat {
            registers.fs_base = how.tls;
        }
        registers.rax = 0;
        self.set_registers(&registers)?;
        if tls && compat { self.set_thread_area(how.tls, true) } else { Ok(()) }
    }
}
