//! Signals: sent, blocked, delivered. Source: signal(7), sigaction(2).

use super::process::State;
use super::{Kernel, Pending, Timer, Wait};
use crate::errno::{EINTR, ESRCH, Errno};
use crate::platform::{Fault, Platform, Table};

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
const SA_RESTART: u64 = 0x1000_0000;
const SA_NODEFER: u64 = 0x4000_0000;
const SA_RESETHAND: u64 = 0x8000_0000;

/// What happens where a process has no handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usual {
    Ignore,
    Stop,
    Continue,
    End,
}

fn usual(signal: i32) -> Usual {
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

    fn ignores(&self, signal: i32) -> bool {
        self.handler == 1 || self.handler == 0 && usual(signal) == Usual::Ignore
    }
}

/// Whether a call that a handler interrupted is EINTR whatever SA_RESTART says. Source: signal(7).
fn never_restarts(call: Pending) -> bool {
    match call.table {
        Table::X86_64 => matches!(
            call.number,
            7 | 23 | 34 | 35 | 128 | 130 | 219 | 220 | 230 | 232 | 240..=243 | 270 | 271 | 281 | 441
        ),
        Table::I386 => {
            matches!(call.number, 29 | 82 | 142 | 162 | 168 | 177 | 179 | 256 | 267 | 308 | 309 | 319)
        }
    }
}

/// Whether a call returns what it has done so far rather than EINTR.
fn writes(call: Pending) -> bool {
    match call.table {
        Table::X86_64 => matches!(call.number, 1 | 18 | 20 | 40 | 44 | 46 | 296),
        Table::I386 => matches!(call.number, 4 | 146 | 181 | 187 | 239 | 369 | 370),
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
    fn wake_for_signal(&mut self, id: i32) {
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

    /// Delivers the signals that wait for the current thread, which is about to execute.
    pub(crate) fn deliver(&mut self) {
        let id = self.current;
        let Some(thread) = self.threads.get(&id) else { return };
        let (process, mask) = (thread.process, thread.mask);
        let Some(info) = self.take_signal(id, !(mask & !UNBLOCKABLE)) else { return };
        let Some(action) =
            self.processes.get(&process).and_then(|process| process.actions.get(info.signal as usize))
        else {
            return;
        };
        let action = *action;
        if action.handler > 1 && bit(info.signal) & UNBLOCKABLE == 0 {
            return self.handle(info, action);
        }
        if action.ignores(info.signal) {
            return;
        }
        match usual(info.signal) {
            Usual::Ignore | Usual::Continue => {}
            Usual::Stop => {
                if let Some(process) = self.processes.get_mut(&process) {
                    process.state = State::Stopped(info.signal as u8, false);
                    process.continued = false;
                }
                self.notify_change(process, 5, info.signal);
            }
            Usual::End => self.kill_process(process, info.signal),
        }
    }

    /// Lets the current thread execute a handler.
    fn handle(&mut self, info: Info, action: Action) {
        let Ok(thread) = self.thread() else { return };
        let saved = thread.restore.take().unwrap_or(thread.mask);
        let compat = self.me().is_ok_and(|process| process.compat);
        let pushed = if compat {
            self.push_frame32(&info, &action, saved)
        } else {
            self.push_frame(&info, &action, saved)
        };
        let current = self.current;
        let Ok(process) = self.process() else { return };
        let id = process.id;
        if pushed.is_err() {
            // No room for a frame: SIGSEGV, which can't be handled then.
            return self.kill_process(id, 11);
        }
        if action.flags & SA_RESETHAND != 0
            && let Some(place) = process.actions.get_mut(info.signal as usize)
        {
            *place = Action::default();
        }
        let own = if action.flags & SA_NODEFER == 0 { bit(info.signal) } else { 0 };
        if let Some(thread) = self.threads.get_mut(&current) {
            thread.mask = (thread.mask | action.mask | own) & !UNBLOCKABLE;
        }
    }

    /// The action that the next signal for the current thread leads to, if that is a handler's.
    fn next_handler(&self) -> Option<Action> {
        let thread = self.threads.get(&self.current)?;
        let process = self.processes.get(&thread.process)?;
        let open = !(thread.mask & !UNBLOCKABLE);
        let first = |pending: &[super::Info]| {
            pending.iter().filter(|info| bit(info.signal) & open != 0).min_by_key(|info| info.signal).copied()
        };
        let info = first(&thread.pending).or_else(|| first(&process.pending))?;
        let action = process.actions.get(info.signal as usize)?;
        (action.handler > 1 && bit(info.signal) & UNBLOCKABLE == 0).then_some(*action)
    }

    /// A signal arrived while the current thread's call waits.
    pub(crate) fn interrupt(&mut self) {
        let Some(action) = self.next_handler() else {
            // Without a handler the call goes on, unless the thread is gone.
            return self.deliver();
        };
        let Ok(thread) = self.thread() else { return };
        let Some(call) = thread.call else { return };
        let (progress, deadline) = (thread.progress, thread.deadline);
        if progress > 0 && writes(call) {
            self.answer(progress as i64);
        } else if action.flags & SA_RESTART != 0 && !never_restarts(call) && deadline.is_none() {
            self.rewind(call);
        } else {
            self.store_rest(call, deadline);
            self.answer(-i64::from(EINTR.0));
        }
        self.deliver();
    }

    /// The call is made once more after the handler.
    fn rewind(&mut self, call: Pending) {
        let Some(thread) = self.threads.get_mut(&self.current) else { return };
        thread.call = None;
        thread.progress = 0;
        let Some(process) = self.processes.get(&thread.process) else { return };
        let Ok(space) = self.spaces.get_mut(process.space) else { return };
        let mut registers = self.platform.registers(&mut space.space, &mut thread.context);
        registers.rax = call.number.into();
        registers.rip = registers.rip.wrapping_sub(2);
        self.platform.set_registers(&mut space.space, &mut thread.context, &registers);
    }

    /// What is left of a sleep that a handler interrupted. Source: nanosleep(2), clock_nanosleep(2).
    fn store_rest(&mut self, call: Pending, deadline: Option<u64>) {
        let [first, second, _, fourth, ..] = call.arguments;
        let _ = first;
        let at = match (call.table, call.number) {
            (Table::X86_64, 35) | (Table::I386, 162) => second,
            (Table::X86_64, 230) | (Table::I386, 267) if second & 1 == 0 => fourth,
            _ => return,
        };
        if let Some(deadline) = deadline
            && at != 0
        {
            let rest = deadline.saturating_sub(self.now) as i64;
            let _ = self.put_time(at, rest, 1_000_000_000);
        }
    }

    /// An instruction of the current thread faulted.
    pub(crate) fn fault(&mut self, fault: Fault) {
        let (signal, code, address) = match fault {
            Fault::Segment { at, mapped } => {
                if !mapped && self.grow_stack(at) {
                    return;
                }
                (11, if mapped { 2 } else { 1 }, at)
            }
            Fault::Bus(at) => (7, 2, at),
            Fault::Illegal => (4, 2, self.pointer()),
            Fault::Arithmetic(floating) => (8, if floating { 3 } else { 1 }, self.pointer()),
            Fault::Trap => (5, 0x80, self.pointer()),
            Fault::Protection => (11, 0x80, 0),
        };
        let info = Info { signal, code, address, fault: true, ..Info::default() };
        // A fault can't wait: if it is blocked or ignored, it ends the process.
        let Ok(thread) = self.thread() else { return };
        let blocked = thread.mask & bit(signal) != 0;
        thread.pending.retain(|pending| pending.signal != signal);
        thread.pending.push(info);
        if blocked {
            thread.mask &= !bit(signal);
        }
        if let Ok(process) = self.process()
            && let Some(action) = process.actions.get_mut(signal as usize)
            && (blocked || action.handler == 1)
        {
            *action = Action::default();
        }
    }

    fn pointer(&mut self) -> u64 {
        let Some(thread) = self.threads.get_mut(&self.current) else { return 0 };
        let Some(process) = self.processes.get(&thread.process) else { return 0 };
        let Ok(space) = self.spaces.get_mut(process.space) else { return 0 };
        self.platform.registers(&mut space.space, &mut thread.context).rip
    }

    /// A wait with a mask of its own begins (ppoll, sigsuspend): the thread's mask returns with [`end_mask`](Self::end_mask) or
    /// after a handler.
    pub(crate) fn begin_mask(&mut self, mask: u64) -> Result<(), Errno> {
        let thread = self.thread()?;
        if !thread.retry {
            thread.restore = Some(thread.mask);
            thread.mask = mask & !UNBLOCKABLE;
        }
        Ok(())
    }

    /// The wait is over and no handler runs.
    pub(crate) fn end_mask(&mut self) {
        if let Ok(thread) = self.thread()
            && let Some(mask) = thread.restore.take()
        {
            thread.mask = mask;
        }
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
