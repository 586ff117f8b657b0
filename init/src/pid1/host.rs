//! What is different on the `host` machine, where the kernel is not ours: nothing that holds for the whole kernel is changed
//! (clock, settings, random numbers, console), and what only the kernel's owner may do is done otherwise or not at all.
//!
//! Whoever starts PID 1 there has made its namespaces and its root: `/proc`, device nodes by number (`/dev/1:3`), and
//! descriptors 0 (the export region, or nothing that can be mapped), 1 and 2 (the console).

use crate::settings;
use crate::sys;
use core::sync::atomic::{AtomicU8, Ordering};
use formats::say;
use formats::say::LineBuf;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};

/// 0: the kernel is ours. 1: it is the host's. 2: it is, and only one of its user's ids is mapped. 3: many are.
static KIND: AtomicU8 = AtomicU8::new(0);

/// Takes PID 1's last argument.
pub fn note(word: &[u8]) {
    match word {
        b"host" => KIND.store(1, Ordering::Relaxed),
        b"host-one-id" => KIND.store(2, Ordering::Relaxed),
        b"host-many-ids" => KIND.store(3, Ordering::Relaxed),
        _ => {}
    }
}

/// Whether the kernel is the host's.
pub fn is_shared() -> bool {
    KIND.load(Ordering::Relaxed) != 0
}

/// Whether there are no ids but root's: what the builder owns is root's too.
pub fn is_one_id() -> bool {
    KIND.load(Ordering::Relaxed) == 2
}

/// Whether this is the root of a user namespace of many ids, be it the kernel's first, and not of anybody else's.
pub fn has_own_users() -> bool {
    matches!(KIND.load(Ordering::Relaxed), 0 | 3)
}

/// Opens the host's device of this number, which can't be made in a user namespace.
pub fn device(major: u32, minor: u32, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut name = LineBuf::new();
    say!(&mut name, "/dev/", major, ":", minor, "\0");
    let name = core::ffi::CStr::from_bytes_until_nul(name.as_bytes()).unwrap_or_default();
    rustix::fs::open(name, flags | OFlags::CLOEXEC, Mode::empty())
}

/// Sets a limit, or as much of it as the host allows.
pub fn limit(resource: Resource, wanted: Rlimit) -> Result<(), Errno> {
    match rustix::process::setrlimit(resource, wanted) {
        Err(Errno::PERM) if is_shared() => {
            let most = rustix::process::getrlimit(resource).maximum;
            let at_most =
                |value: Option<u64>| value.map_or(most, |value| Some(value.min(most.unwrap_or(value))));
            let (current, maximum) = (at_most(wanted.current), at_most(wanted.maximum));
            rustix::process::setrlimit(resource, Rlimit { current, maximum })
        }
        result => result,
    }
}

/// Gives this process the builder's ids in a user namespace of its own, where they stand for its `own` two and there are no
/// others: everybody else's files are nobody's. The current folder is PID 1's /proc, since the step's can't be written to.
pub fn map((uid, gid): (u32, u32), own: (u32, u32)) -> Result<(), Errno> {
    sys::unshare(sys::NEW_USER)?;
    let (mut uids, mut gids) = (LineBuf::new(), LineBuf::new());
    say!(&mut uids, uid, " ", own.0, " 1");
    say!(&mut gids, gid, " ", own.1, " 1");
    settings::set(&[
        // None within it.
        (c"sys/user/max_user_namespaces", b"0"),
        (c"self/setgroups", b"deny"),
        (c"self/uid_map", uids.as_bytes()),
        (c"self/gid_map", gids.as_bytes()),
    ])
}
