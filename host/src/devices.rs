//! The device nodes that a step may have.
//!
//! They come from `/dev`. Root first covers that with one of this machine's own: the host's nodes have times that anybody may change and
//! locks that anybody may take, by which a step could speak to whoever else has the node. In a user namespace nobody can make a
//! node, so that other users' steps have those of the host, of which they can't change the times.

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, SFlag, UtimensatFlags, makedev, mknod, utimensat};
use nix::sys::time::TimeSpec;
use std::path::Path;

/// Name, major and minor number.
/// Source: the kernel's `Documentation/admin-guide/devices.txt`.
pub const DEVICES: [(&str, u64, u64); 6] =
    [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)];

/// Makes them, visible to this process alone and those that it starts. Where root may not do that, as in most containers, the host's
/// stay.
pub fn make_own() {
    let none: Option<&str> = None;
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    if unshare(CloneFlags::CLONE_NEWNS).is_err() || mount(none, "/", none, private, none).is_err() {
        return;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let covered = mount(Some("groundup"), "/dev", Some("tmpfs"), flags, Some("mode=755,size=64k"));
    if covered.is_ok() && make().is_err() {
        let _ = umount2("/dev", MntFlags::MNT_DETACH);
    }
}

fn make() -> nix::Result<()> {
    let one = TimeSpec::new(1, 0);
    for (name, major, minor) in DEVICES {
        let path = Path::new("/dev").join(name);
        mknod(&path, SFlag::S_IFCHR, Mode::empty(), makedev(major, minor))?;
        nix::sys::stat::fchmodat(
            nix::fcntl::AT_FDCWD,
            &path,
            Mode::from_bits_retain(0o666),
            nix::sys::stat::FchmodatFlags::FollowSymlink,
        )?;
        utimensat(nix::fcntl::AT_FDCWD, &path, &one, &one, UtimensatFlags::FollowSymlink)?;
    }
    Ok(())
}
