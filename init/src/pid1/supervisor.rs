//! A step as its first process sees it. It starts as a copy of PID 1 in new namespaces, makes the step's world, and becomes
//! the builder, or starts it and stays as process 1 of the step's PID namespace: when that ends, the kernel ends all that
//! is left in it.

use crate::host;
use crate::memory::{Memory, PathBuffer, c_string};
use crate::settings::{Settings, set};
use crate::sys;
use crate::world::{self, Failure};
use formats::plan::{PidOne, Rules, Step};
use formats::say;
use formats::say::LineBuf;
use init::filter::Policy;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{DumpableBehavior, Resource, Rlimit, WaitOptions};
use rustix::thread::{CapabilitySet, CapabilitySets};

/// What the first process says to PID 1. Who says nothing has failed.
pub enum Report<'a> {
    /// It becomes the builder itself: what follows is a failure to do so, or nothing.
    Becomes,
    /// The world or the builder could not be made.
    Failed(&'a [u8]),
    /// The builder exited with this status.
    Exit(i32),
    /// It was killed by this signal.
    Signal(i32),
}

impl Report<'_> {
    /// The report in these bytes.
    pub fn read(bytes: &[u8]) -> Option<Report<'_>> {
        match bytes {
            [b'B'] => Some(Report::Becomes),
            [b'F', text @ ..] => Some(Report::Failed(text)),
            [b'E', status] => Some(Report::Exit(i32::from(*status))),
            [b'S', signal] => Some(Report::Signal(i32::from(*signal))),
            _ => None,
        }
    }
}

/// Never returns to PID 1's own code.
pub fn run(step: &Step<'_>, memory: &Memory, log: OwnedFd, report: OwnedFd) -> ! {
    if let Err(failure) = world(step, memory, log, &report) {
        tell(&report, failure);
    }
    sys::exit(1)
}

fn tell(report: &OwnedFd, failure: Failure<'_>) {
    let mut words = LineBuf::new();
    say!(&mut words, "F", failure);
    let _ = rustix::io::write(report, words.as_bytes());
}

fn world<'a>(step: &Step<'a>, memory: &Memory, log: OwnedFd, report: &OwnedFd) -> Result<(), Failure<'a>> {
    let proc = prepare().map_err(Failure::of("prepare"))?;
    names(step).map_err(Failure::of("set the host and domain names"))?;
    if step.loopback {
        loopback().map_err(Failure::of("bring the loopback interface up"))?;
    }
    if host::has_own_users() {
        // A builder that makes a user namespace would have capabilities in it: only Nix's has one, from `alone`.
        let most = if step.rules == Rules::Nix { &b"65536"[..] } else { b"0" };
        let setting = (c"/proc/sys/user/max_user_namespaces", most);
        set(&[setting]).map_err(Failure::of("limit user namespaces"))?;
    }
    let null = world::make(step)?;
    // Where this process and the builder can write to what is about them.
    rustix::process::fchdir(proc).map_err(Failure::of("enter /proc"))?;
    if step.pid_one == PidOne::Builder {
        return builder(step, memory, &null, &log, Some(report));
    }
    let Some(child) = sys::fork(0).map_err(Failure::of("fork"))? else {
        if let Err(failure) = builder(step, memory, &null, &log, None) {
            tell(report, failure);
        }
        sys::exit(1)
    };
    drop(log);
    // Refused where all that the host starts is to go first.
    let _ = set(&[(c"self/oom_score_adj", b"500")]);
    let nothing = CapabilitySet::empty();
    let sets = CapabilitySets { effective: nothing, permitted: nothing, inheritable: nothing };
    rustix::thread::set_capabilities(None, sets).map_err(Failure::of("drop capabilities"))?;
    loop {
        // Whoever is left behind becomes a child of this process, and is reaped here like the builder.
        let ended = rustix::process::wait(WaitOptions::empty()).map_err(Failure::of("wait"))?;
        if let Some((pid, status)) = ended
            && pid == child
        {
            let message = match (status.exit_status(), status.terminating_signal()) {
                (Some(status), _) => [b'E', status as u8],
                (None, signal) => [b'S', signal.unwrap_or(0) as u8],
            };
            // PID 1 reads the first report: if that is a failure of the builder's set-up, this one is not looked at.
            let _ = rustix::io::write(report, &message);
            sys::exit(0)
        }
    }
}

/// A keyring of its own; and where memory is short, builders go first. Returns PID 1's /proc.
fn prepare() -> Result<OwnedFd, Errno> {
    if host::is_shared() {
        sys::new_keyring()?;
    }
    set(&[(c"/proc/self/oom_score_adj", b"1000")])?;
    rustix::fs::open(c"/proc", OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
}

/// System V shared memory, queues and semaphores belong to no process: the kernel can't kill one to get them back, gives up
/// when they fill the machine, and frees them only some time after a step's end. So each step has the few that all of Linux
/// had until 3.16, 32 MiB in 8192 pages.
const IPC: &Settings<'static> = &[
    (c"/proc/sys/kernel/shmall", b"8192"),
    (c"/proc/sys/kernel/msgmni", b"16"),
    (c"/proc/sys/kernel/sem", b"250 32000 32 128"),
];

/// Sets them in the step's IPC namespace.
pub fn limit_ipc<'a>() -> Result<(), Failure<'a>> {
    match set(IPC) {
        // Linux before 6.11 lets only the kernel's owner do that.
        Err(Errno::ACCESS | Errno::PERM) if host::is_shared() => Ok(()),
        result => result.map_err(Failure::of("limit System V objects")),
    }
}

fn names(step: &Step<'_>) -> Result<(), Errno> {
    let mut buffer = [0; 64];
    rustix::system::sethostname(step.host.as_bytes())?;
    let domain = step.domain.decode(&mut buffer).ok_or(Errno::NAMETOOLONG)?;
    rustix::system::setdomainname(domain)
}

fn loopback() -> Result<(), Errno> {
    let flags = SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
    sys::loopback_up(socket.as_fd())
}

const LIMITS: [Resource; 16] = [
    Resource::Cpu,
    Resource::Fsize,
    Resource::Data,
    Resource::Stack,
    Resource::Core,
    Resource::Rss,
    Resource::Nproc,
    Resource::Nofile,
    Resource::Memlock,
    Resource::As,
    Resource::Locks,
    Resource::Sigpending,
    Resource::Msgqueue,
    Resource::Nice,
    Resource::Rtprio,
    Resource::Rttime,
];

/// Gives Nix's builder a user namespace, as the daemon does. What it may do in it ends with `execve`: it is not root there.
fn alone(step: &Step<'_>) -> Result<(), Errno> {
    // Its files in /proc are root's since its ids were changed, until this.
    rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    let ids = (step.uid, step.gid);
    match host::map(ids, ids) {
        // The owners of files are seen as they are where the host's kernel has no user namespaces for ordinary users.
        Err(_) if host::is_shared() => Ok(()),
        result => result,
    }
}

/// Becomes the builder. Everything that privilege is needed for comes before it is given up, the clock last of all.
fn builder<'a>(
    step: &Step<'a>,
    memory: &Memory,
    null: &OwnedFd,
    log: &OwnedFd,
    report: Option<&OwnedFd>,
) -> Result<(), Failure<'a>> {
    rustix::process::setsid().map_err(Failure::of("setsid"))?;
    // So that the builder can open /dev/stdout and /dev/stderr.
    let (uid, gid) = (Uid::from_raw(step.uid), Gid::from_raw(step.gid));
    if !host::is_one_id() {
        // Nix gives no group its terminals.
        let gid = Some(gid).filter(|_| !step.terminal);
        rustix::fs::fchown(log, Some(uid), gid).map_err(Failure::of("chown the log"))?;
    }
    rustix::stdio::dup2_stdin(null).map_err(Failure::of("dup2"))?;
    rustix::stdio::dup2_stdout(log).map_err(Failure::of("dup2"))?;
    rustix::stdio::dup2_stderr(log).map_err(Failure::of("dup2"))?;
    for (resource, (current, maximum)) in LIMITS.into_iter().zip(step.limits) {
        host::limit(resource, Rlimit { current, maximum }).map_err(Failure::of("setrlimit"))?;
    }
    sys::personality(step.personality).map_err(Failure::of("personality"))?;
    rustix::process::umask(Mode::from_raw_mode(step.umask));
    if host::is_one_id() {
        host::map((step.uid, step.gid), (0, 0)).map_err(Failure::of("map the builder's ids"))?;
    }
    for capability in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << capability);
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // A capability that this kernel does not know.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(errno) => return Err(Failure::new("drop the capability bounding set", errno)),
        }
    }
    sys::set_clock(step.clock).map_err(Failure::of("set the clock"))?;
    if !host::is_one_id() {
        rustix::thread::set_thread_groups(&[]).map_err(Failure::of("setgroups"))?;
    }
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(Failure::of("setgid"))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(Failure::of("setuid"))?;
    if step.rules == Rules::Nix && !host::is_one_id() {
        alone(step).map_err(Failure::of("map the builder's ids"))?;
    }
    rustix::thread::set_no_new_privs(true).map_err(Failure::of("no_new_privs"))?;
    let policy = Policy { nix: step.rules == Rules::Nix, supervised: step.pid_one != PidOne::Builder };
    sys::filter(policy).map_err(Failure::of("seccomp"))?;
    let (mut cwd, mut path): (PathBuffer, PathBuffer) = ([0; _], [0; _]);
    let too_long = || Failure::new("a path too long", Errno::NAMETOOLONG);
    let cwd = c_string(step.cwd, &mut cwd).ok_or_else(too_long)?;
    rustix::process::chdir(cwd).map_err(Failure::on("cwd", step.cwd))?;
    let path = c_string(step.builder, &mut path).ok_or_else(too_long)?;
    if let Some(report) = report {
        rustix::io::write(report, b"B").map_err(Failure::of("report"))?;
    }
    Err(Failure::on("builder", step.builder)(sys::execve(path, &memory.arguments, &memory.environment)))
}
