//! Giving a user namespace its ids, so that a builder has none of the host's: whoever has the same id could signal it. Root takes some
//! that nobody has, from above those of people, services and containers, and other ones for each run. Another user hands on what
//! `/etc/subuid` and `/etc/subgid` lend it, through the programs that may, newuidmap(1) and newgidmap(1).
//! Sources: user_namespaces(7); systemd's UIDS-GIDS.md for who has which.

use nix::unistd::{Gid, Uid};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};

/// How many ids there are, root's aside.
const COUNT: u32 = 65535;

/// How this stage ends where there are no ids that nobody has, and those of the host were taken.
pub const SHARED: u8 = 2;

/// Waits for a byte, which says that the namespace is there, and maps the ids of the process that made it.
pub fn map(process: &OsStr, way: &OsStr) -> Result<ExitCode, String> {
    let process = process.to_str().ok_or("no process")?;
    if std::io::stdin().read(&mut [0]).map_err(|error| error.to_string())? == 0 {
        return Ok(ExitCode::FAILURE);
    }
    let mut shared = false;
    let kinds = [("uid", Uid::current().as_raw()), ("gid", Gid::current().as_raw())];
    for (kind, id) in kinds {
        match way == "all" {
            true => shared |= apart(process, kind)?,
            false => lent(process, kind, id)?,
        }
    }
    Ok(if shared { ExitCode::from(SHARED) } else { ExitCode::SUCCESS })
}

/// Root inside is root; the others are nobody's, or stand for themselves, which is returned, where there are too few.
fn apart(process: &str, kind: &str) -> Result<bool, String> {
    let here = fs::read_to_string(format!("/proc/self/{kind}_map")).map_err(|error| error.to_string())?;
    let path = format!("/proc/{process}/{kind}_map");
    let write = |text: String| fs::write(&path, text).map_err(|error| format!("{path}: {error}"));
    let ranges = || {
        here.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.parse().ok()?, words.nth(1)?.parse().ok()?))
        })
    };
    match nobodys(ranges(), process.parse().unwrap_or(0)) {
        Some(start) => write(format!("0 0 1\n1 {start} {COUNT}\n")).map(|()| false),
        None => {
            write(ranges().map(|(start, count): (u32, u32)| format!("{start} {start} {count}\n")).collect())
                .map(|()| true)
        }
    }
}

/// The first of [`COUNT`] ids that nobody has, for this process, of the ranges that there are.
fn nobodys(ranges: impl Iterator<Item = (u32, u32)>, process: u32) -> Option<u32> {
    const BLOCK: u32 = 0x1_0000;
    // Above all that is given to anybody, below what some take for negative one.
    let far = 0x8000_0000 + process % 0x7000 * BLOCK;
    let mut highest = None;
    for (start, count) in ranges {
        let end = u64::from(start) + u64::from(count);
        if start <= far && u64::from(far) + u64::from(COUNT) <= end {
            return Some(far);
        }
        // A container has few ids; its first block is that of its people.
        if end >= u64::from(2 * BLOCK) && count >= COUNT {
            highest = highest.max(Some((end - u64::from(COUNT)) as u32));
        }
    }
    highest
}

/// Root inside is this user; the others are those that it is lent, if there are enough for everyone that a plan may name.
fn lent(process: &str, kind: &str, id: u32) -> Result<(), String> {
    let path = format!("/etc/sub{kind}");
    let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let user = nix::unistd::User::from_uid(Uid::current()).ok().flatten().map(|user| user.name);
    let (start, count) = range(&text, user.as_deref().unwrap_or_default(), Uid::current().as_raw())
        .ok_or_else(|| format!("{path} lends this user no 65535 ids"))?;
    let program = format!("new{kind}map");
    let words = [process.to_owned(), "0".into(), id.to_string(), "1".into(), "1".into(), start.to_string()];
    let status = Command::new(&program)
        .args(words)
        .arg(count.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// The first range of at least 65535 ids that belongs to the user by name or number. Source: subuid(5).
fn range(text: &str, user: &str, uid: u32) -> Option<(u32, u32)> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        let (start, count) = (fields.next()?.parse().ok()?, fields.next()?.trim().parse().ok()?);
        let ours = owner == user || owner.parse() == Ok(uid);
        (ours && count >= COUNT).then_some((start, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_machine_are_nobodys() {
        let all = |process| nobodys([(0, u32::MAX)].into_iter(), process).unwrap();
        assert_eq!(all(7), 0x8007_0000);
        assert_ne!(all(7), all(8));
        assert!(all(u32::MAX).checked_add(COUNT).is_some());
        // A container's: 65536 are its people's own.
        assert_eq!(nobodys([(0, 65536)].into_iter(), 7), None);
        assert_eq!(nobodys([(0, 1), (1, 65536)].into_iter(), 7), None);
        assert_eq!(nobodys([(0, 300_000)].into_iter(), 7), Some(300_000 - 65535));
    }

    #[test]
    fn a_range_belongs_to_a_name_or_a_number() {
        let text = "a:100:65536\nb:1:10\nb:200000:65536\n1003:300000:65535\nbad\n";
        assert_eq!(range(text, "a", 1), Some((100, 65536)));
        assert_eq!(range(text, "b", 2), Some((200_000, 65536)));
        assert_eq!(range(text, "c", 1003), Some((300_000, 65535)));
        assert_eq!(range(text, "d", 4), None);
    }
}
