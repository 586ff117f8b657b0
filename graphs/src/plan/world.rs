//! The world of a native step: what every step has, its inputs, and the folders between.

use std::collections::BTreeMap;

use super::Error;
use super::step::{Bind, Device, From, Owner, RootfsEntry};
use crate::index::{Index, Thing};
use crate::model::{Alternative, Derivation, Graph, defaults};
use crate::select::Choices;
use crate::used::declared;

/// The file system in which outputs are made and inputs are seen.
pub(crate) const STORE: &str = "/store";

const PASSWD: &str = "root:x:0:0:root:/:/noshell\nbuilder:x:1000:100:builder:/build:/noshell\n\
                      nobody:x:65534:65534:nobody:/:/noshell\n";
const GROUP: &str = "root:x:0:\nbuilder:x:100:\nnogroup:x:65534:\n";
const HOSTS: &str = "127.0.0.1 localhost\n::1 localhost\n";

/// What is bound, by path: every declared input below the store, and the mounts.
pub(super) fn binds(
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

/// What the step's file system is made of, parents first.
pub(super) fn world(derivation: &Derivation, binds: BTreeMap<String, Bind>) -> Vec<RootfsEntry> {
    let dir = |path: &'static str, mode, owner| RootfsEntry::Dir(path.into(), mode, owner);
    let file = |path: &'static str, text: &'static str| RootfsEntry::File(path.into(), 0o444, text.into());
    let link = |path: &'static str, target: &'static str| RootfsEntry::Link(path.into(), target.into());
    let device = |path: &'static str, device| RootfsEntry::Device(path.into(), device);
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
        RootfsEntry::Proc("/proc".into()),
        dir("/tmp", 0o1777, Owner::Root),
        RootfsEntry::Store(STORE.into(), 0o1775),
    ];
    world.extend(folders(&derivation.directory, &binds));
    world.extend(binds.into_values().map(RootfsEntry::Bind));
    world
}

/// The folders that nothing else makes: the working directory, and the parents of it and of mounts.
fn folders(directory: &str, binds: &BTreeMap<String, Bind>) -> Vec<RootfsEntry> {
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
    let folder = |(path, owner): (&str, Owner)| RootfsEntry::Dir(path.to_owned().into(), 0o755, owner);
    folders.into_iter().map(folder).collect()
}

/// A path and the folders that it lies in, without the root.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(parent, _)| parent))
        .filter(|path| !path.is_empty())
}
