//! Running a machine: following its console to the end, and telling how it ended.
//!
//! PID 1 says `@ end` or `@ fatal` before it ends the machine; a kernel that can not go on says `Kernel panic`; a
//! machine that says none of these has died or hangs. QEMU is killed on every way out, be it an error, the time
//! limit, the caller's cancel flag or a panic in the caller's closure.

use crate::error::Error;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::console::{Line, Reader};
use crate::event::Event;
use crate::machine::Machine;
use crate::region::Region;
use crate::watch::Watched;

/// How often the console is looked at.
const POLL: Duration = Duration::from_millis(5);
/// How long a machine may take to go away after it said that it ends.
const GRACE: Duration = Duration::from_secs(5);
/// How long a CPU that waits for nothing may be silent before it is given up.
const IDLE: Duration = Duration::from_secs(3);
/// How much of what a machine said before it was killed is still read: one that floods must not outlast its end.
const REST: usize = 16 << 20;
/// What QEMU says when the guest's CPU waits and no timer will ever wake it.
const HALTED: &str = "icount sleep disabled and no active timers";
/// How many of the last lines are kept to explain a failure.
const LAST: usize = 12;

/// How a plan's run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Steps that were built.
    pub built: u64,
    /// Steps that failed.
    pub failed: u64,
    /// Steps that were not tried.
    pub skipped: u64,
    /// How long it took on the host's clock.
    pub duration: Duration,
    /// What QEMU, or whoever made the machine, had to say about it; mostly nothing.
    pub notes: String,
}

/// Runs `machine` and hands every line of its console to `each`; ends it early once `cancel` is set.
pub fn run(machine: &Machine, each: &mut dyn FnMut(Line), cancel: &AtomicBool) -> Result<Ending, Error> {
    let begun = Instant::now();
    let mut transcript = match &machine.transcript {
        Some(path) => Some(File::create(path).map_err(Error::io(path.display().to_string()))?),
        None => None,
    };
    let region = machine.region.as_ref().map(Region::file);
    let mut qemu = Watched::start(&machine.program, &machine.arguments(), region)
        .map_err(Error::io(format!("{}: making a file for the console", std::env::temp_dir().display())))?
        .map_err(|source| Error::start(&machine.program, source))?;
    let mut seen = Seen::default();
    let mut reader = Reader::new();
    let (mut heard, mut asked) = (begun, begun);
    loop {
        // Asked before the console is read, so that what a machine said before it ended is read too.
        let exited = qemu.exited().map_err(Error::io("waiting for QEMU"))?;
        let enough = exited.is_some()
            || cancel.load(Ordering::Relaxed)
            || begun.elapsed() > machine.time_limit
            || seen.last_word.is_some_and(|at| at.elapsed() > GRACE);
        let halted = !enough && heard.elapsed() > IDLE && qemu.stderr().contains(HALTED);
        // A machine whose console is lost has nothing more to tell.
        let quiet = heard.elapsed() > IDLE && asked.elapsed() > IDLE;
        if quiet {
            asked = Instant::now();
        }
        let full = (enough || quiet) && qemu.is_full();
        let enough = enough || full;
        if enough || halted {
            qemu.kill();
        }
        let most = if enough && exited.is_none() { REST } else { usize::MAX };
        let over = || !enough && (cancel.load(Ordering::Relaxed) || begun.elapsed() > machine.time_limit);
        let silent = !listen(&mut qemu, most, &over, &mut |bytes| {
            if let Some((file, path)) = transcript.as_mut().zip(machine.transcript.as_ref()) {
                file.write_all(bytes).map_err(Error::io(path.display().to_string()))?;
            }
            reader.feed(bytes, &mut |line| {
                seen.note(&line);
                each(line);
            });
            Ok(())
        })?;
        if enough || halted {
            if let Some(line) = reader.finish() {
                seen.note(&line);
                each(line);
            }
            if cancel.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
            return seen.ending(machine, begun, exited, halted, full, qemu.stderr());
        }
        if silent {
            thread::sleep(POLL);
        } else {
            heard = Instant::now();
        }
    }
}

/// Reads the console until it has no more for now, at most so many bytes and until it is `over`; says whether there were any.
fn listen(
    qemu: &mut Watched,
    most: usize,
    over: &dyn Fn() -> bool,
    each: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
) -> Result<bool, Error> {
    let mut read = 0;
    while read < most {
        let bytes = qemu.console().map_err(Error::io("reading the console"))?;
        if bytes.is_empty() {
            break;
        }
        read += bytes.len();
        each(bytes)?;
        if over() {
            break;
        }
    }
    Ok(read > 0)
}

/// What the console said that decides how a run ended.
#[derive(Default)]
struct Seen {
    end: Option<(u64, u64, u64)>,
    fatal: Option<String>,
    panic: Option<String>,
    halted: bool,
    last_word: Option<Instant>,
    lines: VecDeque<String>,
}

impl Seen {
    fn note(&mut self, line: &Line) {
        let text = match line {
            Line::Event(Event::End { built, failed, skipped }) => {
                self.end.get_or_insert((*built, *failed, *skipped));
                self.last_word.get_or_insert_with(Instant::now);
                return;
            }
            Line::Event(Event::Fatal { reason }) => {
                self.fatal.get_or_insert_with(|| reason.clone());
                self.last_word.get_or_insert_with(Instant::now);
                return;
            }
            Line::Event(Event::Step { name }) => format!("step {name}"),
            Line::Event(_) => return,
            Line::Log(text) => text.clone(),
            Line::Kernel(text) => {
                let panic = text.contains("Kernel panic - not syncing");
                // Without ACPI, powering off is halting: the machine stays.
                let halt = text.contains("reboot: System halted") || text.contains("reboot: Power down");
                if panic {
                    self.panic.get_or_insert_with(|| text.clone());
                }
                if panic || halt {
                    self.last_word.get_or_insert_with(Instant::now);
                }
                self.halted |= halt;
                text.clone()
            }
        };
        if self.lines.len() == LAST {
            self.lines.pop_front();
        }
        self.lines.push_back(text);
    }

    fn ending(
        self,
        machine: &Machine,
        begun: Instant,
        exited: Option<ExitStatus>,
        halted: bool,
        full: bool,
        stderr: String,
    ) -> Result<Ending, Error> {
        if let Some((built, failed, skipped)) = self.end {
            return Ok(Ending { built, failed, skipped, duration: begun.elapsed(), notes: stderr });
        }
        let lines: Vec<_> = self.lines.into();
        Err(match (self.fatal, self.panic, exited) {
            (Some(reason), ..) => Error::Fatal(reason),
            (_, Some(line), _) => Error::Panic(line),
            _ if full => Error::Full { folder: std::env::temp_dir(), lines },
            (.., None) if halted || self.halted => Error::Halted { lines },
            (.., None) => Error::TimeLimit { limit: machine.time_limit, lines },
            (.., Some(_)) if machine.profile.is_this_program() && lines.is_empty() => Error::Host(stderr),
            (.., Some(status)) if lines.is_empty() && !status.success() => {
                Error::Broken { program: machine.program.clone(), status, stderr }
            }
            (.., Some(status)) => Error::Died { status, stderr, lines },
        })
    }
}
