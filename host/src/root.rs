//! The last stage, process 1 in its namespaces: unpacks the image into a root of its own, leaves the host's, and becomes `/init`.

use super::devices::DEVICES;
use super::{PERTURBED, refusal};
use images::Order;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Becomes `/init`; returns only when it can't. `group` is the folder of the control group that holds this process.
pub fn root(image: &Path, way: &OsStr, ids: &OsStr, group: Option<&Path>) -> Result<ExitCode, String> {
    let order = if way == PERTURBED { Order::Reversed } else { Order::Archive };
    if way == PERTURBED {
        one_cpu().map_err(|errno| format!("taking one CPU: {}", errno.desc()))?;
    }
    let file = File::open(image).map_err(|error| format!("{}: {error}", image.display()))?;
    // Any folder will do to put the new root on; this one is surely there, and nobody else sees it change.
    let place = image.parent().ok_or("the image is in no folder")?;
    make(&file, place, order)?;
    if let Some(group) = group {
        show(&group.join("memory.events"), &place.join("memory.events"))?;
    }
    leave(place).map_err(|errno| refusal::explain("leaving the host's root", errno))?;
    if ids == "hosts" {
        restrict().map_err(|errno| format!("dropping capabilities: {errno}"))?;
    }
    let console = std::io::stdout().as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
    let word = match ids.to_str() {
        Some("many") => "host-many-ids",
        Some("one") => "host-one-id",
        _ => "host",
    };
    let error = Command::new("/init").arg(word).env_clear().stderr(console).exec();
    Err(format!("/init: {error}"))
}

/// The last of those that this process may run on.
fn one_cpu() -> Result<(), Errno> {
    let here = Pid::from_raw(0);
    let all = sched_getaffinity(here)?;
    let last = (0..CpuSet::count()).rev().find(|&cpu| all.is_set(cpu).unwrap_or(false));
    let mut one = CpuSet::new();
    one.set(last.ok_or(Errno::ENOENT)?)?;
    sched_setaffinity(here, &one)
}

fn make(image: &File, place: &Path, order: Order) -> Result<(), String> {
    let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
    let none: Option<&str> = None;
    let refused = |what: &'static str| move |errno: Errno| refusal::explain(what, errno);
    mount(none, "/", none, private, none).map_err(refused("making mounts private"))?;
    // As the kernel's own root: no limit but memory, and what is read does not change.
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOATIME;
    mount(Some("groundup"), place, Some("tmpfs"), flags, Some("mode=755,size=100%,nr_inodes=0"))
        .map_err(refused("mounting a root"))?;
    images::unpack(image, place, order).map_err(|error| error.to_string())?;
    let (dev, proc) = (place.join("dev"), place.join("proc"));
    for folder in [&dev, &proc] {
        fs::create_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    for (name, major, minor) in DEVICES {
        let node = dev.join(format!("{major}:{minor}"));
        File::create(&node).map_err(|error| format!("{}: {error}", node.display()))?;
        mount(Some(&Path::new("/dev").join(name)), &node, none, MsFlags::MS_BIND, none)
            .map_err(|errno| refusal::explain(&format!("/dev/{name}"), errno))?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
    mount(Some("proc"), &proc, Some("proc"), flags, none).map_err(refused("mounting /proc"))
}

/// Process 1 reads there how many of the machine's processes were killed for want of memory.
fn show(events: &Path, place: &Path) -> Result<(), String> {
    File::create(place).map_err(|error| format!("{}: {error}", place.display()))?;
    let none: Option<&str> = None;
    mount(Some(events), place, none, MsFlags::MS_BIND, none)
        .map_err(|errno| refusal::explain(&events.display().to_string(), errno))
}

/// Source: pivot_root(2), "pivot_root(".", ".")".
fn leave(place: &Path) -> Result<(), Errno> {
    nix::unistd::chdir(place)?;
    nix::unistd::pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    nix::unistd::chdir("/")
}

/// Without a user namespace, root's rights are the host's. What is left of them works inside the other namespaces.
fn restrict() -> Result<(), rustix::io::Errno> {
    use rustix::thread::CapabilitySet as Set;
    let keep = Set::CHOWN
        | Set::DAC_OVERRIDE
        | Set::DAC_READ_SEARCH
        | Set::FOWNER
        | Set::KILL
        | Set::SETGID
        | Set::SETUID
        | Set::SETPCAP
        | Set::NET_ADMIN
        | Set::SYS_CHROOT
        | Set::SYS_ADMIN
        | Set::SYS_RESOURCE;
    for capability in Set::all().difference(keep).iter() {
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // One that this kernel does not know.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}
