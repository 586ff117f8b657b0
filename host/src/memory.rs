//! A machine is held to its memory by a control group of version 2, where there can be one: its parent, or the one that this program
//! is in, must hand the controller `memory` on, and let this user make a group in it. That is so for root under systemd, and for users
//! whose groups systemd delegates to them.
//!
//! What a step takes beyond its own memory is the image, once, as on other machines: so the whole machine has one limit, and the
//! builder is the first to be killed. Limits of single processes (setrlimit(2)) are no substitute: a step sees them, they count
//! address space where programs reserve much and use little, and a step has as many processes as it likes.
//!
//! A small process outside of the group waits until whoever made the machine is gone, in whichever way, and removes the group. Only if
//! that is killed too does an empty folder `groundup-NUMBER` remain.
//!
//! Sources: the kernel's `Documentation/admin-guide/cgroup-v2.rst`; cgroups(7); systemd's `CGROUP_DELEGATION.md`.

use super::next;
use std::ffi::OsStr;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::thread;
use std::time::Duration;

/// Makes a group of so many MiB, puts this process into it, and returns its folder. Nothing if there can be none.
pub fn hold(mebibytes: u64) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let own = own(&mounts, &fs::read_to_string("/proc/self/cgroup").ok()?)?;
    let name = format!("groundup-{}", std::process::id());
    let parents = [own.0.parent().filter(|_| own.0 != own.1), Some(&*own.0)];
    parents.into_iter().flatten().filter(|parent| hands_on(parent)).find_map(|parent| {
        let path = parent.join(&name);
        fs::create_dir(&path).ok()?;
        start(&path)?;
        fs::write(path.join("memory.max"), format!("{}", mebibytes << 20)).ok()?;
        // Where there is no swap, there is no such file.
        let _ = fs::write(path.join("memory.swap.max"), "0");
        fs::write(path.join("cgroup.procs"), "0").ok()?;
        Some(path)
    })
}

/// The folder of the group that this process is in, and that of the highest one that can be seen, from what the kernel says in
/// `/proc/self/mountinfo` and `/proc/self/cgroup`.
fn own(mounts: &str, groups: &str) -> Option<(PathBuf, PathBuf)> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let mut fields = fields.split(' ').skip(3);
        let (root, place) = (fields.next()?, fields.next()?);
        let below = Path::new(group).strip_prefix(root).ok().filter(|_| kind.starts_with("cgroup2 "))?;
        let place = PathBuf::from(place);
        Some((if below == Path::new("") { place.clone() } else { place.join(below) }, place))
    })
}

/// Whether groups in this one can have a limit of memory.
fn hands_on(parent: &Path) -> bool {
    let controllers = fs::read_to_string(parent.join("cgroup.subtree_control")).unwrap_or_default();
    controllers.split_whitespace().any(|controller| controller == "memory")
}

/// Starts what removes the group, before anybody is in it: it waits at its input for the end of this process.
fn start(path: &Path) -> Option<()> {
    let mut command = next("remove");
    command.arg(path).env_clear().current_dir("/");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        // Closed by the kernel, and not before.
        Ok(mut remover) => std::mem::forget(remover.stdin.take()),
        Err(_) => {
            let _ = fs::remove_dir(path);
            return None;
        }
    }
    Some(())
}

/// Waits until the process that made the group is gone, and removes the group with all that is still in it.
pub fn remove(path: &OsStr) -> Result<ExitCode, String> {
    // A signal to all that a terminal or a supervisor has started is none for this.
    nix::unistd::setsid().map_err(|errno| format!("setsid: {}", errno.desc()))?;
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let path = Path::new(path);
    for _ in 0..6000 {
        match fs::remove_dir(path) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {}
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(format!("{}: {error}", path.display()));
            }
            _ => return Ok(ExitCode::SUCCESS),
        }
        // Since Linux 5.14; before, those in it die with process 1 of their namespace.
        let _ = fs::write(path.join("cgroup.kill"), "1");
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!("{}: still in use", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_where_it_is_mounted() {
        let mounts = |root: &str, place: &str| {
            format!(
                "20 1 0:19 / /proc rw - proc proc rw\n29 23 0:26 {root} {place} rw,nosuid shared:9 - cgroup2 none rw\n"
            )
        };
        let found = |root: &str, place: &str, group: &str| {
            own(&mounts(root, place), &format!("4:memory:/x\n0::{group}\n"))
        };
        let paths = |own: &str, top: &str| Some((PathBuf::from(own), PathBuf::from(top)));
        assert_eq!(
            found("/", "/sys/fs/cgroup", "/user.slice/a.scope"),
            paths("/sys/fs/cgroup/user.slice/a.scope", "/sys/fs/cgroup")
        );
        assert_eq!(found("/", "/sys/fs/cgroup", "/"), paths("/sys/fs/cgroup", "/sys/fs/cgroup"));
        assert_eq!(found("/c", "/g", "/c/d"), paths("/g/d", "/g"));
        assert_eq!(found("/c", "/g", "/e"), None);
        assert_eq!(own("", "0::/\n"), None);
        assert_eq!(own(&mounts("/", "/g"), "4:memory:/x\n"), None);
    }
}
