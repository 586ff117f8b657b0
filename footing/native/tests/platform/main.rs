//! Guests' machine code through the trait of the core, one test after the other in one process with one thread, as the home demands.
#![allow(unsafe_code, reason = "guests' code is found by its labels")]
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

/// Machine code between two labels.
macro_rules! guest {
    ($name:ident, $($line:literal),+ $(,)?) => {
        std::arch::global_asm!(
            concat!(".globl test_", stringify!($name)),
            concat!("test_", stringify!($name), ":"),
            $($line,)+
            concat!(".globl test_", stringify!($name), "_end"),
            concat!("test_", stringify!($name), "_end:"),
        );

        fn $name() -> &'static [u8] {
            unsafe extern "C" {
                #[link_name = concat!("test_", stringify!($name))]
                static FROM: u8;
                #[link_name = concat!("test_", stringify!($name), "_end")]
                static TO: u8;
            }
            let from = &raw const FROM;
            // SAFETY: both labels are defined above, in this order, in one section.
            unsafe { std::slice::from_raw_parts(from, &raw const TO as usize - from as usize) }
        }
    };
}

mod calls;
mod hostile;
mod memory;
mod threads;

use footing_core::platform::{Access, Content, Event, FileId, Mode, Platform, Registers, Table};
use footing_native::{Context, Native, Space};

/// Where a guest's code, data and stack's end are.
pub const CODE: u64 = 0x40_0000;
pub const DATA: u64 = 0x50_0000;
pub const STACK: u64 = 0x60_0000;
pub const READ: Access = Access { read: true, write: false, execute: false };
pub const WRITE: Access = Access { read: true, write: true, execute: false };
pub const EXECUTE: Access = Access { read: true, write: false, execute: true };

/// A guest with one thread.
pub struct Guest {
    pub native: Native,
    pub space: Space,
    pub context: Context,
}

impl Guest {
    /// A guest that starts with the first byte of `code`; it has a page of data and one of stack.
    pub fn new(code: &[u8]) -> Guest {
        Guest::start(code, Mode::Long)
    }

    pub fn start(code: &[u8], mode: Mode) -> Guest {
        let mut native = Native::new(None).unwrap();
        let mut space = native.space().unwrap();
        let file = Content::File { id: FileId(1), bytes: code, offset: 0 };
        native.map(&mut space, CODE..CODE + 0x2000, EXECUTE, file).unwrap();
        native.map(&mut space, DATA..DATA + 0x1000, WRITE, Content::Zero).unwrap();
        native.map(&mut space, STACK - 0x1000..STACK, WRITE, Content::Zero).unwrap();
        let registers = Registers { rip: CODE, rsp: STACK - 64, rflags: 0x202, mode, ..Registers::default() };
        let context = native.context(&registers);
        Guest { native, space, context }
    }

    pub fn run(&mut self) -> Event {
        self.native.run(&mut self.space, &mut self.context)
    }

    pub fn registers(&mut self) -> Registers {
        self.native.registers(&mut self.space, &mut self.context)
    }

    pub fn set(&mut self, registers: &Registers) {
        self.native.set_registers(&mut self.space, &mut self.context, registers);
    }

    pub fn answer(&mut self, result: i64) {
        self.native.answer(&mut self.space, &mut self.context, result);
    }

    pub fn read(&mut self, at: u64) -> u64 {
        let mut bytes = [0; 8];
        assert_eq!(self.native.read(&mut self.space, at, &mut bytes), 8, "{at:x}");
        u64::from_le_bytes(bytes)
    }

    /// Runs to a call of this number; its arguments.
    pub fn call(&mut self, number: u32) -> [u64; 6] {
        match self.run() {
            Event::Call { table: Table::X86_64, number: found, arguments } if found == number => arguments,
            other => panic!("{other:?} instead of call {number}, {:x?}", self.registers()),
        }
    }
}

type Test = (&'static str, fn());

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let all: Vec<Test> = [calls::TESTS, memory::TESTS, threads::TESTS, hostile::TESTS].concat();
    let chosen =
        all.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|word| name.contains(word)));
    let mut count = 0;
    for (name, test) in chosen {
        test();
        println!("test {name} ... ok");
        count += 1;
    }
    if wanted.iter().any(|word| word == "measure") {
        calls::measure();
    }
    println!("\ntest result: ok. {count} passed");
}
