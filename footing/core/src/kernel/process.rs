//! Processes and threads.

use super::{Action, Info};
use crate::platform::{Platform, Table};
use crate::tree::NodeId;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Whatever may make a descriptor ready.
    Any,
    /// A child of this process changes.
    Child(i32),
    /// A pipe or socket changes.
    Pipe(u32),
    /// Somebody wakes this address.
    Futex(u64, u64),
    /// A deadline or a signal.
    Sleep,
    /// This child execs or exits.
    Vfork(i32),
    /// A lock goes away.
    Lock,
    /// The process is continued.
    Continue,
}

/// A call that a thread has asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) table: Table,
    pub(crate) number: u32,
    pub(crate) arguments: [u64; 6],
}

/// A thread.
pub(crate) struct Thread<P: Platform> {
    pub(crate) process: i32,
    pub(crate) context: P::Context,
    pub(crate) name: [u8; 16],
    /// Blocked signals.
    pub(crate) mask: u64,
    /// What the mask becomes once a signal is delivered, or none is (sigsuspend, ppoll).
    pub(crate) restore: Option<u64>,
    pub(crate) pending: Vec<Info>,
    /// Start, size and flags of the alternate signal stack.
    pub(crate) altstack: (u64, u64, u32),
    pub(crate) clear_tid: u64,
    pub(crate) robust: u64,
    /// The call that is being answered or waits.
    pub(crate) call: Option<Pending>,
    pub(crate) wait: Option<Wait>,
    /// The call is tried once more.
    pub(crate) retry: bool,
    /// A futex was woken.
    pub(crate) woken: bool,
    /// When a wait ends.
    pub(crate) deadline: Option<u64>,
    /// What a call has done so far.
    pub(crate) progress: u64,
    /// The parent thread that waits for this one's exec or exit.
    pub(crate) vfork: Option<i32>,
    /// Whether it is in `ready`.
    pub(crate) queued: bool,
    /// Timeouts in a row.
    pub(crate) timeouts: u32,
    /// How often in a row it has asked for the time and nothing else.
    pub(crate) looks: u32,
}

/// What a process is up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Alive,
    /// By a signal; `true` once its parent knows.
    Stopped(u8, bool),
    /// Its status as wait(2) has it.
    Zombie(u32),
}

/// A timer that sends SIGALRM: its next time and its interval.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Alarm {
    pub(crate) at: u64,
    pub(crate) every: u64,
}

/// Where a process looks for files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) users: u32,
    pub(crate) root: NodeId,
    pub(crate) cwd: NodeId,
    pub(crate) umask: u32,
}

/// A process.
pub(crate) struct Process {
    pub(crate) id: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    pub(crate) threads: Vec<i32>,
    pub(crate) space: u32,
    pub(crate) files: u32,
    pub(crate) view: u32,
    pub(crate) actions: Box<[Action; 65]>,
    pub(crate) pending: Vec<Info>,
    pub(crate) state: State,
    /// It was continued and its parent does not know.
    pub(crate) continued: bool,
    /// Sent to the parent at the end.
    pub(crate) exit_signal: i32,
    pub(crate) exe: Option<NodeId>,
    pub(crate) exe_path: Vec<u8>,
    /// Where the arguments and the environment lie.
    pub(crate) arguments: (u64, u64),
    pub(crate) environment: (u64, u64),
    pub(crate) limits: super::Limits,
    pub(crate) alarm: Alarm,
    /// ITIMER_VIRTUAL and ITIMER_PROF, by the process's own time: both count its calls.
    pub(crate) cpu_alarms: [Alarm; 2],
    /// Timers of timer_create(2): signal, value, next time and interval.
    pub(crate) posix_timers: Vec<Option<(i32, u64, Alarm)>>,
    pub(crate) compat: bool,
    pub(crate) executed: bool,
    pub(crate) start: u64,
    pub(crate) calls: u64,
    /// Calls of children that were waited for.
    pub(crate) children_calls: u64,
    /// Nanoseconds that its looks at the clock took, with those of who led to it.
    pub(crate) looked: u64,
    pub(crate) subreaper: bool,
    pub(crate) death_signal: i32,
    pub(crate) personality: u32,
    /// Its folder in `/proc`, once somebody looked.
    pub(crate) folder: Option<NodeId>,
}
