//! Why this host lets nobody make namespaces, in words that say what to change.

use std::fs;

/// Settings that forbid user namespaces, each with the value that does.
/// Sources: user_namespaces(7); Debian's and Ubuntu's patches to the kernel for the other two.
const SETTINGS: [(&str, &str, &str); 3] = [
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "10000"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
];

/// Why a machine can't be held to its memory.
pub const NO_GROUP: &str = "--memory: no control group can hold the host machine to its memory here: that takes control groups of version 2 \
                            whose controller `memory` is handed on to this user, as systemd does with `Delegate=memory`; without --memory \
                            steps are not held to anything, and the record says so";

/// The reason, after `what` failed with `errno`.
pub fn explain(what: &str, errno: nix::errno::Errno) -> String {
    explain_with(what, errno, |name| {
        fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).unwrap_or_default()
    })
}

fn explain_with(what: &str, errno: nix::errno::Errno, read: impl Fn(&str) -> String) -> String {
    let forbidding = SETTINGS.iter().find(|(name, forbids, _)| read(name).trim() == *forbids);
    let why = match forbidding {
        Some((name, value, allows)) => format!(
            "the setting {name} is {value}: `sysctl {name}={allows}` as root allows what is needed, or run this as root"
        ),
        None => "neither user namespaces nor root's rights can be had here; in a container, its seccomp filter and \
                 masked /proc forbid them: run it privileged, or use `--machine strict`, which needs neither"
            .to_owned(),
    };
    format!("the host machine can not be made: {what}: {}; {why}", errno.desc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;

    #[test]
    fn the_setting_that_forbids_is_named() {
        for (name, value, _) in SETTINGS {
            let read = |asked: &str| if asked == name { format!("{value}\n") } else { "7\n".to_owned() };
            let text = explain_with("unshare", Errno::EPERM, read);
            assert!(text.contains(&format!("the setting {name} is {value}: ")), "{text}");
        }
        let text = explain_with("unshare", Errno::EPERM, |_| String::new());
        assert!(text.contains("in a container"), "{text}");
    }
}
