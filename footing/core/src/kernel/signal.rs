//! Signals: what they are, who sends them, which wait. Source: signal(7), sigaction(2).

use super::process::State;
use super::{Kernel, Timer, Wait};
use crate::errno::{ESRCH, Errno};
use crate::platform::Platform;

/// What a process does when a signal arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Action {
    /// 0: what is usual; 1: nothing; else a function's address.
    pub(crate) handler: u64,
    pub(crate) flags: u64,
    pub(crate) restorer: u64,
    pub(crate) mask: u64,
}

/// A signal on its way, as `siginfo_t` describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) signal: i32,
    pub(crate) code: i32,
    pub(crate) errno: i32,
    /// The process that sent it, or the timer's number.
    pub(crate) from: i32,
    /// `si_value` or `si_status`.
    pub(crate) value: u64,
    /// The address of a fault.
    pub(crate) address: u64,
    /// Whether `address` is meant.
    pub(crate) fault: bool,
}

pub(crate) const SIGKILL: i32 = 9;
pub(crate) const SIGSTOP: i32 = 19;
const SIGCONT: i32 = 18;

pub(crate) const SA_NOCLDSTOP: u64 = 1;
pub(crate) const SA_NOCLDWAIT: u64 = 2;
pub(crate) const SA_SIGINFO: u64 = 4;
pub(crate) const SA_RESTORER: u64 = 0x0400_0000;
pub(crate) const SA_ONSTACK: u64 = 0x0800_0000;

/// What happens where a process has no handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usual {
    Ignore,
    Stop,
    Continue,
    End,
}

pub(super) fn usual(signal: i32) -> Usual {
    match signal {
        17 | 23 | 28 => Usual::Ignore,
        18 => Usual::Continue,
        19..=22 => Usual::Stop,
        _ => Usual::End,
    }
}

/// The bit of a signal in a mask.
pub(crate) fn bit(signal: i32) -> u64 {
    if (1..=64).contains(&signal) { 1 << (signal - 1) } else { 0 }
}

/// What nobody can block.
pub(crate) const UNBLOCKABLE: u64 = 1 << (SIGKILL - 1) | 1 << (SIGSTOP - 1);

impl Info {
    /// A signal of the kernel's own.
    pub(crate) fn kernel(signal: i32) -> Info {
        Info { signal, code: 0x80, ..Info::default() }
    }

    /// A signal of kill(2).
    pub(crate) fn user(signal: i32, from: i32) -> Info {
        Info { signal, code: 0, from, ..Info::default() }
    }
}

impl Action {
    /// At execve(2) handlers are forgotten; what is ignored stays so.
    pub(crate) fn reset(&mut self) {
        *self = Action { handler: u64::from(self.handler == 1), ..Action::default() };
    }

    /// Children of this process leave nothing behind (SIGCHLD is ignored, or SA_NOCLDWAIT).
    pub(crate) fn drops_children(&self) -> bool {
        self.handler == 1 || self.flags & SA_NOCLDWAIT != 0
    }

    /// Nobody wants to know that children stop (SA_NOCLDSTOP).
    pub(crate) fn no_stops(&self) -> bool {
        self.handler == 1 || self.flags & SA_NOCLDSTOP != 0
    }

    pub(super) fn ignores(&self, signal: i32) -> bool {
        self.handler == 1 || self.handler == 0 && usual(signal) == Usual::Ignore
    }
}

impl<P: Platform> Kernel<P> {
    /// Sends a signal to a process. A signal that is ignored and not blocked vanishes.
    pub(crate) fn send_process(&mut self, id: i32, info: Info) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        if matches!(process.state, State::Zombie(_)) || process.threads.is_empty() {
            return;
        }
        self.before_signal(id, info.signal);
        let Some(process) = self.processes.get_mut(&id) else { return };
        let action = process.actions.get(info.signal as usize).copied().unwrap_or_default();
        let blocked = process
            .threads
            .iter()
            .all(|thread| self.threads.get(thread).is_some_and(|thread| thread.mask & bit(info.signal) != 0));
        if action.ignores(info.signal) && !blocked && info.signal != SIGKILL && info.signal != SIGSTOP {
            return;
        }
        if info.signal < 32 && process.pending.iter().any(|pending| pending.signal == info.signal) {
            return;
        }
        process.pending.push(info);
        let threads = process.threads.clone();
        for thread in threads {
            self.wake_for_signal(thread);
        }
        self.wake(Wait::Any);
    }

    /// Sends a signal to a thread.
    pub(crate) fn send_thread(&mut self, id: i32, info: Info) {
        let Some(process) = self.threads.get(&id).map(|thread| thread.process) else { return };
        if info.signal == SIGKILL || info.signal == SIGSTOP {
            return self.send_process(process, info);
        }
        self.before_signal(process, info.signal);
        let action =
            self.processes.get(&process).and_then(|process| process.actions.get(info.signal as usize));
        let ignored = action.is_some_and(|action| action.ignores(info.signal));
        let Some(thread) = self.threads.get_mut(&id) else { return };
        if ignored && thread.mask & bit(info.signal) == 0
            || info.signal < 32 && thread.pending.iter().any(|pending| pending.signal == info.signal)
        {
            return;
        }
        thread.pending.push(info);
        self.wake_for_signal(id);
        self.wake(Wait::Any);
    }

    /// Ends a thread's wait if a signal may do that. Source: vfork(2), whose parent only SIGKILL interrupts.
    pub(crate) fn wake_for_signal(&mut self, id: i32) {
        let vfork = self.threads.get(&id).is_some_and(|thread| matches!(thread.wait, Some(Wait::Vfork(_))));
        if self.signal_waits(id) && (!vfork || self.killed(id)) {
            self.wake_thread(id);
        }
    }

    /// A signal that stops takes one that continues away, and the other way round.
    fn before_signal(&mut self, id: i32, signal: i32) {
        let Some(process) = self.processes.get_mut(&id) else { return };
        let gone = match usual(signal) {
            Usual::Continue => 0b1111 << (SIGSTOP - 1),
            Usual::Stop => bit(SIGCONT),
            _ => 0,
        };
        let stopped = matches!(process.state, State::Stopped(..));
        if gone != 0 {
            process.pending.retain(|info| bit(info.signal) & gone == 0);
            for thread in &process.threads {
                if let Some(thread) = self.threads.get_mut(thread) {
                    thread.pending.retain(|info| bit(info.signal) & gone == 0);
                }
            }
        }
        if stopped && signal == SIGCONT {
            process.state = State::Alive;
            process.continued = true;
            self.notify_change(id, 6, SIGCONT);
        }
        if stopped && (signal == SIGCONT || signal == SIGKILL) {
            let threads = self.processes.get(&id).map(|process| process.threads.clone()).unwrap_or_default();
            for thread in threads {
                if self.threads.get(&thread).is_some_and(|thread| thread.wait == Some(Wait::Continue)) {
                    self.wake_thread(thread);
                }
            }
        }
    }

    /// Whether a signal that is not blocked waits for a thread.
    pub(crate) fn signal_waits(&self, id: i32) -> bool {
        let Some(thread) = self.threads.get(&id) else { return false };
        let open = !(thread.mask & !UNBLOCKABLE);
        let waits = |pending: &[Info]| pending.iter().any(|info| bit(info.signal) & open != 0);
        waits(&thread.pending)
            || self.processes.get(&thread.process).is_some_and(|process| waits(&process.pending))
    }

    /// Whether SIGKILL waits for a thread.
    pub(crate) fn killed(&self, id: i32) -> bool {
        let Some(thread) = self.threads.get(&id) else { return false };
        let kills = |pending: &[Info]| pending.iter().any(|info| info.signal == SIGKILL);
        kills(&thread.pending)
            || self.processes.get(&thread.process).is_some_and(|process| kills(&process.pending))
    }

    /// Takes the first signal of a set that waits for a thread: its own before its process's, low numbers first.
    pub(crate) fn take_signal(&mut self, id: i32, set: u64) -> Option<Info> {
        let thread = self.threads.get_mut(&id)?;
        let process = self.processes.get_mut(&thread.process)?;
        for pending in [&mut thread.pending, &mut process.pending] {
            let first = pending
                .iter()
                .enumerate()
                .filter(|(_, info)| bit(info.signal) & set != 0)
                .min_by_key(|(_, info)| info.signal)
                .map(|(at, _)| at);
            if let Some(at) = first {
                return Some(pending.remove(at));
            }
        }
        None
    }

    /// Sets a timer of setitimer(2) or alarm(2) of the current process; what was left of the one before, and its interval.
    pub(crate) fn set_alarm(&mut self, after: u64, every: u64) -> Result<(u64, u64), Errno> {
        let now = self.now;
        let process = self.process()?;
        let id = process.id;
        let before = process.alarm;
        let at = if after == 0 { 0 } else { now.saturating_add(after) };
        process.alarm = super::Alarm { at, every };
        if before.at > 0 {
            self.stop_timer(before.at, Timer::Alarm(id));
        }
        if at > 0 {
            self.start_timer(at, Timer::Alarm(id));
        }
        Ok((before.at.saturating_sub(if before.at > 0 { now } else { before.at }), before.every))
    }

    /// Whether a process belongs to somebody else: process 1, unless it is the builder.
    pub(crate) fn foreign(&self, id: i32) -> bool {
        id == 1 && !self.step.builder_is_one
    }

    /// All processes that kill(2) means by a number. ESRCH.
    pub(crate) fn addressed(&self, id: i32) -> Result<alloc::vec::Vec<i32>, Errno> {
        let me = self.me()?;
        let ids: alloc::vec::Vec<i32> = self
            .processes
            .values()
            .filter(|process| match id {
                0 => process.group == me.group,
                -1 => process.id > 1 && process.id != me.id,
                ..0 => Some(process.group) == id.checked_neg(),
                _ => process.id == id,
            })
            .map(|process| process.id)
            .collect();
        if ids.is_empty() { Err(ESRCH) } else { Ok(ids) }
    }
}
