//! The one interrupt: channel 0 of the timer, some eighteen times a second, taken in user mode alone.
//!
//! Source: data sheets of the 8254 and the 8259A.

#![allow(unsafe_code)]

use crate::cpu::{local_apic, out8};
use crate::direct::map_device;
use crate::layout::PAGE;

/// The vector of the timer.
pub(crate) const VECTOR: u64 = 32;
/// The last vector of the interrupt controllers.
pub(crate) const LAST: u64 = 47;
/// Interrupts in a second, rounded down.
pub(crate) const RATE: u32 = 18;

const PIC: (u16, u16) = (0x20, 0xa0);
const END: u8 = 0x20;

/// Sends the controllers' interrupts to vectors from [`VECTOR`] on, masks all but the timer's, and starts it.
pub(crate) fn start() {
    pass_through();
    for (port, first, wiring) in [(PIC.0, VECTOR as u8, 4), (PIC.1, VECTOR as u8 + 8, 2)] {
        for (register, word) in [(0, 0x11), (1, first), (1, wiring), (1, 1)] {
            out8(port + register, word);
        }
    }
    out8(PIC.0 + 1, !1);
    out8(PIC.1 + 1, !0);
    // Channel 0, both bytes, mode 2, divided by 65,536.
    for (port, word) in [(0x43, 0x34), (0x40, 0), (0x40, 0)] {
        out8(port, word);
    }
}

/// Lets the CPU's own controller pass on what the others ask for.
fn pass_through() {
    const SPURIOUS: usize = 0xf0 / 4;
    const ENABLE: u32 = 1 << 8;
    const PIN_0: usize = 0x350 / 4;
    const EXTERNAL: u32 = 7 << 8;
    let Some(base) = local_apic() else { return };
    let registers = map_device(base..base + PAGE, true) as *mut u32;
    // SAFETY: the controller's registers, which are nobody else's.
    unsafe {
        registers.add(SPURIOUS).write_volatile(ENABLE | LAST as u32);
        registers.add(PIN_0).write_volatile(EXTERNAL);
    }
}

/// An interrupt was taken.
pub(crate) fn end(vector: u64) {
    if vector >= VECTOR + 8 {
        out8(PIC.1, END);
    }
    out8(PIC.0, END);
}
