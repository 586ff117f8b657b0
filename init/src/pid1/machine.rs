//! What is done once: at the start, so that steps find the same machine every time, and at the end.
#![allow(unsafe_code)]

use crate::settings::{Settings, set};
use crate::{anew, host, sys};
use core::ffi::CStr;
use formats::say;
use formats::say::{Display, LineBuf};
use init::errno;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountFlags;
use rustix::system::RebootCommand;

/// Why the machine can't go on.
pub enum Fatal {
    /// A system call failed on this.
    System(&'static str, Errno),
    /// `/plan` is not a plan.
    Plan(formats::plan::Error),
    /// The image that the machine shares is no archive at this offset.
    Image(usize),
}

impl Display for Fatal {
    fn say(self, words: &mut LineBuf) {
        match self {
            Fatal::System(what, errno) => say!(words, what, ": ", errno::Text(errno)),
            Fatal::Plan(error) => say!(words, "/plan, ", error),
            Fatal::Image(offset) => say!(words, "the image has no entry at byte ", offset as u64),
        }
    }
}

impl From<formats::plan::Error> for Fatal {
    fn from(error: formats::plan::Error) -> Fatal {
        Fatal::Plan(error)
    }
}

/// `result.map_err(at("what was tried"))`
pub fn at(what: &'static str) -> impl FnOnce(Errno) -> Fatal {
    move |errno| Fatal::System(what, errno)
}

/// PID 1's own folders and file systems; from here on the console is descriptors 0 to 2.
pub fn mount() -> Result<(), Fatal> {
    rustix::process::umask(Mode::empty());
    for folder in [c"/noexec", c"/references", c"/step", c"/store", c"/stores", c"/verified"] {
        make(folder)?;
    }
    if host::is_shared() {
        // What whoever started us has left open is none of a builder's business.
        return sys::close_from(3).map_err(at("close_range"));
    }
    // To verify an input must not change it.
    let root = MountFlags::BIND | MountFlags::NOATIME;
    rustix::mount::mount_remount(c"/", root, c"").map_err(at("remount /"))?;
    for folder in [c"/dev", c"/proc", c"/sys"] {
        make(folder)?;
    }
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    rustix::mount::mount(c"devtmpfs", c"/dev", c"devtmpfs", flags, None).map_err(at("mount /dev"))?;
    let console = rustix::fs::open(c"/dev/console", OFlags::RDWR | OFlags::NOCTTY, Mode::empty())
        .map_err(at("open /dev/console"))?;
    rustix::stdio::dup2_stdin(&console).map_err(at("dup2"))?;
    rustix::stdio::dup2_stdout(&console).map_err(at("dup2"))?;
    rustix::stdio::dup2_stderr(&console).map_err(at("dup2"))?;
    // It may already be one of the three.
    if rustix::fd::AsRawFd::as_raw_fd(&console) <= 2 {
        core::mem::forget(console);
    }
    // Emergencies and panics still show: what a step makes the kernel say must not stand in the middle of an event.
    sys::console_level(1).map_err(at("syslog"))?;
    rustix::mount::mount(c"proc", c"/proc", c"proc", flags, None).map_err(at("mount /proc"))?;
    rustix::mount::mount(c"sysfs", c"/sys", c"sysfs", flags, None).map_err(at("mount /sys"))
}

fn make(folder: &CStr) -> Result<(), Fatal> {
    match rustix::fs::mkdir(folder, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(Fatal::System("mkdir", errno)),
    }
}

/// The bytes of `/plan`.
pub fn plan() -> Result<&'static [u8], Fatal> {
    let file = rustix::fs::open(c"/plan", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(at("open /plan"))?;
    let size = rustix::fs::fstat(&file).map_err(at("stat /plan"))?.st_size as usize;
    if size == 0 {
        return Ok(&[]);
    }
    let (read, private) = (rustix::mm::ProtFlags::READ, rustix::mm::MapFlags::PRIVATE);
    // SAFETY: a new mapping, which is never unmapped, of a file that nobody writes to.
    unsafe {
        let address = rustix::mm::mmap(core::ptr::null_mut(), size, read, private, &file, 0);
        Ok(core::slice::from_raw_parts(address.map_err(at("mmap /plan"))?.cast(), size))
    }
}

/// Ways by which one step could leave something to the next, or learn of it.
const SETTINGS: &Settings<'static> = &[
    // A keyring outlives the processes of its user. In one byte there is no room for a key; 0 is not taken.
    (c"/proc/sys/kernel/keys/maxbytes", b"1"),
    // The kernel's log tells of the steps before.
    (c"/proc/sys/kernel/dmesg_restrict", b"1"),
];

/// Gives the kernel its random seed, so that nothing waits for entropy, and makes the settings.
pub fn settle(entropy: &[u8; 32]) -> Result<(), Fatal> {
    if host::is_shared() {
        return Ok(());
    }
    anew::seed(entropy).map_err(at("RNDADDENTROPY"))?;
    // The kernel draws it when it is first read, and then it stays: no step is to be the first.
    let boot_id = c"/proc/sys/kernel/random/boot_id";
    if let Ok(file) = rustix::fs::open(boot_id, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::io::read(file, &mut [0; 40]);
    }
    set(SETTINGS).map_err(at("write below /proc/sys"))
}

/// PID 1's last argument. The kernel puts words that it does not know before ours.
pub fn last(arguments: &[*const u8]) -> &[u8] {
    arguments.last().map_or(b"", |&word| {
        // SAFETY: the kernel's arguments end in a NUL each, and stay where they are.
        unsafe { CStr::from_ptr(word.cast()) }.to_bytes()
    })
}

/// Turns the machine off, or resets it when the kernel's command line ends in `-- reboot`: a machine without ACPI can't turn
/// itself off, but whoever watches it takes a reset for the end. The host's kernel only sees a process end.
pub fn end(word: &[u8]) -> ! {
    if !host::is_shared() {
        let command = if word == b"reboot" { RebootCommand::Restart } else { RebootCommand::PowerOff };
        let _ = rustix::system::reboot(command);
    }
    sys::exit((!host::is_shared()).into())
}
