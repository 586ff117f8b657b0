//! What worlds of Nix and Guix have in common.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Source;
use crate::plan::step::{Bind, Device, From, Owner, RootfsEntry};
use formats::store_path::base;

/// A directory.
pub(super) fn dir(path: impl Into<Cow<'static, str>>, mode: u32, owner: Owner) -> RootfsEntry {
    RootfsEntry::Dir(path.into(), mode, owner)
}

/// A file, as a daemon writes it.
pub(super) fn file(path: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> RootfsEntry {
    RootfsEntry::File(path.into(), 0o644, text.into())
}

/// `/dev`, `/proc` and `/tmp`, which are the same in both.
pub(super) fn system() -> Vec<RootfsEntry> {
    let device = |path: &'static str, device| RootfsEntry::Device(path.into(), device);
    let link = |path: &'static str, target: &'static str| RootfsEntry::Link(path.into(), target.into());
    vec![
        dir("/dev", 0o755, Owner::Root),
        device("/dev/full", Device::Full),
        device("/dev/null", Device::Null),
        device("/dev/random", Device::Random),
        device("/dev/tty", Device::Tty),
        device("/dev/urandom", Device::Urandom),
        device("/dev/zero", Device::Zero),
        RootfsEntry::Pts("/dev/pts".into()),
        RootfsEntry::Shm("/dev/shm".into()),
        link("/dev/fd", "/proc/self/fd"),
        link("/dev/ptmx", "/dev/pts/ptmx"),
        link("/dev/stdin", "/proc/self/fd/0"),
        link("/dev/stdout", "/proc/self/fd/1"),
        link("/dev/stderr", "/proc/self/fd/2"),
        RootfsEntry::Proc("/proc".into()),
        dir("/tmp", 0o1777, Owner::Root),
    ]
}

/// The store with what the derivation needs, and with what that refers to.
pub(super) fn store(source: &Source<'_>) -> Vec<RootfsEntry> {
    let store = &source.closure.store;
    let mut world = Vec::new();
    let parents = store.match_indices('/').map(|(at, _)| &store[..at]).filter(|parent| !parent.is_empty());
    world.extend(parents.map(|parent| dir(parent.to_owned(), 0o755, Owner::Root)));
    world.push(RootfsEntry::Store(store.clone().into(), 0o1775));
    let mut binds = BTreeMap::new();
    for path in &source.derivation.sources {
        binds.insert(path.as_str(), From::Input(base(path).to_owned()));
    }
    for (input, names) in &source.derivation.inputs {
        let made = &source.closure.get(input).outputs;
        for path in names.iter().filter_map(|name| Some(made.get(name)?.path.as_str())) {
            let from = if source.available.contains_key(path) {
                From::Input(base(path).to_owned())
            } else {
                From::Output { step: base(input).to_owned(), base: base(path).to_owned() }
            };
            binds.insert(path, from);
        }
    }
    let bind =
        |(path, from): (&str, From)| RootfsEntry::Bind(Bind { path: path.to_owned(), from, inside: None });
    world.extend(binds.into_iter().map(bind));
    world.push(RootfsEntry::Closure);
    world
}

/// Limits as a daemon leaves them to its builders.
pub(super) fn limits() -> [(Option<u64>, Option<u64>); 16] {
    let both = |limit| (Some(limit), Some(limit));
    let unlimited = (None, None);
    [
        unlimited,                     // cpu
        unlimited,                     // fsize
        unlimited,                     // data
        (Some(8 << 20), None),         // stack
        (Some(0), None),               // core
        unlimited,                     // rss
        both(8192),                    // nproc
        (Some(1024), Some(1_048_576)), // nofile
        both(8 << 20),                 // memlock
        unlimited,                     // as
        unlimited,                     // locks
        both(1024),                    // sigpending
        both(819_200),                 // msgqueue
        both(0),                       // nice
        both(0),                       // rtprio
        unlimited,                     // rttime
    ]
}
