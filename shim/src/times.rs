//! Calls that say what time it is, or how much of it was used.

use crate::calls::answer;
use crate::clock::{Kind, SECOND};
use crate::tracee::{Registers, Tracee};
use crate::{Probe, sys};

/// gettimeofday, getrusage, sysinfo, times, time, clock_gettime
pub const TIMES: [u64; 6] = [96, RUSAGE, SYSINFO, 100, 201, 228];
const RUSAGE: u64 = 98;
const SYSINFO: u64 = 99;
/// What a process takes of memory at most, as far as it sees, in KiB.
const RESIDENT: u64 = 4096;
/// In nanoseconds: how times(2) and /proc count.
const JIFFY: u64 = SECOND / 100;

/// A call that is about to be made.
pub fn times(tracee: Tracee, mut registers: Registers, probe: &mut Probe) {
    let mut look = |kind| probe.clock.look(kind, tracee.pid(), &mut probe.processes);
    let put = |place: u64, numbers: &[u64]| {
        place == 0
            || numbers
                .iter()
                .zip(0..)
                .all(|(number, at)| tracee.write(place + at * 8, &number.to_le_bytes()) == 8)
    };
    let (done, result) = match registers.orig_rax {
        96 => {
            let now = look(Kind::Real);
            (put(registers.rdi, &[now / SECOND, now % SECOND / 1000]) && put(registers.rsi, &[0]), 0)
        }
        RUSAGE => (put(registers.rsi, &usage(look(Kind::Cpu))), 0),
        SYSINFO => return system(tracee, registers, probe).unwrap_or_default(),
        100 => {
            let now = look(Kind::Monotonic);
            let used = probe.clock.shown(Kind::Cpu, probe.processes.leader(tracee.pid()).looks);
            (put(registers.rdi, &[used / JIFFY, 0, 0, 0]), now / JIFFY)
        }
        201 => {
            let now = look(Kind::Real) / SECOND;
            (put(registers.rdi, &[now]), now)
        }
        _ => {
            let now = look(Kind::of(registers.rdi));
            (put(registers.rsi, &[now / SECOND, now % SECOND]), 0)
        }
    };
    // Where nothing can be written, the kernel says so.
    if done {
        answer(tracee, &mut registers, result);
    }
}

/// `struct rusage` for this CPU time.
pub fn usage(used: u64) -> [u64; 18] {
    let mut usage = [0; 18];
    usage[..5].copy_from_slice(&[used / SECOND, used % SECOND / 1000, 0, 0, RESIDENT]);
    usage
}

/// sysinfo(2), but for what changes from moment to moment.
fn system(tracee: Tracee, registers: Registers, probe: &mut Probe) -> Option<()> {
    if !tracee.finish() || tracee.registers()?.rax != 0 {
        return None;
    }
    let now = probe.clock.look(Kind::Monotonic, tracee.pid(), &mut probe.processes);
    let mut total = [0; 8];
    tracee.read(registers.rdi + 32, &mut total);
    let total = u64::from_le_bytes(total);
    for (at, number) in [now / SECOND, 0, 0, 0, total, total / 2, 0, 0].iter().enumerate() {
        tracee.write(registers.rdi + at as u64 * 8, &number.to_le_bytes());
    }
    // Free swap is what there is of it, and there is one process.
    let mut swap = [0; 8];
    tracee.read(registers.rdi + 64, &mut swap);
    tracee.write(registers.rdi + 72, &swap);
    tracee.write(registers.rdi + 80, &[1, 0]);
    Some(())
}

/// A program stands still before an instruction that reads the CPU's counter, if that is why it got this signal.
pub fn counter(tracee: Tracee, signal: usize, probe: &mut Probe) -> bool {
    const SEGV: usize = 11;
    if signal != SEGV || !tracee.is_kernels_signal() {
        return false;
    }
    let Some(mut registers) = tracee.registers() else { return false };
    let mut code = [0; 3];
    tracee.read(registers.rip, &mut code);
    // rdtsc, and rdtscp, which also says which CPU runs it.
    let length = match code {
        [0x0f, 0x31, _] => 2,
        [0x0f, 0x01, 0xf9] => 3,
        _ => return false,
    };
    let now = probe.clock.look(Kind::Monotonic, tracee.pid(), &mut probe.processes);
    (registers.rax, registers.rdx) = (now & 0xffff_ffff, now >> 32);
    if length == 3 {
        registers.rcx = 0;
    }
    registers.rip += length;
    tracee.set(&registers);
    true
}

/// Has the counter trap in this process and its children, where the kernel can.
pub fn trap_counter() {
    sys::trap_counter();
}
