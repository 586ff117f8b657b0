//! execve(2): a program, its interpreter and its stack become a process's memory.

use super::elf::{Elf, Load};
use super::program::{Image, Loaded};
use super::region::Label;
use super::stack::{self, Person};
use super::{Backing, Kernel, Space};
use crate::errno::{EACCES, EISDIR, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ENOMEM, Errno};
use crate::platform::{Access, Mode, PAGE, Platform, Registers};
use crate::tree::NodeId;
use alloc::vec::Vec;

/// As large as a stack is without being asked; beyond it grows by faults, up to RLIMIT_STACK.
const STACK: u64 = 8 << 20;
/// Scripts whose interpreters are scripts, so many deep.
const MAX_SCRIPTS: usize = 5;
/// So much of a script's first line counts (`BINPRM_BUF_SIZE`).
const LINE: usize = 256;

pub(crate) const READ_WRITE: Access = Access { read: true, write: true, execute: false };

/// A script's interpreter and its one argument.
type Interpreter = (Vec<u8>, Option<Vec<u8>>);

/// What a script's first line names, if there is one.
fn script(bytes: &[u8]) -> Result<Option<Interpreter>, Errno> {
    let Some(line) = bytes.get(..bytes.len().min(LINE)).and_then(|line| line.strip_prefix(b"#!")) else {
        return Ok(None);
    };
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = line.iter().position(|byte| matches!(byte, b'\n' | 0));
    let line = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
    let start = line.iter().position(|byte| !blank(byte)).ok_or(ENOEXEC)?;
    let line = line.get(start..).unwrap_or_default();
    let Some(stop) = line.iter().position(blank) else {
        // An interpreter that is cut off by the limit is none.
        return if end.is_none() && bytes.len() >= LINE {
            Err(ENOEXEC)
        } else {
            Ok(Some((line.into(), None)))
        };
    };
    let (program, rest) = line.split_at(stop);
    let first = rest.iter().position(|byte| !blank(byte));
    let last = rest.iter().rposition(|byte| !blank(byte));
    let argument = first.zip(last).and_then(|(first, last)| rest.get(first..=last)).map(<[u8]>::to_vec);
    Ok(Some((program.into(), argument)))
}

impl<P: Platform> Kernel<P> {
    /// Whether a file may be executed: EACCES.
    pub(crate) fn executable(&self, node: NodeId) -> Result<(), Errno> {
        match self.tree.file(node) {
            Ok(_) => {}
            Err(EISDIR) | Err(_) => return Err(EACCES),
        }
        let (uid, gid) = self.rights();
        self.tree.may(node, uid, gid, 1)?;
        let mode = self.tree.get(node)?.mode;
        if self.tree.noexec(node) || mode & 0o111 == 0 { Err(EACCES) } else { Ok(()) }
    }

    /// Replaces scripts by their interpreters. ELOOP, ENOEXEC, EACCES.
    pub(crate) fn unscript(&mut self, image: &mut Image) -> Result<(), Errno> {
        for _ in 0..MAX_SCRIPTS {
            self.executable(image.node)?;
            let Some((program, argument)) = script(self.tree.file(image.node)?.bytes())? else {
                return Ok(());
            };
            let node = self.node_at(super::lookup::AT_FDCWD, &program, true)?;
            let mut argv = Vec::with_capacity(image.argv.len() + 2);
            argv.push(program.clone());
            argv.extend(argument);
            argv.push(core::mem::replace(&mut image.path, program));
            argv.extend(image.argv.drain(..).skip(1));
            image.argv = argv;
            image.node = node;
        }
        Err(ELOOP)
    }

    /// Loads a program into a new address space. Nothing of the process has changed if this fails.
    pub(crate) fn load(&mut self, image: &Image) -> Result<Loaded, Errno> {
        let elf = Elf::parse(self.tree.file(image.node)?.bytes())?;
        let interpreter = match elf.interpreter.clone() {
            None => None,
            Some(range) => {
                let bytes = self.tree.file(image.node)?.bytes();
                let path = bytes.get(range.start as usize..range.end as usize).ok_or(ENOEXEC)?;
                let path = path.strip_suffix(b"\0").ok_or(ENOEXEC)?.to_vec();
                let node = self.node_at(super::lookup::AT_FDCWD, &path, true)?;
                self.executable(node)?;
                let linker = Elf::parse(self.tree.file(node)?.bytes()).map_err(|_| ELIBBAD)?;
                if linker.compat != elf.compat {
                    return Err(ELIBBAD);
                }
                Some((node, linker))
            }
        };
        let space = self.new_space(elf.compat)?;
        let loaded = self.fill(space, image, &elf, interpreter.as_ref());
        if loaded.is_err() {
            self.leave_space(space);
        }
        loaded
    }

    fn fill(
        &mut self,
        space: u32,
        image: &Image,
        elf: &Elf,
        linker: Option<&(NodeId, Elf)>,
    ) -> Result<Loaded, Errno> {
        let layout = self.layout(elf.compat);
        let execute = elf.executable_stack;
        self.map(
            space,
            layout.stack_top - STACK,
            STACK,
            Access { execute, ..READ_WRITE },
            Backing::Zero,
            Label::Stack,
        )?;
        let shift = match (elf.movable, linker) {
            (false, _) => 0,
            (true, Some(_)) => layout.program.wrapping_sub(elf.extent().start),
            (true, None) => self.place(space, elf)?,
        };
        self.map_elf(space, image.node, elf, shift)?;
        let program_entry = elf.entry.wrapping_add(shift);
        let (base, entry) = match linker {
            None => (0, program_entry),
            Some((node, linker)) => {
                let shift = if linker.movable { self.place(space, linker)? } else { 0 };
                self.map_elf(space, *node, linker, shift)?;
                (shift, linker.entry.wrapping_add(shift))
            }
        };
        // Where a program without an interpreter lies among the mappings, its heap would find no room behind it.
        let heap = if elf.movable && linker.is_none() {
            layout.program
        } else {
            elf.extent().end.wrapping_add(shift)
        };
        let place = self.spaces.get_mut(space)?;
        let heap = heap.wrapping_add(layout.heap);
        (place.heap, place.heap_end) = (heap, heap);
        Ok(Loaded {
            space,
            compat: elf.compat,
            entry,
            program_entry,
            base,
            headers: if elf.headers == 0 { 0 } else { elf.headers.wrapping_add(shift) },
            header_size: elf.header_size,
            header_count: elf.header_count,
        })
    }

    /// How far a movable file's addresses are moved to lie where mmap(2) would put it.
    fn place(&mut self, space: u32, elf: &Elf) -> Result<u64, Errno> {
        let extent = elf.extent();
        let place: &Space<P> = self.spaces.get(space)?;
        let start =
            place.free(extent.end.checked_sub(extent.start).ok_or(ENOMEM)?, place.top).ok_or(ENOMEM)?;
        Ok(start.wrapping_sub(extent.start))
    }

    fn map_elf(&mut self, space: u32, node: NodeId, elf: &Elf, shift: u64) -> Result<(), Errno> {
        for load in &elf.loads {
            self.map_segment(space, node, load, shift)?;
        }
        Ok(())
    }

    fn map_segment(&mut self, space: u32, node: NodeId, load: &Load, shift: u64) -> Result<(), Errno> {
        let start = load.address.wrapping_add(shift);
        let page = start / PAGE * PAGE;
        let stored = start.checked_add(load.stored).ok_or(ENOMEM)?;
        let file_end = stored.checked_next_multiple_of(PAGE).ok_or(ENOMEM)?;
        let end =
            start.checked_add(load.size).and_then(|end| end.checked_next_multiple_of(PAGE)).ok_or(ENOMEM)?;
        if load.stored > 0 {
            let backing = Backing::File(node, load.offset - (start - page));
            self.map(space, page, file_end - page, load.access, backing, Label::None)?;
        }
        let zeros = if load.stored > 0 { file_end } else { page };
        if load.size > load.stored {
            // What the last page of the file holds behind the segment is zeros for the program.
            if load.stored > 0 && load.access.write && stored < file_end {
                let zero = [0; PAGE as usize];
                let zero = zero.get(..(file_end - stored) as usize).unwrap_or_default();
                let place = self.spaces.get_mut(space)?;
                self.platform.write(&mut place.space, stored, zero);
            }
            if end > zeros {
                self.map(space, zeros, end - zeros, load.access, Backing::Zero, Label::None)?;
            }
        }
        Ok(())
    }

    /// Writes a loaded program's stack; the registers that it starts with, and where its arguments and its environment lie.
    pub(crate) fn first_stack(
        &mut self,
        loaded: &Loaded,
        image: &Image,
        shown: &[u8],
    ) -> Result<(Registers, stack::Stack), Errno> {
        let mut random = [0; 16];
        self.random.fill(&mut random);
        let person = Person { uid: self.step.uid, gid: self.step.gid, random };
        let top = self.layout(loaded.compat).stack_top;
        let stack =
            stack::build((loaded, top, self.lowered_stack()), &image.argv, &image.envp, shown, &person);
        let place = self.spaces.get_mut(loaded.space)?;
        if self.platform.write(&mut place.space, stack.pointer, &stack.bytes) != stack.bytes.len() {
            return Err(ENOMEM);
        }
        self.fill_below(loaded.space, stack.pointer);
        let mode = if loaded.compat { Mode::Compat } else { Mode::Long };
        let registers =
            Registers { rip: loaded.entry, rsp: stack.pointer, rflags: 0x202, mode, ..Registers::default() };
        Ok((registers, stack))
    }

    /// Makes the stack larger if a fault lies below it and RLIMIT_STACK allows it; whether it did.
    pub(crate) fn grow_stack(&mut self, at: u64) -> bool {
        let Ok(process) = self.me() else { return false };
        let (id, compat) = (process.space, process.compat);
        let limit = process.limits.get(3).map_or(STACK, |limit| limit.0).min(1 << 30);
        let top = self.layout(compat).stack_top;
        let Ok(space) = self.spaces.get(id) else { return false };
        let Some((mut start, stack)) = space.at(top - 1) else { return false };
        while let Some((below, region)) = space.at(start.saturating_sub(1))
            && region.label == Label::Stack
        {
            start = below;
        }
        let wanted = at / PAGE * PAGE;
        if stack.label != Label::Stack || at >= start || wanted < top.saturating_sub(limit) {
            return false;
        }
        // Linux keeps a mebibyte free below a stack.
        let low = wanted.saturating_sub(1 << 20);
        if space.first(low).is_some_and(|(first, _)| first < start) {
            return false;
        }
        self.map(id, wanted, start - wanted, stack.access, Backing::Zero, Label::Stack).is_ok()
    }

    /// The program of a path, for execve(2). ENOENT, EACCES, ENOEXEC, ELOOP, E2BIG and what path_resolution(7) names.
    pub(crate) fn image(
        &mut self,
        node: NodeId,
        path: Vec<u8>,
        argv: Vec<Vec<u8>>,
        envp: Vec<Vec<u8>>,
    ) -> Result<Image, Errno> {
        if path.is_empty() {
            return Err(ENOENT);
        }
        let mut image = Image { node, name: path.clone(), path, argv, envp };
        if image.argv.is_empty() {
            image.argv.push(Vec::new());
        }
        stack::check(&image.argv, &image.envp)?;
        self.unscript(&mut image)?;
        stack::check(&image.argv, &image.envp)?;
        Ok(image)
    }
}
