//! The kernel: what a step's processes are, and what runs them.

mod calls;
mod deliver;
mod descriptors;
mod elf;
mod end;
mod exec;
mod frame;
mod frame32;
mod life;
mod lookup;
mod memory;
mod object;
mod process;
mod procfs;
mod program;
mod random;
mod region;
mod schedule;
mod settings;
mod signal;
mod stack;
mod start;
mod timer;
mod user;
mod varied;

use crate::errno::{ESRCH, Errno};
use crate::map::Map;
use crate::platform::Platform;
use crate::slab::Slab;
use crate::tree::{NodeId, Tree};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
pub(crate) use object::{
    Epoll, EventFd, Fd, Files, Lock, Locked, Object, Open, Pipe, Socket, SocketState, TimerFd,
};
pub(crate) use process::{Alarm, Pending, Process, State, Thread, View, Wait};
pub(crate) use random::Random;
pub(crate) use region::{Backing, Region, Share, Space};
pub use settings::{End, Limit, Limits, Outcome, Settings, StepSettings};
pub(crate) use signal::{Action, Info};
pub(crate) use timer::Timer;

/// How a call ends other than by a result: with an error, or as the kernel's own two numbers say, which Linux has above its errors too.
///
/// It is one number, so that results travel in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stop(pub(crate) Errno);

impl Stop {
    /// Not yet: the thread waits as [`Kernel::wait`] says, then the same call is tried again.
    pub(crate) const BLOCK: Stop = Stop(Errno(512));
    /// The thread's registers are as they shall be, or there is no thread any more.
    pub(crate) const RESUME: Stop = Stop(Errno(513));
}

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Stop {
        Stop(errno)
    }
}

/// What a call returns.
pub(crate) type Done = Result<u64, Stop>;

/// A kernel in its home.
pub struct Kernel<P: Platform> {
    /// The home.
    pub platform: P,
    /// All files: the runner's and the step's.
    pub tree: Tree,
    pub(crate) settings: Settings,
    pub(crate) step: StepSettings,
    pub(crate) root: NodeId,
    pub(crate) threads: Map<i32, Thread<P>>,
    pub(crate) processes: Map<i32, Process>,
    pub(crate) spaces: Slab<Space<P>>,
    pub(crate) files: Slab<Files>,
    pub(crate) views: Slab<View>,
    pub(crate) opens: Slab<Open>,
    pub(crate) pipes: Slab<Pipe>,
    pub(crate) sockets: Slab<Socket>,
    pub(crate) events: Slab<EventFd>,
    pub(crate) timer_fds: Slab<TimerFd>,
    pub(crate) epolls: Slab<Epoll>,
    /// Descriptions that messages carried which nobody read, while they are let go of.
    pub(crate) doomed: Option<Vec<u32>>,
    /// The next port that a socket is bound to without being asked.
    pub(crate) next_port: u16,
    pub(crate) locks: Vec<Lock>,
    pub(crate) shares: Map<u64, Share>,
    pub(crate) next_share: u64,
    pub(crate) timers: Map<(u64, Timer), ()>,
    pub(crate) ready: VecDeque<i32>,
    pub(crate) blocked: Vec<i32>,
    pub(crate) current: i32,
    pub(crate) last_pid: i32,
    /// Nanoseconds since the step started.
    pub(crate) now: u64,
    pub(crate) calls: u64,
    pub(crate) random: Random,
    pub(crate) output: Vec<u8>,
    pub(crate) logged: u64,
    pub(crate) builder: i32,
    /// What `/proc/self/fd` leads to for the log.
    pub(crate) log_node: Option<NodeId>,
    pub(crate) end: Option<End>,
    pub(crate) unknown: Vec<&'static str>,
    /// The folders in which files were found whose paths were asked for.
    pub(crate) found: Map<NodeId, NodeId>,
    /// What the call that ended by [`Stop::BLOCK`] waits for.
    pub(crate) waits_for: Wait,
    /// The call that is answered came by the table of i386.
    pub(crate) compat: bool,
    /// Nanoseconds of timeouts.
    pub(crate) spun: u64,
    /// What the order of threads is drawn from next; 0: first come, first served.
    pub(crate) order: u64,
    /// A fingerprint of all calls and results so far.
    pub(crate) trace: u64,
}

impl<P: Platform> Kernel<P> {
    /// A kernel without files.
    pub fn new(platform: P, settings: Settings) -> Kernel<P> {
        Kernel {
            platform,
            tree: Tree::new(),
            settings,
            step: StepSettings::default(),
            root: NodeId(0),
            threads: Map::new(),
            processes: Map::new(),
            spaces: Slab::new(),
            files: Slab::new(),
            views: Slab::new(),
            opens: Slab::new(),
            pipes: Slab::new(),
            sockets: Slab::new(),
            events: Slab::new(),
            timer_fds: Slab::new(),
            epolls: Slab::new(),
            doomed: None,
            next_port: 0,
            locks: Vec::new(),
            shares: Map::new(),
            next_share: 0,
            timers: Map::new(),
            ready: VecDeque::new(),
            blocked: Vec::new(),
            current: 0,
            last_pid: 0,
            now: 0,
            calls: 0,
            random: Random::new(&[0; 32]),
            output: Vec::new(),
            logged: 0,
            builder: 0,
            log_node: None,
            end: None,
            unknown: Vec::new(),
            found: Map::new(),
            waits_for: Wait::Any,
            compat: false,
            spun: 0,
            order: 0,
            trace: 0,
        }
    }

    /// The thread whose call is answered.
    pub(crate) fn thread(&mut self) -> Result<&mut Thread<P>, Errno> {
        self.threads.get_mut(&self.current).ok_or(ESRCH)
    }

    /// Its process.
    pub(crate) fn process(&mut self) -> Result<&mut Process, Errno> {
        let id = self.threads.get(&self.current).ok_or(ESRCH)?.process;
        self.processes.get_mut(&id).ok_or(ESRCH)
    }

    /// Its process, only to look at.
    pub(crate) fn me(&self) -> Result<&Process, Errno> {
        let id = self.threads.get(&self.current).ok_or(ESRCH)?.process;
        self.processes.get(&id).ok_or(ESRCH)
    }

    /// Nanoseconds since 1970, without what looks at the clock took: the time of what changes now.
    pub(crate) fn time(&self) -> i64 {
        let start = self.step.clock.min(1 << 33) as i64;
        start.wrapping_mul(1_000_000_000).wrapping_add(self.now as i64)
    }
}
