//! How processes and threads begin and change their program.

use super::process::{Process, Thread};
use super::program::Image;
use super::{Kernel, View};
use crate::errno::{EAGAIN, Errno};
use crate::platform::Platform;
use alloc::vec::Vec;

/// The largest number of a process (`PID_MAX_DEFAULT`).
const MAX_PID: i32 = 32768;
/// After the largest number it starts again here (`RESERVED_PIDS`).
const FIRST_PID: i32 = 300;

/// What a new process or thread shares with its maker.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sharing {
    pub(crate) memory: bool,
    pub(crate) view: bool,
    pub(crate) files: bool,
    /// A thread of the same process.
    pub(crate) process: bool,
    /// A child of its maker's parent.
    pub(crate) parent: bool,
}

/// The name of a program without its folders, as `comm` has it.
fn base_name(path: &[u8]) -> [u8; 16] {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let mut comm = [0; 16];
    for (to, from) in comm.iter_mut().zip(name.iter().take(15)) {
        *to = *from;
    }
    comm
}

impl<P: Platform> Kernel<P> {
    /// The next number for a process or thread that is free.
    pub(crate) fn next_pid(&mut self) -> Option<i32> {
        for _ in 0..MAX_PID {
            self.last_pid = if self.last_pid >= MAX_PID { FIRST_PID } else { self.last_pid + 1 };
            let id = self.last_pid;
            let used = self.threads.contains_key(&id)
                || self.processes.contains_key(&id)
                || self.processes.values().any(|process| process.group == id || process.session == id);
            if !used {
                return Some(id);
            }
        }
        None
    }

    /// A new thread, in this process or in a new one, with the registers of the current one and the result 0. EAGAIN, ENOMEM.
    pub(crate) fn spawn(&mut self, sharing: Sharing, exit_signal: i32) -> Result<i32, Errno> {
        let limit = self.step.process_limit;
        if limit > 0 && self.threads.len() as u64 >= u64::from(limit) {
            return Err(EAGAIN);
        }
        let id = self.next_pid().ok_or(EAGAIN)?;
        let me = self.me()?.id;
        let from = self.me()?.space;
        let target = if sharing.process {
            self.process()?.threads.push(id);
            me
        } else {
            let process = self.child(id, me, sharing, exit_signal)?;
            self.processes.insert(id, process);
            id
        };
        let current = self.threads.get_mut(&self.current).ok_or(EAGAIN)?;
        let space = self.spaces.get_mut(from)?;
        let context = self.platform.duplicate(&mut space.space, &mut current.context);
        let mut thread = Thread::new(target, context);
        thread.mask = current.mask;
        thread.name = current.name;
        if !sharing.memory {
            thread.altstack = current.altstack;
        }
        let space = self.processes.get(&target).ok_or(EAGAIN)?.space;
        self.platform.answer(&mut self.spaces.get_mut(space)?.space, &mut thread.context, 0);
        self.threads.insert(id, thread);
        self.make_ready(id);
        Ok(id)
    }

    fn child(&mut self, id: i32, me: i32, sharing: Sharing, exit_signal: i32) -> Result<Process, Errno> {
        let parent = self.processes.get(&me).ok_or(EAGAIN)?;
        let (space, files, view) = (parent.space, parent.files, parent.view);
        let mut process = Process::new(id, parent.limits, parent.personality);
        process.parent = if sharing.parent { parent.parent } else { me };
        process.group = parent.group;
        process.session = parent.session;
        process.actions = parent.actions.clone();
        process.exit_signal = exit_signal;
        process.exe = parent.exe;
        process.exe_path = parent.exe_path.clone();
        process.arguments = parent.arguments;
        process.environment = parent.environment;
        process.compat = parent.compat;
        process.start = self.now;
        process.looked = parent.looked;
        process.threads.push(id);
        process.space = if sharing.memory {
            let space_users = &mut self.spaces.get_mut(space)?.users;
            *space_users = space_users.saturating_add(1);
            space
        } else {
            self.fork_space(space)?
        };
        process.files = if sharing.files {
            let users = &mut self.files.get_mut(files)?.users;
            *users = users.saturating_add(1);
            files
        } else {
            self.copy_files(files)?
        };
        process.view = if sharing.view {
            let users = &mut self.views.get_mut(view)?.users;
            *users = users.saturating_add(1);
            view
        } else {
            let copy = View { users: 1, ..*self.views.get(view)? };
            self.tree.hold(copy.root);
            self.tree.hold(copy.cwd);
            self.views.add(copy)?
        };
        if let Some(exe) = process.exe {
            self.tree.hold(exe);
        }
        Ok(process)
    }

    /// The current process gets another program. Nothing has changed if this fails.
    pub(crate) fn replace(&mut self, mut image: Image) -> Result<(), Errno> {
        let shown = core::mem::take(&mut image.name);
        let loaded = self.load(&image)?;
        let (registers, stack) = match self.first_stack(&loaded, &image, &shown) {
            Ok(first) => first,
            Err(errno) => {
                self.leave_space(loaded.space);
                return Err(errno);
            }
        };
        self.become_leader();
        let id = self.me()?.id;
        let files = self.me()?.files;
        if self.files.get(files)?.users > 1 {
            let own = self.copy_files(files)?;
            self.leave_files(files);
            self.process()?.files = own;
        }
        let files = self.me()?.files;
        self.close_on_exec(files);
        self.end_vfork();
        self.tree.hold(image.node);
        let process = self.processes.get_mut(&id).ok_or(EAGAIN)?;
        let before = core::mem::replace(&mut process.space, loaded.space);
        let exe = process.exe.replace(image.node);
        process.exe_path = core::mem::take(&mut image.path);
        (process.arguments, process.environment) = (stack.arguments, stack.environment);
        (process.compat, process.executed) = (loaded.compat, true);
        for action in process.actions.iter_mut() {
            action.reset();
        }
        for (number, timer) in core::mem::take(&mut process.posix_timers).into_iter().enumerate() {
            if let Some((_, _, alarm)) = timer {
                self.timers.remove(&(alarm.at, super::Timer::Posix(id, number as u32)));
            }
        }
        self.leave_space(before);
        if let Some(exe) = exe {
            self.release_node(exe);
        }
        let context = self.platform.context(&registers);
        let thread = self.thread()?;
        thread.context = context;
        thread.name = base_name(&shown);
        thread.altstack = (0, 0, 2);
        (thread.clear_tid, thread.robust) = (0, 0);
        Ok(())
    }

    /// Ends all other threads of the process; the current one gets the process's number.
    fn become_leader(&mut self) {
        let Ok(process) = self.me() else { return };
        let (id, current) = (process.id, self.current);
        let others: Vec<i32> = process.threads.iter().copied().filter(|&thread| thread != current).collect();
        for other in others {
            self.drop_thread(other);
        }
        if id != current
            && let Some(thread) = self.threads.remove(&current)
        {
            self.threads.insert(id, thread);
            self.current = id;
            if let Some(process) = self.processes.get_mut(&id) {
                process.threads = alloc::vec![id];
            }
        }
    }
}
