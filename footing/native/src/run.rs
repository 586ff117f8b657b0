//! Letting a thread run until its next event.

use std::rc::Rc;

use footing_core::platform::{Event, Table};

use crate::event::{self, Meaning};
use crate::notice::{self, News};
use crate::space::{Context, Space, State, uninterrupt};
use crate::trace::{self, Gone, Status};
use crate::{Native, cpuid};

/// Nanoseconds of a processor's time after which a thread that makes no call is interrupted.
const SLICE: u64 = 100_000_000;

impl Native {
    pub(crate) fn run_until_event(&mut self, space: &mut Space, context: &Context) -> Result<Event, Gone> {
        if space.state == State::Gone {
            return Err(Gone);
        }
        if !space.is_live(context) {
            space.park()?;
            space.live = Some(Rc::clone(&context.0));
        }
        self.carry_out(space)?;
        self.resume(space, context)?;
        let mut since = None;
        loop {
            match notice::wait(self.first.listener, space.pid) {
                News::Notice(notice) => {
                    self.counts.notices += 1;
                    space.state = State::Noticed(notice.id);
                    let (number, arguments) = (notice.number, notice.arguments);
                    return Ok(Event::Call { table: Table::X86_64, number, arguments });
                }
                News::Status(status) => {
                    if let Some(event) = self.stopped(space, status)? {
                        return Ok(event);
                    }
                }
                News::Tick => {
                    let now = trace::used(space.pid);
                    if now.saturating_sub(*since.get_or_insert(now)) >= SLICE {
                        return self.interrupt(space);
                    }
                }
            }
        }
    }

    /// Lets the process run on with the registers of this thread.
    fn resume(&self, space: &mut Space, context: &Context) -> Result<(), Gone> {
        let mut thread = context.0.borrow_mut();
        let fresh = thread.vectors.is_some();
        if let (State::Noticed(id), false, false) = (space.state, thread.known, fresh)
            && let Some(listener) = self.first.listener
        {
            let result = thread.result.take().unwrap_or(-i64::from(libc::ENOSYS));
            notice::answer(listener, id, result);
            space.state = State::Stopped;
            return Ok(());
        }
        drop(thread);
        space.halt()?;
        thread = context.0.borrow_mut();
        if let Some(vectors) = thread.vectors.take()
            && trace::set_vectors(space.pid, &vectors).is_err()
        {
            trace::set_vectors(space.pid, &self.first.vectors)?;
        }
        if thread.known {
            space.compat |= thread.registers.cs == 0x23;
            if space.compat {
                trace::set_area(space.pid, thread.registers.gs_base as u32)?;
            }
            trace::set_registers(space.pid, &thread.registers)?;
            thread.known = false;
        }
        trace::resume(space.pid)
    }

    /// The event of a stop; none if the process goes on.
    fn stopped(&mut self, space: &mut Space, status: Status) -> Result<Option<Event>, Gone> {
        let Status::Signal(_) = status else {
            space.state = State::Gone;
            return Err(Gone);
        };
        self.counts.stops += 1;
        let pid = space.pid;
        let info = trace::signal(pid)?;
        let mut registers = trace::registers(pid)?;
        match event::meaning(&info, &mut registers, |at, to| trace::read(pid, at, to)) {
            Meaning::Nothing => {}
            Meaning::Identify => {
                self.counts.identified += 1;
                let answer = cpuid::answer(registers.rax as u32, registers.rcx as u32);
                let r = &mut registers;
                [r.rax, r.rbx, r.rcx, r.rdx] = answer.map(u64::from);
                r.rip = r.rip.wrapping_add(2);
                trace::set_registers(pid, r)?;
            }
            Meaning::Event(event) => {
                registers.orig_rax = crate::space::NO_CALL;
                space.know(registers);
                return Ok(Some(event));
            }
        }
        trace::resume(pid)?;
        Ok(None)
    }

    /// Stops a thread that runs; it may come to an event of its own first.
    fn interrupt(&mut self, space: &mut Space) -> Result<Event, Gone> {
        trace::halt(space.pid);
        loop {
            let status = trace::wait(space.pid);
            if status == Status::Signal(libc::SIGSTOP) {
                let mut registers = trace::registers(space.pid)?;
                uninterrupt(&mut registers, true);
                space.know(registers);
                return Ok(Event::Timeout);
            }
            if let Some(event) = self.stopped(space, status)? {
                return Ok(event);
            }
        }
    }
}
