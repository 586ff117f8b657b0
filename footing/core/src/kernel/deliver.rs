//! Signals that arrive: handlers, what is usual without one, and calls that are interrupted. Source: signal(7).

use super::process::State;
use super::signal::{Action, Info, UNBLOCKABLE, Usual, bit, usual};
use super::{Kernel, Pending};
use crate::errno::{EINTR, Errno};
use crate::platform::{Fault, Platform, Table};

const SA_RESTART: u64 = 0x1000_0000;
const SA_NODEFER: u64 = 0x4000_0000;
const SA_RESETHAND: u64 = 0x8000_0000;

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
        let first = |pending: &[Info]| {
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
            self.answer(-(EINTR.0 as i64));
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
}
