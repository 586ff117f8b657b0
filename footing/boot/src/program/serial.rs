//! The first serial port: 115,200 baud, 8 bits, no parity, one stop bit. Source: data sheet of the 16550D.

use core::arch::asm;

const PORT: u16 = 0x3f8;

fn out(port: u16, value: u8) {
    // SAFETY: the port's registers change no memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags)) }
}

fn read(port: u16) -> u8 {
    let value;
    // SAFETY: as above.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags)) }
    value
}

/// Sets the port up.
pub fn start() {
    for (register, value) in [(1, 0), (3, 0x80), (0, 1), (1, 0), (3, 3), (2, 7), (4, 3)] {
        out(PORT + register, value);
    }
}

/// Writes text, with a carriage return before each line feed.
pub fn write(text: &[u8]) {
    for &byte in text {
        if byte == b'\n' {
            put(b'\r');
        }
        put(byte);
    }
}

fn put(byte: u8) {
    const EMPTY: u8 = 1 << 5;
    // A port that is not there reads as ones.
    while read(PORT + 5) & EMPTY == 0 {}
    out(PORT, byte);
}
