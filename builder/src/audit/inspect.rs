//! What an image would run and trust, read and not run. Pure: nothing in it is believed, and every hash is computed.

mod content;

use content::{DIRECTORY, Files, REGULAR, TYPE, below, flat, kind, tree};
use formats::plan::{Expected, Item, Kind, Plan, RootfsEntry, Source};
use images::read::{Entry, canonical, entries};
use std::collections::BTreeMap;

/// What stands in an image.
#[derive(Debug, Default)]
pub struct Inspection {
    /// The sha256 of `/init`, and what is known of it.
    pub init: Option<(String, Known)>,
    /// The plan's sha256.
    pub plan: Option<String>,
    /// The plan's inputs.
    pub inputs: Vec<Input>,
    /// The plan's steps.
    pub steps: Vec<Step>,
    /// Other files: path, bytes, sha256.
    pub others: Vec<(String, u64, String)>,
    /// What is not as it is in an image of ours.
    pub findings: Vec<String>,
}

/// What is known of an `/init`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is the PID 1 of this very groundup.
    Ours,
    /// It is the script that this very groundup writes for the plan.
    Script,
    /// Nothing.
    Unknown,
}

/// An input of the plan.
#[derive(Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// `file`, `exec`, `tree` or `data`.
    pub kind: &'static str,
    /// The sha256 that the plan says.
    pub declared: String,
    /// The sha256 that it has; nothing if it is not there or of another kind.
    pub actual: Option<String>,
    /// Bytes of its files.
    pub size: u64,
    /// The steps whose builder lies in it.
    pub runs: Vec<String>,
    /// The other steps that see it.
    pub seen: Vec<String>,
}

/// A step of the plan.
#[derive(Debug)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// The program.
    pub builder: String,
    /// Its arguments, `argv[0]` included.
    pub args: Vec<String>,
    /// What it makes.
    pub outputs: Vec<Output>,
}

/// An output of a step.
#[derive(Debug)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// The hash expected: of the NAR or, after `flat:`, of a plain file's bytes.
    pub expected: Option<String>,
    /// Files inside it, and the hashes expected of their bytes.
    pub files: Vec<(String, String)>,
}

/// Reads an archive that is not compressed (any more).
pub fn inspect(archive: &[u8]) -> Inspection {
    let mut found = Inspection::default();
    if let Err(malformed) = canonical(archive) {
        found.findings.push(format!("the archive is none that groundup writes: {malformed}"));
    }
    let mut files: Files<'_> = BTreeMap::new();
    for entry in entries(archive).map_while(Result::ok) {
        // The kernel unpacks one after the other, so that the last of a name stands.
        let name = entry.name.strip_prefix(b"/").unwrap_or(entry.name);
        if files.insert(name, entry).is_some() {
            found.findings.push(format!("{} comes twice", shown(name)));
        }
    }
    let plan = files.get(&b"plan"[..]).filter(|entry| is_file("/plan", entry, &mut found));
    let plan = plan.map(|entry| entry.data);
    match plan {
        None if files.contains_key(&b"plan"[..]) => {}
        None => found.findings.push("there is no /plan".into()),
        Some(plan) => {
            found.plan = Some(crate::hash(plan));
            if let Err(error) = read_plan(plan, &files, &mut found) {
                found.findings.push(format!("/plan, {error}: nothing would be run"));
            }
        }
    }
    match files.get(&b"init"[..]) {
        None => found.findings.push("there is no /init".into()),
        Some(init) => inspect_init(init, plan, &mut found),
    }
    let script = found.init.as_ref().is_some_and(|(_, known)| *known == Known::Script);
    if let Some(shell) = files.get(&b"bin/busybox"[..]).filter(|_| script) {
        is_file("/bin/busybox", shell, &mut found);
    }
    for folder in ["inputs", "bin"] {
        if let Some(entry) =
            files.get(folder.as_bytes()).filter(|entry| entry.header.mode & TYPE != DIRECTORY)
        {
            found.findings.push(format!("/{folder} is {}, not a directory", kind(entry)));
        }
    }
    others(&files, &mut found);
    for input in &found.inputs {
        match &input.actual {
            Some(actual) if *actual == input.declared => {}
            Some(_) => found.findings.push(format!("the input {} is not what the plan says", input.name)),
            None => found.findings.push(format!(
                "the input {} is not in the image, or not as the {} that the plan says",
                input.name, input.kind
            )),
        }
    }
    found
}

fn inspect_init(init: &Entry<'_>, plan: Option<&[u8]>, found: &mut Inspection) {
    let is_file = is_file("/init", init, found);
    let known = if is_file { known(init.data, plan) } else { Known::Unknown };
    if known == Known::Unknown {
        found.findings.push("/init is not known: it may do anything, whatever the plan says".into());
    }
    if init.header.mode & 0o111 == 0 {
        found.findings.push("/init can not be executed: nothing would be run".into());
    }
    found.init = Some((crate::hash(init.data), known));
}

/// Whether an entry is a regular file with one name; what it is instead is a finding.
fn is_file(path: &str, entry: &Entry<'_>, found: &mut Inspection) -> bool {
    let is = entry.header.mode & TYPE == REGULAR && entry.header.nlink == 1;
    if !is {
        found
            .findings
            .push(format!("{path} is {}, not a file: what is run is not what stands here", kind(entry)));
    }
    is
}

fn known(init: &[u8], plan: Option<&[u8]>) -> Known {
    let script = || plan.and_then(|plan| crate::audit::script::script(plan).ok());
    match init {
        init if init == images::INIT => Known::Ours,
        init if script().is_some_and(|script| script == init) => Known::Script,
        _ => Known::Unknown,
    }
}

fn read_plan(plan: &[u8], files: &Files<'_>, found: &mut Inspection) -> Result<(), formats::plan::Error> {
    for item in Plan::read(plan)? {
        match item? {
            Item::Input(input) => {
                let place = [b"inputs/", input.name.as_bytes()].concat();
                if !input.verified {
                    let name = input.name;
                    found.findings.push(format!("the plan has nobody ask for the hash of the input {name}"));
                }
                let (kind, actual) = match input.kind {
                    Kind::File => ("file", flat(files, &place, false)),
                    Kind::Exec => ("exec", flat(files, &place, true)),
                    Kind::Tree => ("tree", tree(files, &place)),
                    Kind::Data => ("data", tree(files, &place)),
                };
                found.inputs.push(Input {
                    name: input.name.to_string(),
                    kind,
                    declared: formats::hex::text(&input.sha256),
                    actual,
                    size: below(files, &place).map(|(_, entry)| entry.data.len() as u64).sum(),
                    runs: vec![],
                    seen: vec![],
                });
            }
            Item::Step(step) => {
                let builder = shown(&bytes(step.builder.bytes()));
                uses(&step, &builder, found);
                found.steps.push(Step {
                    name: step.name.to_string(),
                    args: step.args().map(|arg| shown(&bytes(arg.bytes()))).collect(),
                    builder,
                    outputs: step.outputs().map(output).collect(),
                });
            }
            Item::Refers(..) | Item::DropInput(_) | Item::DropOutput(_) => {}
        }
    }
    Ok(())
}

fn output(output: formats::plan::Output<'_>) -> Output {
    let expected = output.expected.map(|expected| match expected {
        Expected::Nar(hash) => formats::hex::text(&hash),
        Expected::Flat(hash) => format!("flat:{}", formats::hex::text(&hash)),
    });
    let files = output.files().map(|(path, hash)| (shown(&bytes(path.bytes())), formats::hex::text(&hash)));
    Output { name: output.name.to_string(), expected, files: files.collect() }
}

/// Notes which inputs a step sees, and in which of them its builder lies: behind the longest path.
fn uses(step: &formats::plan::Step<'_>, builder: &str, found: &mut Inspection) {
    let mut binds = BTreeMap::new();
    for line in step.world() {
        if let RootfsEntry::Bind { source: Source::Input(field), path } = line {
            let from = bytes(field.bytes());
            let name = from.split(|&byte| byte == b'/').next().map(shown).unwrap_or_default();
            binds.insert(shown(&bytes(path.bytes())), name);
        }
    }
    let holds =
        |path: &str| builder.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let runs = binds.iter().filter(|(path, _)| holds(path)).max_by_key(|(path, _)| path.len());
    for input in &mut found.inputs {
        if runs.is_some_and(|(_, name)| *name == input.name) {
            input.runs.push(step.name.to_string());
        } else if binds.values().any(|name| *name == input.name) {
            input.seen.push(step.name.to_string());
        }
    }
}

/// Whatever is neither `/init`, `/plan` nor an input of the plan.
fn others(files: &Files<'_>, found: &mut Inspection) {
    let script = found.init.as_ref().is_some_and(|(_, known)| *known == Known::Script);
    for (&name, entry) in files {
        let of_plan = name == b"init" || name == b"plan" || name == b"inputs" || name == b"bin" && script;
        let of_input = found.inputs.iter().any(|input| {
            name.strip_prefix(b"inputs/")
                .and_then(|rest| rest.strip_prefix(input.name.as_bytes()))
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        });
        if of_plan || of_input {
            continue;
        }
        let path = format!("/{}", shown(name));
        // The shell of a script is named by no plan; it is listed, and whoever runs the image trusts it.
        if !(name == b"bin/busybox" && script) {
            found.findings.push(format!("{path} is nothing that the plan names"));
        }
        found.others.push((path, entry.data.len() as u64, crate::hash(entry.data)));
    }
}

fn bytes(iterator: impl Iterator<Item = u8>) -> Vec<u8> {
    iterator.collect()
}

/// Fit for a terminal.
fn shown(name: &[u8]) -> String {
    crate::ui::term::shown(&String::from_utf8_lossy(name)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one image that groundup could have written, and whose plan is another one than the one that stands in it.
    #[test]
    fn a_link_is_no_plan() {
        let text = b"groundup plan 1\nfailure stop\n";
        for link in [false, true] {
            let mut archive = images::Archive::new(Vec::new());
            archive.bytes(b"init", true, images::INIT).unwrap();
            match link {
                true => archive.symlink(b"plan", text).unwrap(),
                false => archive.bytes(b"plan", false, text).unwrap(),
            }
            let found = inspect(&archive.finish().unwrap().0);
            let said = found.findings.join("\n");
            assert!(!said.contains("the archive is none"), "{said}");
            assert_eq!(said.contains("/plan is a symbolic link"), link, "{said}");
            assert_eq!(found.plan.is_none(), link);
        }
    }
}
