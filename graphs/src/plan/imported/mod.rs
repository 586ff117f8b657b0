//! Derivations of Nix and Guix as a plan.
//!
//! What is built and what is given is decided first ([`needs`]): a derivation is built if an output of it is needed and not
//! available. Each becomes a step in the world that its daemon makes for it (`nix`, `guix`); what all of them have is in `world`.

mod attributes;
mod checks;
mod environment;
mod guix;
mod json;
mod needs;
mod nix;
mod platform;
mod refuse;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use super::step::{Expected, Output, Step, Whole};
use super::{Failure, Inputs, Resolved, write};
use crate::drv::{Algorithm, Closure, Derivation};
use crate::problem::Problem;
use formats::digest::Sha256;
use formats::store_path::base;

pub use checks::{Check, Limit, checks, limits};
pub use needs::{BuildSet, needs};

/// Something in the store that is available, not built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathInfo {
    /// Its form in the image, and its hash.
    pub resolved: Resolved,
    /// The base names of all that it refers to, directly or not.
    pub references: BTreeSet<String>,
    /// The same, directly: what stands in the store's own records.
    pub direct: BTreeSet<String>,
    /// The sha256 of its NAR, and the NAR's bytes.
    pub nar: (Sha256, u64),
    /// How its path follows from its content, as Nix spells it, if it does.
    pub ca: Option<String>,
}

/// How steps are made.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// The input that is `/bin/sh`, by its name in the image; Nix alone has one.
    pub shell: Option<(&'a str, &'a Resolved)>,
    /// In bytes, for each of a step's two file systems.
    pub space: u64,
    /// What happens after a failure.
    pub failure: Failure,
}

/// Why there is no step.
enum Refusal {
    /// There can be none.
    Never(Box<Problem>),
    /// There can be one once what it needs is built, and available.
    Late(Box<Problem>),
}

/// A plan, and what is left out of it.
#[derive(Debug, Clone, Default)]
pub struct Planned {
    /// The plan's text.
    pub text: String,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Why derivations can not be planned before others are built. Those that need them are left out, too.
    pub late: Vec<Problem>,
}

/// The plan of what is to be built. All problems are reported.
pub fn plan(
    closure: &Closure,
    needs: &BuildSet<'_>,
    available: &BTreeMap<String, PathInfo>,
    setting: Setting<'_>,
) -> Result<Planned, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut planned = Planned::default();
    let mut late: BTreeSet<&str> = BTreeSet::new();
    for path in &needs.build {
        if closure.get(path).inputs.keys().any(|input| late.contains(input.as_str())) {
            late.insert(path);
            continue;
        }
        match step(closure, path, available, setting) {
            Ok(step) => planned.steps.push(step),
            Err(Refusal::Never(problem)) => problems.push(*problem),
            Err(Refusal::Late(problem)) => {
                late.insert(path);
                planned.late.push(*problem);
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    planned.text = text(&planned.steps, available, setting);
    Ok(planned)
}

fn text(steps: &[Step], available: &BTreeMap<String, PathInfo>, setting: Setting<'_>) -> String {
    let mut text = write::head(setting.failure, super::ENTROPY);
    if let Some((name, resolved)) = setting.shell {
        write::input(&mut text, name, resolved, Inputs::Verified);
    }
    for (path, info) in available {
        write::input(&mut text, base(path), &info.resolved, Inputs::Verified);
    }
    for (path, info) in available {
        for other in &info.references {
            write::refers(&mut text, base(path), other);
        }
    }
    // A step's output may be referred to by any that comes after, so it stays; only what no step needs is done with.
    let needed: BTreeSet<&str> = steps.iter().flat_map(Step::steps).collect();
    for step in steps {
        write::step(&mut text, step);
        if !needed.contains(step.name.as_str()) {
            write::drop(&mut text, "output", &step.name);
        }
    }
    text
}

fn step(
    closure: &Closure,
    path: &str,
    available: &BTreeMap<String, PathInfo>,
    setting: Setting<'_>,
) -> Result<Step, Refusal> {
    let derivation = closure.get(path);
    refuse::refuse(closure, path, derivation).map_err(Refusal::Never)?;
    let source = Source { closure, path, derivation, available, setting };
    if closure.store == platform::GUIX_STORE { guix::step(&source) } else { nix::step(&source) }
}

/// All that a step is made of.
struct Source<'a> {
    closure: &'a Closure,
    path: &'a str,
    derivation: &'a Derivation,
    available: &'a BTreeMap<String, PathInfo>,
    setting: Setting<'a>,
}

impl Source<'_> {
    /// Its outputs, with what is expected of them.
    fn outputs(&self) -> Vec<Output> {
        let expected = |fixed: &crate::drv::Fixed| {
            let whole = if fixed.recursive { Whole::Nar } else { Whole::Flat };
            Expected { whole: Some(whole(fixed.hash.clone())), files: BTreeMap::new() }
        };
        let output = |output: &crate::drv::Output| {
            // PID 1 knows no other hash; the host does.
            let fixed = output.fixed.as_ref().filter(|fixed| fixed.algorithm == Algorithm::Sha256);
            Output {
                name: base(&output.path).to_owned(),
                path: output.path.clone(),
                expect: fixed.map(expected),
            }
        };
        self.derivation.outputs.values().map(output).collect()
    }

    /// `argv`: the builder's base name, and the arguments.
    fn args(&self) -> impl Iterator<Item = String> + '_ {
        std::iter::once(base(&self.derivation.builder).to_owned()).chain(self.derivation.args.iter().cloned())
    }
}
