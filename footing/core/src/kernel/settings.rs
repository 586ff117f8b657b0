//! What a kernel and a step are set to, and how a step ends.

use alloc::vec::Vec;
use formats::plan::Vary;

/// A soft and a hard limit of each resource, in the order of getrlimit(2)'s numbers; `u64::MAX` is unlimited.
pub type Limits = [(u64, u64); 16];

/// What holds for all steps.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Nanoseconds by which a call advances time. A thread that does nothing but ask for the time makes it go faster by and by.
    pub call_cost: u64,
    /// Nanoseconds that a thread ran when its home says [`Timeout`](crate::platform::Event::Timeout).
    pub slice: u64,
    /// Calls after which another thread that is ready has its turn.
    pub quantum: u32,
    /// Whether a thread may lose its turn at a timeout, which only a home may allow that counts instructions.
    pub preempt: bool,
    /// What the order of threads is drawn from; 0: first come, first served.
    pub order: u64,
    /// Bytes of memory that programs are shown.
    pub memory: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            call_cost: 1000,
            slice: 100_000_000,
            quantum: 200,
            preempt: false,
            order: 0,
            memory: 4 << 30,
        }
    }
}

/// A step as the kernel needs it.
#[derive(Clone, Debug, Default)]
pub struct StepSettings {
    /// The program, handed to execve as it is.
    pub builder: Vec<u8>,
    /// Its arguments, argv\[0\] included.
    pub argv: Vec<Vec<u8>>,
    /// `NAME=VALUE`.
    pub envp: Vec<Vec<u8>>,
    /// The directory that it starts in.
    pub cwd: Vec<u8>,
    /// Its identity.
    pub uid: u32,
    /// Its identity.
    pub gid: u32,
    /// umask(2).
    pub umask: u32,
    /// The time of day when it starts, in seconds since 1970.
    pub clock: u64,
    /// The builder is process 1; otherwise a process of the kernel's is, and the builder is process 2.
    pub builder_is_one: bool,
    /// uname(2).
    pub hostname: Vec<u8>,
    /// uname(2).
    pub domainname: Vec<u8>,
    /// personality(2).
    pub personality: u32,
    /// getrlimit(2).
    pub limits: Limits,
    /// All random numbers follow from these bytes: of the plan and the unit.
    pub entropy: [u8; 32],
    /// Standard output looks like a terminal.
    pub terminal: bool,
    /// Whether the loopback device is up.
    pub loopback: bool,
    /// Nix's rules for builders: nobody sets a set-user-id or set-group-id bit, and all ids but the step's own are shown as
    /// nobody's, 65534.
    pub nix: bool,
    /// In seconds of the step's own time.
    pub time_limit: u64,
    /// In bytes.
    pub log_limit: u64,
    /// Bytes that all processes together may have mapped to write to.
    pub memory_limit: u64,
    /// How many processes and threads there may be at a time.
    pub process_limit: u32,
    /// What it sees otherwise than as usual.
    pub vary: Vary,
}

/// Which limit a step ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Its time is over.
    Time,
    /// It wrote more to its log than it may.
    Log,
    /// The home has no memory left.
    Memory,
    /// All of its threads wait, and nothing can wake them.
    Deadlock,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The builder exited.
    Exited(u8),
    /// A signal ended the builder.
    Killed(u8),
    /// A limit was reached.
    Limit(Limit),
    /// It needs what is not there, named.
    Refused(&'static str),
    /// The builder could not be started: an error number of execve(2).
    NotStarted(crate::errno::Errno),
}

/// What is known after a step.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Calls that are not there and were answered ENOSYS, each once, in the order of their first use.
    pub unknown: Vec<&'static str>,
    /// How many calls were answered.
    pub calls: u64,
    /// A fingerprint of all calls, their arguments and their results: two runs that differ in one of them have different ones.
    pub trace: u64,
    /// How long it took by its own clock, in nanoseconds.
    pub time: u64,
}
