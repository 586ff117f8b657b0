//! What a stop of a guest process means.

use footing_core::platform::{Event, Fault, Table};
use libc::user_regs_struct;

use crate::stub;
use crate::trace::Info;

/// What to do after a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The thread has come to an event.
    Event(Event),
    /// It executed `cpuid`.
    Identify,
    /// The signal is somebody else's: the thread goes on.
    Nothing,
}

const ARCH_X86_64: u32 = 0xc000_003e;
/// The page of calls at a fixed place that old programs use.
const VSYSCALL: u64 = 0xffff_ffff_ff60_0000;
/// Since Linux 6.11.
const URETPROBE: u32 = 335;

/// The meaning of a signal. `code` reads the bytes at an address, for what they are worth, and says how many. Registers are changed
/// to those before an instruction where the host has other ones. Source: sigaction(2), `si_code`.
pub(crate) fn meaning(
    info: &Info,
    registers: &mut user_regs_struct,
    code: impl FnOnce(u64, &mut [u8]) -> usize,
) -> Meaning {
    // SI_KERNEL: for SIGSEGV, a general protection fault.
    const KERNEL: i32 = 0x80;
    const NOT_MAPPED: i32 = 1;
    if info.signal == libc::SIGSYS && info.code == 1 {
        return Meaning::Event(call(info, registers));
    }
    // Sent by a process.
    if info.code <= 0 {
        return Meaning::Nothing;
    }
    let at = info.address;
    let fault = match info.signal {
        libc::SIGSEGV if registers.rip >= VSYSCALL => Fault::Segment { at: registers.rip, mapped: false },
        libc::SIGSEGV if info.code == KERNEL => return protection(registers.rip, code),
        // `uretprobe`, which no filter sees; Linux raises this unless its own code makes the call, and does nothing else.
        libc::SIGILL if info.code == KERNEL && registers.orig_rax as u32 == URETPROBE => {
            registers.rax = registers.orig_rax;
            let plain = Info { arch: ARCH_X86_64, address: registers.rip, ..*info };
            return Meaning::Event(call(&plain, registers));
        }
        libc::SIGSEGV => Fault::Segment { at, mapped: info.code != NOT_MAPPED && !stub::PAGES.contains(&at) },
        libc::SIGBUS => Fault::Bus(at),
        libc::SIGILL => Fault::Illegal,
        // FPE_INTDIV, FPE_INTOVF.
        libc::SIGFPE => Fault::Arithmetic(info.code > 2),
        libc::SIGTRAP => Fault::Trap,
        _ => return Meaning::Nothing,
    };
    Meaning::Event(Event::Fault(fault))
}

fn protection(pointer: u64, code: impl FnOnce(u64, &mut [u8]) -> usize) -> Meaning {
    let mut bytes = [0; 3];
    let count = code(pointer, &mut bytes);
    match (count, bytes) {
        (2.., [0x0f, 0x31, _]) => Meaning::Event(Event::Clock(false)),
        (3.., [0x0f, 0x01, 0xf9]) => Meaning::Event(Event::Clock(true)),
        (2.., [0x0f, 0xa2, _]) => Meaning::Identify,
        _ => Meaning::Event(Event::Fault(Fault::Protection)),
    }
}

/// A call that the filter stopped.
fn call(info: &Info, r: &mut user_regs_struct) -> Event {
    let at = info.address;
    let landing = stub::VDSO..stub::VDSO + stub::VDSO_BYTES;
    if info.arch != ARCH_X86_64 {
        // `sysenter`, or AMD's `syscall` in compatibility mode: both have lost where they came from.
        if landing.contains(&at) {
            return Event::Fault(Fault::Protection);
        }
        let low = |word: u64| word & 0xffff_ffff;
        let arguments = [low(r.rbx), low(r.rcx), low(r.rdx), low(r.rsi), low(r.rdi), low(r.rbp)];
        return Event::Call { table: Table::I386, number: r.rax as u32, arguments };
    }
    if at >= VSYSCALL {
        // The vsyscall page: the host has returned from the function already.
        if r.rip != at {
            r.rip = at;
            r.rsp = r.rsp.wrapping_sub(8);
        }
        return Event::Fault(Fault::Segment { at, mapped: false });
    }
    if stub::PAGES.contains(&at) {
        r.rip = at.wrapping_sub(2);
        return Event::Fault(Fault::Segment { at: r.rip, mapped: false });
    }
    let arguments = [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9];
    Event::Call { table: Table::X86_64, number: r.rax as u32, arguments }
}
