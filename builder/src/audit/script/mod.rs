//! The plan as a POSIX shell script: a second executor, so that `/init` is no single point of trust. Pure.
//!
//! `head.sh` says what each line of a plan means; below it stands the plan, one section a step, nearly line by line. What a
//! shell can not do is an error, never left out in silence; what `head.sh` leaves out on purpose, it says at its head.

use formats::plan::{Expected, Item, Kind, OnFailure, Plan, RESOURCES, RootfsEntry, Rules, Source, Step};
use std::fmt::Write;

/// What does not depend on the plan.
const HEAD: &str = include_str!("head.sh");
/// ADDR_NO_RANDOMIZE, `linux/personality.h`: the whole machine has it.
const NO_RANDOMIZE: u32 = 0x0004_0000;

/// Why a plan has no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no plan.
    #[error("the plan, {0}")]
    Plan(formats::plan::Error),
    /// A step needs what a shell can not do.
    #[error("step {step}: {what}")]
    Step {
        /// The step.
        step: String,
        /// What it needs.
        what: String,
    },
}

/// The script that does what a plan says.
pub fn script(plan: &[u8]) -> Result<Vec<u8>, Error> {
    let read = Plan::read(plan).map_err(Error::Plan)?;
    let on_failure = match read.on_failure {
        OnFailure::Stop => "stop",
        OnFailure::Continue => "continue",
    };
    let items: Vec<_> = read.collect::<Result<_, _>>().map_err(Error::Plan)?;
    let total = items.iter().filter(|item| matches!(item, Item::Step(_))).count();
    let mut text = Text(HEAD.as_bytes().to_vec());
    text.line("", &[]);
    text.raw(&format!("over= on_failure={on_failure}\nstart\n"));
    text.raw(&format!("say 'groundup 1 {}'\n", crate::hash(plan)));
    let mut number = 0;
    for item in &items {
        match item {
            Item::Input(input) => {
                let kind = match input.kind {
                    Kind::File => "file",
                    Kind::Exec => "exec",
                    Kind::Tree => "tree",
                    Kind::Data => "data",
                };
                if !input.verified {
                    text.raw(&format!(
                        "# The plan has nobody ask for the hash of {}. This script does.\n",
                        input.name
                    ));
                }
                text.line("input", &[input.name.as_bytes(), kind.as_bytes(), hex(&input.sha256).as_bytes()]);
            }
            // Only steps with a closure look at it, and those are refused.
            Item::Refers(..) => {}
            Item::DropInput(name) => text.line("drop_input", &[name.as_bytes()]),
            Item::DropOutput(name) => text.line("drop_output", &[name.as_bytes()]),
            Item::Step(step) => {
                number += 1;
                text.raw(&format!("\n# Step {number} of {total}: {}\n", step.name));
                section(&mut text, step).map_err(|what| Error::Step { step: step.name.to_string(), what })?;
            }
        }
    }
    text.raw("\nend \"$@\"\n");
    Ok(text.0)
}

fn section(text: &mut Text, step: &Step<'_>) -> Result<(), String> {
    let foreign =
        |line| matches!(line, RootfsEntry::Pts { .. } | RootfsEntry::Shm { .. } | RootfsEntry::Closure);
    if step.terminal || step.rules != Rules::Groundup || step.world().any(foreign) {
        return Err("it is a derivation of Nix or Guix, whose world a shell can not make".into());
    }
    let mut needs: Vec<Vec<u8>> = step.world().filter_map(needed).collect();
    needs.dedup();
    let words: Vec<&[u8]> =
        std::iter::once(step.name.as_bytes()).chain(needs.iter().map(Vec::as_slice)).collect();
    text.words("begin", &words);
    text.raw(" && {\n");
    let number = |number: u64| number.to_string().into_bytes();
    let mode = |mode: u32| format!("{mode:04o}").into_bytes();
    let user = user(step)?;
    let (uid, gid) = (number(step.uid.into()), number(step.gid.into()));
    text.inner("identity", &[&uid, &gid, &user]);
    text.inner("surroundings", &[step.host.as_bytes(), &bytes(step.domain.bytes()), &number(step.clock)]);
    text.inner("loopback", &[if step.loopback { b"up" } else { b"down" }]);
    text.inner("space", &[&number(step.space_limit), &mode(step.store_mode)]);
    if step.personality & !NO_RANDOMIZE != 0 {
        return Err(format!(
            "its personality is {:x}, and a shell can set no other than 40000",
            step.personality
        ));
    }
    for (resource, (soft, hard)) in RESOURCES.iter().zip(step.limits) {
        let bound = |bound: Option<u64>| bound.map_or_else(|| b"unlimited".to_vec(), number);
        text.inner("limit", &[resource.as_bytes(), &bound(soft), &bound(hard)]);
    }
    step.world().for_each(|line| world(text, line));
    if !step.world().any(|line| matches!(line, RootfsEntry::Proc { path } if path.spelled() == b"/proc")) {
        return Err("it has no /proc, by which busybox is started in its root".into());
    }
    let builder = bytes(step.builder.bytes());
    let mut args = step.args().map(|arg| bytes(arg.bytes()));
    let base = builder.rsplit(|&byte| byte == b'/').next();
    if args.next().as_deref() != base {
        return Err("its builder is called by another name than its file's, which a shell can not do".into());
    }
    let head = [mode(step.umask), number(step.time_limit), bytes(step.cwd.bytes()), builder];
    text.inner_list("run", &head, step.env().map(|variable| bytes(variable.bytes())), args);
    for output in step.outputs() {
        let expected = match output.expected {
            None => "-".to_owned(),
            Some(Expected::Nar(hash)) => hex(&hash),
            Some(Expected::Flat(hash)) => format!("flat:{}", hex(&hash)),
        };
        text.inner("output", &[output.name.as_bytes(), output.base.as_bytes(), expected.as_bytes()]);
        for (path, hash) in output.files() {
            text.inner("expect_file", &[&bytes(path.bytes()), hex(&hash).as_bytes()]);
        }
    }
    text.raw("    finish\n}\n");
    Ok(())
}

/// Where something that is bound comes from, without the way inside it.
fn needed(line: RootfsEntry<'_>) -> Option<Vec<u8>> {
    let RootfsEntry::Bind { source, .. } = line else { return None };
    let (folder, field, components) = match source {
        Source::Input(field) => ("/verified/", field, 1),
        Source::Output(field) => ("/stores/", field, 2),
    };
    let names: Vec<Vec<u8>> =
        bytes(field.bytes()).split(|&byte| byte == b'/').take(components).map(<[u8]>::to_vec).collect();
    Some([folder.as_bytes(), &names.join(&b'/')].concat())
}

/// The builder's user by name, as busybox's su wants it.
fn user(step: &Step<'_>) -> Result<Vec<u8>, String> {
    let passwd = step.world().find_map(|line| match line {
        RootfsEntry::File { path, text, .. } if path.spelled() == b"/etc/passwd" => Some(bytes(text.bytes())),
        _ => None,
    });
    let (uid, gid) = (step.uid.to_string(), step.gid.to_string());
    let passwd = passwd.unwrap_or_default();
    let found = passwd.split(|&byte| byte == b'\n').find_map(|line| {
        let fields: Vec<_> = line.split(|&byte| byte == b':').collect();
        (fields.get(2) == Some(&uid.as_bytes()) && fields.get(3) == Some(&gid.as_bytes())).then(|| fields[0])
    });
    found.map(<[u8]>::to_vec).ok_or_else(|| format!("its /etc/passwd names no user {uid} in group {gid}"))
}

fn world(text: &mut Text, line: RootfsEntry<'_>) {
    let mode = |mode: u32| format!("{mode:04o}").into_bytes();
    match line {
        RootfsEntry::Dir { path, mode: bits, builder } => {
            let owner: &[u8] = if builder { b"builder" } else { b"root" };
            text.inner("dir", &[&mode(bits), owner, &bytes(path.bytes())]);
        }
        RootfsEntry::File { path, mode: bits, text: content } => {
            text.inner("file", &[&mode(bits), &bytes(path.bytes()), &format(content.bytes())]);
        }
        RootfsEntry::Link { path, target } => {
            text.inner("link", &[&bytes(target.bytes()), &bytes(path.bytes())])
        }
        RootfsEntry::Device { path, minor, major } => {
            let (major, minor) = (major.to_string(), minor.to_string());
            text.inner("device", &[major.as_bytes(), minor.as_bytes(), &bytes(path.bytes())]);
        }
        RootfsEntry::Proc { path } => text.inner("proc", &[&bytes(path.bytes())]),
        // Refused before.
        RootfsEntry::Pts { .. } | RootfsEntry::Shm { .. } | RootfsEntry::Closure => {}
        RootfsEntry::Store { path, .. } => text.inner("store", &[&bytes(path.bytes())]),
        RootfsEntry::Bind { source, path } => {
            let (folder, field) = match source {
                Source::Input(field) => ("/verified/", field),
                Source::Output(field) => ("/stores/", field),
            };
            let from = [folder.as_bytes(), &bytes(field.bytes())].concat();
            text.inner("bind", &[&from, &bytes(path.bytes())]);
        }
    }
}

fn bytes(iterator: impl Iterator<Item = u8>) -> Vec<u8> {
    iterator.collect()
}

fn hex(digest: &[u8]) -> String {
    formats::hex::text(digest)
}

/// Bytes as a format of printf's, which can hold all of them.
fn format(content: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut format = String::new();
    for byte in content {
        match byte {
            // Else printf would take it for an option.
            b'-' if format.is_empty() => format.push_str("\\055"),
            b'\n' => format.push_str("\\n"),
            b'\\' => format.push_str("\\\\"),
            b'%' => format.push_str("%%"),
            b' '..=b'~' => format.push(char::from(byte)),
            // Writing to a string can not fail.
            _ => drop(write!(format, "\\{byte:03o}")),
        }
    }
    format.into_bytes()
}

/// The script so far. Bytes, since paths and arguments may be any.
struct Text(Vec<u8>);

impl Text {
    fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    fn words(&mut self, command: &str, words: &[&[u8]]) {
        self.raw(command);
        for word in words {
            self.raw(" ");
            self.quoted(word);
        }
    }

    fn line(&mut self, command: &str, words: &[&[u8]]) {
        self.words(command, words);
        self.raw("\n");
    }

    fn inner(&mut self, command: &str, words: &[&[u8]]) {
        self.raw("    ");
        self.line(command, words);
    }

    /// A command with many words, a line for each.
    fn inner_list(
        &mut self,
        command: &str,
        head: &[Vec<u8>],
        environment: impl Iterator<Item = Vec<u8>>,
        arguments: impl Iterator<Item = Vec<u8>>,
    ) {
        self.raw("    ");
        self.words(command, &head.iter().map(Vec::as_slice).collect::<Vec<_>>());
        for word in environment.chain(std::iter::once(b"--".to_vec())).chain(arguments) {
            self.raw(" \\\n        ");
            self.quoted(&word);
        }
        self.raw("\n");
    }

    /// One word to a shell, whatever is in it.
    fn quoted(&mut self, word: &[u8]) {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(byte);
        if !word.is_empty() && word.iter().all(plain) {
            return self.0.extend_from_slice(word);
        }
        self.0.push(b'\'');
        for &byte in word {
            match byte {
                b'\'' => self.raw("'\\''"),
                _ => self.0.push(byte),
            }
        }
        self.0.push(b'\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, arguments: &[&[u8]]) -> Vec<u8> {
        use std::os::unix::ffi::OsStrExt;
        let words = arguments.iter().map(|word| std::ffi::OsStr::from_bytes(word));
        std::process::Command::new("sh").args(["-c", script, "sh"]).args(words).output().unwrap().stdout
    }

    #[test]
    fn every_byte_passes_through_a_shell() {
        let all: Vec<u8> = (1..=255).collect();
        for word in [&all[..], b"", b"it's", b"-n", b"$(id) `id` \\ \" * ~ #", b"a\nb"] {
            let mut text = Text(vec![]);
            text.words("printf %s", &[word]);
            assert_eq!(shell(&String::from_utf8_lossy(b"eval \"$1\""), &[&text.0]), word);
        }
        let with_nul: Vec<u8> = (0..=255).collect();
        for content in [&with_nul[..], b"-n", b"--", b"%s", b""] {
            assert_eq!(shell("printf \"$1\"", &[&format(content.iter().copied())]), content);
        }
    }

    #[test]
    fn what_a_shell_can_not_do_is_said() {
        let plan = include_str!("../../../../formats/tests/everything.plan");
        let said = script(plan.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with("step one: it is a derivation of Nix or Guix"), "{said}");
        let foreign = ["pts ", "shm ", "closure"];
        let native = plan.lines().filter(|line| !foreign.iter().any(|word| line.starts_with(word)));
        let plan: String = native.map(|line| format!("{line}\n")).collect();
        let plan = plan.replace("log terminal\nrules nix\n", "log pipe\nrules groundup\n");
        // Its root has no /etc/passwd.
        let said = script(plan.as_bytes()).unwrap_err().to_string();
        assert!(said.starts_with("step one: its /etc/passwd names no user 1000"), "{said}");
        let passwd = "file /etc/passwd 0444 builder:x:1000:100::/:/x\\n\nproc /proc\n";
        let plan = plan.replace("proc /proc\n", passwd);
        let text = String::from_utf8(script(plan.as_bytes()).unwrap()).unwrap();
        assert!(text.contains(&format!("output one-flat one-flat flat:{}\n", "22".repeat(32))), "{text}");
        assert!(text.contains(&format!("expect_file 'b c' {}\n", "44".repeat(32))), "{text}");
        let other = |from: &str, to: &str| script(plan.replace(from, to).as_bytes()).unwrap_err().to_string();
        assert!(other("personality 40000", "personality 8").contains("its personality is 8"));
        assert!(other("arg hex0\n", "arg other\n").contains("another name"));
        assert!(other("proc /proc\n", "").contains("it has no /proc"));
        assert!(other("uid 1000", "uid 0").contains("the plan, line"));
    }
}
