//! A step as PID 1 sees it: whether it can start, its store, its first process, its log and limits, its end and its outputs.

use crate::console::Console;
use crate::event;
use crate::folder::STORE;
use crate::memory::{Memory, PathBuffer, join};
use crate::region::Region;
use crate::supervisor::{self, Report};
use crate::{anew, output, sys};
use core::ffi::CStr;
use formats::hex::Digest;
use formats::log::Marker;
use formats::plan::{Name, RootfsEntry, Source, Step};
use formats::say;
use formats::say::{Display, LineBuf, Text};
use init::errno;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

/// What came of a step.
pub enum Outcome {
    /// All its outputs stand.
    Built,
    /// It has none.
    Failed,
    /// It was not started.
    Skipped,
}

/// Why a step failed.
pub enum Reason<'a> {
    /// PID 1 could not do this for it.
    System(&'static str, Errno),
    /// Its first process could not, or an output is not as it must be; in words.
    Line(&'a [u8]),
    /// It took longer than this many seconds.
    Time(u64),
    /// It printed more than this many bytes.
    Log(u64),
    /// The kernel had to kill one of its processes for want of memory.
    Memory,
    /// Its builder exited with this status.
    Exit(i32),
    /// Its builder was killed by this signal.
    Signal(i32),
}

impl Display for Reason<'_> {
    fn say(self, words: &mut LineBuf) {
        match self {
            Reason::System(what, errno) => say!(words, what, ": ", errno::Text(errno)),
            Reason::Line(text) => Text(text).say(words),
            Reason::Time(limit) => say!(words, "ran longer than its time limit of ", limit, " s"),
            Reason::Log(limit) => say!(words, "printed more than its log limit of ", limit, " bytes"),
            Reason::Memory => "ran out of the machine's memory".say(words),
            Reason::Exit(status) => say!(words, "exit status ", status as u32),
            Reason::Signal(signal) => say!(words, "killed by signal ", signal as u32),
        }
    }
}

fn at<'a>(what: &'static str) -> impl FnOnce(Errno) -> Reason<'a> {
    move |errno| Reason::System(what, errno)
}

/// Builds a step and says what came of it.
pub fn run(step: &Step<'_>, entropy: &Digest, memory: &mut Memory, region: &mut Option<Region>) -> Outcome {
    if let Some(missing) = missing(step) {
        event!("skipped ", step.name, " it needs ", Text(missing));
        return Outcome::Skipped;
    }
    event!("step ", step.name);
    // What is made for the step bears a time just before its own.
    let ready = anew::begin(step, entropy)
        .and_then(|()| sys::set_clock(step.clock.saturating_sub(1)))
        .and_then(|()| mount_store(step));
    if let Err(errno) = ready {
        event!("failed ", step.name, " 0 ", Reason::System("set the clock and make the store", errno));
        return Outcome::Failed;
    }
    let start = sys::milliseconds();
    let (mut said, mut wrong) = (LineBuf::new(), LineBuf::new());
    let result = build(step, memory, &mut said).and_then(|()| {
        output::collect(step, memory, region, &mut wrong);
        if wrong.is_empty() { Ok(()) } else { Err(Reason::Line(wrong.as_bytes())) }
    });
    // With what the step left beside its outputs.
    let _ = rustix::mount::unmount(STORE, UnmountFlags::DETACH);
    let time = sys::milliseconds() - start;
    match result {
        Ok(()) => {
            event!("built ", step.name, " ", time);
            Outcome::Built
        }
        Err(reason) => {
            forget(step.name, memory);
            event!("failed ", step.name, " ", time, " ", reason);
            Outcome::Failed
        }
    }
}

/// The first thing that it binds and that is neither verified nor built.
fn missing<'a>(step: &Step<'a>) -> Option<&'a [u8]> {
    step.world().find_map(|world| {
        let RootfsEntry::Bind { source, .. } = world else { return None };
        let (folder, field, components) = match source {
            Source::Input(field) => (&b"/verified/"[..], field, 1),
            Source::Output(field) => (&b"/stores/"[..], field, 2),
        };
        let spelled = field.spelled();
        let mut slashes = spelled.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(i, _)| i);
        let name = &spelled[..slashes.nth(components - 1).unwrap_or(spelled.len())];
        let mut path: PathBuffer = [0; _];
        let path = join(&[folder, name], &mut path);
        let there = path.is_some_and(|path| rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).is_ok());
        if there { None } else { Some(name) }
    })
}

/// Frees the memory that a step's outputs take.
pub fn forget(name: Name<'_>, memory: &mut Memory) {
    crate::folder::remove(c"/stores", name, memory);
}

fn build<'w>(step: &Step<'_>, memory: &mut Memory, said: &'w mut LineBuf) -> Result<(), Reason<'w>> {
    if !memory.fill(step) {
        return Err(Reason::System("arguments and environment", Errno::TOOBIG));
    }
    let (log, log_end) = if step.terminal {
        crate::terminal::open().map_err(at("open a terminal"))?
    } else {
        pipe_with(PipeFlags::CLOEXEC).map_err(at("pipe"))?
    };
    // The builder can read from the pipe too, through /proc: what poll saw may be gone.
    rustix::fs::fcntl_setfl(&log, OFlags::NONBLOCK).map_err(at("fcntl"))?;
    // One read takes one report, not two that were written one after the other.
    let (report, report_end) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::DIRECT).map_err(at("pipe"))?;
    let killed_before = killed_for_memory();
    sys::own_clocks();
    let Some(first) = sys::fork(sys::NAMESPACES).map_err(at("fork"))? else {
        drop((log, report));
        supervisor::run(step, memory, log_end, report_end)
    };
    drop((log_end, report_end));
    let mounts = mounts_of(first);
    let ended = follow(step, first, log);
    let status = rustix::process::waitpid(Some(first), WaitOptions::empty());
    drop(mounts);
    // What was on its way between two sockets of the step outlives both, until the kernel sees some socket closed.
    drop(socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None));
    let read = |said: &mut LineBuf| said.fill(|room| rustix::io::read(&report, room).unwrap_or(0));
    read(said);
    let became_builder = matches!(Report::read(said.as_bytes()), Some(Report::Becomes));
    if became_builder {
        read(said);
    }
    if killed_for_memory() != killed_before {
        return Err(Reason::Memory);
    }
    ended?;
    match Report::read(said.as_bytes()) {
        Some(Report::Failed(text)) => Err(Reason::Line(text)),
        Some(Report::Exit(0)) => Ok(()),
        Some(Report::Exit(status)) => Err(Reason::Exit(status)),
        Some(Report::Signal(signal)) => Err(Reason::Signal(signal)),
        // The first process was the builder itself, or was killed before it could say anything.
        _ => match status.map_err(at("wait"))? {
            Some((_, status)) if status.exit_status() == Some(0) && became_builder => Ok(()),
            Some((_, status)) if status.exit_status() == Some(0) => {
                Err(Reason::Line(b"no report of how the builder ended"))
            }
            Some((_, status)) if status.exited() => Err(Reason::Exit(status.exit_status().unwrap_or(0))),
            ended => {
                Err(Reason::Signal(ended.and_then(|(_, status)| status.terminating_signal()).unwrap_or(0)))
            }
        },
    }
}

/// The mount namespace of a step's first process. Whoever is the last to let go of it takes its file systems away, with their
/// numbers: at once if that is this process, and some time later if it is the step's last process, which is ending.
fn mounts_of(first: Pid) -> Option<OwnedFd> {
    let mut path = LineBuf::new();
    say!(&mut path, "/proc/", first.as_raw_nonzero().get() as u32, "/ns/mnt\0");
    let path = CStr::from_bytes_until_nul(path.as_bytes()).ok()?;
    rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()
}

/// A file system of its own, so that its inode numbers, its size and its end are a matter of this step alone. When it ends, what it
/// made is moved to a folder of the step's name in `/stores`.
fn mount_store(step: &Step<'_>) -> Result<(), Errno> {
    let stores = rustix::fs::open(c"/stores", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let mut name: PathBuffer = [0; _];
    let name = join(&[step.name.as_bytes()], &mut name).ok_or(Errno::NAMETOOLONG)?;
    rustix::fs::mkdirat(stores, name, Mode::from_raw_mode(0o755))?;
    // To read an output must not change it for whoever reads it next.
    let flags = MountFlags::NODEV | MountFlags::NOATIME;
    crate::world::file_system(step, step.store_mode, Some(step.gid), STORE, flags)
}

/// Passes on what the step prints until its first process ends; ends it at its limits.
fn follow<'a>(step: &Step<'_>, first: Pid, log: OwnedFd) -> Result<(), Reason<'a>> {
    let process = rustix::process::pidfd_open(first, PidfdFlags::empty());
    let process = process.map_err(at("pidfd_open"));
    let mut follower = Follower { marker: Marker::default(), left: step.log_limit, buffer: [0; _] };
    let result = process.and_then(|process| follower.until_end(step, process, &log));
    if result.is_err() {
        let _ = rustix::process::kill_process(first, Signal::KILL);
    }
    follower.marker.finish(&mut Console);
    result
}

struct Follower {
    marker: Marker,
    left: u64,
    buffer: [u8; 4096],
}

impl Follower {
    fn until_end<'a>(&mut self, step: &Step<'_>, process: OwnedFd, log: &OwnedFd) -> Result<(), Reason<'a>> {
        let deadline = sys::milliseconds().saturating_add(step.time_limit.saturating_mul(1000));
        let mut open = true;
        loop {
            let now = sys::milliseconds();
            if now >= deadline {
                return Err(Reason::Time(step.time_limit));
            }
            let left = deadline - now;
            let timeout =
                Timespec { tv_sec: (left / 1000) as i64, tv_nsec: (left % 1000 * 1_000_000) as i64 };
            let mut fds = [PollFd::new(&process, PollFlags::IN), PollFd::new(log, PollFlags::IN)];
            let count = if open { 2 } else { 1 };
            match rustix::event::poll(&mut fds[..count], Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(Reason::System("poll", errno)),
            }
            let ended = !fds[0].revents().is_empty();
            // All that a dead step printed is in the pipe already, so that the pipe being empty then is its end.
            if open && !fds[1].revents().is_empty() {
                open = self.pass_on(step, log.as_fd())?;
            } else if ended {
                return Ok(());
            }
        }
    }

    /// Passes on what one read gives; `false` at the end.
    fn pass_on<'a>(&mut self, step: &Step<'_>, log: rustix::fd::BorrowedFd<'_>) -> Result<bool, Reason<'a>> {
        let length = match rustix::io::read(log, &mut self.buffer) {
            Err(Errno::AGAIN) => return Ok(true),
            // A terminal that nobody has open.
            Err(Errno::IO) if step.terminal => 0,
            result => result.map_err(at("read the log"))?,
        };
        let allowed = length.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.marker.feed(&self.buffer[..allowed], &mut Console);
        self.left -= allowed as u64;
        if allowed < length { Err(Reason::Log(step.log_limit)) } else { Ok(length > 0) }
    }
}

/// How many processes the kernel has killed so far for want of memory. Source: `oom_kill` in /proc/vmstat, proc_vmstat(5).
/// The host's says nothing of a step; where a control group holds the machine, `oom_kill` in its memory.events does.
fn killed_for_memory() -> Option<u64> {
    let path = if crate::host::is_shared() { c"/memory.events" } else { c"/proc/vmstat" };
    let mut text = [0; 16 << 10];
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).ok()?;
    let mut length = 0;
    while let Ok(more @ 1..) = rustix::io::read(&file, &mut text[length..]) {
        length += more;
    }
    const NAME: &[u8] = b"oom_kill ";
    let place = text.windows(NAME.len()).position(|text| text == NAME)?;
    let digits = text[place + NAME.len()..].iter().take_while(|&&byte| byte != b'\n');
    Some(digits.fold(0, |value, digit| value * 10 + u64::from(digit & 15)))
}
