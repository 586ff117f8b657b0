//! Timers: setitimer(2), timer_create(2), timerfd_create(2).

use super::{Arguments, fail};
use crate::errno::{EAGAIN, EBADF, EINVAL, Errno};
use crate::kernel::timer::SIGALRM;
use crate::kernel::{Alarm, Done, Kernel, Object, Timer, TimerFd};
use crate::platform::Platform;

const SECOND: i64 = 1_000_000_000;
const O_NONBLOCK: u64 = 0o4000;
const O_CLOEXEC: u64 = 0o200_0000;
const ABSOLUTE: u64 = 1;

impl<P: Platform> Kernel<P> {
    /// alarm(2): the seconds that were left.
    pub(crate) fn sys_alarm(&mut self, a: Arguments) -> Done {
        let seconds = a[0] & 0xffff_ffff;
        let (left, _) = self.set_alarm(seconds.saturating_mul(SECOND as u64), 0)?;
        // Half a second or more counts as one, and what is left at all as one too.
        let rounded = left.saturating_add(500_000_000) / SECOND as u64;
        Ok(if left > 0 { rounded.max(1) } else { 0 })
    }

    /// getitimer(2).
    pub(crate) fn sys_getitimer(&mut self, a: Arguments) -> Done {
        let alarm = self.interval_timer(a[0])?;
        self.put_alarm(a[1], alarm, 1_000_000)
    }

    /// A timer of setitimer(2). The time of one of the process's own time is the time of day when it would come if the process ran on.
    fn interval_timer(&self, which: u64) -> Result<Alarm, Errno> {
        let me = self.me()?;
        let number = match which as i32 {
            0 => return Ok(me.alarm),
            1 => 0,
            2 => 1,
            _ => return Err(EINVAL),
        };
        let alarm = me.cpu_alarms.get(number).copied().unwrap_or_default();
        if alarm.at == 0 {
            return Ok(alarm);
        }
        let left = alarm.at.saturating_sub(self.own_time(me));
        Ok(Alarm { at: self.now.saturating_add(left).max(1), ..alarm })
    }

    /// setitimer(2). ITIMER_VIRTUAL and ITIMER_PROF count the same time: a process's calls, and no time between them.
    pub(crate) fn sys_setitimer(&mut self, a: Arguments) -> Done {
        let (every, after) = match a[1] {
            0 => (0, 0),
            at => (self.get_time(at, 1_000_000)?, self.get_time(at + 2 * self.long_size(), 1_000_000)?),
        };
        let before = self.interval_timer(a[0])?;
        let every = if after == 0 { 0 } else { every };
        if a[0] as i32 == 0 {
            self.set_alarm(after, every)?;
        } else {
            let at = if after == 0 { 0 } else { self.own_time(self.me()?).saturating_add(after) };
            let number = usize::from(a[0] as i32 == 2);
            if let Some(place) = self.process()?.cpu_alarms.get_mut(number) {
                *place = Alarm { at, every };
            }
        }
        if a[2] != 0 {
            return self.put_alarm(a[2], before, 1_000_000);
        }
        Ok(0)
    }

    /// Stores an interval and what is left until an alarm's next time.
    fn put_alarm(&mut self, at: u64, alarm: Alarm, parts: i64) -> Done {
        let left = if alarm.at == 0 { 0 } else { alarm.at.saturating_sub(self.now).max(1000) };
        self.put_time(at, alarm.every as i64, parts)?;
        self.put_time(at + 2 * self.long_size(), left as i64, parts)?;
        Ok(0)
    }

    /// An alarm of a `struct itimerspec`.
    fn take_alarm(&mut self, at: u64, clock: i32, flags: u64) -> Result<Alarm, Errno> {
        let every = self.get_time(at, SECOND)?;
        let after = self.get_time(at + 2 * self.long_size(), SECOND)?;
        if after == 0 {
            return Ok(Alarm::default());
        }
        let at =
            if flags & ABSOLUTE != 0 { self.moment(clock, after) } else { self.now.saturating_add(after) };
        Ok(Alarm { at: at.max(1), every })
    }

    /// timer_create(2). SIGEV_THREAD_ID sends to the process.
    pub(crate) fn sys_timer_create(&mut self, a: Arguments) -> Done {
        self.clock_now(a[0] as i32)?;
        let me = self.process()?;
        let number = me.posix_timers.iter().position(Option::is_none).unwrap_or(me.posix_timers.len());
        if number >= 1024 {
            return fail(EAGAIN);
        }
        let (signal, value) = match a[1] {
            0 => (SIGALRM, number as u64),
            at => {
                let word = self.long_size();
                let value = self.get_long(at, 0)?;
                let (signal, notify) = (self.get32(at + word)? as i32, self.get32(at + word + 4)?);
                match notify {
                    0 | 4 if !(1..=64).contains(&signal) => return fail(EINVAL),
                    0 | 4 => (signal, value),
                    1 => (0, value),
                    _ => return fail(EINVAL),
                }
            }
        };
        self.put32(a[2], number as u32)?;
        let timers = &mut self.process()?.posix_timers;
        if number >= timers.len() {
            timers.resize(number + 1, None);
        }
        if let Some(place) = timers.get_mut(number) {
            *place = Some((signal, value, Alarm::default()));
        }
        Ok(0)
    }

    fn posix_timer(&mut self, number: u64) -> Result<&mut (i32, u64, Alarm), Errno> {
        let number = number as i32 as usize;
        self.process()?.posix_timers.get_mut(number).and_then(Option::as_mut).ok_or(EINVAL)
    }

    /// timer_settime(2). An absolute time is one of the clock of the step's start.
    pub(crate) fn sys_timer_settime(&mut self, a: Arguments) -> Done {
        let id = self.me()?.id;
        let before = self.posix_timer(a[0])?.2;
        let next = self.take_alarm(a[2], 1, a[1])?;
        let timer = Timer::Posix(id, a[0] as u32);
        if before.at > 0 {
            self.stop_timer(before.at, timer);
        }
        self.posix_timer(a[0])?.2 = next;
        if next.at > 0 {
            self.start_timer(next.at, timer);
        }
        if a[3] != 0 {
            return self.put_alarm(a[3], before, SECOND);
        }
        Ok(0)
    }

    /// timer_gettime(2).
    pub(crate) fn sys_timer_gettime(&mut self, a: Arguments) -> Done {
        let alarm = self.posix_timer(a[0])?.2;
        self.put_alarm(a[1], alarm, SECOND)
    }

    /// timer_getoverrun(2): none is counted.
    pub(crate) fn sys_timer_getoverrun(&mut self, a: Arguments) -> Done {
        self.posix_timer(a[0])?;
        Ok(0)
    }

    /// timer_delete(2).
    pub(crate) fn sys_timer_delete(&mut self, a: Arguments) -> Done {
        let id = self.me()?.id;
        let alarm = self.posix_timer(a[0])?.2;
        self.stop_timer(alarm.at, Timer::Posix(id, a[0] as u32));
        if let Some(place) = self.process()?.posix_timers.get_mut(a[0] as u32 as usize) {
            *place = None;
        }
        Ok(0)
    }

    /// timerfd_create(2).
    pub(crate) fn sys_timerfd_create(&mut self, a: Arguments) -> Done {
        let clock = a[0] as u32;
        if !matches!(clock, 0 | 1 | 7 | 8 | 9) || a[1] & !(O_NONBLOCK | O_CLOEXEC) & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let timer = self.timer_fds.add(TimerFd { clock, ..TimerFd::default() })?;
        let open = self.new_open(Object::Timer(timer), 2 | (a[1] & O_NONBLOCK) as u32, b"")?;
        Ok(self.install(open, 0, a[1] & O_CLOEXEC != 0)?)
    }

    fn timer_fd(&self, fd: u64) -> Result<u32, Errno> {
        match self.open_of(fd as i32).map_err(|_| EBADF)?.object {
            Object::Timer(timer) => Ok(timer),
            _ => Err(EINVAL),
        }
    }

    /// timerfd_settime(2).
    pub(crate) fn sys_timerfd_settime(&mut self, a: Arguments) -> Done {
        if a[1] & !3 & 0xffff_ffff != 0 {
            return fail(EINVAL);
        }
        let number = self.timer_fd(a[0])?;
        let clock = self.timer_fds.get(number)?.clock as i32;
        let next = self.take_alarm(a[2], clock, a[1])?;
        let timer = self.timer_fds.get_mut(number)?;
        let before = core::mem::replace(&mut timer.alarm, next);
        timer.fired = 0;
        if before.at > 0 {
            self.stop_timer(before.at, Timer::Fd(number));
        }
        if next.at > 0 {
            self.start_timer(next.at, Timer::Fd(number));
        }
        if a[3] != 0 {
            return self.put_alarm(a[3], before, SECOND);
        }
        Ok(0)
    }

    /// timerfd_gettime(2).
    pub(crate) fn sys_timerfd_gettime(&mut self, a: Arguments) -> Done {
        let number = self.timer_fd(a[0])?;
        let alarm = self.timer_fds.get(number)?.alarm;
        self.put_alarm(a[1], alarm, SECOND)
    }
}
