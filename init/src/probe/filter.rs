//! The filter that stops the builder at the calls that matter, and nowhere else. Source: seccomp(2), `linux/seccomp.h`.
#![allow(unsafe_code)]

use crate::calls::{AFFINITY, DENTS, EXIT, FILE_SYSTEMS, GETRANDOM, OLD_DENTS, OPEN, OPENAT, STATS, WRITE};
use crate::options::Options;
use crate::sys::call;

/// `struct sock_filter`: code, where to go if true and if false, operand.
#[repr(C)]
#[derive(Clone, Copy)]
struct Filter(u16, u8, u8, u32);
#[repr(C)]
struct Program(u16, *const Filter);

const SECCOMP: usize = 317;
const ARCH_X86_64: u32 = 0xc000_003e;
const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const TRACE: u32 = 0x7ff0_0000;
const ROOM: usize = 32;

/// In the builder's process, before it becomes the builder.
pub fn install(options: &Options) -> bool {
    let mut wanted = [0; ROOM];
    let mut many = 0;
    let mut want = |numbers: &[u64]| {
        for &number in numbers {
            wanted[many] = number as u32;
            many += 1;
        }
    };
    want(&[GETRANDOM, OPEN, OPENAT, DENTS, OLD_DENTS]);
    want(&STATS);
    want(&FILE_SYSTEMS);
    if options.cpus.is_some() {
        want(&[AFFINITY]);
    }
    if options.schedule.is_some() {
        want(&[WRITE, EXIT]);
    }
    let mut filter = [Filter(RETURN, 0, 0, ALLOW); ROOM + 5];
    filter[0] = Filter(LOAD, 0, 0, 4);
    // Of other architectures nothing is traced.
    filter[1] = Filter(IF_EQUAL, 0, many as u8 + 1, ARCH_X86_64);
    filter[2] = Filter(LOAD, 0, 0, 0);
    for (at, &number) in wanted[..many].iter().enumerate() {
        filter[3 + at] = Filter(IF_EQUAL, (many - at) as u8, 0, number);
    }
    filter[4 + many] = Filter(RETURN, 0, 0, TRACE);
    let program = Program(5 + many as u16, filter.as_ptr());
    // SAFETY: `seccomp(SECCOMP_SET_MODE_FILTER, 0, &program)`; the kernel copies the program.
    unsafe { call(SECCOMP, [1, 0, (&raw const program).addr(), 0, 0, 0]) == 0 }
}
