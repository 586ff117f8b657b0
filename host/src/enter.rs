//! The first stage: makes the namespaces, lets their ids be mapped, and waits for the process 1 in them.

use super::{HELD, ONE_ID, SHARED_IDS, devices, map, memory, next, refusal};
use crate::parent::end_with_parent;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::process::{Child, ExitCode, Stdio};

/// `CLONE_NEWTIME` of `include/uapi/linux/sched.h`.
const TIME: CloneFlags = CloneFlags::from_bits_retain(0x80);

/// How many ids the machine has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    /// All that a plan may name.
    Many,
    /// One.
    One,
    /// The host's, since there is no user namespace.
    Hosts,
}

impl Ids {
    fn word(self) -> &'static str {
        match self {
            Ids::Many => "many",
            Ids::One => "one",
            Ids::Hosts => "hosts",
        }
    }
}

/// Makes the machine, of so many MiB, and waits for its end. If it `must` be held to them and can not be, that is an error.
pub fn enter(image: &OsStr, way: &OsStr, mebibytes: &OsStr, must: bool) -> Result<ExitCode, String> {
    // A signal to whoever started us, from a terminal, is for that one to deal with.
    nix::unistd::setsid().map_err(|errno| format!("setsid: {}", errno.desc()))?;
    let parent = rustix::process::getppid();
    // Where memory is short, this program stays. What root with CAP_SYS_RESOURCE started can't take it back.
    let _ = fs::write("/proc/self/oom_score_adj", "500");
    // Before there is a user namespace, in which nobody can make any.
    if Uid::current().is_root() && fs::canonicalize(image).is_ok_and(|image| !image.starts_with("/dev")) {
        devices::make_own();
    }
    // Before there are namespaces, in which no group can be made or removed.
    let mebibytes = mebibytes.to_str().and_then(|number| number.parse().ok()).ok_or("no size of memory")?;
    let group = memory::hold(mebibytes);
    match &group {
        Some(_) => eprintln!("{HELD}"),
        None if must => return Err(refusal::NO_GROUP.to_owned()),
        None => {}
    }
    let ids = user_namespace()?;
    // Other rights let the kernel forget whom this process ends with.
    let signal = Some(rustix::process::Signal::KILL);
    rustix::process::set_parent_process_death_signal(signal).map_err(|errno| errno.to_string())?;
    if rustix::process::getppid() != parent {
        return Err("whoever started the host machine is gone".to_owned());
    }
    if ids == Ids::One {
        eprintln!("{ONE_ID}");
    }
    let others = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    unshare(others).map_err(|errno| refusal::explain("unshare", errno))?;
    // Process 1 gives each step a time namespace; here it has no right to set its clocks. Since Linux 5.6; without it the host's
    // uptime can be seen, which is all.
    if ids == Ids::Hosts && unshare(TIME).is_ok() {
        let _ = start_time_now();
    }
    let mut command = next("root");
    command.arg(image).arg(way).arg(ids.word()).args(&group);
    let mut init = end_with_parent(&mut command).spawn().map_err(|error| format!("process 1: {error}"))?;
    let status = init.wait().map_err(|error| format!("process 1: {error}"))?;
    Ok(status.code().map_or(ExitCode::from(3), |code| ExitCode::from(code as u8)))
}

fn user_namespace() -> Result<Ids, String> {
    let (uid, gid) = (Uid::current(), Gid::current());
    let root = uid.is_root();
    // Started before, since whoever is inside has no rights outside any more.
    let mut mapper = next("map");
    mapper.arg(std::process::id().to_string()).arg(if root { "all" } else { "lent" });
    mapper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mapper = end_with_parent(&mut mapper).spawn().map_err(|error| format!("mapping ids: {error}"))?;
    let made = unshare(CloneFlags::CLONE_NEWUSER);
    let mapped = end(mapper, made.is_ok());
    match made {
        Ok(()) if mapped.is_some() => {
            if mapped == Some(map::SHARED) {
                eprintln!("{SHARED_IDS}");
            }
            Ok(Ids::Many)
        }
        Ok(()) if root => Err("the ids of the user namespace could not be mapped".to_owned()),
        Ok(()) => one(uid, gid).map(|()| Ids::One),
        Err(_) if root => Ok(Ids::Hosts),
        Err(errno) => Err(refusal::explain("unshare", errno)),
    }
}

/// Lets the mapper know whether there is something to do, and waits until it is done. How it did it, if it did.
fn end(mut mapper: Child, go: bool) -> Option<u8> {
    let answered = mapper.stdin.take().map(|mut stdin| if go { stdin.write_all(b"x") } else { Ok(()) });
    let status = mapper.wait().ok()?.code()?;
    let done = status == 0 || status == i32::from(map::SHARED);
    if done && matches!(answered, Some(Ok(()))) { u8::try_from(status).ok() } else { None }
}

/// Root inside is this user, and there is nobody else.
fn one(uid: Uid, gid: Gid) -> Result<(), String> {
    let lines = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ];
    lines.iter().try_for_each(|(file, text)| {
        fs::write(format!("/proc/self/{file}"), text).map_err(|error| {
            let errno = error.raw_os_error().map_or(Errno::EPERM, Errno::from_raw);
            refusal::explain(&format!("/proc/self/{file}"), errno)
        })
    })
}

/// The clocks that count from the start of the kernel count from now for process 1.
/// Source: time_namespaces(7).
fn start_time_now() -> std::io::Result<()> {
    let uptime = fs::read_to_string("/proc/uptime")?;
    let seconds = uptime.split('.').next().unwrap_or("0");
    fs::write("/proc/self/timens_offsets", format!("monotonic -{seconds} 0\nboottime -{seconds} 0\n"))
}
