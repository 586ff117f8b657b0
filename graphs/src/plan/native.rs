//! A native derivation as a step: the identity, limits and environment that every native build has.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Error;
use super::step::{Expected, Output, PidOne, Rules, Step, Whole};
use super::world::{self, STORE};
use crate::index::{Index, Thing};
use crate::model::{Alternative, Derivation, FLAT, Graph, store_name};
use crate::select::Choices;

/// 2020-01-01, as the machines' clocks start.
const EPOCH: u64 = 1_577_836_800;
/// ADDR_NO_RANDOMIZE, `linux/personality.h`.
pub(super) const NO_RANDOMIZE: u32 = 0x0004_0000;

/// The environment below the derivation's own.
pub(crate) const ENVIRONMENT: [(&str, &str); 8] = [
    ("HOME", "/build"),
    ("LANG", "C.UTF-8"),
    ("LOGNAME", "builder"),
    ("PATH", "/path-not-set"),
    ("SOURCE_DATE_EPOCH", "1577836800"),
    ("TMPDIR", "/tmp"),
    ("TZ", "UTC"),
    ("USER", "builder"),
];

/// The derivation `name` as a step.
pub(super) fn step(graph: &Graph, index: &Index<'_>, choices: &Choices, name: &str) -> Result<Step, Error> {
    let missing = |what: &str| Error::Missing { step: name.to_owned(), name: what.to_owned() };
    let derivation = graph.derivations.get(name).ok_or_else(|| missing(name))?;
    let taken = taken(graph, index, choices, derivation);
    let chosen = if derivation.builder.starts_with('/') {
        None
    } else {
        Some(choices.alternative(graph, &derivation.builder).ok_or_else(|| missing(&derivation.builder))?)
    };
    let builder = match chosen {
        None => derivation.builder.clone(),
        Some(chosen) => chosen.builder.clone().ok_or_else(|| missing("builder"))?,
    };
    let base = builder.rsplit('/').next().unwrap_or_default().to_owned();
    let before = chosen.into_iter().flat_map(|chosen| chosen.args.iter().cloned());
    let args = std::iter::once(base).chain(before).chain(derivation.args.iter().cloned()).collect();
    Ok(Step {
        name: name.to_owned(),
        uid: 1000,
        gid: 100,
        umask: 0o022,
        host: Cow::Borrowed("localhost"),
        domain: Cow::Borrowed("(none)"),
        clock: EPOCH,
        personality: NO_RANDOMIZE,
        pid_one: PidOne::Init,
        loopback: true,
        terminal: false,
        rules: Rules::Groundup,
        time_limit: derivation.time,
        log_limit: derivation.log,
        space_limit: derivation.space,
        limits: limits(derivation.processes),
        vary: Default::default(),
        world: world::world(derivation, world::binds(graph, index, choices, derivation, &taken, &missing)?),
        cwd: derivation.directory.clone(),
        builder,
        args,
        env: environment(name, derivation, &taken),
        outputs: outputs(name, derivation),
    })
}

/// The taken alternative of each choice among the inputs.
fn taken<'a>(
    graph: &'a Graph,
    index: &Index<'a>,
    choices: &Choices,
    derivation: &Derivation,
) -> Vec<&'a Alternative> {
    let is_choice = |input: &&String| matches!(index.get(input), Some(Thing::Choice(..)));
    let inputs = derivation.inputs.iter().filter(is_choice);
    inputs.filter_map(|input| choices.alternative(graph, input)).collect()
}

fn environment(name: &str, derivation: &Derivation, taken: &[&Alternative]) -> BTreeMap<String, String> {
    let native = ENVIRONMENT.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    let path = |output: &String| (output.clone(), format!("{STORE}/{}", store_name(name, output)));
    let paths = derivation.outputs.iter().map(path);
    let chosen = taken.iter().flat_map(|taken| &taken.env);
    let own = chosen.chain(&derivation.env).map(|(name, value)| (name.clone(), value.clone()));
    native.chain(paths).chain(own).collect()
}

fn outputs(name: &str, derivation: &Derivation) -> Vec<Output> {
    let output = |output: &String| {
        let base = store_name(name, output);
        let path = format!("{STORE}/{base}");
        Output { name: base, path, expect: expected(derivation, output) }
    };
    derivation.outputs.iter().map(output).collect()
}

/// What is expected of an output: of the whole, and of files inside it.
fn expected(derivation: &Derivation, output: &str) -> Option<Expected> {
    let whole = |hash: &String| match hash.strip_prefix(FLAT) {
        Some(hash) => Whole::Flat(hash.to_owned()),
        None => Whole::Nar(hash.clone()),
    };
    let whole = derivation.expect.get(output).map(whole);
    let inside = |(key, hash): (&String, &String)| match derivation.inside(key) {
        Some((of, path)) if of == output => Some((path.to_owned(), hash.clone())),
        _ => None,
    };
    let files: BTreeMap<_, _> = derivation.expect_files.iter().filter_map(inside).collect();
    (whole.is_some() || !files.is_empty()).then_some(Expected { whole, files })
}

fn limits(processes: u64) -> [(Option<u64>, Option<u64>); 16] {
    let both = |limit| (Some(limit), Some(limit));
    let unlimited = (None, None);
    [
        unlimited,                // cpu
        unlimited,                // fsize
        unlimited,                // data
        (Some(8 << 20), None),    // stack
        both(0),                  // core
        unlimited,                // rss
        both(processes),          // nproc
        (Some(1024), Some(4096)), // nofile
        both(65536),              // memlock
        unlimited,                // as
        unlimited,                // locks
        both(1024),               // sigpending
        both(819_200),            // msgqueue
        both(0),                  // nice
        both(0),                  // rtprio
        unlimited,                // rttime
    ]
}
