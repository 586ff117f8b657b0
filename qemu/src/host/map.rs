//! Giving a user namespace its ids. Root hands on all the ids it has, as they are. Another user hands on what
//! `/etc/subuid` and `/etc/subgid` lend it, through the programs that may, newuidmap(1) and newgidmap(1).
//! Source: user_namespaces(7).

use nix::unistd::{Gid, Uid};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};

/// Waits for a byte, which says that the namespace is there, and maps the ids of the process that made it.
pub fn map(process: &OsStr, way: &OsStr) -> Result<ExitCode, String> {
    let process = process.to_str().ok_or("no process")?;
    if std::io::stdin().read(&mut [0]).map_err(|error| error.to_string())? == 0 {
        return Ok(ExitCode::FAILURE);
    }
    let kinds = [("uid", Uid::current().as_raw()), ("gid", Gid::current().as_raw())];
    for (kind, id) in kinds {
        match way == "all" {
            true => identity(process, kind)?,
            false => lent(process, kind, id)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Every id stands for itself.
fn identity(process: &str, kind: &str) -> Result<(), String> {
    let here = fs::read_to_string(format!("/proc/self/{kind}_map")).map_err(|error| error.to_string())?;
    let mut text = String::new();
    for line in here.lines() {
        let mut words = line.split_whitespace();
        if let (Some(inside), _, Some(count)) = (words.next(), words.next(), words.next()) {
            text.push_str(&format!("{inside} {inside} {count}\n"));
        }
    }
    let path = format!("/proc/{process}/{kind}_map");
    fs::write(&path, text).map_err(|error| format!("{path}: {error}"))
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
        (ours && count >= 65535).then_some((start, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_belongs_to_a_name_or_a_number() {
        let text = "a:100:65536\nb:1:10\nb:200000:65536\n1003:300000:65535\nbad\n";
        assert_eq!(range(text, "a", 1), Some((100, 65536)));
        assert_eq!(range(text, "b", 2), Some((200_000, 65536)));
        assert_eq!(range(text, "c", 1003), Some((300_000, 65535)));
        assert_eq!(range(text, "d", 4), None);
    }
}
