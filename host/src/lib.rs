//! The `host` machine: the same image and the same `/init`, in fresh namespaces on the host's kernel, at native speed.
//!
//! It needs no QEMU and, where the kernel lets users make user namespaces, no root. This program starts itself four times:
//!
//! ```text
//! groundup ── STAGE enter ── makes the namespaces; waits
//!               ├─ STAGE remove ── outside of it all, removes the control group that holds it to its memory
//!               ├─ STAGE map ── gives the user namespace its ids, with the rights of the one outside
//!               └─ STAGE root ── is process 1 in them: unpacks the image, makes it the root, becomes /init
//! ```
//! Each dies with the one that started it, and with process 1 all that a step may have left behind; the root is a file
//! system in memory that goes with the last of them. So nothing is left, however this program ends.
//!
//! | namespace | what a step can't see |
//! |---|---|
//! | user | root's rights and anybody's id; without it (root, where user namespaces are forbidden) all capabilities that reach beyond the others are dropped |
//! | mount, with a new root | any file of the host; six device nodes are root's own, or the host's where an ordinary user starts it |
//! | pid | the host's processes |
//! | network | its interfaces and sockets, abstract ones too |
//! | ipc, uts, cgroup | its System V objects and queues, its name, where it keeps us |
//! | time, for each step | how long it has been up |
//!
//! What no namespace holds is refused by a filter (`init::filter`): keys, sockets of other families, io_uring, and all calls that a build does
//! not need. Below `/proc` no setting and nothing of the supervisor can be changed, and keys are not shown. Each step has a session keyring of its own; builders
//! are the first to go where memory is short.
//!
//! What can't be taken away or pinned is listed in [`UNPINNED`], with [`ONE_ID`], [`SHARED_IDS`] and [`NOT_HELD`].

mod devices;
mod enter;
mod map;
mod memory;
mod parent;
mod refusal;
mod root;

pub use parent::end_with_parent;

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::ExitCode;

/// The first argument by which this program knows that it is a stage of the `host` machine.
pub const STAGE: &str = "@host";

/// What a step on the `host` machine sees of the host, and what is not the same in every run, for the record. No other list is kept.
pub const UNPINNED: [&str; 12] = [
    "the clock: time of day",
    "the kernel: version, build, command line, random numbers, settings",
    "the CPU: model, features, number, time stamp counter",
    "scheduling: processes and threads interleave differently in every run",
    "memory: its size, and what else uses it",
    "process numbers beyond the step's own namespace, device and inode numbers",
    "inode numbers of pipes and sockets, which count on from step to step",
    "files: when they were made and their metadata was changed last",
    "load, uptime of the kernel and statistics below /proc",
    "resource limits above the host's hard limits",
    "address layout of the kernel's vDSO page",
    "device nodes where an ordinary user started the machine: numbers, times and locks are the host's",
];

/// What else is not as on other machines where there is no control group (see `memory`).
pub const NOT_HELD: &str = "memory: a step is not held to its declared need (this needs a control group of version 2), but is the first to be killed where memory is short (it can take that back unless root with CAP_SYS_RESOURCE started the machine)";

/// What the machine says where there is one.
pub const HELD: &str = "memory: a control group holds the machine to its size";

/// What else is not as it should be where root has no ids that nobody else has, as in a container.
pub const SHARED_IDS: &str = "owners: the builder's ids are those of a user of the host, who can signal its processes (there are no others here)";

/// What else is not as on the other machines where the kernel gives this user a single id.
pub const ONE_ID: &str = "owners: there is one id, so that inputs and the folders of its root seem to be the builder's own (install newuidmap for more)";

/// The word for a machine that varies what it can: entries of directories are made in the reverse order, which some file systems
/// show, and there is one CPU.
const PERTURBED: &str = "perturbed";

/// The word for a machine that is not made where it can't be held to its memory.
const MUST_BE_HELD: &str = "held";

/// The arguments by which this program becomes the machine's first stage; it has so many MiB where it can be held to that, and is not
/// made elsewhere if it `must` be.
pub fn arguments(image: &Path, perturbed: bool, mebibytes: u64, must: bool) -> Vec<OsString> {
    let way = if perturbed { PERTURBED } else { "plain" };
    let must = if must { MUST_BE_HELD } else { "free" };
    vec![STAGE.into(), "enter".into(), image.into(), way.into(), mebibytes.to_string().into(), must.into()]
}

/// Does what a stage has to; `arguments` are those behind [`STAGE`]. To be called before anything else, while there is one
/// thread.
pub fn stage(arguments: &[OsString]) -> ExitCode {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    let result = match arguments[..] {
        [stage, image, way, mebibytes, must] if stage == "enter" => {
            enter::enter(image, way, mebibytes, must == MUST_BE_HELD)
        }
        [stage, process, way] if stage == "map" => map::map(process, way),
        [stage, image, way, ids] if stage == "root" => root::root(Path::new(image), way, ids, None),
        [stage, image, way, ids, group] if stage == "root" => {
            root::root(Path::new(image), way, ids, Some(Path::new(group)))
        }
        [stage, group] if stage == "remove" => memory::remove(group),
        _ => {
            Err("these are stages of the host machine, which `groundup run --machine host` starts".to_owned())
        }
    };
    match result {
        Ok(status) => status,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(3)
        }
    }
}

/// Another stage of this same program.
fn next(stage: &str) -> std::process::Command {
    let mut command = std::process::Command::new("/proc/self/exe");
    command.arg0("groundup").args([STAGE, stage]);
    command
}

/// What the host's kernel says it is, in one line. Source: uname(2).
pub fn kernel() -> String {
    let name = rustix::system::uname();
    let words = [name.sysname(), name.release(), name.version(), name.machine()];
    words.map(|word| word.to_string_lossy()).join(" ")
}
