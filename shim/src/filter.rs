//! The filter that stops the builder at the calls that matter, and nowhere else. Source: seccomp(2), `linux/seccomp.h`.
#![allow(unsafe_code)]

use crate::calls::{
    AFFINITY, DENTS, EXIT, FILE_SYSTEMS, GETRANDOM, LINKS, OLD_DENTS, OPEN, OPENAT, STATS, WRITE,
};
use crate::options::Options;
use crate::sys::call;
use crate::times::TIMES;
use crate::waits::{ALWAYS, TIMED};

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
const ROOM: usize = 224;

struct Rules {
    filter: [Filter; ROOM],
    many: usize,
}

impl Rules {
    fn add(&mut self, rule: Filter) {
        self.filter[self.many] = rule;
        self.many += 1;
    }

    /// Stops at these calls.
    fn want(&mut self, numbers: &[u64]) {
        for &number in numbers {
            self.add(Filter(IF_EQUAL, 0, 1, number as u32));
            self.add(Filter(RETURN, 0, 0, TRACE));
        }
    }

    /// Stops at this one if this argument is not zero.
    fn want_with(&mut self, number: u64, argument: u32) {
        let place = 16 + 8 * argument;
        self.add(Filter(IF_EQUAL, 0, 6, number as u32));
        self.add(Filter(LOAD, 0, 0, place));
        self.add(Filter(IF_EQUAL, 0, 2, 0));
        self.add(Filter(LOAD, 0, 0, place + 4));
        self.add(Filter(IF_EQUAL, 1, 0, 0));
        self.add(Filter(RETURN, 0, 0, TRACE));
        self.add(Filter(RETURN, 0, 0, ALLOW));
    }
}

/// In the builder's process, before it becomes the builder.
pub fn install(options: &Options) -> bool {
    let mut rules = Rules { filter: [Filter(RETURN, 0, 0, ALLOW); ROOM], many: 0 };
    rules.add(Filter(LOAD, 0, 0, 4));
    // Of other architectures nothing is traced.
    rules.add(Filter(IF_EQUAL, 1, 0, ARCH_X86_64));
    rules.add(Filter(RETURN, 0, 0, ALLOW));
    rules.add(Filter(LOAD, 0, 0, 0));
    rules.want(&[GETRANDOM, OPEN, OPENAT, DENTS, OLD_DENTS]);
    rules.want(&STATS);
    rules.want(&LINKS);
    rules.want(&FILE_SYSTEMS);
    rules.want(&TIMES);
    rules.want(&ALWAYS);
    if options.cpus.is_some() {
        rules.want(&[AFFINITY]);
    }
    if options.schedule.is_some() {
        rules.want(&[WRITE, EXIT]);
    }
    TIMED.into_iter().for_each(|(number, argument)| rules.want_with(number, argument));
    rules.add(Filter(RETURN, 0, 0, ALLOW));
    let Rules { filter, many } = rules;
    let program = Program(many as u16, filter.as_ptr());
    // SAFETY: `seccomp(SECCOMP_SET_MODE_FILTER, 0, &program)`; the kernel copies the program.
    unsafe { call(SECCOMP, [1, 0, (&raw const program).addr(), 0, 0, 0]) == 0 }
}
