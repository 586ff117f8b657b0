//! Variations of what a plan says of a step.

use super::PinnedEnv;
use crate::plan::{Owner, RootfsEntry, Step};
use std::borrow::Cow;

/// ADDR_NO_RANDOMIZE, `linux/personality.h`; the others are from there too.
pub(super) const NO_RANDOMIZE: u32 = 0x0004_0000;
const COMPAT_LAYOUT: u32 = 0x0020_0000;
const UNAME26: u32 = 0x0002_0000;
const LINUX32: u32 = 0x0008;

/// 398 days, 7 hours, 13 minutes and 11 seconds: another year, month, day, weekday, hour, minute and second.
const LATER: u64 = ((398 * 24 + 7) * 60 + 13) * 60 + 11;
/// Where a build directory is moved to.
const ELSEWHERE: &str = "/another-build/in/a/deeper/folder";
const HOME: &str = "/home-of-another";

pub(super) fn uname(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    step.personality |= UNAME26 | LINUX32;
    true
}

pub(super) fn map_base(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    step.personality |= COMPAT_LAYOUT;
    true
}

pub(super) fn build_path(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    let old = step.cwd.clone();
    let is_made = |world: &RootfsEntry| matches!(world, RootfsEntry::Dir(path, ..) if *path == old);
    if !step.world.iter().any(is_made) {
        return false;
    }
    // The old one stays, for whoever names it.
    let folders = ELSEWHERE.match_indices('/').skip(1).map(|(at, _)| &ELSEWHERE[..at]);
    let folders = folders.map(|path| RootfsEntry::Dir(path.into(), 0o755, Owner::Root));
    step.world.extend(folders);
    step.world.push(RootfsEntry::Dir(ELSEWHERE.into(), 0o755, Owner::Builder));
    // Where a build directory is spelled out for the builder, but for what is known as its user's home.
    for value in step.env.iter_mut().filter(|(name, _)| *name != "HOME").map(|(_, value)| value) {
        if *value == old || value.starts_with(&format!("{old}/")) {
            value.replace_range(..old.len(), ELSEWHERE);
        }
    }
    step.cwd = ELSEWHERE.to_owned();
    true
}

pub(super) fn date(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    step.clock += LATER;
    true
}

/// Sets variables, but for those that the derivation pins; `false` if it pins the first.
fn set(step: &mut Step, own: &PinnedEnv<'_>, variables: &[(&str, &str)]) -> bool {
    for (name, value) in variables.iter().filter(|(name, _)| !own.env.contains(*name)) {
        step.env.insert((*name).to_owned(), (*value).to_owned());
    }
    !own.env.contains(variables[0].0)
}

pub(super) fn time_zone(step: &mut Step, own: &PinnedEnv<'_>) -> bool {
    // As POSIX spells it, so that no table of zones is needed.
    set(step, own, &[("TZ", "XYZ13:30")])
}

pub(super) fn encoding(step: &mut Step, own: &PinnedEnv<'_>) -> bool {
    set(step, own, &[("LC_ALL", "C"), ("LANG", "C")])
}

pub(super) fn locale(step: &mut Step, own: &PinnedEnv<'_>) -> bool {
    set(step, own, &[("LC_ALL", "et_EE.UTF-8"), ("LANG", "et_EE.UTF-8"), ("LANGUAGE", "et")])
}

pub(super) fn heap_contents(step: &mut Step, own: &PinnedEnv<'_>) -> bool {
    set(step, own, &[("MALLOC_PERTURB_", "165")])
}

pub(super) fn environment(step: &mut Step, own: &PinnedEnv<'_>) -> bool {
    set(step, own, &[("A_VARIABLE_MORE", "of no meaning"), ("_Z_VARIABLE_MORE", &"long ".repeat(40))])
}

pub(super) fn umask_002(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    step.umask = 0o002;
    true
}

pub(super) fn umask_077(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    step.umask = 0o077;
    true
}

pub(super) fn host(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    step.host = Cow::Borrowed("another-host");
    edit(step, "/etc/hosts", |text| format!("{text}127.0.1.1 another-host\n"));
    true
}

pub(super) fn domain(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    step.domain = Cow::Borrowed("another.domain.example");
    true
}

/// Changes a file of the step's world, if it has it.
fn edit(step: &mut Step, path: &str, change: impl Fn(&str) -> String) {
    for world in &mut step.world {
        if let RootfsEntry::File(name, _, text) = world
            && name == path
        {
            *text = Cow::Owned(change(text));
        }
    }
}

/// Changes a field of the step's user in passwd(5).
fn passwd(step: &mut Step, field: usize, value: &str) {
    let uid = step.uid.to_string();
    change_line(step, "/etc/passwd", &uid, field, value);
}

/// Changes a field of the lines whose third one is `id`, in passwd(5) and group(5).
fn change_line(step: &mut Step, path: &str, id: &str, field: usize, value: &str) {
    edit(step, path, |text| {
        let line = |line: &str| {
            let mut fields: Vec<&str> = line.split(':').collect();
            if fields.get(2) == Some(&id) && field < fields.len() {
                fields[field] = value;
            }
            fields.join(":") + "\n"
        };
        text.lines().map(line).collect()
    });
}

/// What a build finds although none of its inputs holds it. (What an input holds is declared.)
pub(super) fn undeclared(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    let before = step.world.len();
    let gone =
        |world: &RootfsEntry| matches!(world, RootfsEntry::File(path, ..) if path.starts_with("/etc/"));
    step.world.retain(|world| !gone(world));
    step.world.len() < before
}

pub(super) fn user_id(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    passwd(step, 2, "2345");
    step.uid = 2345;
    true
}

pub(super) fn group_id(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    let gid = step.gid.to_string();
    passwd(step, 3, "3456");
    change_line(step, "/etc/group", &gid, 2, "3456");
    step.gid = 3456;
    true
}

pub(super) fn user_name(step: &mut Step, own: &PinnedEnv<'_>) -> bool {
    passwd(step, 0, "somebody");
    let known = |name: &&str| step.env.contains_key(*name);
    let names: Vec<_> =
        ["USER", "LOGNAME"].into_iter().filter(known).map(|name| (name, "somebody")).collect();
    names.is_empty() || set(step, own, &names)
}

pub(super) fn home(step: &mut Step, own: &PinnedEnv<'_>) -> bool {
    passwd(step, 5, HOME);
    step.world.push(RootfsEntry::Dir(HOME.into(), 0o755, Owner::Builder));
    set(step, own, &[("HOME", HOME)])
}

/// What a build needs is left: only limits that are high are lowered, by an eighth, and those that are not there are set high.
pub(super) fn limits(step: &mut Step, _: &PinnedEnv<'_>) -> bool {
    const HIGH: u64 = 1 << 47;
    let before = step.limits;
    for (soft, hard) in &mut step.limits {
        *soft = match *soft {
            None => Some(hard.map_or(HIGH, |hard| hard.min(HIGH))),
            Some(low) if low < 64 => Some(low),
            Some(high) => Some(high - high / 8),
        };
    }
    step.limits != before
}
