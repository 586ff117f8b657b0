//! Which program must bring which event.

#[path = "code.rs"]
mod code;

use alloc::vec::Vec;
use core::ops::Range;
use footing_core::platform::{Access, Content, Event, Fault, FileId, Mode, Platform, Registers, SharedId};
use footing_vm::event;

const CODE: u64 = 0x40_0000;
const DATA: u64 = 0x50_0000;
const STACK: Range<u64> = 0x6fff_0000..0x7000_0000;
const READ: Access = Access { read: true, write: false, execute: false };
const WRITE: Access = Access { read: true, write: true, execute: false };
const EXECUTE: Access = Access { read: true, write: false, execute: true };

/// How a program ended: by call 60, or by an event.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Exit(u64),
    Event(Event),
}

struct Trial<'p, P: Platform> {
    home: &'p mut P,
    next: u64,
    bad: u32,
}

/// Tries everything.
pub fn try_all<P: Platform>(home: &mut P) {
    let mut trial = Trial { home, next: 0, bad: 0 };
    trial.ends();
    trial.faults();
    trial.copies();
    trial.shares();
    trial.exhausts();
    trial.check("hello again", code::hello(), End::Exit(0));
    let bad = trial.bad;
    event!("trial ", bad);
}

impl<P: Platform> Trial<'_, P> {
    fn say(&mut self, name: &str, good: bool) {
        self.bad += u32::from(!good);
        event!(if good { "good " } else { "bad " }, name);
    }

    fn check(&mut self, name: &str, code: &[u8], expected: End) {
        let (mut space, mut context) = self.load(code, Mode::Long);
        let end = self.run(&mut space, &mut context);
        self.say(name, end == expected);
        self.home.discard(space);
    }

    fn load(&mut self, code: &[u8], mode: Mode) -> (P::Space, P::Context) {
        let mut space = self.home.space().expect("memory");
        self.next += 1;
        let file = Content::File { id: FileId(self.next), bytes: code, offset: 0 };
        let maps = [
            (CODE..CODE + 0x1000, EXECUTE, file),
            (DATA..DATA + 0x4000, WRITE, Content::Zero),
            (STACK, WRITE, Content::Zero),
        ];
        for (range, access, content) in maps {
            self.home.map(&mut space, range, access, content).expect("memory");
        }
        let registers =
            Registers { rip: CODE, rsp: STACK.end - 16, gs_base: DATA + 0x100, mode, ..Registers::default() };
        let context = self.home.context(&registers);
        (space, context)
    }

    fn run(&mut self, space: &mut P::Space, context: &mut P::Context) -> End {
        loop {
            match self.home.run(space, context) {
                Event::Call { number: 60, arguments: [status, ..], .. } => return End::Exit(status),
                Event::Call { number: 1, arguments: [_, at, length, ..], .. } => {
                    let mut text = [0; 64];
                    let length = (length as usize).min(64);
                    let read = self.home.read(space, at, &mut text[..length]);
                    event!("said ", formats::say::Text(&text[..read]));
                    self.home.answer(space, context, read as i64);
                }
                Event::Call { .. } => self.home.answer(space, context, 7),
                event => return End::Event(event),
            }
        }
    }

    fn ends(&mut self) {
        self.check("hello", code::hello(), End::Exit(0));
        self.check("keeps", code::keeps(), End::Exit(0));
        self.check("flags", code::flags(), End::Exit(0));
        self.check("reads zero", code::reads_zero(), End::Exit(0));
        let (mut space, mut context) = self.load(code::compat(), Mode::Compat);
        let written = self.home.write(&mut space, DATA + 0x100, &0x1234_5678_u32.to_le_bytes());
        let end = self.run(&mut space, &mut context);
        self.say("compat", written == 4 && end == End::Exit(0));
        self.home.discard(space);
    }

    fn faults(&mut self) {
        let segment = |at, mapped| End::Event(Event::Fault(Fault::Segment { at, mapped }));
        let fault = |fault| End::Event(Event::Fault(fault));
        self.check("nothing there", code::nothing_there(), segment(0x10, false));
        self.check("kernel there", code::kernel_there(), segment(0xffff_8000_0010_0000, false));
        self.check("writes code", code::writes_code(), segment(CODE + 7, true));
        self.check("runs data", code::runs_data(), segment(DATA, true));
        self.check("divides", code::divides(), fault(Fault::Arithmetic(false)));
        self.check("undefined", code::undefined(), fault(Fault::Illegal));
        self.check("breaks", code::breaks(), fault(Fault::Trap));
        self.check("halts", code::halts(), fault(Fault::Protection));
        self.check("far away", code::far_away(), fault(Fault::Protection));
        self.check("steps", code::steps(), fault(Fault::Trap));
        self.check("aligned wrong", code::aligned_wrong(), fault(Fault::Protection));
        self.check("clock", code::clock(), End::Event(Event::Clock(false)));
        self.check("spins", code::spins(), End::Event(Event::Timeout));
    }

    /// Neither of two spaces sees what the other writes; pages move, lose access and get it back.
    fn copies(&mut self) {
        let (mut space, mut context) = self.load(code::counts(), Mode::Long);
        let first = self.run(&mut space, &mut context);
        let mut second = self.home.fork(&mut space).expect("memory");
        let start = Registers { rip: CODE, rsp: STACK.end - 16, ..Registers::default() };
        let mut other = self.home.context(&start);
        let mut ends = Vec::new();
        for _ in 0..2 {
            self.home.set_registers(&mut second, &mut other, &start);
            ends.push(self.run(&mut second, &mut other));
        }
        self.home.set_registers(&mut space, &mut context, &start);
        let mine = self.run(&mut space, &mut context);
        self.say(
            "forks",
            first == End::Exit(1) && ends == [End::Exit(2), End::Exit(3)] && mine == End::Exit(2),
        );
        self.home.protect(&mut second, DATA..DATA + 0x1000, READ);
        let refused = self.home.write(&mut second, DATA, &[1]) == 0;
        self.home.protect(&mut second, DATA..DATA + 0x1000, Access::default());
        let hidden = self.home.read(&mut second, DATA, &mut [0]) == 0;
        self.home.protect(&mut second, DATA..DATA + 0x1000, WRITE);
        let moved = self.home.shift(&mut second, DATA..DATA + 0x1000, DATA + 0x10_0000).is_ok();
        let mut byte = [0];
        let kept = self.home.read(&mut second, DATA + 0x10_0000, &mut byte) == 1 && byte == [3];
        let gone = self.home.read(&mut second, DATA, &mut byte) == 0;
        self.say("protects", refused && hidden);
        self.say("moves", moved && kept && gone);
        self.home.discard(space);
        self.home.discard(second);
    }

    fn shares(&mut self) {
        let id = SharedId(1);
        let shared = Content::Shared(id, 0);
        self.home.share(id, 0x1000).expect("memory");
        let (mut space, mut context) = self.load(code::counts(), Mode::Long);
        self.home.map(&mut space, DATA..DATA + 0x2000, WRITE, shared).expect("memory");
        let mut copy = self.home.fork(&mut space).expect("memory");
        let end = self.run(&mut space, &mut context);
        let mut seen = [0];
        let good = self.home.read(&mut copy, DATA, &mut seen) == 1 && seen == [1];
        let behind = self.home.read(&mut copy, DATA + 0x1000, &mut seen) == 0;
        let mine = self.home.shared(id).first() == Some(&1);
        self.say("shares", end == End::Exit(1) && good && behind && mine);
        self.home.discard(space);
        self.home.discard(copy);
        self.home.unshare(id);
    }

    /// A program that takes all memory ends by that; nothing else does, and all of it comes back.
    fn exhausts(&mut self) {
        let before = footing_vm::frames::free();
        let (mut space, mut context) = self.load(code::takes_all(), Mode::Long);
        self.home.map(&mut space, 0x60_0000..0x100_0060_0000, WRITE, Content::Zero).expect("memory");
        // It makes no call, however long it takes.
        let mut end = self.run(&mut space, &mut context);
        while end == End::Event(Event::Timeout) {
            end = self.run(&mut space, &mut context);
        }
        let refused = self.home.share(SharedId(2), 1 << 40).is_err();
        self.say("exhausts", end == End::Event(Event::NoMemory) && refused);
        self.home.discard(space);
        let after = footing_vm::frames::free();
        // What the kernel's own small blocks took stays theirs.
        self.say("frees", before.0.saturating_sub(after.0) < 64);
    }
}
