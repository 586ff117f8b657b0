//! A home for footing on Linux x86-64: the host's processor runs a step's programs, footing answers their calls.
//!
//! Each address space is a host process that holds nothing but what footing maps, and two pages of footing's own ([`stub`]). Threads
//! of one address space share its process: their registers are swapped. The process is stopped, or waits for the answer to a
//! notification, whenever no thread of it runs; one thread of all runs at a time.
//!
//! - [`filter`]: no call of a guest reaches the host's kernel.
//! - [`first`]: the first process, of which all others are copies.
//! - [`list`]: footing's own calls in a guest process: mapping and copying.
//! - [`notice`], [`trace`]: the two ways to hear from a guest: notification and ptrace.
//! - [`store`]: memory that guests map.
//! - [`pin`]: the supervisor's processor.
//! - [`machine`]: this home as a machine that runs an image.
//!
//! Whoever uses this must have one thread and be a process of its own: signal handlers, a timer and the processor are the whole process's.

mod context;
mod cpuid;
mod event;
pub mod filter;
pub mod first;
pub mod list;
pub mod machine;
mod memory;
pub mod notice;
pub mod pin;
mod platform;
mod run;
mod space;
pub mod store;
pub mod stub;
pub mod trace;

use libc::pid_t;

pub use space::{Context, Space};

/// Why the host can not be a home.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The host refused a call.
    #[error("{0}: {1}")]
    Call(&'static str, std::io::Error),
    /// The first process ended.
    #[error("{0}: the process is gone")]
    Gone(&'static str),
}

impl Error {
    fn last(call: &'static str) -> Self {
        Self::Call(call, std::io::Error::last_os_error())
    }
}

/// Counts of what costs time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Calls that arrived by notification.
    pub notices: u64,
    /// Stops for ptrace.
    pub stops: u64,
    /// Copies of processes.
    pub forks: u64,
    /// `cpuid` executed.
    pub identified: u64,
}

/// The home.
pub struct Native {
    store: store::Store,
    list: list::List,
    first: first::First,
    /// Empty processes.
    pool: Vec<pid_t>,
    /// Processes that were killed and not yet waited for.
    killed: Vec<pid_t>,
    /// What happened so far.
    pub counts: Counts,
}

/// How often the supervisor looks after a thread that makes no call, in microseconds.
const TICK: i64 = 50_000;

impl Native {
    /// Pins this process to a processor, this one unless `cpu` names another, and makes the first guest process.
    ///
    /// # Errors
    /// The host forbids ptrace, seccomp or memfd, or has no memory.
    pub fn new(cpu: Option<usize>) -> Result<Self, Error> {
        pin::cpu(cpu)?;
        let store = store::Store::new()?;
        let mut list = list::List::new()?;
        let first = first::make(&mut list, store.fd)?;
        if let Some(listener) = first.listener {
            notice::prepare(listener);
        }
        notice::listen(TICK);
        pin::forbid(first.cpuid);
        Ok(Self { store, list, first, pool: Vec::new(), killed: Vec::new(), counts: Counts::default() })
    }

    /// Whether programs are shown a processor of footing's, not the host's.
    #[must_use]
    pub fn pins_cpuid(&self) -> bool {
        self.first.cpuid
    }

    /// Whether calls arrive by notification, the cheaper way.
    #[must_use]
    pub fn has_notices(&self) -> bool {
        self.first.listener.is_some()
    }

    /// How many calls of its own footing made in guests.
    #[must_use]
    pub fn own_calls(&self) -> u64 {
        self.list.made
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let mut all = std::mem::take(&mut self.pool);
        all.push(self.first.pid);
        for pid in all {
            trace::kill(pid);
            trace::reap(pid);
        }
        for pid in std::mem::take(&mut self.killed) {
            trace::reap(pid);
        }
        if let Some(listener) = self.first.listener {
            notice::close(listener);
        }
    }
}
