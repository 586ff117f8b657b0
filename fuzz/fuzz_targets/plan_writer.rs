//! Any small graph: if it passes its checks, its plan is one that PID 1 accepts, in its one spelling.
#![no_main]

use std::fmt::Write;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

/// A number below `N`: what is drawn refers to what there is more often than not.
#[derive(Debug, Clone, Copy)]
struct Below<const N: u8>(u8);

impl<'a, const N: u8> Arbitrary<'a> for Below<N> {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Ok(Self(u.int_in_range(0..=N - 1)?))
    }
}

/// What a derivation may need: an input, a choice, or an output of a derivation.
type Need = Below<10>;

#[derive(Arbitrary, Debug)]
struct Mount {
    path: Below<8>,
    own_path: Option<String>,
    what: Need,
    inside: Option<Below<4>>,
}

#[derive(Arbitrary, Debug)]
struct Alternative {
    inputs: Vec<Below<4>>,
    mounts: Vec<Mount>,
    builder: Option<Below<8>>,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

#[derive(Arbitrary, Debug)]
struct Derivation {
    choice_builds: bool,
    builder: Need,
    args: Vec<String>,
    env: Vec<(String, String)>,
    inputs: Vec<Need>,
    mounts: Vec<Mount>,
    outputs: Below<8>,
    expect: bool,
    directory: Option<Below<8>>,
    own_directory: Option<String>,
    limits: Option<[u64; 5]>,
}

#[derive(Arbitrary, Debug)]
struct Case {
    kinds: [Below<3>; 4],
    alternatives: Vec<Alternative>,
    derivations: Vec<Derivation>,
}

const PATHS: [&str; 8] = ["/usr", "/usr/bin", "/lib64", "/a b", "/store/x", "/build", "/tmp/é", "/opt/x/y"];
const INSIDE: [&str; 4] = ["bin", "lib/x", "usr/bin/a b", "é"];
const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Inputs are `i0` to `i3`, the choice is `c`, derivations are `d0` onwards.
fn name(need: Need) -> String {
    match need.0 {
        input @ 0..4 => format!("i{input}"),
        4 => "c".to_owned(),
        derivation => format!("d{}", derivation - 5),
    }
}

fn list(text: &mut String, field: &str, items: impl Iterator<Item = String>) {
    let items: Vec<_> = items.map(|item| format!("{item:?}")).collect();
    let _ = writeln!(text, "{field}: [{}],", items.join(", "));
}

fn map(text: &mut String, field: &str, items: impl Iterator<Item = (String, String)>) {
    let items: std::collections::BTreeMap<_, _> = items.collect();
    let items: Vec<_> = items.into_iter().map(|(key, value)| format!("{key:?}: {value:?}")).collect();
    let _ = writeln!(text, "{field}: {{{}}},", items.join(", "));
}

fn mounts(text: &mut String, mounts: &[Mount]) {
    let mount = |mount: &Mount| {
        let path = mount.own_path.as_ref().map(|path| format!("/{path}"));
        let inside = mount.inside.map(|inside| format!("/{}", INSIDE[usize::from(inside.0)]));
        let path = path.unwrap_or_else(|| PATHS[usize::from(mount.path.0)].to_owned());
        (path, name(mount.what) + &inside.unwrap_or_default())
    };
    map(text, "mounts", mounts.iter().map(mount));
}

fn ron(case: &Case) -> String {
    let mut text = String::from("(\nseeds: {\n");
    for (number, kind) in case.kinds.iter().enumerate() {
        let fields = ["", "executable: true, ", "unpack: true, "][usize::from(kind.0)];
        let _ = writeln!(text, "\"i{number}\": (from: [File(\"f\")], {fields}sha256: \"{HASH}\"),");
    }
    text += "},\n";
    if !case.alternatives.is_empty() {
        text += "choices: {\"c\": (default: \"a0\", of: {\n";
        for (number, alternative) in case.alternatives.iter().enumerate() {
            let _ = writeln!(text, "\"a{number}\": (");
            list(&mut text, "inputs", alternative.inputs.iter().map(|input| format!("i{}", input.0)));
            mounts(&mut text, &alternative.mounts);
            if let Some(builder) = alternative.builder {
                let _ = writeln!(text, "builder: \"/store/i{}\",", builder.0);
            }
            list(&mut text, "args", alternative.args.iter().cloned());
            map(&mut text, "env", alternative.env.iter().cloned());
            text += "),\n";
        }
        text += "})},\n";
    }
    text += "derivations: {\n";
    for (number, derivation) in case.derivations.iter().enumerate() {
        let _ = writeln!(text, "\"d{number}\": (");
        let builder = match derivation.choice_builds {
            true => "c".to_owned(),
            false => format!("/store/{}", name(derivation.builder)),
        };
        let _ = writeln!(text, "builder: {builder:?},");
        let inputs = derivation.inputs.iter().map(|need| name(*need));
        // The builder is declared but for a few.
        let builder = if derivation.choice_builds { "c".to_owned() } else { name(derivation.builder) };
        let inputs: std::collections::BTreeSet<_> = inputs.chain([builder]).collect();
        list(&mut text, "args", derivation.args.iter().cloned());
        map(&mut text, "env", derivation.env.iter().cloned());
        list(&mut text, "inputs", inputs.into_iter());
        mounts(&mut text, &derivation.mounts);
        let outputs = ["out", "lib", "doc"].into_iter().enumerate();
        let outputs = outputs.filter(|(bit, _)| derivation.outputs.0 >> bit & 1 == 1).map(|(_, name)| name);
        let outputs: Vec<_> = outputs.map(str::to_owned).collect();
        if derivation.expect {
            map(&mut text, "expect", outputs.iter().map(|output| (output.clone(), HASH.to_owned())));
        }
        if derivation.outputs.0 > 0 {
            list(&mut text, "outputs", outputs.into_iter());
        }
        let directory = derivation.own_directory.as_ref().map(|path| format!("/{path}"));
        let known = derivation.directory.map(|path| PATHS[usize::from(path.0)].to_owned());
        if let Some(directory) = directory.or(known) {
            let _ = writeln!(text, "directory: {directory:?},");
        }
        if let Some([time, log, space, memory, processes]) = derivation.limits {
            let _ = writeln!(
                text,
                "time: {time}, log: {log}, space: {space}, memory: {memory}, processes: {processes},"
            );
        }
        text += "),\n";
    }
    text += "},\n";
    list(&mut text, "targets", (0..case.derivations.len()).map(|number| format!("d{number}")));
    text + ")\n"
}

fuzz_target!(|case: Case| {
    let text = ron(&case);
    match graphs::load("fuzz.ron", &text) {
        Ok((graph, _)) => groundup_fuzz::graph::holds(&graph),
        Err(problems) => assert!(problems.errors() > 0 && !problems.render(false).is_empty()),
    }
});
