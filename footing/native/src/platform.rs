//! The trait that the core needs.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use footing_core::platform::{Access, Content, Event, FileId, NoMemory, PAGE, Platform, Registers, SharedId};

use crate::space::{self, State, Thread};
use crate::{Context, Native, Space, stub, trace};

/// The lowest address that Linux lets ordinary users map.
const LOW: u64 = 0x1_0000;

impl Platform for Native {
    type Space = Space;
    type Context = Context;

    fn space(&mut self) -> Result<Space, NoMemory> {
        self.empty()
    }

    fn fork(&mut self, from: &mut Space) -> Result<Space, NoMemory> {
        self.copy(from)
    }

    fn discard(&mut self, space: Space) {
        self.end(space);
    }

    fn addresses(&self) -> Range<u64> {
        LOW..stub::TOP
    }

    fn map(
        &mut self,
        space: &mut Space,
        at: Range<u64>,
        access: Access,
        content: Content<'_>,
    ) -> Result<(), NoMemory> {
        self.queue_map(space, at, access, content)
    }

    fn foresee(&mut self, space: &mut Space, at: Range<u64>) {
        self.queue_foreseen(space, at);
    }

    fn unmap(&mut self, space: &mut Space, at: Range<u64>) {
        Self::queue_unmap(space, at);
    }

    fn protect(&mut self, space: &mut Space, at: Range<u64>, access: Access) {
        Self::queue_protect(space, at, access);
    }

    fn shift(&mut self, space: &mut Space, from: Range<u64>, to: u64) -> Result<(), NoMemory> {
        self.move_pages(space, from, to)
    }

    fn share(&mut self, id: SharedId, bytes: u64) -> Result<(), NoMemory> {
        self.store.share(id, bytes)
    }

    fn shared(&mut self, id: SharedId) -> &mut [u8] {
        self.store.shared(id)
    }

    fn unshare(&mut self, id: SharedId) {
        self.store.unshare(id);
    }

    fn forget(&mut self, id: FileId) {
        self.store.forget(id);
    }

    fn read(&mut self, space: &mut Space, at: u64, to: &mut [u8]) -> usize {
        let Some(length) = readable(at, to.len()) else { return 0 };
        if self.carry_out(space).is_err() {
            return 0;
        }
        trace::read(space.pid, at, &mut to[..length])
    }

    fn write(&mut self, space: &mut Space, at: u64, from: &[u8]) -> usize {
        let Some(length) = readable(at, from.len()) else { return 0 };
        if self.carry_out(space).is_err() {
            return 0;
        }
        trace::write(space.pid, at, &from[..length])
    }

    fn context(&mut self, registers: &Registers) -> Context {
        self.new_context(registers)
    }

    fn duplicate(&mut self, space: &mut Space, context: &mut Context) -> Context {
        let known = Self::know(space, context);
        let vectors = self.all_vectors(space, context);
        let from = context.0.borrow();
        if known.is_err() || vectors.is_err() {
            space.state = State::Gone;
        }
        let vectors = Some(vectors.unwrap_or_else(|_| self.first.vectors.clone()));
        Context(Rc::new(RefCell::new(Thread {
            registers: from.registers,
            known: true,
            vectors,
            result: None,
        })))
    }

    fn registers(&mut self, space: &mut Space, context: &mut Context) -> Registers {
        if Self::know(space, context).is_err() {
            space.state = State::Gone;
        }
        space::load(&context.0.borrow().registers)
    }

    fn set_registers(&mut self, space: &mut Space, context: &mut Context, to: &Registers) {
        // Calls by notification leave selectors as they were, which are those of the last stop.
        let _ = space;
        let mut thread = context.0.borrow_mut();
        space::store(to, &mut thread.registers);
        thread.known = true;
        thread.result = None;
    }

    fn vectors(&mut self, space: &mut Space, context: &mut Context) -> Vec<u8> {
        self.shown_vectors(space, context)
    }

    fn set_vectors(&mut self, space: &mut Space, context: &mut Context, to: &[u8]) {
        self.replace_vectors(space, context, to);
    }

    fn run(&mut self, space: &mut Space, context: &mut Context) -> Event {
        match self.run_until_event(space, context) {
            Ok(event) => event,
            Err(trace::Gone) => {
                space.state = State::Gone;
                Event::NoMemory
            }
        }
    }

    fn answer(&mut self, _: &mut Space, context: &mut Context, result: i64) {
        let mut thread = context.0.borrow_mut();
        if thread.known {
            thread.registers.rax = result as u64;
        } else {
            thread.result = Some(result);
        }
    }
}

/// How much of a range lies before the stub's pages and the end of user space.
fn readable(at: u64, length: usize) -> Option<usize> {
    let end = at.saturating_add(length as u64).min(stub::TOP);
    let end = if at < stub::PAGES.start { end.min(stub::PAGES.start) } else { end };
    let inside = stub::PAGES.contains(&at) || at < PAGE || at >= end;
    if inside { None } else { usize::try_from(end - at).ok() }
}
