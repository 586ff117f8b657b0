//! A clock of the step's own. It stands still but for what its processes sleep, and for a little with each look at it, so that
//! whoever waits for it to go on does not wait for ever.
//!
//! What was slept is the same for all processes. What looks took is counted for each process: a new one goes on from its
//! parent's count, and a parent from that of a child that it waited for. So a clock reading is a function of what led to it,
//! however processes interleave.

use crate::processes::Processes;
use crate::sys;

/// In nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// What a look takes at least, and at most if there were many: a 256th of what they all took.
const LOOK: u64 = 1_000;
const LONG_LOOK: u64 = 1_000_000;
/// After so many looks a look takes half as much more.
const HALVED: u64 = 16;
/// How long the machine runs when the step starts.
const UPTIME: u64 = 100 * SECOND;
/// What the kernel made so long before the step starts was made for the step.
const BEFORE: u64 = 86_400 * SECOND;
/// `CLOCK_REALTIME_COARSE`
const COARSE: usize = 5;
/// Sleeps that are distinguished in the times of files.
const MARKS: usize = 1 << 16;

/// The clock.
pub struct Clock {
    /// What it shows when the step starts.
    start: u64,
    /// What a look takes more.
    more: u64,
    /// What the kernel's shows then.
    real: u64,
    slept: u64,
    /// When sleeps ended by the kernel's clock, and what was slept by then.
    marks: &'static mut [[u64; 2]],
    many: usize,
}

/// What clocks measure. Source: `include/uapi/linux/time.h`.
#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    /// The time of day.
    Real,
    /// Time since the machine started.
    Monotonic,
    /// CPU time.
    Cpu,
}

impl Kind {
    /// Of a clock's number.
    pub fn of(number: u64) -> Kind {
        match number as u32 {
            0 | 5 | 8 | 11 => Kind::Real,
            1 | 4 | 6 | 7 | 9 => Kind::Monotonic,
            _ => Kind::Cpu,
        }
    }
}

impl Clock {
    /// A clock that shows `seconds`, on which a look takes `more` nanoseconds than usual.
    pub fn new(seconds: u64, more: u64) -> Clock {
        // What is made from now on has a later time than all before, by the clock that counts for files.
        let before = sys::now(COARSE);
        let mut real = before;
        while real == before {
            sys::sleep(SECOND / 1000);
            real = sys::now(COARSE);
        }
        let start = seconds.wrapping_mul(SECOND);
        Clock { start, more, real, slept: 0, marks: sys::table(MARKS), many: 0 }
    }

    /// What a process sees that does not count as a look.
    pub fn shown(&self, kind: Kind, looks: u64) -> u64 {
        let looks = self.slept + looks;
        match kind {
            Kind::Real => self.start + looks,
            Kind::Monotonic => UPTIME + looks,
            Kind::Cpu => looks - self.slept,
        }
    }

    /// A look.
    pub fn look(&self, kind: Kind, pid: usize, processes: &mut Processes) -> u64 {
        let process = processes.leader(pid);
        let usual = (process.looks / 256).clamp(LOOK, LONG_LOOK);
        let halved = (process.many_looks / HALVED).min(63);
        process.many_looks += 1;
        process.looks += usual + (self.more >> halved).max(if self.more > 0 { 9 * LOOK } else { 0 });
        self.shown(kind, process.looks)
    }

    /// What was slept so far.
    pub fn slept(&self) -> u64 {
        self.slept
    }

    /// A sleep ends at which so much was slept in all.
    pub fn sleep_until(&mut self, slept: u64) {
        if slept <= self.slept {
            return;
        }
        self.slept = slept;
        let at = self.many.min(MARKS - 1);
        self.marks[at] = [sys::now(COARSE), slept];
        self.many = at + 1;
    }

    /// The time of a file that has this one by the kernel's clock: what somebody set stays.
    pub fn of_file(&self, time: u64) -> u64 {
        if time < self.real.saturating_sub(BEFORE) || time > sys::now(0) {
            return time;
        }
        if time < self.real {
            return self.before();
        }
        let marks = &self.marks[..self.many];
        let after = marks.partition_point(|[real, _]| *real <= time);
        self.start + after.checked_sub(1).map_or(0, |at| marks[at][1])
    }

    /// What is older than the step.
    pub fn before(&self) -> u64 {
        self.start.saturating_sub(SECOND)
    }
}
