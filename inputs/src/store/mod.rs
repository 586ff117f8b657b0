//! From a spec to a verified file or tree on disk: the way through places, cache, unpacker and lock.

mod file;
mod make;
mod place;

use super::{
    Lock,
    cache::Cache,
    debian::Debian,
    error::{Error, Reason},
    hosts::Hosts,
    http,
    lock::{Entry, Locked},
    progress::{Progress, Reporter, Silent},
    spec::{InputSpec, is_local},
    unpack,
};
use formats::digest::Sha256;
use graphs::{Kind, Place};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Inputs fetched at the same time: enough to hide latency, few enough to be polite to a mirror.
const PARALLEL: usize = 4;

/// Everything needed to obtain inputs.
#[derive(Debug)]
pub struct InputCache {
    pub(super) cache: Cache,
    pub(super) debian: Debian,
    pub(super) hosts: Hosts,
    /// The hashes of the trees that were made of their archives in this run, by their keys.
    made: Mutex<BTreeMap<String, Sha256>>,
    /// When to give up on a URL.
    pub fetch: http::Limits,
    /// How large an unpacked tree may be.
    pub unpack: unpack::Limits,
}

/// One file that went into an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchedFile {
    /// Of the package, or of the input where there is no package.
    pub name: String,
    /// Of the package.
    pub version: Option<String>,
    /// Of its bytes.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Where it came from when it was fetched.
    pub place: String,
}

/// An input on disk, just verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// In the cache: read it, don't change it.
    pub path: PathBuf,
    /// File, program or tree.
    pub kind: Kind,
    /// Of the bytes; of the NAR for a tree.
    pub sha256: Sha256,
    /// Bytes; of the NAR for a tree.
    pub size: u64,
    /// What it was made of.
    pub files: Vec<FetchedFile>,
}

impl From<&Obtained> for graphs::Resolved {
    fn from(obtained: &Obtained) -> Self {
        graphs::Resolved { kind: obtained.kind, sha256: obtained.sha256 }
    }
}

impl InputCache {
    /// Opens the cache in `folder`, which is made if need be.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let cache = Cache::open(folder)?;
        let (fetch, unpack) = (http::Limits::default(), unpack::Limits::default());
        Ok(InputCache {
            cache,
            debian: Debian::default(),
            hosts: Hosts::default(),
            made: Mutex::default(),
            fetch,
            unpack,
        })
    }

    /// A folder for what is unpacked on the way; it goes when it is dropped.
    pub fn temporary(&self) -> Result<tempfile::TempDir, Error> {
        self.cache.temporary()
    }

    /// Fetches a URL into a file, anew and of at most `limit` bytes. What it gives is not verified.
    pub fn download(&self, url: &str, to: &Path, limit: u64) -> Result<(), Reason> {
        let _ = std::fs::remove_file(to);
        let limits = http::Limits { size: limit.min(self.fetch.size), ..self.fetch };
        http::download(url, to, limits, &self.hosts, Reporter { input: url, to: &Silent })
    }

    /// Tries at once which hosts of these URLs can be reached; the answer is for [`InputCache::is_dead`].
    pub fn probe<'a>(&self, urls: impl IntoIterator<Item = &'a str>) {
        self.hosts.probe(urls);
    }

    /// Why the host of a URL can't be reached, if that is known.
    pub fn is_dead(&self, url: &str) -> Option<String> {
        self.hosts.dead(url)
    }

    fn made(&self) -> MutexGuard<'_, BTreeMap<String, Sha256>> {
        self.made.lock().unwrap_or_else(|poison| poison.into_inner())
    }

    /// Obtains one input. `entry` is what the lock file says of it, if anything.
    pub fn obtain(
        &self,
        spec: &InputSpec,
        entry: Option<&Entry>,
        progress: &dyn Progress,
    ) -> Result<Obtained, Error> {
        let reporter = Reporter { input: &spec.name, to: progress };
        let entry = if spec.floats() { Some(answer(spec, entry)?) } else { None };
        if spec.kind() == Kind::Tree {
            let tree = self.tree(spec, entry, reporter)?;
            return match entry.and_then(|entry| entry.tree.as_ref()) {
                Some(locked) if *locked != tree.sha256.to_string() => {
                    let what = format!(
                        "its tree has NAR sha256 {}, the lock file says {locked} (pick and strip shape the tree)",
                        tree.sha256
                    );
                    Err(Error::StaleLock { name: spec.name.clone(), what })
                }
                _ => Ok(tree),
            };
        }
        let file = self.files(spec, entry, reporter)?.swap_remove(0);
        let (path, size) = (self.cache.file(&file.sha256), file.size);
        let not_hash = |error: formats::digest::NotSha256| Error::StaleLock {
            name: spec.name.clone(),
            what: error.to_string(),
        };
        let sha256 = file.sha256.parse().map_err(not_hash)?;
        Ok(Obtained { path, kind: spec.kind(), sha256, size, files: vec![file] })
    }

    /// Obtains several inputs at once, in the order of `specs`.
    pub fn obtain_all(
        &self,
        specs: &[InputSpec],
        lock: &Lock,
        progress: &dyn Progress,
    ) -> Vec<Result<Obtained, Error>> {
        in_parallel(specs, |spec| self.obtain(spec, lock.inputs.get(&spec.name), progress))
    }

    /// What a floating place stands for now, and how many of it are dependencies of the others.
    pub(super) fn resolve(
        &self,
        spec: &InputSpec,
        place: &Place,
        progress: &dyn Progress,
    ) -> Result<(Vec<Locked>, Option<usize>), Reason> {
        let reporter = Reporter { input: &spec.name, to: progress };
        match place {
            Place::Debian { packages, suite, dependencies } => {
                let (cache, suite) = (&self.cache, suite.as_deref());
                let found = match dependencies {
                    true => self.debian.closure(cache, packages, suite, reporter)?,
                    false => self.debian.resolve(cache, packages, suite, true, reporter)?,
                };
                let needed = dependencies.then(|| found.len() - packages.len().min(found.len()));
                Ok((found.into_iter().map(Locked::Deb).collect(), needed))
            }
            Place::Wheel { package, version } => {
                Ok((vec![self.new_wheel(package, version.as_deref(), reporter)?], None))
            }
            _ => Err(Reason::NotLocked),
        }
    }
}

/// The lock's entry, if it is about what the graph asks for.
fn answer<'a>(spec: &InputSpec, entry: Option<&'a Entry>) -> Result<&'a Entry, Error> {
    let entry = entry.ok_or_else(|| Error::NotLocked { name: spec.name.clone() })?;
    if spec.input.from.iter().any(|place| entry.answers(place)) {
        return Ok(entry);
    }
    let list = entry.files.iter().map(|file| format!("{} {}", file.package(), file.version()));
    let what = format!(
        "the lock file has {} for it, the graph asks for something else",
        list.collect::<Vec<_>>().join(", ")
    );
    Err(Error::StaleLock { name: spec.name.clone(), what })
}

/// Whether looking at the first place costs nothing, so that a changed file beside the graph is always noticed.
fn starts_local(spec: &InputSpec) -> bool {
    spec.input.from.first().is_some_and(is_local)
}

/// Runs `work` on every item with a few threads; results in the items' order.
pub(super) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..items.len().min(PARALLEL) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = work(item);
                    results.lock().unwrap_or_else(|poison| poison.into_inner()).push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(|poison| poison.into_inner());
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
pub(crate) mod tests;
