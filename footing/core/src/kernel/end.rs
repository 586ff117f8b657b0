//! How threads and processes end, and who learns of it.

use super::process::State;
use super::{End, Info, Kernel, Wait};
use crate::platform::Platform;
use alloc::vec::Vec;

pub(crate) const SIGCHLD: i32 = 17;

impl<P: Platform> Kernel<P> {
    /// Takes a thread out of all queues, without a word to anybody.
    pub(super) fn drop_thread(&mut self, id: i32) {
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
    pub(super) fn end_vfork(&mut self) {
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
        // Who ignores it is not sent it even if it is blocked.
        let ignored = signal == SIGCHLD
            && self
                .processes
                .get(&parent)
                .is_some_and(|parent| parent.actions[SIGCHLD as usize].handler == 1);
        if signal > 0 && !ignored {
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
