//! Time: it advances by calls, and jumps to the next timer when all threads wait.

use super::process::Alarm;
use super::{Info, Kernel, Process, Wait};
use crate::platform::Platform;

/// What a timer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A thread's wait.
    Thread(i32),
    /// A process's alarm.
    Alarm(i32),
    /// A timer of timer_create(2).
    Posix(i32, u32),
    /// A timerfd.
    Fd(u32),
}

pub(crate) const SIGALRM: i32 = 14;
const SIGVTALRM: i32 = 26;
const SIGPROF: i32 = 27;

impl<P: Platform> Kernel<P> {
    pub(crate) fn start_timer(&mut self, at: u64, timer: Timer) {
        self.timers.insert((at, timer), ());
    }

    pub(crate) fn stop_timer(&mut self, at: u64, timer: Timer) {
        self.timers.remove(&(at, timer));
    }

    /// When the next timer ends.
    pub(crate) fn next_timer(&self) -> Option<u64> {
        self.timers.first().map(|(key, ())| key.0)
    }

    /// Ends the timers whose time has come.
    pub(crate) fn fire_timers(&mut self) {
        while let Some((&(at, timer), ())) = self.timers.first() {
            if at > self.now {
                return;
            }
            self.timers.remove(&(at, timer));
            match timer {
                Timer::Thread(id) => self.wake_thread(id),
                Timer::Alarm(id) => {
                    let Some(process) = self.processes.get_mut(&id) else { continue };
                    let (next, _) = expire(process.alarm, self.now);
                    process.alarm = next;
                    if next.at > 0 {
                        self.start_timer(next.at, timer);
                    }
                    self.send_process(id, Info::kernel(SIGALRM));
                }
                Timer::Posix(id, number) => self.fire_posix(id, number, timer),
                Timer::Fd(number) => {
                    let now = self.now;
                    let Ok(fd) = self.timer_fds.get_mut(number) else { continue };
                    let (next, fired) = expire(fd.alarm, now);
                    fd.alarm = next;
                    fd.fired = fd.fired.saturating_add(fired);
                    if next.at > 0 {
                        self.start_timer(next.at, timer);
                    }
                    self.wake(Wait::Any);
                }
            }
        }
    }

    /// Nanoseconds of the processor that a process has had.
    pub(crate) fn own_time(&self, process: &Process) -> u64 {
        process.calls.saturating_mul(self.settings.call_cost)
    }

    /// Sends what the current process's timers of its own time are for, when that has come.
    pub(crate) fn fire_cpu_timers(&mut self) {
        let Ok(process) = self.me() else { return };
        if process.cpu_alarms.iter().all(|alarm| alarm.at == 0) {
            return;
        }
        let (id, now) = (process.id, self.own_time(process));
        for (which, signal) in [SIGVTALRM, SIGPROF].into_iter().enumerate() {
            let Some(process) = self.processes.get_mut(&id) else { return };
            let Some(alarm) =
                process.cpu_alarms.get_mut(which).filter(|alarm| alarm.at > 0 && alarm.at <= now)
            else {
                continue;
            };
            *alarm = expire(*alarm, now).0;
            self.send_process(id, Info::kernel(signal));
        }
    }

    fn fire_posix(&mut self, id: i32, number: u32, timer: Timer) {
        let now = self.now;
        let Some(process) = self.processes.get_mut(&id) else { return };
        let Some(Some((signal, value, alarm))) = process.posix_timers.get_mut(number as usize) else {
            return;
        };
        let (next, _) = expire(*alarm, now);
        *alarm = next;
        let info = Info { code: -2, value: *value, from: number as i32, ..Info::kernel(*signal) };
        if next.at > 0 {
            self.start_timer(next.at, timer);
        }
        if info.signal > 0 {
            self.send_process(id, info);
        }
    }
}

/// An alarm after its time has come, and how often it went off.
fn expire(alarm: Alarm, now: u64) -> (Alarm, u64) {
    if alarm.every == 0 {
        return (Alarm { at: 0, every: 0 }, 1);
    }
    let times = now.saturating_sub(alarm.at) / alarm.every + 1;
    (Alarm { at: alarm.at.saturating_add(times.saturating_mul(alarm.every)), ..alarm }, times)
}
