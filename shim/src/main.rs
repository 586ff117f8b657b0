//! The probe: stands between a step's first process and its builder, and changes what the builder and all that it starts
//! are told by the kernel. It is in an image only where `groundup probe` asks for it. No variable of the environment and no
//! library does the work, so static programs see the same as others.
//!
//! ```text
//! probe {NAME=VALUE} -- PATH ARGV0 {ARG}
//! ```
//! | word | what the builder sees |
//! |---|---|
//! | `random=SEED` | random numbers are drawn from this seed, always the same: getrandom(2), /dev/urandom, `AT_RANDOM`, UUIDs |
//! | `dents=reversed`, `dents=SEED` | the entries of a directory come in this order, the same at every read |
//! | `stack=BYTES` | the stack starts so much below a multiple of 64 KiB, however large the environment is |
//! | `heap=BYTES` | the heap starts so much further on |
//! | `fill=BYTE` | the memory below the stack holds this byte before a program starts |
//! | `mtime=SECONDS`, `owner=ID`, `mode=BITS` | metadata of inputs, which are known by their time of 1 |
//! | `cpus=NUMBER` | so many CPUs may be used, and are listed in /proc and /sys |
//! | `clock=SECONDS` | the time at which the step starts, in seconds since 1970: see [`clock`] |
//! | `tick=NANOSECONDS` | so much more time goes by at each look at the clock |
//! | `pid=NUMBER` | processes have numbers that are so much higher |
//! | `inodes=NUMBER` | other inode and device numbers; without it they are counted anew for each step |
//! | `sizes=1` | folders, blocks of files and file systems are larger; without it free space does not change |
//! | `schedule=SEED` | processes are held up now and then, so that they interleave otherwise |
//! Numbers are hexadecimal. Programs for i386 are left alone, and the first of them is noted in the log.
//!
//! It traces its builder (ptrace(2)), and a filter (seccomp(2)) stops it only at the calls that matter. When the builder ends,
//! so does the probe, in the same way.
#![no_std]
#![no_main]

mod calls;
mod clock;
mod dents;
mod entries;
mod files;
mod filter;
mod inodes;
mod options;
mod processes;
mod program;
mod random;
#[path = "../../init/src/pid1/start.rs"]
mod start;
mod stat;
mod sys;
mod times;
mod tracee;
mod waits;

/// What `start` says when it panics, which this program has nobody to say it to.
macro_rules! event {
    ($($part:expr),* $(,)?) => {{ $(let _ = &$part;)* }};
}
pub(crate) use event;

use options::Options;
use tracee::Event;

/// Everything that is kept while the builder runs.
struct Probe {
    options: Options,
    dents: dents::Dents,
    random: random::Random,
    inodes: inodes::Inodes,
    clock: clock::Clock,
    processes: processes::Processes,
    /// How often it was decided whether to hold a process up.
    turns: u64,
    /// How many files of ours were opened instead of others.
    opened: usize,
    /// The last of these.
    files: [Option<usize>; FILES],
    /// Whether a program was left alone, and that was said.
    left_alone: bool,
}

/// A line of the log, by which `groundup probe` knows. Whoever else prints it says less of itself, not more. (`graphs::vary::LEFT_ALONE`)
const LEFT_ALONE: &[u8] = b"\ngroundup-probe: a program for 32 bits is left alone\n";

/// Files of ours that may be open at once.
const FILES: usize = 16;

impl Probe {
    /// Keeps a file of ours open until so many others are.
    fn keep(&mut self, file: usize) -> usize {
        let slot = &mut self.files[self.opened % FILES];
        self.opened += 1;
        if let Some(old) = slot.replace(file) {
            sys::close(old);
        }
        file
    }

    /// Says once that a program is left alone.
    fn note(&mut self, tracee: tracee::Tracee) {
        if !self.left_alone && tracee.registers().is_some_and(|registers| !registers.is_64_bit()) {
            self.left_alone = true;
            sys::write(1, LEFT_ALONE);
        }
    }

    /// Deals with what stopped a process, and lets it go on.
    fn go_on(&mut self, tracee: tracee::Tracee, event: Event) {
        match event {
            Event::Exit(_) | Event::Signal(_) => self.processes.died(tracee.pid()),
            Event::Program => {
                self.note(tracee);
                if !program::adjust(tracee, &self.options, &mut self.random) {
                    fail(b"probe: this kernel does not show the builder's memory\n");
                }
                tracee.go(0);
            }
            Event::Call => {
                self.hold();
                if calls::call(tracee, self) {
                    tracee.go_to_end();
                } else {
                    tracee.go(0);
                }
            }
            Event::Returned => {
                waits::ended(tracee, self);
                tracee.go(0);
            }
            Event::Born(pid) => {
                self.processes.born(pid);
                self.hold();
                tracee.go(0);
            }
            Event::Stopped => tracee.listen(),
            Event::Delivered(signal) if times::counter(tracee, signal, self) => tracee.go(0),
            Event::Delivered(signal) => {
                waits::rings(tracee, signal, self);
                tracee.go(signal);
            }
        }
    }

    /// Holds whoever stands still up for up to two milliseconds, or not.
    fn hold(&mut self) {
        let Some(seed) = self.options.schedule else { return };
        self.turns += 1;
        let drawn = random::mix(seed ^ random::mix(self.turns));
        if drawn & 3 == 0 {
            sys::sleep((drawn >> 8) & 0x1f_ffff);
        }
    }
}

/// The first Rust code.
fn main(arguments: &[*const u8]) -> ! {
    let Some((options, command)) = Options::read(arguments) else { fail(b"probe: bad arguments\n") };
    if options.pid > 0 {
        // The parent's number too.
        sys::spend_numbers(options.pid / 2);
        sys::go_on_as_child();
        sys::spend_numbers(options.pid / 2);
    }
    let clock = clock::Clock::new(options.clock, options.tick);
    let inodes = inodes::Inodes::new(options.inodes);
    let mut random = random::Random::new(options.random);
    let Some(child) = sys::start(command, |()| {
        times::trap_counter();
        filter::install(&options)
    }) else {
        fail(b"probe: the builder could not be started or traced\n")
    };
    random.first = child;
    let dents = dents::Dents::new();
    let mut processes = processes::Processes::new();
    processes.born(child);
    let mut probe = Probe {
        options,
        dents,
        random,
        inodes,
        clock,
        processes,
        turns: 0,
        opened: 0,
        files: [None; FILES],
        left_alone: false,
    };
    loop {
        let Some((tracee, event)) = tracee::wait() else { fail(b"probe: the builder was lost\n") };
        match event {
            Event::Exit(status) if tracee.pid() == child => sys::exit(status),
            Event::Signal(signal) if tracee.pid() == child => sys::die(signal),
            _ => probe.go_on(tracee, event),
        }
    }
}

fn fail(text: &[u8]) -> ! {
    sys::write(2, text);
    sys::exit(126)
}
