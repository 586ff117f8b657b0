//! Which thread runs: one at a time, first come, first served, until it waits or has had its quantum of calls.

use super::varied::mix;
use super::{End, Kernel, Limit, Pending, State, Stop, Wait};
use crate::platform::{Event, Platform, Table};

/// So many looks at the clock in a row cost what a call costs.
const LOOKS: u32 = 64;
/// Each further look costs one call more than the one before, up to so many.
const MOST_LOOKS: u32 = 1024;

/// Whether a call does nothing but ask for the time: gettimeofday(2), getrusage(2), times(2), time(2), clock_gettime(2).
fn looks(table: Table, number: u32) -> bool {
    match table {
        Table::X86_64 => matches!(number, 96 | 98 | 100 | 201 | 228),
        Table::I386 => matches!(number, 13 | 43 | 77 | 78 | 265 | 403),
    }
}

/// How many timeouts in a row a thread may have while something else could be what it waits for.
const PATIENCE: u32 = 50;

/// A fingerprint with these words after it.
fn trace(before: u64, words: &[u64]) -> u64 {
    words.iter().fold(before, |trace, &word| mix(trace ^ word).rotate_left(7))
}

impl<P: Platform> Kernel<P> {
    /// Runs until the step has ended.
    pub(crate) fn run(&mut self, log: &mut dyn FnMut(&[u8])) -> End {
        loop {
            if !self.output.is_empty() {
                log(&self.output);
                self.output.clear();
            }
            if let Some(end) = self.end {
                return end;
            }
            let Some(id) = self.next_thread() else {
                // All wait: time jumps.
                let Some(at) = self.next_timer() else { return End::Limit(Limit::Deadlock) };
                self.now = self.now.max(at);
                self.fire_timers();
                self.check_time();
                continue;
            };
            self.current = id;
            self.turn();
        }
    }

    fn next_thread(&mut self) -> Option<i32> {
        let at = match self.ready.len() {
            0 => return None,
            1 => 0,
            count if self.order > 0 => (self.draw() % count as u64) as usize,
            _ => 0,
        };
        let id = self.ready.remove(at)?;
        if let Some(thread) = self.threads.get_mut(&id) {
            thread.queued = false;
        }
        Some(id)
    }

    /// Puts a thread at the end of those that can run.
    pub(crate) fn make_ready(&mut self, id: i32) {
        if let Some(thread) = self.threads.get_mut(&id)
            && !thread.queued
        {
            thread.queued = true;
            self.ready.push_back(id);
        }
    }

    /// Ends a thread's wait.
    pub(crate) fn wake_thread(&mut self, id: i32) {
        let Some(thread) = self.threads.get_mut(&id) else { return };
        if thread.wait.take().is_none() {
            return;
        }
        self.blocked.retain(|&blocked| blocked != id);
        self.make_ready(id);
    }

    /// Ends the wait of all that wait for this, and of all that wait for anything if `what` may make a descriptor ready.
    pub(crate) fn wake(&mut self, what: Wait) {
        if self.blocked.is_empty() {
            return;
        }
        let any = matches!(what, Wait::Any | Wait::Pipe(_));
        let mut at = 0;
        while let Some(&id) = self.blocked.get(at) {
            let wait = self.threads.get(&id).and_then(|thread| thread.wait);
            if wait == Some(what) || any && wait == Some(Wait::Any) {
                self.wake_thread(id);
            } else {
                at += 1;
            }
        }
    }

    /// Ends the call that is answered for now: its thread waits, then the call is tried again.
    pub(crate) fn wait<T>(&mut self, wait: Wait) -> Result<T, Stop> {
        self.waits_for = wait;
        Err(Stop::BLOCK)
    }

    /// Lets the current thread wait.
    fn block(&mut self, wait: Wait) {
        let id = self.current;
        let Some(thread) = self.threads.get_mut(&id) else { return };
        thread.wait = Some(wait);
        thread.retry = true;
        if let Some(at) = thread.deadline {
            self.start_timer(at, super::Timer::Thread(id));
        }
        self.blocked.push(id);
        // A signal may have come before the wait, or wait for the mask that came with the call.
        if wait != Wait::Continue {
            self.wake_for_signal(id);
        }
    }

    /// One turn of the current thread.
    fn turn(&mut self) {
        let most = self.settings.quantum.max(1);
        let quantum = if self.order > 0 { 1 + (self.draw() % u64::from(most)) as u32 } else { most };
        for _ in 0..quantum {
            if self.end.is_some() || !self.output.is_empty() && self.output.len() > 1 << 16 {
                break;
            }
            let id = self.current;
            let Some(thread) = self.threads.get(&id) else { return };
            let process = thread.process;
            if let Some(State::Stopped(..)) = self.processes.get(&process).map(|process| process.state)
                && !self.killed(id)
            {
                self.block(Wait::Continue);
                return;
            }
            if thread.call.is_some() {
                if self.signal_waits(id) && !thread.woken {
                    self.interrupt();
                } else {
                    self.call();
                }
            } else if self.signal_waits(id) {
                self.deliver();
            } else {
                self.execute();
            }
            self.count();
            match self.threads.get(&id) {
                None => return,
                Some(thread) if thread.wait.is_some() => return,
                Some(thread) if thread.queued => return,
                Some(_) => {}
            }
        }
        self.make_ready(self.current);
    }

    /// Time goes on by a call.
    fn count(&mut self) {
        self.advance(1);
        if self.next_timer().is_some_and(|at| at <= self.now) {
            self.fire_timers();
        }
        self.check_time();
    }

    fn check_time(&mut self) {
        let limit = self.step.time_limit;
        // Where calls take no time, they still are no way to run for ever.
        let calls = self.step.vary.look.map_or(0, |_| self.calls.saturating_mul(self.settings.call_cost));
        let passed = self.now.saturating_add(calls);
        if limit > 0 && passed / 1_000_000_000 >= limit && self.end.is_none() {
            self.end = Some(End::Limit(Limit::Time));
        }
    }

    /// Lets the current thread execute until its next event.
    fn execute(&mut self) {
        let id = self.current;
        let Some(thread) = self.threads.get_mut(&id) else { return };
        let Some(process) = self.processes.get_mut(&thread.process) else { return };
        let Ok(space) = self.spaces.get_mut(process.space) else { return };
        let event = self.platform.run(&mut space.space, &mut thread.context);
        if event != Event::Timeout {
            thread.timeouts = 0;
        }
        match event {
            Event::Call { table, number, arguments } => {
                self.trace = trace(self.trace, &[id as u64, number.into()]);
                self.trace = trace(self.trace, &arguments);
                process.calls = process.calls.wrapping_add(1);
                thread.looks = if looks(table, number) { thread.looks.saturating_add(1) } else { 0 };
                thread.call = Some(Pending { table, number, arguments });
                thread.retry = false;
                thread.woken = false;
                thread.deadline = None;
                thread.progress = 0;
                self.calls = self.calls.wrapping_add(1);
                self.hasten();
                self.fire_cpu_timers();
                self.call();
            }
            Event::Fault(fault) => self.fault(fault),
            Event::Clock(with_cpu) => self.clock(with_cpu),
            Event::Timeout => self.timeout(),
            Event::NoMemory => self.end = Some(End::Limit(Limit::Memory)),
        }
    }

    /// Lets time go faster for a thread that asks for nothing else: it waits for a moment to come, which by the cost of a call alone
    /// would take it long.
    fn hasten(&mut self) {
        let Ok(thread) = self.thread() else { return };
        let more = u64::from(thread.looks.saturating_sub(LOOKS).min(MOST_LOOKS));
        if more == 0 {
            return;
        }
        self.advance(more);
        let looked = self.step.vary.look.unwrap_or(0).saturating_mul(more);
        if let Ok(process) = self.process() {
            process.calls = process.calls.wrapping_add(more);
            process.looked = process.looked.saturating_add(looked);
        }
    }

    /// Answers the current thread's call.
    fn call(&mut self) {
        let id = self.current;
        let Some(pending) = self.threads.get(&id).and_then(|thread| thread.call) else { return };
        self.compat = pending.table == Table::I386;
        let done = self.dispatch(pending);
        let result = match done {
            Ok(value) => value as i64,
            Err(Stop::BLOCK) => return self.block(self.waits_for),
            Err(Stop::RESUME) => {
                if let Some(thread) = self.threads.get_mut(&id) {
                    thread.call = None;
                }
                return;
            }
            Err(Stop(errno)) => -(errno.0 as i64),
        };
        self.answer(result);
    }

    /// Ends the current thread's call with a result.
    pub(crate) fn answer(&mut self, result: i64) {
        let id = self.current;
        let Some(thread) = self.threads.get_mut(&id) else { return };
        thread.call = None;
        self.trace = trace(self.trace, &[result as u64]);
        let deadline = thread.deadline.take();
        let Some(process) = self.processes.get(&thread.process) else { return };
        let Ok(space) = self.spaces.get_mut(process.space) else { return };
        self.platform.answer(&mut space.space, &mut thread.context, result);
        if let Some(at) = deadline {
            self.stop_timer(at, super::Timer::Thread(id));
        }
    }

    /// Whether the wait of the current thread's call is over by its deadline.
    pub(crate) fn expired(&self) -> bool {
        let now = self.now;
        self.threads
            .get(&self.current)
            .is_some_and(|thread| thread.retry && thread.deadline.is_some_and(|at| at <= now))
    }

    /// Lets a wait end at a time; only a call's first try decides. `None`: never.
    pub(crate) fn wait_until(&mut self, at: Option<u64>) {
        if let Ok(thread) = self.thread()
            && !thread.retry
        {
            thread.deadline = at;
        }
    }

    /// Answers `rdtsc`: a cycle each nanosecond.
    fn clock(&mut self, with_cpu: bool) {
        if let Ok(thread) = self.thread() {
            thread.looks = thread.looks.saturating_add(1);
        }
        self.hasten();
        self.hasten();
        self.look();
        let now = self.shown_now();
        let Some(thread) = self.threads.get_mut(&self.current) else { return };
        let Some(process) = self.processes.get(&thread.process) else { return };
        let Ok(space) = self.spaces.get_mut(process.space) else { return };
        let mut registers = self.platform.registers(&mut space.space, &mut thread.context);
        registers.rax = now & 0xffff_ffff;
        registers.rdx = now >> 32;
        if with_cpu {
            registers.rcx = 0;
        }
        registers.rip = registers.rip.wrapping_add(if with_cpu { 3 } else { 2 });
        self.platform.set_registers(&mut space.space, &mut thread.context, &registers);
    }

    /// A thread ran long without a call. Where the home's limit is no count of instructions, nothing may follow from it but an end.
    fn timeout(&mut self) {
        let slice = self.settings.slice;
        self.spun = self.spun.saturating_add(slice);
        let limit = self.step.time_limit.saturating_mul(1_000_000_000);
        if limit > 0 && self.spun >= limit {
            self.end = Some(End::Limit(Limit::Time));
            return;
        }
        if self.settings.preempt {
            self.now = self.now.saturating_add(slice);
            self.make_ready(self.current);
            return;
        }
        let current = self.current;
        let Ok(space) = self.me().map(|process| process.space) else { return };
        let others = self.ready.iter().any(|id| {
            *id != current
                && self
                    .threads
                    .get(id)
                    .and_then(|thread| self.processes.get(&thread.process))
                    .is_some_and(|process| process.space == space)
        });
        let Ok(process) = self.me() else { return };
        let cpu = self.own_time(process);
        // A timer of the process's own time is as far off as that time.
        let own = process.cpu_alarms.iter().filter(|alarm| alarm.at > 0);
        let own = own.map(|alarm| self.now.saturating_add(alarm.at.saturating_sub(cpu)));
        let alarms = process.posix_timers.iter().flatten().map(|(_, _, alarm)| alarm.at).chain(own);
        let alarm = alarms.chain([process.alarm.at]).filter(|at| *at > 0).min();
        let waits = alarm.map(|at| at.saturating_sub(self.now));
        let Ok(thread) = self.thread() else { return };
        thread.timeouts = thread.timeouts.saturating_add(1);
        if thread.timeouts <= PATIENCE {
            return;
        }
        let spun = slice.saturating_mul(thread.timeouts.into());
        // It may wait by spinning for a thread that could run, or for a signal: time stands still meanwhile.
        if others {
            self.end = Some(End::Refused("a thread that spins while others could run"));
        } else if waits.is_some_and(|time| time <= spun) {
            self.end = Some(End::Refused("a thread that makes no call while its timer runs"));
        }
    }
}
