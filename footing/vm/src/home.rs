//! The core's platform on this hardware.
#![allow(unsafe_code)]

use crate::context::{Context, fresh_vectors};
use crate::cpu::{self, Msr, write_msr};
use crate::descriptors::{USER_32, set_thread_base};
use crate::direct::kernel_tables;
use crate::entry::{self, SYSCALL, SYSCALL_32};
use crate::fault::{Pages, Touch};
use crate::layout::{PAGE, USER_END, USER_START};
use crate::space::{Source, Space, TABLE, flags};
use crate::tables::{COPY, Tables};
use crate::{frames, timer};
use alloc::vec::Vec;
use core::ops::Range;
use footing_core::platform::{
    Access, Content, Event, Fault, FileId, NoMemory, Platform, Registers, SharedId, Table,
};

/// The machine as the core's home.
pub struct Home {
    pages: Pages,
    /// Bytes that never change.
    constant: [Range<usize>; 2],
    /// The tables that are loaded.
    active: Tables,
    /// The number of the context whose segments are loaded, and its bases.
    loaded: (u64, u64, u64),
    mxcsr: u32,
}

impl Home {
    /// A home in which the bytes of `constant` are there for ever, and never change.
    pub fn new(constant: [&'static [u8]; 2]) -> Home {
        let range = |bytes: &[u8]| bytes.as_ptr() as usize..bytes.as_ptr() as usize + bytes.len();
        Home {
            pages: Pages::default(),
            constant: constant.map(range),
            active: kernel_tables(),
            loaded: (0, 0, 0),
            mxcsr: cpu::mxcsr_mask(),
        }
    }

    fn is_active(&self, space: &Space) -> bool {
        self.active == space.tables
    }

    /// The same bytes for ever, if they are.
    fn constant(&self, bytes: &[u8]) -> Option<&'static [u8]> {
        let start = bytes.as_ptr() as usize;
        let inside = |range: &Range<usize>| range.start <= start && start + bytes.len() <= range.end;
        // SAFETY: they are in a range that lives for ever.
        self.constant
            .iter()
            .any(inside)
            .then(|| unsafe { core::slice::from_raw_parts(bytes.as_ptr(), bytes.len()) })
    }

    /// Maps the pages of bytes that may go away: all at once.
    fn map_pages(
        &mut self,
        space: &mut Space,
        at: Range<u64>,
        access: Access,
        (id, bytes, offset): (FileId, &[u8], u64),
    ) -> Result<(), NoMemory> {
        let length = (bytes.len() as u64).saturating_sub(offset);
        let end = at.end.min(at.start.saturating_add(length));
        for page in (at.start..end).step_by(PAGE as usize) {
            let place = space.tables.make(page, TABLE, false)?;
            let frame = self.pages.files.page(id, bytes, offset + (page - at.start))?;
            // SAFETY: an entry of the space's tables, for a page at which nothing is.
            unsafe { *place = frame.physical() | flags(access, COPY) }
        }
        Ok(())
    }

    /// Loads what of a thread is not in its frame.
    fn load(&mut self, space: &Space, context: &Context) {
        if !self.is_active(space) {
            self.active = space.tables;
            // SAFETY: every space has the kernel's half.
            unsafe { cpu::set_tables(space.tables.0.physical()) }
        }
        let load = (context.number, context.fs_base, context.gs_base);
        if self.loaded != load {
            self.loaded = load;
            set_thread_base(context.gs_base as u32);
            // SAFETY: they are null or what a program has loaded.
            unsafe { cpu::load_segments(context.frame.segments) }
            write_msr(Msr::FsBase, context.fs_base);
            write_msr(Msr::GsBase, context.gs_base);
        }
    }

    /// Whether a thread that is refused an instruction asked for the clock; `true`: with the number of the CPU.
    fn asks_for_clock(&mut self, space: &mut Space, rip: u64) -> Option<bool> {
        let mut code = [0; 3];
        match (self.read(space, rip, &mut code), code) {
            (2.., [0x0f, 0x31, _]) => Some(false),
            (3, [0x0f, 0x01, 0xf9]) => Some(true),
            _ => None,
        }
    }

    /// Copies between the kernel and pages of a program, as far as they may be touched.
    fn copy(
        &mut self,
        space: &mut Space,
        at: u64,
        length: usize,
        write: bool,
        part: &mut dyn FnMut(*mut u8, Range<usize>),
    ) -> usize {
        let active = self.is_active(space);
        let mut done = 0;
        while done < length {
            let Some(address) = at.checked_add(done as u64) else { break };
            let Some(page) = self.pages.reach(space, address, write, active) else { break };
            let offset = (address % PAGE) as usize;
            let end = length.min(done + PAGE as usize - offset);
            part(page.wrapping_add(offset), done..end);
            done = end;
        }
        done
    }
}

fn call(context: &Context, vector: u64) -> Event {
    let frame = &*context.frame;
    if vector == SYSCALL {
        let arguments = [frame.rdi, frame.rsi, frame.rdx, frame.r10, frame.r8, frame.r9];
        return Event::Call { table: Table::X86_64, number: frame.rax as u32, arguments };
    }
    let arguments = [frame.rbx, frame.rcx, frame.rdx, frame.rsi, frame.rdi, frame.rbp];
    let arguments = arguments.map(|word| word & 0xffff_ffff);
    Event::Call { table: Table::I386, number: frame.rax as u32, arguments }
}

/// What a trap is that is neither a call nor a page fault nor an interrupt. Source: Linux's `arch/x86/kernel/traps.c`.
fn trap(vector: u64) -> Fault {
    match vector {
        0 => Fault::Arithmetic(false),
        1 | 3 => Fault::Trap,
        6 | 7 => Fault::Illegal,
        11 | 12 | 17 => Fault::Bus(0),
        16 | 19 => Fault::Arithmetic(true),
        18 => crate::serial::fatal("a machine check", &[]),
        _ => Fault::Protection,
    }
}

impl Platform for Home {
    type Space = Space;
    type Context = Context;

    fn space(&mut self) -> Result<Space, NoMemory> {
        Space::new()
    }

    fn fork(&mut self, from: &mut Space) -> Result<Space, NoMemory> {
        from.fork(self.is_active(from))
    }

    fn discard(&mut self, mut space: Space) {
        if self.is_active(&space) {
            self.active = kernel_tables();
            // SAFETY: they have the kernel's half.
            unsafe { cpu::set_tables(self.active.0.physical()) }
        }
        space.free();
    }

    fn addresses(&self) -> Range<u64> {
        USER_START..USER_END
    }

    fn map(
        &mut self,
        space: &mut Space,
        at: Range<u64>,
        access: Access,
        content: Content<'_>,
    ) -> Result<(), NoMemory> {
        if at.start < USER_START || at.end > USER_END || at.start >= at.end {
            return Err(NoMemory);
        }
        let active = self.is_active(space);
        space.unmap(at.clone(), active);
        if !frames::has(1) {
            self.pages.files.shrink();
        }
        if !frames::has(1) {
            return Err(NoMemory);
        }
        match content {
            Content::Zero => space.insert(at, access, Source::Zero),
            Content::Shared(id, offset) => space.insert(at, access, Source::Shared { id, offset }),
            Content::File { id, bytes, offset } => match self.constant(bytes) {
                Some(bytes) => space.insert(at, access, Source::File { id, bytes, offset }),
                None => {
                    space.insert(at.clone(), access, Source::Zero);
                    if self.map_pages(space, at.clone(), access, (id, bytes, offset)).is_err() {
                        space.unmap(at, active);
                        return Err(NoMemory);
                    }
                }
            },
        }
        Ok(())
    }

    fn unmap(&mut self, space: &mut Space, at: Range<u64>) {
        space.unmap(at, self.is_active(space));
    }

    fn protect(&mut self, space: &mut Space, at: Range<u64>, access: Access) {
        space.protect(at, access, self.is_active(space));
    }

    fn shift(&mut self, space: &mut Space, from: Range<u64>, to: u64) -> Result<(), NoMemory> {
        let length = from.end.saturating_sub(from.start);
        if to < USER_START || to.checked_add(length).is_none_or(|end| end > USER_END) {
            return Err(NoMemory);
        }
        space.shift(from, to, self.is_active(space))
    }

    fn share(&mut self, id: SharedId, bytes: u64) -> Result<(), NoMemory> {
        self.pages.blocks.add(id, bytes)
    }

    fn shared(&mut self, id: SharedId) -> &mut [u8] {
        self.pages.blocks.bytes(id)
    }

    fn unshare(&mut self, id: SharedId) {
        self.pages.blocks.remove(id);
    }

    fn forget(&mut self, id: FileId) {
        self.pages.files.forget(id);
    }

    fn read(&mut self, space: &mut Space, at: u64, to: &mut [u8]) -> usize {
        let target = to.as_mut_ptr();
        self.copy(space, at, to.len(), false, &mut |page, part| {
            // SAFETY: the part is inside of `to` and as long as what is left of the page.
            unsafe { target.add(part.start).copy_from_nonoverlapping(page, part.len()) }
        })
    }

    fn write(&mut self, space: &mut Space, at: u64, from: &[u8]) -> usize {
        self.copy(space, at, from.len(), true, &mut |page, part| {
            // SAFETY: as above.
            unsafe { page.copy_from_nonoverlapping(from.as_ptr().add(part.start), part.len()) }
        })
    }

    fn context(&mut self, registers: &Registers) -> Context {
        Context::new(registers)
    }

    fn duplicate(&mut self, _: &mut Space, context: &mut Context) -> Context {
        context.duplicate()
    }

    fn registers(&mut self, _: &mut Space, context: &mut Context) -> Registers {
        context.registers()
    }

    fn set_registers(&mut self, _: &mut Space, context: &mut Context, to: &Registers) {
        context.set(to);
    }

    fn vectors(&mut self, _: &mut Space, context: &mut Context) -> Vec<u8> {
        context.frame.vectors.to_vec()
    }

    fn set_vectors(&mut self, _: &mut Space, context: &mut Context, to: &[u8]) {
        let good = to.first_chunk::<512>().filter(|vectors| {
            let [a, b, c, d] = [24, 25, 26, 27].map(|at| vectors[at]);
            u32::from_le_bytes([a, b, c, d]) & !self.mxcsr == 0
        });
        context.frame.vectors = good.copied().unwrap_or_else(fresh_vectors);
    }

    fn run(&mut self, space: &mut Space, context: &mut Context) -> Event {
        if frames::is_low() {
            self.pages.files.shrink();
            if frames::is_low() {
                return Event::NoMemory;
            }
        }
        self.load(space, context);
        let mut ticks = 0;
        loop {
            let frame = &mut *context.frame;
            if frame.cs == USER_32 {
                (frame.rip, frame.rsp) = (frame.rip & 0xffff_ffff, frame.rsp & 0xffff_ffff);
            }
            if frame.rip >= USER_END {
                return Event::Fault(Fault::Segment { at: frame.rip, mapped: false });
            }
            // SAFETY: the address is canonical, the flags are a program's, and the space is loaded.
            let vector = unsafe { entry::enter(frame) };
            match vector {
                SYSCALL | 0x80 => return call(context, vector),
                SYSCALL_32 => {
                    // It is two bytes long, and no instruction here.
                    frame.rip = frame.rip.wrapping_sub(2);
                    return Event::Fault(Fault::Illegal);
                }
                14 => {
                    let touch = Touch { write: frame.error & 2 != 0, execute: frame.error & 16 != 0 };
                    if let Err(refused) = self.pages.touch(space, cpu::fault_address(), touch, true) {
                        return refused.into();
                    }
                }
                2 => {}
                timer::VECTOR..=timer::LAST => {
                    timer::end(vector);
                    ticks += 1;
                    if ticks >= timer::RATE {
                        return Event::Timeout;
                    }
                }
                13 => {
                    let rip = frame.rip;
                    return match self.asks_for_clock(space, rip) {
                        Some(with_cpu) => Event::Clock(with_cpu),
                        None => Event::Fault(Fault::Protection),
                    };
                }
                _ => return Event::Fault(trap(vector)),
            }
        }
    }

    fn answer(&mut self, _: &mut Space, context: &mut Context, result: i64) {
        context.frame.rax = result as u64;
    }
}
