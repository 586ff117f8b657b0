//! Whether what is varied can have an effect in a step. Of programs for 32 bits the shim can't vary what they see. Some variations are variables of the environment that only a library or a
//! program looks at: where nothing among the step's inputs does, the same outputs show nothing, and it was not varied.

use super::lab::Lab;
use super::outcome::BuildOutcome;
use super::study::{Study, TrialResult};
use crate::args::MachineName;
use graphs::plan::{Bind, From, RootfsEntry, Step};
use graphs::vary::{PROBE, VARIATIONS};
use memchr::memmem::find;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Such variations, what there must be for them, and what is said where there is nothing of the kind.
const NEEDS: [(&str, Mark, &str); 4] = [
    ("locale", Mark::Estonian, "no such locale among the inputs"),
    ("encoding", Mark::Utf8, "nothing among the inputs knows the locale C.UTF-8"),
    ("time-zone", Mark::Zone, "nothing among the inputs looks at TZ"),
    ("heap-contents", Mark::Malloc, "the malloc of glibc is not among the inputs"),
];

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// The locale et_EE.
    Estonian,
    /// The locale C.UTF-8.
    Utf8,
    /// TZ.
    Zone,
    /// `MALLOC_PERTURB_`
    Malloc,
}

/// What was found in files and folders so far.
#[derive(Default)]
pub struct Holds {
    known: BTreeMap<PathBuf, BTreeSet<Mark>>,
}

impl Holds {
    /// Takes back that a step is the same with what has no effect in it.
    pub fn mend(&mut self, lab: &Lab<'_>, step: &Step, study: &mut Study) {
        for (variation, mark, why) in NEEDS {
            let is_it =
                |(name, cell): &&mut (String, TrialResult)| name == variation && *cell == TrialResult::Same;
            let Some((_, cell)) = study.cells.iter_mut().find(is_it) else { continue };
            if !self.has(lab, step, mark) {
                *cell = TrialResult::Not(why.to_owned());
            }
        }
        if matches!(&study.control, BuildOutcome::Built(built) if built.left_alone) {
            left_alone(study, lab.args.machine == MachineName::Host);
        }
    }

    /// Whether something that a step sees has it. What can't be looked at may have it.
    fn has(&mut self, lab: &Lab<'_>, step: &Step, mark: Mark) -> bool {
        let paths: Option<BTreeSet<PathBuf>> = places(lab, step);
        let Some(paths) = paths else { return true };
        paths.into_iter().any(|path| {
            let found = self.known.entry(path).or_insert_with_key(|path| {
                let mut found = BTreeSet::new();
                search(path, &mut found);
                found
            });
            found.contains(&mark)
        })
    }
}

/// Takes back what the shim could not vary.
fn left_alone(study: &mut Study, shared: bool) {
    let is_probes = |set: &str| {
        VARIATIONS.iter().any(|one| one.is_probes(shared) && set.split('+').any(|name| name == one.name))
    };
    for (_, cell) in study.cells.iter_mut().filter(|(set, cell)| *cell == TrialResult::Same && is_probes(set))
    {
        *cell = TrialResult::Not("a program for 32 bits ran, which this does not reach".to_owned());
    }
    study.notes.push(
        "a program for 32 bits ran; it sees what the plan and the machine vary, and not what the shim does"
            .to_owned(),
    );
}

/// Where all that a step sees lies here.
fn places(lab: &Lab<'_>, step: &Step) -> Option<BTreeSet<PathBuf>> {
    let mut places = BTreeSet::new();
    for world in &step.world {
        let RootfsEntry::Bind(Bind { from, inside, .. }) = world else { continue };
        let (From::Input(base) | From::Output { base, .. }) = from;
        if base == PROBE.0 {
            continue;
        }
        let place = lab.place(base)?;
        places.insert(inside.as_ref().map_or_else(|| place.clone(), |inside| place.join(inside)));
        for other in lab.referred(base) {
            places.insert(lab.place(&other)?);
        }
    }
    // What lies in another one of these is looked at with that.
    let all = places.clone();
    places.retain(|place| !place.ancestors().skip(1).any(|above| all.contains(above)));
    Some(places)
}

/// Adds what a file or a folder has.
fn search(path: &Path, found: &mut BTreeSet<Mark>) {
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    let file_name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = file_name(path).unwrap_or_default();
    let is_locale = path.parent().and_then(file_name).is_some_and(|parent| parent == "locale");
    if is_locale && name.starts_with("et_EE") {
        found.insert(Mark::Estonian);
    }
    if is_locale && matches!(&*name, "C.utf8" | "C.UTF-8") {
        found.insert(Mark::Utf8);
    }
    if meta.is_dir() {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| search(&entry.path(), found));
    } else if meta.is_file() {
        let Ok(bytes) = fs::read(path) else { return };
        if name == "locale-archive" && find(&bytes, b"et_EE").is_some() {
            found.insert(Mark::Estonian);
        }
        for (mark, text) in
            [(Mark::Utf8, &b"C.UTF-8"[..]), (Mark::Zone, b"TZ"), (Mark::Malloc, b"MALLOC_PERTURB_")]
        {
            if !found.contains(&mark) && find(&bytes, text).is_some() {
                found.insert(mark);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &[u8])]) -> Vec<bool> {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let mut found = BTreeSet::new();
        search(folder.path(), &mut found);
        NEEDS.iter().map(|(_, mark, _)| found.contains(mark)).collect()
    }

    #[test]
    fn what_is_there_is_found() {
        assert_eq!(found(&[("bin/x", b"nothing")]), [false; 4]);
        // A table of names is no locale.
        assert_eq!(found(&[("lib/locale.py", b"'et_ee': 'et_EE.ISO8859-15'")]), [false; 4]);
        assert_eq!(
            found(&[("usr/lib/locale/locale-archive", b"..et_EE.utf8..")]),
            [true, false, false, false]
        );
        assert_eq!(
            found(&[
                ("usr/lib/locale/et_EE.utf8/LC_TIME", b""),
                ("usr/lib/locale/C.utf8/LC_CTYPE", b""),
                ("lib/libc.so.6", b"..\0TZ\0..MALLOC_PERTURB_\0"),
            ]),
            [true; 4]
        );
    }

    #[test]
    fn each_is_a_variation() {
        for (name, ..) in NEEDS {
            assert!(VARIATIONS.iter().any(|variation| variation.name == name));
        }
    }
}
