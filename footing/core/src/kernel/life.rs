//! How processes and threads begin, change their program and end.

use super::exec::Image;
use super::process::{Process, State, Thread};
use super::{End, Info, Kernel, View, Wait};
use crate::errno::{EAGAIN, Errno};
use crate::platform::Platform;
use alloc::vec::Vec;

pub(crate) const SIGCHLD: i32 = 17;
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
        let shown = image.path.clone();
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

    /// Takes a thread out of all queues, without a word to anybody.
    fn drop_thread(&mut self, id: i32) {
        let Some(thread) = self.threads.remove(&id) else { return };
        if let Some(at) = thread.deadline {
            self.stop_timer(at, super::Timer::Thread(id));
        }
        self.ready.retain(|&ready| ready != id);
        self.blocked.retain(|&blocked| blocked != id);
        if let Some(process) = self.processes.get_mut(&thread.process) {
            process.threads.retain(|&other| other != id);
        }
        if let Some(parent) = thread.vfork {
            self.wake_vfork(parent, id);
        }
    }

    fn wake_vfork(&mut self, parent: i32, child: i32) {
        let Some(thread) = self.threads.get_mut(&parent) else { return };
        if thread.wait == Some(Wait::Vfork(child)) {
            // A signal that came meanwhile is delivered after the call.
            thread.woken = true;
            self.wake_thread(parent);
        }
    }

    /// The parent that waits for the current process's exec goes on.
    fn end_vfork(&mut self) {
        let id = self.current;
        if let Ok(thread) = self.thread()
            && let Some(parent) = thread.vfork.take()
        {
            self.wake_vfork(parent, id);
        }
    }

    /// Ends the current thread; the process with its last one.
    pub(crate) fn exit_thread(&mut self, status: u32) {
        let id = self.current;
        let Some(thread) = self.threads.get(&id) else { return };
        let (process, clear_tid, robust) = (thread.process, thread.clear_tid, thread.robust);
        if robust != 0 {
            self.end_robust(robust);
        }
        if clear_tid != 0 && self.put32(clear_tid, 0).is_ok() {
            self.wake_address(clear_tid, 1);
        }
        if self.processes.get(&process).is_some_and(|process| process.threads.len() <= 1) {
            self.exit_process(process, status);
        } else {
            self.drop_thread(id);
        }
    }

    /// Ends a process with a status as wait(2) has it.
    pub(crate) fn exit_process(&mut self, id: i32, status: u32) {
        let Some(process) = self.processes.get(&id) else { return };
        if matches!(process.state, State::Zombie(_)) {
            return;
        }
        for thread in process.threads.clone() {
            self.drop_thread(thread);
        }
        self.clear_timers(id);
        let Some(mut process) = self.processes.remove(&id) else { return };
        self.leave_all(&process);
        process.folder = None;
        process.exe = None;
        process.pending = Vec::new();
        process.state = State::Zombie(status);
        let (parent, signal) = (process.parent, process.exit_signal);
        self.processes.insert(id, process);
        self.drop_locks(id);
        if id == self.builder {
            self.end = Some(match status & 0x7f {
                0 => End::Exited((status >> 8) as u8),
                number => End::Killed(number as u8),
            });
            return;
        }
        self.orphan_children(id);
        self.notify_parent(id, parent, signal, status);
    }

    fn clear_timers(&mut self, id: i32) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        self.timers.remove(&(process.alarm.at, super::Timer::Alarm(id)));
        for (number, timer) in process.posix_timers.iter().enumerate() {
            if let Some((_, _, alarm)) = timer {
                self.timers.remove(&(alarm.at, super::Timer::Posix(id, number as u32)));
            }
        }
    }

    fn drop_locks(&mut self, id: i32) {
        let before = self.locks.len();
        self.locks.retain(|lock| lock.owner != Err(id));
        if self.locks.len() != before {
            self.wake(Wait::Lock);
        }
    }

    /// Children of a process that ended belong to the nearest subreaper above it, or to process 1.
    fn orphan_children(&mut self, id: i32) {
        let mut reaper = self.processes.get(&id).map_or(1, |process| process.parent);
        while let Some(process) = self.processes.get(&reaper) {
            if process.subreaper && process.state == State::Alive || process.parent == 0 {
                break;
            }
            reaper = process.parent;
        }
        let children: Vec<i32> = self
            .processes
            .values()
            .filter(|process| process.parent == id)
            .map(|process| process.id)
            .collect();
        for child in children {
            let Some(process) = self.processes.get_mut(&child) else { continue };
            process.parent = reaper;
            process.exit_signal = SIGCHLD;
            let (state, signal) = (process.state, process.death_signal);
            if let State::Zombie(status) = state {
                self.notify_parent(child, reaper, SIGCHLD, status);
            } else if signal > 0 {
                self.send_process(child, Info { code: 0, from: id, ..Info::kernel(signal) });
            }
        }
    }

    /// A parent learns of its child's end, or the child goes at once if nobody will ask.
    fn notify_parent(&mut self, id: i32, parent: i32, signal: i32, status: u32) {
        let careless = self.processes.get(&parent).is_none_or(|parent| {
            parent.threads.is_empty()
                || signal == SIGCHLD && parent.actions[SIGCHLD as usize].drops_children()
        });
        if careless {
            self.processes.remove(&id);
        }
        if signal > 0 {
            let (code, value) = if status & 0x7f == 0 { (1, status >> 8 & 0xff) } else { (2, status & 0x7f) };
            self.send_process(parent, Info { code, from: id, value: value.into(), ..Info::kernel(signal) });
        }
        self.wake(Wait::Child(parent));
        self.wake(Wait::Any);
    }

    /// A parent learns that its child was stopped or continued.
    pub(crate) fn notify_change(&mut self, id: i32, code: i32, signal: i32) {
        let Some(parent) = self.processes.get(&id).map(|process| process.parent) else { return };
        let quiet = self
            .processes
            .get(&parent)
            .is_none_or(|parent| parent.threads.is_empty() || parent.actions[SIGCHLD as usize].no_stops());
        if !quiet {
            let value = signal as u64;
            self.send_process(parent, Info { code, from: id, value, ..Info::kernel(SIGCHLD) });
        }
        self.wake(Wait::Child(parent));
    }

    /// The process that a thread belongs to has ended without being asked for: by a signal.
    pub(crate) fn kill_process(&mut self, id: i32, signal: i32) {
        self.exit_process(id, signal as u32 & 0x7f);
    }

    /// Wakes the owners-to-be of what a thread held in its robust list, as set_robust_list(2) describes.
    fn end_robust(&mut self, head: u64) {
        let size = self.long_size();
        let compat = self.me().is_ok_and(|process| process.compat);
        self.compat = compat;
        let Ok(offset) = self.get_signed(head.wrapping_add(size), 0) else { return };
        let Ok(mut entry) = self.get_long(head, 0) else { return };
        let id = self.current as u32;
        for _ in 0..2048 {
            if entry == head {
                return;
            }
            let word = entry.wrapping_add(offset as u64);
            if let Ok(value) = self.get32(word)
                && value & 0x3fff_ffff == id
                && self.put32(word, value & 0x8000_0000 | 0x4000_0000).is_ok()
            {
                self.wake_address(word, 1);
            }
            match self.get_long(entry & !1, 0) {
                Ok(next) => entry = next,
                Err(_) => return,
            }
        }
    }
}
