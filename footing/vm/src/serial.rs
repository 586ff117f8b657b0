//! The console: the first serial port and on bare metal the screen; and the kernel's last words.

use crate::cpu::{self, in8, out8};
use crate::global::Global;
use formats::nar::Sink;
use formats::say::{Display, LineBuf};

/// The port's registers. Source: data sheet of the 16550D.
const PORT: u16 = 0x3f8;

/// Prints an event.
#[macro_export]
macro_rules! event {
    ($($part:expr),+) => {{
        let mut words = formats::say::LineBuf::new();
        formats::say!(&mut words, "@ ", $($part),+);
        formats::nar::Sink::write(&mut $crate::serial::Console, words.line());
    }};
}

/// Sets the port to 115,200 baud, 8 bits, no parity, one stop bit, no interrupts.
pub(crate) fn start() {
    for (register, value) in [(1, 0), (3, 0x80), (0, 1), (1, 0), (3, 3), (2, 7), (4, 3)] {
        out8(PORT + register, value);
    }
}

/// Writes bytes where they can be read.
type Writer = fn(&[u8]);

static ALSO: Global<Option<Writer>> = Global::new(None);

/// From now on the console is also what this writes to.
pub(crate) fn also(write: Writer) {
    ALSO.with(|also| *also = Some(write));
}

/// The console.
pub struct Console;

impl Sink for Console {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            // What a terminal would do.
            if byte == b'\n' {
                put(b'\r');
            }
            put(byte);
        }
        if let Some(also) = ALSO.with(|also| *also) {
            also(bytes);
        }
    }
}

fn put(byte: u8) {
    const EMPTY: u8 = 1 << 5;
    // A port that is not there reads as ones.
    while in8(PORT + 5) & EMPTY == 0 {}
    out8(PORT, byte);
}

/// A number in hexadecimal digits.
pub struct Hex(pub u64);

impl Display for Hex {
    fn say(self, words: &mut LineBuf) {
        words.number(self.0, 16);
    }
}

/// The machine can't go on.
pub fn fatal(what: &str, numbers: &[u64]) -> ! {
    let mut words = LineBuf::new();
    formats::say!(&mut words, "@ fatal footing: ", what);
    for &number in numbers {
        formats::say!(&mut words, " ", Hex(number));
    }
    Console.write(words.line());
    cpu::end()
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("", 0), |at| (at.file(), at.line()));
    let mut words = LineBuf::new();
    formats::say!(&mut words, "@ fatal footing panicked at ", file, ":", line);
    Console.write(words.line());
    cpu::end()
}
