//! Renewing a lock: every floating input is resolved, fetched and hashed anew; what is not used any more is dropped.

use super::{Entry, Lock, Locked};
use crate::{
    InputCache, InputSpec, Progress,
    error::{Attempt, Error, Reason},
    spec::describe,
};
use std::{collections::BTreeMap, fmt};

/// A new lock, and what is different in it.
#[derive(Debug)]
pub struct Renewal {
    /// To be saved.
    pub lock: Lock,
    /// Sorted by input.
    pub changes: Vec<Change>,
    /// Inputs that could not be resolved; the lock keeps what it had of them.
    pub errors: Vec<Error>,
}

/// One package that is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The input.
    pub input: String,
    /// The package, or `tree`.
    pub what: String,
    /// Version, or hash where the version is the same.
    pub old: Option<String>,
    /// Likewise.
    pub new: Option<String>,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {} ", self.input, self.what)?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, "{old} -> {new}"),
            (None, Some(new)) => write!(f, "{new} (new)"),
            (Some(old), None) => write!(f, "{old} is gone"),
            (None, None) => Ok(()),
        }
    }
}

/// Resolves every floating input among `specs`, which are all of the graph's. Of those that `keep` says yes to, by name, what the old
/// lock says and the graph still asks for stays as it is.
pub fn renew(
    store: &InputCache,
    specs: &[InputSpec],
    old: &Lock,
    keep: &(dyn Fn(&str) -> bool + Sync),
    progress: &dyn Progress,
) -> Renewal {
    let floating: Vec<&InputSpec> = specs.iter().filter(|spec| spec.floats()).collect();
    let made = crate::store::in_parallel(&floating, |spec| {
        let before = old.inputs.get(&spec.name);
        if let Some(entry) = before
            .filter(|entry| keep(&spec.name) && spec.input.from.iter().any(|place| entry.answers(place)))
        {
            return finish(store, spec, (entry.files.clone(), entry.needed), progress);
        }
        resolve(store, spec, progress)
    });
    let mut renewal = Renewal { lock: Lock::default(), changes: vec![], errors: vec![] };
    for (spec, made) in floating.iter().zip(made) {
        let kept = match made {
            Ok(entry) => Some(entry),
            Err(error) => {
                renewal.errors.push(error);
                old.inputs.get(&spec.name).cloned()
            }
        };
        renewal.lock.inputs.extend(kept.map(|entry| (spec.name.clone(), entry)));
    }
    renewal.changes = changes(old, &renewal.lock);
    renewal
}

/// The first place that has it.
fn resolve(store: &InputCache, spec: &InputSpec, progress: &dyn Progress) -> Result<Entry, Error> {
    let mut attempts = Vec::new();
    for (number, place) in spec.input.from.iter().enumerate() {
        let resolved = store.resolve(spec, place, progress);
        match resolved.map(|files| finish(store, spec, files, progress)) {
            Ok(Ok(entry)) => return Ok(entry),
            Ok(Err(Error::Unobtainable { attempts: more, .. })) => attempts.extend(more),
            Ok(Err(error)) => return Err(error),
            Err(Reason::NotLocked) => {}
            Err(reason) => attempts.push(Attempt { place: number, what: describe(place), reason }),
        }
    }
    Err(Error::Unobtainable { name: spec.name.clone(), attempts })
}

/// Fetches, and adds the tree's hash.
fn finish(
    store: &InputCache,
    spec: &InputSpec,
    (files, needed): (Vec<Locked>, Option<usize>),
    progress: &dyn Progress,
) -> Result<Entry, Error> {
    let mut entry = Entry { files, needed, tree: None };
    let obtained = store.obtain(spec, Some(&entry), progress)?;
    entry.tree = (obtained.kind == graphs::Kind::Tree).then(|| obtained.sha256.to_string());
    Ok(entry)
}

fn changes(old: &Lock, new: &Lock) -> Vec<Change> {
    type Side = BTreeMap<(String, String), (String, String)>;
    // What comes along with packages of which all is new is one line.
    let is_new = |name: &str| !old.inputs.contains_key(name);
    let side = |lock: &Lock| -> Side {
        let files = lock.inputs.iter().flat_map(|(name, entry)| {
            let needed = entry.needed.filter(|&needed| needed > 0 && is_new(name));
            let named = entry.files.len() - needed.unwrap_or(0).min(entry.files.len());
            let file =
                |f: &Locked| ((name.clone(), f.package().into()), (f.version().into(), f.sha256().into()));
            let tree = entry.tree.clone().map(|tree| ((name.clone(), "tree".into()), (tree.clone(), tree)));
            let along = needed.map(|needed| {
                let what = graphs::words::count(needed, "package");
                ((name.clone(), what), ("that these need".into(), String::new()))
            });
            entry.files[..named].iter().map(file).chain(along).chain(tree).collect::<Vec<_>>()
        });
        files.collect()
    };
    let (old, new) = (side(old), side(new));
    let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let differs = keys.into_iter().filter(|key| old.get(*key) != new.get(*key));
    differs
        .map(|key| {
            let (before, after) = (old.get(key), new.get(key));
            let same_version = before.map(|side| &side.0) == after.map(|side| &side.0);
            let show = |side: &(String, String)| if same_version { side.1.clone() } else { side.0.clone() };
            Change { input: key.0.clone(), what: key.1.clone(), old: before.map(show), new: after.map(show) }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Wheel;
    use super::*;

    fn lock(version: &str, sha256: &str) -> Lock {
        let (package, file) = ("six".to_owned(), "six.whl".to_owned());
        let wheel = Wheel { package, version: version.into(), sha256: sha256.into(), size: 1, file };
        Lock {
            inputs: [("s".into(), Entry { files: vec![Locked::Wheel(wheel)], needed: None, tree: None })]
                .into(),
        }
    }

    #[test]
    fn tells_what_changed() {
        let said =
            |old: &Lock, new: &Lock| changes(old, new).iter().map(Change::to_string).collect::<Vec<_>>();
        assert!(said(&lock("1", "a"), &lock("1", "a")).is_empty());
        assert_eq!(said(&lock("1", "a"), &lock("2", "b")), ["s: six 1 -> 2"]);
        assert_eq!(said(&lock("1", "a"), &lock("1", "b")), ["s: six a -> b"]);
        assert_eq!(said(&Lock::default(), &lock("1", "b")), ["s: six 1 (new)"]);
        assert_eq!(said(&lock("1", "b"), &Lock::default()), ["s: six 1 is gone"]);
    }
}
