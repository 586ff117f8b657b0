//! A native derivation as a step: the world, identity, limits and environment that every native build has.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Error;
use super::step::{Bind, Device, From, Output, Owner, PidOne, Step, World};
use crate::index::{Index, Thing};
use crate::model::{Alternative, Derivation, Graph, defaults, store_name};
use crate::select::Choices;
use crate::used::declared;

/// The file system in which outputs are made and inputs are seen.
pub(crate) const STORE: &str = "/store";

/// 2020-01-01, as the machines' clocks start.
const EPOCH: u64 = 1_577_836_800;
/// ADDR_NO_RANDOMIZE, `linux/personality.h`.
const NO_RANDOMIZE: u32 = 0x0004_0000;

const PASSWD: &str = "root:x:0:0:root:/:/noshell\nbuilder:x:1000:100:builder:/build:/noshell\n\
                      nobody:x:65534:65534:nobody:/:/noshell\n";
const GROUP: &str = "root:x:0:\nbuilder:x:100:\nnogroup:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost\n::1 localhost\n";

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
        time_limit: derivation.time,
        log_limit: derivation.log,
        space_limit: derivation.space,
        limits: limits(derivation.processes),
        world: world(derivation, binds(graph, index, choices, derivation, &taken, &missing)?),
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
        Output { name: base, path, expect: derivation.expect.get(output).cloned() }
    };
    derivation.outputs.iter().map(output).collect()
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

/// What is bound, by path: every declared input below the store, and the mounts.
fn binds(
    graph: &Graph,
    index: &Index<'_>,
    choices: &Choices,
    derivation: &Derivation,
    taken: &[&Alternative],
    missing: &dyn Fn(&str) -> Error,
) -> Result<BTreeMap<String, Bind>, Error> {
    let mut binds = BTreeMap::new();
    let mut bind = |path: String, what: &str| {
        let (name, inside) = what.split_once('/').map_or((what, None), |(name, path)| (name, Some(path)));
        let from = match index.get(name) {
            Some(Thing::Seed(_) | Thing::Source(_)) => From::Input(name.to_owned()),
            Some(Thing::Output(output)) => {
                From::Output { step: output.derivation.to_owned(), base: name.to_owned() }
            }
            _ => return Err(missing(name)),
        };
        let inside = inside.map(str::to_owned);
        binds.insert(path.clone(), Bind { path, from, inside });
        Ok(())
    };
    for name in declared(graph, index, choices, derivation) {
        bind(format!("{STORE}/{name}"), name)?;
    }
    for (path, what) in taken.iter().flat_map(|taken| &taken.mounts).chain(&derivation.mounts) {
        bind(path.clone(), what)?;
    }
    Ok(binds)
}

fn world(derivation: &Derivation, binds: BTreeMap<String, Bind>) -> Vec<World> {
    let dir = |path: &'static str, mode, owner| World::Dir(path.into(), mode, owner);
    let file = |path: &'static str, text: &'static str| World::File(path.into(), 0o444, text.into());
    let link = |path: &'static str, target: &'static str| World::Link(path.into(), target.into());
    let device = |path: &'static str, device| World::Device(path.into(), device);
    let mut world = vec![
        dir(defaults::DIRECTORY, 0o755, Owner::Builder),
        dir("/dev", 0o755, Owner::Root),
        device("/dev/full", Device::Full),
        device("/dev/null", Device::Null),
        device("/dev/random", Device::Random),
        device("/dev/tty", Device::Tty),
        device("/dev/urandom", Device::Urandom),
        device("/dev/zero", Device::Zero),
        link("/dev/fd", "/proc/self/fd"),
        link("/dev/stdin", "/proc/self/fd/0"),
        link("/dev/stdout", "/proc/self/fd/1"),
        link("/dev/stderr", "/proc/self/fd/2"),
        dir("/dev/shm", 0o1777, Owner::Root),
        dir("/etc", 0o555, Owner::Root),
        file("/etc/group", GROUP),
        file("/etc/hosts", HOSTS),
        file("/etc/passwd", PASSWD),
        World::Proc("/proc".into()),
        dir("/tmp", 0o1777, Owner::Root),
        World::Store(STORE.into(), 0o1775),
    ];
    world.extend(folders(&derivation.directory, &binds));
    world.extend(binds.into_values().map(World::Bind));
    world
}

/// The folders that nothing else makes: the working directory, and the parents of it and of mounts.
fn folders(directory: &str, binds: &BTreeMap<String, Bind>) -> Vec<World> {
    const MADE: [&str; 5] = ["/build", "/etc", "/proc", "/tmp", "/store"];
    let mut folders = BTreeMap::new();
    let is_bound = |path: &str| ancestors(path).any(|path| binds.contains_key(path));
    for path in binds.keys().map(String::as_str) {
        folders.extend(ancestors(path).skip(1).map(|parent| (parent, Owner::Root)));
    }
    if !is_bound(directory) {
        folders.extend(ancestors(directory).skip(1).map(|parent| (parent, Owner::Root)));
        folders.insert(directory, Owner::Builder);
    }
    folders.retain(|path, _| !MADE.contains(path));
    let folder = |(path, owner): (&str, Owner)| World::Dir(path.to_owned().into(), 0o755, owner);
    folders.into_iter().map(folder).collect()
}

/// A path and the folders that it lies in, without the root.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(parent, _)| parent))
        .filter(|path| !path.is_empty())
}
