//! Steps as text. The grammar is in the documentation of `formats::plan`.

use std::fmt::{Display, Write};

use super::step::{Bind, Device, From, Owner, PidOne, RESOURCES, RootfsEntry, Rules, Step, Whole};
use super::{Failure, Inputs, Resolved};

/// The first lines of a plan.
pub(super) fn head(failure: Failure, entropy: &str) -> String {
    let failure = match failure {
        Failure::Stop => "stop",
        Failure::Continue => "continue",
    };
    format!("groundup plan 1\nentropy {entropy}\nfailure {failure}\n")
}

/// The line of an input.
pub(super) fn input(text: &mut String, name: &str, input: &Resolved, asked: Inputs) {
    match asked {
        Inputs::Verified => line(text, "input", &[&field(name), &input.kind.word(), &input.sha256]),
        Inputs::Unverified => {
            line(text, "input", &[&field(name), &input.kind.word(), &input.sha256, &"unverified"]);
        }
    }
}

/// The line that tells what an input refers to.
pub(super) fn refers(text: &mut String, name: &str, base: &str) {
    line(text, "refers", &[&field(name), &field(base)]);
}

/// The line that frees an input, or the outputs of a step.
pub(super) fn drop(text: &mut String, what: &str, name: &str) {
    line(text, "drop", &[&what, &field(name)]);
}

/// The lines of a step.
pub(super) fn step(text: &mut String, step: &Step) {
    line(text, "step", &[&field(&step.name)]);
    line(text, "uid", &[&step.uid]);
    line(text, "gid", &[&step.gid]);
    line(text, "umask", &[&mode(step.umask)]);
    line(text, "host", &[&field(&step.host)]);
    line(text, "domain", &[&field(&step.domain)]);
    line(text, "clock", &[&step.clock]);
    line(text, "personality", &[&format_args!("{:x}", step.personality)]);
    let pid_one = match step.pid_one {
        PidOne::Init => "init",
        PidOne::Builder => "builder",
    };
    line(text, "pid-one", &[&pid_one]);
    line(text, "loopback", &[&if step.loopback { "up" } else { "down" }]);
    line(text, "log", &[&if step.terminal { "terminal" } else { "pipe" }]);
    let rules = match step.rules {
        Rules::Groundup => "groundup",
        Rules::Nix => "nix",
        Rules::Guix => "guix",
    };
    line(text, "rules", &[&rules]);
    line(text, "time-limit", &[&step.time_limit]);
    line(text, "log-limit", &[&step.log_limit]);
    line(text, "space-limit", &[&step.space_limit]);
    for (resource, (soft, hard)) in RESOURCES.iter().zip(step.limits) {
        line(text, "limit", &[resource, &limit(soft), &limit(hard)]);
    }
    for name in formats::plan::VARIED {
        if let Some(value) = step.vary.get(name) {
            line(text, "vary", &[name, value]);
        }
    }
    step.world.iter().for_each(|part| world(text, part));
    line(text, "cwd", &[&field(&step.cwd)]);
    line(text, "builder", &[&field(&step.builder)]);
    for arg in &step.args {
        line(text, "arg", &[&rest(arg)]);
    }
    for (name, value) in &step.env {
        line(text, "env", &[&rest(&format!("{name}={value}"))]);
    }
    for output in &step.outputs {
        let whole = match output.expect.as_ref().and_then(|expect| expect.whole.as_ref()) {
            None => "-".to_owned(),
            Some(Whole::Nar(hash)) => hash.clone(),
            Some(Whole::Flat(hash)) => format!("flat:{hash}"),
        };
        line(text, "output", &[&field(&output.name), &field(&output.path), &whole]);
        for (path, sha256) in output.expect.iter().flat_map(|expect| &expect.files) {
            line(text, "expect-file", &[&field(path), sha256]);
        }
    }
    line(text, "end", &[]);
}

fn world(text: &mut String, part: &RootfsEntry) {
    match part {
        RootfsEntry::Dir(path, bits, owner) => {
            let owner = match owner {
                Owner::Root => "root",
                Owner::Builder => "builder",
            };
            line(text, "dir", &[&field(path), &mode(*bits), &owner]);
        }
        RootfsEntry::File(path, bits, content) => {
            line(text, "file", &[&field(path), &mode(*bits), &rest(content)]);
        }
        RootfsEntry::Link(path, target) => line(text, "link", &[&field(path), &field(target)]),
        RootfsEntry::Device(path, device) => {
            let device = match device {
                Device::Null => "null",
                Device::Zero => "zero",
                Device::Full => "full",
                Device::Random => "random",
                Device::Urandom => "urandom",
                Device::Tty => "tty",
            };
            line(text, "device", &[&field(path), &device]);
        }
        RootfsEntry::Proc(path) => line(text, "proc", &[&field(path)]),
        RootfsEntry::Pts(path) => line(text, "pts", &[&field(path)]),
        RootfsEntry::Shm(path) => line(text, "shm", &[&field(path)]),
        RootfsEntry::Closure => line(text, "closure", &[]),
        RootfsEntry::Store(path, bits) => line(text, "store", &[&field(path), &mode(*bits)]),
        RootfsEntry::Bind(Bind { path, from, inside }) => {
            let (kind, mut what) = match from {
                From::Input(name) => ("input", name.clone()),
                From::Output { step, base } => ("output", format!("{step}/{base}")),
            };
            if let Some(inside) = inside {
                what.push('/');
                what.push_str(inside);
            }
            line(text, "bind", &[&kind, &field(&what), &field(path)]);
        }
    }
}

fn line(text: &mut String, directive: &str, fields: &[&dyn Display]) {
    text.push_str(directive);
    for field in fields {
        // Writing to a string cannot fail.
        let _ = write!(text, " {field}");
    }
    text.push('\n');
}

fn mode(bits: u32) -> String {
    format!("{bits:04o}")
}

fn limit(value: Option<u64>) -> String {
    value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string())
}

/// A field that ends at a space.
fn field(text: &str) -> String {
    escape(text, true)
}

/// The last field of a line in which spaces stand as they are.
fn rest(text: &str) -> String {
    escape(text, false)
}

fn escape(text: &str, spaces: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            '\0'..='\x1f' | '\x7f' => escaped.push_str(&format!("\\x{:02x}", u32::from(c))),
            ' ' if spaces => escaped.push_str("\\x20"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_spelling() {
        assert_eq!(field("a b\\\n\t\r\x00\x1b\x7fé"), "a\\x20b\\\\\\n\\t\\r\\x00\\x1b\\x7fé");
        assert_eq!(rest(" a b "), " a b ");
    }
}
