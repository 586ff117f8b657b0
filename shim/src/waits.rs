//! Calls that may take time. They are made, and take it; if they end because it is over, the step's clock goes on by what was
//! asked for. Times that programs take from their clock are made times of the kernel's.

use crate::Probe;
use crate::clock::{Kind, SECOND};
use crate::processes::Wait;
use crate::times::usage;
use crate::tracee::{Registers, Tracee};

const POLL: u64 = 7;
const SELECT: u64 = 23;
const NANOSLEEP: u64 = 35;
const WAIT4: u64 = 61;
const SIGTIMEDWAIT: u64 = 128;
const FUTEX: u64 = 202;
const RESTART: u64 = 219;
const SEMTIMEDOP: u64 = 220;
const CLOCK_NANOSLEEP: u64 = 230;
const EPOLL_WAIT: u64 = 232;
const WAITID: u64 = 247;
const PSELECT: u64 = 270;
const PPOLL: u64 = 271;
const EPOLL_PWAIT: u64 = 281;
const EPOLL_PWAIT2: u64 = 441;
const ALARM: u64 = 37;
const SETITIMER: u64 = 38;

/// These are always looked at, and these if the argument of this number is not 0.
pub const ALWAYS: [u64; 7] = [NANOSLEEP, CLOCK_NANOSLEEP, WAIT4, WAITID, RESTART, ALARM, SETITIMER];
pub const TIMED: [(u64, u32); 10] = [
    (FUTEX, 3),
    (POLL, 2),
    (EPOLL_WAIT, 3),
    (EPOLL_PWAIT, 3),
    (EPOLL_PWAIT2, 3),
    (SELECT, 4),
    (PSELECT, 4),
    (PPOLL, 2),
    (SIGTIMEDWAIT, 2),
    (SEMTIMEDOP, 3),
];

const AGAIN: i64 = -11;
const TIMEDOUT: i64 = -110;
/// `ERESTART_RESTARTBLOCK`: the kernel goes on with it by restart_syscall(2).
const GOES_ON: i64 = -516;

/// Whether a call that is about to be made is to be looked at once more at its end.
pub fn begins(tracee: Tracee, registers: &Registers, probe: &mut Probe) -> bool {
    let waited = match registers.orig_rax {
        WAIT4 | WAITID => Some(Wait { is_made: 1, until: 0, ..Wait::default() }),
        RESTART => Some(probe.processes.get(tracee.pid()).wait).filter(|wait| wait.is_made != 0),
        ALARM | SETITIMER => {
            alarm(tracee, registers, probe);
            None
        }
        _ => timed(tracee, registers, probe),
    };
    let process = probe.processes.get(tracee.pid());
    process.wait = waited.unwrap_or_default();
    waited.is_some()
}

/// How a time is written.
fn time(tracee: Tracee, place: u64, unit: u64) -> Option<([u64; 2], u64)> {
    let mut bytes = [0; 16];
    if place == 0 || tracee.read(place, &mut bytes) != 16 {
        return None;
    }
    let both = bytes.as_chunks::<8>().0;
    let asked = [u64::from_le_bytes(both[0]), u64::from_le_bytes(both[1])];
    let seconds = asked[0].min(1 << 33);
    Some((asked, seconds * SECOND + asked[1].min(SECOND) * unit))
}

fn timed(tracee: Tracee, registers: &Registers, probe: &mut Probe) -> Option<Wait> {
    let milliseconds = |number: u64| {
        let number = u64::try_from(number as i32).ok().filter(|&number| number > 0)?;
        Some(([0; 2], number * (SECOND / 1000)))
    };
    let Registers { rdi, rsi, rdx, r10, r8, .. } = *registers;
    let mut absolute = None;
    let (asked, length) = match registers.orig_rax {
        NANOSLEEP => time(tracee, rdi, 1),
        CLOCK_NANOSLEEP => {
            absolute = (rsi & 1 != 0).then_some(Kind::of(rdi));
            time(tracee, rdx, 1)
        }
        POLL => milliseconds(rdx),
        EPOLL_WAIT | EPOLL_PWAIT => milliseconds(r10),
        EPOLL_PWAIT2 | SEMTIMEDOP => time(tracee, r10, 1),
        SELECT => time(tracee, r8, 1000),
        PSELECT => time(tracee, r8, 1),
        PPOLL | SIGTIMEDWAIT => time(tracee, rdx, 1),
        FUTEX => {
            const REAL: u64 = 256;
            absolute = match rsi & 0x7f {
                0 => None,
                6 => Some(Kind::Real),
                9 | 11 | 13 => Some(if rsi & REAL == 0 { Kind::Monotonic } else { Kind::Real }),
                // No time stands there.
                _ => return None,
            };
            time(tracee, r10, 1)
        }
        _ => return None,
    }?;
    let process = probe.processes.leader(tracee.pid());
    let left = absolute.map_or(length, |kind| length.saturating_sub(probe.clock.shown(kind, process.looks)));
    let until = probe.clock.slept().saturating_add(left);
    let wait = Wait { is_made: 1, until, arguments: [rsi, rdx, r10], asked };
    if let Some(kind) = absolute {
        translate(tracee, registers, kind, left);
    }
    Some(wait)
}

/// Puts a time of the kernel's clock in the place of one of the step's.
fn translate(tracee: Tracee, registers: &Registers, kind: Kind, left: u64) {
    let is_futex = registers.orig_rax == FUTEX;
    let number = if kind == Kind::Real { 0 } else { 1 };
    let time = if is_futex { crate::sys::now(number).saturating_add(left) } else { left };
    let place = (registers.rsp - 1024) & !15;
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(time / SECOND).to_le_bytes());
    bytes[8..].copy_from_slice(&(time % SECOND).to_le_bytes());
    if tracee.write(place, &bytes) != bytes.len() {
        return;
    }
    let mut changed = *registers;
    if is_futex {
        changed.r10 = place;
    } else {
        (changed.rsi, changed.rdx) = (0, place);
    }
    tracee.set(&changed);
}

/// A call that was to be looked at has ended.
pub fn ended(tracee: Tracee, probe: &mut Probe) {
    let Some(mut registers) = tracee.registers() else { return };
    let wait = probe.processes.get(tracee.pid()).wait;
    if wait.is_made == 0 {
        return;
    }
    let result = registers.rax as i64;
    if result != GOES_ON {
        probe.processes.get(tracee.pid()).wait.is_made = 0;
    }
    let call = registers.orig_rax;
    match call {
        WAIT4 | WAITID => {
            waited(tracee, &registers, probe);
            return;
        }
        FUTEX | CLOCK_NANOSLEEP => {
            [registers.rsi, registers.rdx, registers.r10] = wait.arguments;
            tracee.set(&registers);
        }
        // What is left of the time depends on the machine.
        SELECT | PSELECT | PPOLL if result > 0 => {
            let place = if call == PPOLL { registers.rdx } else { registers.r8 };
            let [seconds, rest] = wait.asked.map(u64::to_le_bytes);
            tracee.write(place, &seconds);
            tracee.write(place + 8, &rest);
        }
        _ => {}
    }
    let is_over = match call {
        FUTEX => result == TIMEDOUT,
        SIGTIMEDWAIT | SEMTIMEDOP => result == AGAIN,
        RESTART => result == TIMEDOUT || result == 0,
        _ => result == 0,
    };
    if is_over {
        probe.clock.sleep_until(wait.until);
    }
}

/// A process has, perhaps, waited for a child.
fn waited(tracee: Tracee, registers: &Registers, probe: &mut Probe) {
    let result = registers.rax as i64;
    let is_wait4 = registers.orig_rax == WAIT4;
    let mut child = [0; 4];
    let child = match is_wait4 {
        true => result,
        // `si_pid`
        false if result == 0 && registers.rdx != 0 && tracee.read(registers.rdx + 16, &mut child) == 4 => {
            i32::from_le_bytes(child).into()
        }
        false => 0,
    };
    let Some(child) = usize::try_from(child).ok().filter(|&child| child > 0) else { return };
    probe.processes.joined(tracee.pid(), child);
    let place = if is_wait4 { registers.r10 } else { registers.r8 };
    if place > 0 {
        let looks = probe.processes.get(child).looks;
        for (number, at) in usage(looks).iter().zip(0..) {
            tracee.write(place + at * 8, &number.to_le_bytes());
        }
    }
}

fn alarm(tracee: Tracee, registers: &Registers, probe: &mut Probe) {
    let slept = probe.clock.slept();
    let (first, next) = match registers.orig_rax {
        ALARM => (registers.rdi.min(1 << 32) * SECOND, 0),
        _ if registers.rdi == 0 => {
            let length = |at: u64| time(tracee, registers.rsi + at, 1000).map_or(0, |(_, length)| length);
            (length(16), length(0))
        }
        _ => return,
    };
    let alarm = if first == 0 { [0; 2] } else { [slept + first, next] };
    probe.processes.leader(tracee.pid()).alarm = alarm;
}

/// A signal is about to be delivered: it may be an alarm.
pub fn rings(tracee: Tracee, signal: usize, probe: &mut Probe) {
    const ALRM: usize = 14;
    let process = probe.processes.leader(tracee.pid());
    let [until, next] = process.alarm;
    if signal == ALRM && until > 0 {
        process.alarm = if next == 0 { [0; 2] } else { [until + next, next] };
        probe.clock.sleep_until(until);
    }
}
