//! A home without a processor: its one program is a list of calls.

use super::native::user;
use super::program::{Answer, Call, MEMORY, SIZE, collect, prepare};
use footing_core::kernel::{End, Kernel, Settings, StepSettings};
use footing_core::platform::{
    Access, Content, Event, FileId, Mode, NoMemory, PAGE, Platform, Registers, SharedId, Table,
};
use footing_core::tree::{Data, File, Folder, Kind, Meta};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

/// What is behind a page.
#[derive(Clone)]
enum Page {
    Own(Box<[u8; PAGE as usize]>),
    Shared(SharedId, u64),
}

/// Pages by their addresses.
#[derive(Clone, Default)]
pub struct Space {
    pages: BTreeMap<u64, (Access, Page)>,
}

/// How far a process is in its list of calls.
#[derive(Clone, Default)]
pub struct Cursor {
    registers: Registers,
    who: u32,
    forks: u32,
    calls: Rc<[Call]>,
    results: Vec<i64>,
    /// Results that were noted.
    noted: usize,
    /// The next result is fork(2)'s, in the child.
    fresh: bool,
}

/// The home.
pub struct Mock {
    calls: Rc<[Call]>,
    answers: Vec<Answer>,
    shared: BTreeMap<SharedId, Vec<u8>>,
}

impl Mock {
    fn page<'a>(&'a mut self, space: &'a mut Space, at: u64, write: bool) -> Option<&'a mut [u8]> {
        let (access, page) = space.pages.get_mut(&(at / PAGE * PAGE))?;
        if write && !access.write || !write && !access.read {
            return None;
        }
        match page {
            Page::Own(bytes) => Some(&mut bytes[..]),
            Page::Shared(id, offset) => {
                self.shared.get_mut(id)?.get_mut(*offset as usize..*offset as usize + PAGE as usize)
            }
        }
    }

    fn copy(
        &mut self,
        space: &mut Space,
        mut at: u64,
        length: usize,
        write: bool,
        mut with: impl FnMut(usize, &mut [u8]),
    ) -> usize {
        let mut done = 0;
        while done < length {
            let inside = (at % PAGE) as usize;
            let Some(page) = self.page(space, at, write) else { break };
            let most = (PAGE as usize - inside).min(length - done);
            with(done, &mut page[inside..inside + most]);
            done += most;
            at += most as u64;
        }
        done
    }
}

impl Platform for Mock {
    type Space = Space;
    type Context = Cursor;

    fn space(&mut self) -> Result<Space, NoMemory> {
        Ok(Space::default())
    }
    fn fork(&mut self, from: &mut Space) -> Result<Space, NoMemory> {
        Ok(from.clone())
    }
    fn discard(&mut self, _: Space) {}
    fn addresses(&self) -> Range<u64> {
        0x1000..0x7fff_ffff_f000
    }
    fn map(
        &mut self,
        space: &mut Space,
        at: Range<u64>,
        access: Access,
        content: Content<'_>,
    ) -> Result<(), NoMemory> {
        assert!(
            at.start.is_multiple_of(PAGE) && at.end.is_multiple_of(PAGE) && at.start < at.end,
            "a range of pages: {at:x?}"
        );
        for start in at.clone().step_by(PAGE as usize) {
            let mut bytes = Box::new([0; PAGE as usize]);
            let page = match content {
                Content::Zero => Page::Own(bytes),
                Content::File { bytes: file, offset, .. } => {
                    let from = (offset + start - at.start) as usize;
                    let part = file.get(from..).unwrap_or_default();
                    let length = part.len().min(bytes.len());
                    bytes[..length].copy_from_slice(&part[..length]);
                    Page::Own(bytes)
                }
                Content::Shared(id, offset) => {
                    assert!(self.shared.contains_key(&id), "shared memory {id:?}");
                    Page::Shared(id, offset + start - at.start)
                }
            };
            space.pages.insert(start, (access, page));
        }
        Ok(())
    }
    fn unmap(&mut self, space: &mut Space, at: Range<u64>) {
        let gone: Vec<u64> = space.pages.range(at).map(|(&start, _)| start).collect();
        for start in gone {
            space.pages.remove(&start);
        }
    }
    fn protect(&mut self, space: &mut Space, at: Range<u64>, access: Access) {
        for (_, page) in space.pages.range_mut(at) {
            page.0 = access;
        }
    }
    fn shift(&mut self, space: &mut Space, from: Range<u64>, to: u64) -> Result<(), NoMemory> {
        let moved: Vec<u64> = space.pages.range(from.clone()).map(|(&start, _)| start).collect();
        for start in moved {
            let page = space.pages.remove(&start).expect("it was listed");
            space.pages.insert(start - from.start + to, page);
        }
        Ok(())
    }
    fn share(&mut self, id: SharedId, bytes: u64) -> Result<(), NoMemory> {
        self.shared.insert(id, vec![0; bytes as usize]);
        Ok(())
    }
    fn shared(&mut self, id: SharedId) -> &mut [u8] {
        self.shared.get_mut(&id).map(Vec::as_mut_slice).unwrap_or_default()
    }
    fn unshare(&mut self, id: SharedId) {
        assert!(self.shared.remove(&id).is_some(), "shared memory {id:?} is there");
    }
    fn forget(&mut self, _: FileId) {}

    fn read(&mut self, space: &mut Space, at: u64, to: &mut [u8]) -> usize {
        self.copy(space, at, to.len(), false, |done, page| to[done..done + page.len()].copy_from_slice(page))
    }
    fn write(&mut self, space: &mut Space, at: u64, from: &[u8]) -> usize {
        self.copy(space, at, from.len(), true, |done, page| {
            page.copy_from_slice(&from[done..done + page.len()])
        })
    }

    fn context(&mut self, registers: &Registers) -> Cursor {
        Cursor { registers: *registers, calls: self.calls.clone(), ..Cursor::default() }
    }
    fn duplicate(&mut self, _: &mut Space, context: &mut Cursor) -> Cursor {
        context.forks += 1;
        let child = context.calls.get(context.results.len()).map(|call| call.child.clone());
        Cursor {
            registers: context.registers,
            who: context.who * 10 + context.forks,
            calls: child.unwrap_or_default().into(),
            fresh: true,
            ..Cursor::default()
        }
    }
    fn registers(&mut self, _: &mut Space, context: &mut Cursor) -> Registers {
        context.registers
    }
    fn set_registers(&mut self, _: &mut Space, context: &mut Cursor, to: &Registers) {
        assert_eq!(to.mode, Mode::Long);
        context.registers = *to;
    }
    fn vectors(&mut self, _: &mut Space, _: &mut Cursor) -> Vec<u8> {
        vec![0; 512]
    }
    fn set_vectors(&mut self, _: &mut Space, _: &mut Cursor, _: &[u8]) {}

    fn run(&mut self, space: &mut Space, context: &mut Cursor) -> Event {
        let index = context.results.len();
        if let Some(last) = index.checked_sub(1)
            && context.noted < index
        {
            let (call, result) = (&context.calls[last], context.results[last]);
            let outs = collect(call, result, &mut |at, bytes| {
                self.read(space, at, bytes);
            });
            self.answers.push(Answer::new(context.who, call, result, outs));
            context.noted = index;
        }
        let Some(call) = context.calls.get(index) else {
            return Event::Call { table: Table::X86_64, number: 231, arguments: [0; 6] };
        };
        let arguments = prepare(call, &context.results, &mut |at, bytes| {
            self.write(space, at, bytes);
        });
        Event::Call { table: Table::X86_64, number: call.number as u32, arguments }
    }
    fn answer(&mut self, _: &mut Space, context: &mut Cursor, result: i64) {
        if !std::mem::take(&mut context.fresh) {
            context.results.push(result);
        }
    }
}

/// A program for x86-64 of one page and memory at [`MEMORY`], which nobody executes.
fn elf() -> Vec<u8> {
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend_from_slice(&[2, 0, 62, 0, 1, 0, 0, 0]);
    for word in [0x40_0000_u64, 64, 0] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.extend_from_slice(&[0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
    for (flags, address, stored, size) in
        [(5_u32, 0x40_0000_u64, 176_u64, 176_u64), (6, MEMORY, 0, SIZE as u64)]
    {
        bytes.extend_from_slice(&1_u32.to_le_bytes());
        bytes.extend_from_slice(&flags.to_le_bytes());
        for word in [0, address, address, stored, size, PAGE] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
    }
    bytes
}

/// footing's answers.
pub fn answers(calls: &[Call]) -> Vec<Answer> {
    let home = Mock { calls: calls.into(), answers: Vec::new(), shared: BTreeMap::new() };
    let mut kernel = Kernel::new(home, Settings::default());
    let volume = kernel.tree.volume(64 << 20, false, 20);
    let (uid, gid) = user();
    let of = |mode, own| {
        let (uid, gid) = if own { (uid, gid) } else { (0, 0) };
        Meta { mode, uid, gid, time: 0 }
    };
    let folder = || Kind::Folder(Folder::default());
    let root = kernel.tree.root(volume, of(0o755, false)).expect("a root");
    let file = Kind::File(File::new(Data::Own(elf())));
    kernel.tree.add(root, b"program", file, of(0o755, false)).expect("a program");
    kernel.tree.add(root, b"work", folder(), of(0o755, true)).expect("a working directory");
    kernel.tree.add(root, b"tmp", folder(), of(0o1777, false)).expect("a directory for all");
    let devices = kernel.tree.add(root, b"dev", folder(), of(0o755, false)).expect("a directory of devices");
    for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("urandom", 9)] {
        kernel
            .tree
            .add(devices, name.as_bytes(), Kind::Device(1, minor), of(0o666, false))
            .expect("a device");
    }
    let step = StepSettings {
        builder: b"/program".to_vec(),
        argv: vec![b"program".to_vec()],
        cwd: b"/work".to_vec(),
        uid,
        gid,
        umask: 0o022,
        clock: 1_000_000_000,
        limits: [(u64::MAX, u64::MAX); 16].map(|limit| limit),
        loopback: true,
        process_limit: 100,
        ..StepSettings::default()
    };
    let mut step = step;
    step.limits[7] = (1024, 4096);
    step.limits[3] = (8 << 20, u64::MAX);
    let outcome = kernel.run_step(root, step, &mut |_| {});
    let mut answers = kernel.platform.answers;
    if !matches!(outcome.end, End::Exited(_) | End::Killed(_)) {
        eprintln!("footing ended: {outcome:?}");
    }
    answers.sort_by_key(|answer| answer.who);
    answers
}
