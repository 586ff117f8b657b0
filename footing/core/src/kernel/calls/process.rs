//! Processes: making them, changing their program, ending them, waiting for them.

use crate::errno::{E2BIG, EACCES, ECHILD, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, Errno};
use crate::kernel::life::Sharing;
use crate::kernel::lookup::AT_FDCWD;
use crate::kernel::{Done, Kernel, Object, State, Stop, Wait};
use crate::platform::Platform;
use alloc::vec::Vec;

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

const AT_EMPTY_PATH: u64 = 0x1000;
const AT_SYMLINK_NOFOLLOW: u64 = 0x100;

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
}

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
            return Err(Stop::Block(Wait::Vfork(id)));
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

    /// Strings of a vector that a null pointer ends. EFAULT, E2BIG.
    fn strings(&mut self, at: u64) -> Result<Vec<Vec<u8>>, Errno> {
        let mut all = Vec::new();
        let mut sum = 0_usize;
        if at == 0 {
            return Ok(all);
        }
        loop {
            let place = self.get_long(at, all.len() as u64)?;
            if place == 0 {
                return Ok(all);
            }
            let text = self.text(place, 128 << 10, E2BIG)?;
            sum = sum.saturating_add(text.len() + 9);
            if sum > 6 << 20 {
                return Err(E2BIG);
            }
            all.push(text);
        }
    }

    /// execve(2).
    pub(crate) fn sys_execve(&mut self, a: [u64; 6]) -> Done {
        let path = self.path(a[0])?;
        let node = self.node_at(AT_FDCWD, &path, true)?;
        self.execute_program(node, path, a[1], a[2])
    }

    /// execveat(2) with AT_EMPTY_PATH and AT_SYMLINK_NOFOLLOW.
    pub(crate) fn sys_execveat(&mut self, a: [u64; 6]) -> Done {
        if a[4] & !(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0 {
            return Err(EINVAL.into());
        }
        let path = self.path(a[1])?;
        let fd = a[0] as i32;
        if path.is_empty() && a[4] & AT_EMPTY_PATH != 0 {
            let open = self.open_of(fd)?;
            let Object::Node(node) = open.object else { return Err(EACCES.into()) };
            let mut shown = b"/dev/fd/".to_vec();
            for digit in decimal(fd as u64) {
                shown.push(digit);
            }
            return self.execute_program(node, shown, a[2], a[3]);
        }
        let node = self.node_at(fd, &path, a[4] & AT_SYMLINK_NOFOLLOW == 0)?;
        self.execute_program(node, path, a[2], a[3])
    }

    fn execute_program(&mut self, node: crate::tree::NodeId, path: Vec<u8>, argv: u64, envp: u64) -> Done {
        self.executable(node)?;
        let (argv, envp) = (self.strings(argv)?, self.strings(envp)?);
        let image = self.image(node, path, argv, envp)?;
        self.replace(image)?;
        Err(Stop::Resume)
    }

    /// exit(2): of the thread.
    pub(crate) fn sys_exit(&mut self, a: [u64; 6]) -> Done {
        self.exit_thread((a[0] as u32 & 0xff) << 8);
        Err(Stop::Resume)
    }

    /// exit_group(2).
    pub(crate) fn sys_exit_group(&mut self, a: [u64; 6]) -> Done {
        let id = self.me()?.id;
        self.exit_process(id, (a[0] as u32 & 0xff) << 8);
        Err(Stop::Resume)
    }

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
            let change = |code, value, status| Some(Changed { id: process.id, code, value, status, calls });
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
                }
            }
            State::Stopped(_, known) => *known = true,
            State::Alive => process.continued = false,
        }
    }

    fn put_usage(&mut self, at: u64, calls: u64) -> Result<(), Errno> {
        if at == 0 {
            return Ok(());
        }
        let time = calls.saturating_mul(self.settings.call_cost) as i64;
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
            None => Err(Stop::Block(Wait::Child(self.me()?.id))),
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
            None if options & WNOHANG == 0 => return Err(Stop::Block(Wait::Child(self.me()?.id))),
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

    /// arch_prctl(2): FS and GS. CPUID can't be made to fault here.
    pub(crate) fn sys_arch_prctl(&mut self, a: [u64; 6]) -> Done {
        let mut registers = self.registers()?;
        match a[0] {
            0x1001 | 0x1002 if a[1] >= 0x7fff_ffff_f000 => return Err(EPERM.into()),
            0x1001 => registers.gs_base = a[1],
            0x1002 => registers.fs_base = a[1],
            0x1003 => return Ok(self.put64(a[1], registers.fs_base).map(|()| 0)?),
            0x1004 => return Ok(self.put64(a[1], registers.gs_base).map(|()| 0)?),
            0x1011 => return Ok(1),
            0x1012 => return Err(crate::errno::ENODEV.into()),
            _ => return Err(EINVAL.into()),
        }
        self.set_registers(&registers)?;
        Ok(0)
    }

    /// personality(2): kept, without effect.
    pub(crate) fn sys_personality(&mut self, a: [u64; 6]) -> Done {
        let process = self.process()?;
        let before = process.personality;
        if a[0] as u32 != u32::MAX {
            process.personality = a[0] as u32;
        }
        Ok(before.into())
    }

    /// prctl(2): names, death signals, subreapers; what has no meaning here is EINVAL.
    pub(crate) fn sys_prctl(&mut self, a: [u64; 6]) -> Done {
        match a[0] as i32 {
            1 if a[1] > 64 => Err(EINVAL.into()),
            1 => {
                self.process()?.death_signal = a[1] as i32;
                Ok(0)
            }
            2 => {
                let signal = self.me()?.death_signal as u32;
                Ok(self.put32(a[1], signal).map(|()| 0)?)
            }
            // PR_GET_DUMPABLE, PR_SET_DUMPABLE.
            3 => Ok(1),
            4 if a[1] > 1 => Err(EINVAL.into()),
            15 => {
                let mut name = self.name_at(a[1])?;
                name[15] = 0;
                self.thread()?.name = name;
                Ok(0)
            }
            16 => {
                let name = self.thread()?.name;
                Ok(self.store(a[1], &name).map(|()| 0)?)
            }
            // PR_CAPBSET_READ: whoever builds has no capability.
            23 if a[1] > 40 => Err(EINVAL.into()),
            // PR_SET_TIMERSLACK, PR_SET_PDEATHSIG's kin without effect; PR_SET_NO_NEW_PRIVS; PR_SET_THP_DISABLE.
            4 | 23 | 29 | 41 => Ok(0),
            30 => Ok(50_000),
            36 => {
                self.process()?.subreaper = a[1] != 0;
                Ok(0)
            }
            37 => {
                let subreaper = self.me()?.subreaper.into();
                Ok(self.put32(a[1], subreaper).map(|()| 0)?)
            }
            38 if a[1] == 1 => Ok(0),
            39 => Ok(1),
            // PR_SET_VMA: names of mappings are not kept.
            0x5356_4d41 => Ok(0),
            _ => Err(EINVAL.into()),
        }
    }

    fn name_at(&mut self, at: u64) -> Result<[u8; 16], Errno> {
        let mut name = [0; 16];
        let got = self.fetch_some(at, &mut name);
        let end = name.iter().take(15).position(|&byte| byte == 0);
        let end = end.or(if got >= 15 { Some(15) } else { None }).ok_or(EFAULT)?;
        name.iter_mut().skip(end).for_each(|byte| *byte = 0);
        Ok(name)
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

fn decimal(mut value: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    loop {
        digits.insert(0, b'0' + (value % 10) as u8);
        value /= 10;
        if value == 0 {
            return digits;
        }
    }
}
