//! Clocks and sleep. Time is counted in calls; a sleep of all threads lets it jump.

use super::{Arguments, fail};
use crate::errno::{EINVAL, EOPNOTSUPP, Errno};
use crate::kernel::{Done, Kernel, Wait};
use crate::platform::Platform;

const SECOND: i64 = 1_000_000_000;
const REALTIME: i32 = 0;
const MONOTONIC: i32 = 1;

/// Whether a clock shows the time of day.
pub(super) fn of_day(clock: i32) -> bool {
    matches!(clock, 0 | 5 | 8 | 11)
}

impl<P: Platform> Kernel<P> {
    /// Nanoseconds of a process's calls.
    pub(super) fn cpu_time(&self, process: i32) -> i64 {
        let calls = self.processes.get(&process).map_or(0, |process| process.calls);
        self.shown_cpu(calls).min(i64::MAX as u64) as i64
    }

    /// What a clock shows. EINVAL.
    pub(super) fn clock_now(&self, clock: i32) -> Result<i64, Errno> {
        Ok(match clock {
            REALTIME | 5 | 8 | 11 => self.time().wrapping_add(self.looked() as i64),
            MONOTONIC | 4 | 6 | 7 | 9 => self.shown_now() as i64,
            2 | 3 => self.cpu_time(self.me()?.id),
            // A process's clock: its number, inverted, above three bits.
            ..0 => {
                let process = !(clock >> 3);
                let process = if process == 0 { self.me()?.id } else { process };
                if clock & 3 == 3 || !self.processes.contains_key(&process) {
                    return Err(EINVAL);
                }
                self.cpu_time(process)
            }
            _ => return Err(EINVAL),
        })
    }

    /// clock_gettime(2).
    pub(crate) fn sys_clock_gettime(&mut self, a: Arguments) -> Done {
        self.look();
        let now = self.clock_now(a[0] as i32)?;
        self.put_time(a[1], now, SECOND)?;
        Ok(0)
    }

    /// clock_getres(2).
    pub(crate) fn sys_clock_getres(&mut self, a: Arguments) -> Done {
        self.clock_now(a[0] as i32)?;
        if a[1] != 0 {
            let coarse = matches!(a[0] as i32, 5 | 6);
            self.put_time(a[1], if coarse { 4_000_000 } else { 1 }, SECOND)?;
        }
        Ok(0)
    }

    /// gettimeofday(2). The zone is UTC.
    pub(crate) fn sys_gettimeofday(&mut self, a: Arguments) -> Done {
        self.look();
        let now = self.clock_now(REALTIME)?;
        if a[0] != 0 {
            self.put_time(a[0], now, 1_000_000)?;
        }
        if a[1] != 0 {
            self.put64(a[1], 0)?;
        }
        Ok(0)
    }

    /// time(2).
    pub(crate) fn sys_time(&mut self, a: Arguments) -> Done {
        self.look();
        let now = self.clock_now(REALTIME)?.div_euclid(SECOND);
        if a[0] != 0 {
            self.put_longs(a[0], &[now as u64])?;
        }
        Ok(now as u64)
    }

    /// nanosleep(2). What is left is stored when a signal ends it.
    pub(crate) fn sys_nanosleep(&mut self, a: Arguments) -> Done {
        let length = self.get_time(a[0], SECOND)?;
        self.sleep_until(self.now.saturating_add(length))
    }

    /// clock_nanosleep(2), on the clocks of the day and of the step's start.
    pub(crate) fn sys_clock_nanosleep(&mut self, a: Arguments) -> Done {
        let clock = a[0] as i32;
        match clock {
            0 | 1 | 7 | 8 | 9 | 11 => {}
            2..=6 => return fail(EOPNOTSUPP),
            _ => return fail(EINVAL),
        }
        let time = self.get_time(a[2], SECOND)?;
        let at = if a[1] & 1 != 0 { self.moment(clock, time) } else { self.now.saturating_add(time) };
        self.sleep_until(at)
    }

    /// A clock's time as programs are shown it, in nanoseconds since the step's start.
    pub(super) fn moment(&self, clock: i32, time: u64) -> u64 {
        let time = time.saturating_sub(self.looked());
        if of_day(clock) {
            let start = self.step.clock.min(1 << 33).saturating_mul(SECOND as u64);
            time.saturating_sub(start)
        } else {
            time
        }
    }

    fn sleep_until(&mut self, at: u64) -> Done {
        self.wait_until(Some(at));
        let thread = self.thread()?;
        let at = thread.deadline.unwrap_or(at);
        if at <= self.now { Ok(0) } else { self.wait(Wait::Sleep) }
    }

    /// times(2): hundredths of seconds.
    pub(crate) fn sys_times(&mut self, a: Arguments) -> Done {
        self.look();
        let me = self.me()?;
        let own = self.shown_cpu(me.calls) / 10_000_000;
        let children = self.shown_cpu(me.children_calls) / 10_000_000;
        if a[0] != 0 {
            self.put_longs(a[0], &[own, 0, children, 0])?;
        }
        Ok(self.shown_now() / 10_000_000)
    }

    /// getrusage(2): the time alone.
    pub(crate) fn sys_getrusage(&mut self, a: Arguments) -> Done {
        self.look();
        let me = self.me()?;
        let calls = match a[0] as i32 {
            0 | 1 => me.calls,
            -1 => me.children_calls,
            _ => return fail(EINVAL),
        };
        let time = self.shown_cpu(calls);
        let mut values = [0; 18];
        values[0] = time / SECOND as u64;
        values[1] = time % SECOND as u64 / 1000;
        self.put_longs(a[1], &values)?;
        Ok(0)
    }
}
