//! From a closure to everything that an image is made of: what is not built is obtained once, and each plan is made of that and of
//! the outputs that are there already.

use super::content::Trust;
use super::obtain::{Obtained, obtain};
use super::places::Places;
use super::resolved::ResolvedClosure;
use super::{Loaded, STDIN, keys};
use crate::failure::Failure;
use crate::nix;
use crate::prepare::{Input, Prepared};
use crate::run::prebuilt;
use crate::ui::term;
use formats::digest::Sha256;
use formats::store_path::{base, name};
use graphs::drv::{Algorithm, Fixed, fetch};
use graphs::plan::imported::{Check, Limit, Setting, checks, limits, needs};
use graphs::plan::{self, Failure as OnFailure, Step};
use graphs::{Choices, Graph, Kind, Problem, Resolved, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the input that is `/bin/sh`.
pub(super) const SHELL: &str = "bin-sh";

/// What is known of derivations of Nix and Guix beside the plan.
#[derive(Clone)]
pub struct Imported {
    /// The folder that their paths lie in.
    pub store: String,
    /// What is demanded of the references of outputs.
    pub checks: Vec<Check>,
    /// What is demanded of their size.
    pub limits: Vec<Limit>,
    /// What outputs must be that PID 1 can't judge, by base name.
    pub fixed: BTreeMap<String, Fixed>,
    /// The base names that each obtained path refers to, by its own.
    pub direct: BTreeMap<String, BTreeSet<String>>,
    /// The bytes of each obtained path's NAR.
    pub sizes: BTreeMap<String, u64>,
    /// The plan's steps.
    pub steps: Vec<Step>,
    /// Why some can not be planned before others are built.
    pub late: Vec<Problem>,
    pub(super) ground: Arc<ResolvedClosure>,
}

impl Imported {
    /// The variables that the derivation of this base name sets itself.
    pub fn own(&self, derivation: &str) -> BTreeSet<String> {
        let closure = &self.ground.closure;
        let path = format!("{}/{derivation}", closure.store);
        closure.derivations.get(&path).into_iter().flat_map(|found| found.env.keys().cloned()).collect()
    }
}

/// Memory for a builder itself, in bytes.
const MEMORY: u64 = 1 << 30;

/// Obtains what is not built and writes the plan.
pub fn prepare(loaded: &Loaded, keep_going: bool, store: &inputs::InputCache) -> Result<Prepared, Failure> {
    let (closure, args) = (&loaded.closure, &loaded.args);
    let folder = store.temporary().map_err(|error| Failure::cache(&error))?;
    let root = Some(loaded.path.as_path()).filter(|path| *path != Path::new(STDIN));
    let beside = root
        .and_then(Path::parent)
        .map(|parent| if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() });
    let folders: Vec<_> = args.store.iter().cloned().chain(beside).collect();
    let places = Places::new(&args.inputs, &folders, store);
    let there = |wanted: &&String| !closure.derivations.keys().any(|path| is_named(path, wanted));
    if let Some(wanted) = args.stop_at.iter().find(there) {
        return Err(Failure::help(
            format!("--stop-at {wanted}: no derivation here goes by that name"),
            "name it by its name or its path, with or without .drv: groundup show --recursive lists them",
        ));
    }
    let stops = |path: &&String| {
        let derivation = closure.get(path);
        let fixed = fetch::fetch(derivation);
        args.stop_at.iter().any(|wanted| is_named(path, wanted))
            || fetch::is_builtin(derivation)
            || fixed.is_some_and(|fetch| {
                // What is fixed and has no URL is built, unless it is at hand.
                !fetch.urls.is_empty() || places.has(fetch.path) || places.offers(fetch.path, folder.path())
            })
    };
    let stopped: BTreeSet<String> = closure.order.iter().filter(stops).cloned().collect();
    let needs = needs(closure, &closure.root, &|path| stopped.contains(path));
    let obtained = obtain(closure, &needs, &places, store, folder.path())
        .map_err(|lacking| Failure::lacking(lacking.problems, lacking.elsewhere))?;
    if needs.build.is_empty() {
        term::note(&format!("{}: nothing to build, its outputs are given", base(&closure.root)));
    }
    let ground = ResolvedClosure {
        closure: Arc::clone(closure),
        obtained,
        stopped,
        shell: args.sh.as_deref().map(shell).transpose()?,
        space: args.space << 20,
        on_failure: if keep_going { OnFailure::Continue } else { OnFailure::Stop },
        _kept: folder,
    };
    let root = closure.root.clone();
    plan(Arc::new(ground), prebuilt::All::new(), &root)
}

/// The same, these outputs being there already.
pub fn take_over(imported: &Imported, made: prebuilt::All) -> Result<Prepared, Failure> {
    plan(Arc::clone(&imported.ground), made, &imported.ground.closure.root)
}

/// One derivation alone, by its base name; all that it needs is there already.
pub fn unit(imported: &Imported, derivation: &str, made: prebuilt::All) -> Result<Prepared, Failure> {
    let root = format!("{}/{derivation}", imported.store);
    plan(Arc::clone(&imported.ground), made, &root)
}

/// Every derivation that is to be built with those that it needs built, by their base names, each after all that it needs; also those
/// that can not be planned before others are built.
pub fn units(imported: &Imported) -> Vec<(String, BTreeSet<String>)> {
    let ground = &imported.ground;
    let closure = &ground.closure;
    let built = needs(closure, &closure.root, &|path| ground.stopped.contains(path)).build;
    let all: BTreeSet<&str> = built.iter().copied().collect();
    let one = |path: &&str| {
        let inputs = closure.get(path).inputs.keys().filter(|input| all.contains(input.as_str()));
        (base(path).to_owned(), inputs.map(|input| base(input).to_owned()).collect())
    };
    built.iter().map(one).collect()
}

/// The plan of a root and of all that it needs and that is not there.
fn plan(ground: Arc<ResolvedClosure>, made: prebuilt::All, root: &str) -> Result<Prepared, Failure> {
    let closure = &ground.closure;
    let is_made =
        |path: &str| closure.get(path).outputs.values().all(|output| made.contains_key(base(&output.path)));
    let needs = needs(closure, root, &|path| ground.stopped.contains(path) || is_made(path));
    let available = nix::taken::available(&ground, &made, &needs);
    let resolved = ground.shell.as_ref().map(|shell| Resolved::from(&shell.obtained));
    let setting = Setting {
        shell: resolved.as_ref().map(|resolved| (SHELL, resolved)),
        space: ground.space,
        failure: ground.on_failure,
    };
    let planned = plan::imported::plan(closure, &needs, &available, setting).map_err(Failure::several)?;
    let one = |path: &String| Some((base(path).to_owned(), input(path, ground.obtained.get(path)?)));
    let mut inputs: BTreeMap<String, Input> = available.keys().filter_map(one).collect();
    inputs.extend(ground.shell.clone().map(|shell| (SHELL.to_owned(), shell)));
    let built = needs.build.iter().map(|path| closure.get(path));
    let imported = Imported {
        store: closure.store.clone(),
        checks: built.clone().flat_map(|derivation| checks(closure, derivation)).collect(),
        limits: built.clone().flat_map(limits).collect(),
        fixed: built
            .filter_map(|derivation| derivation.fixed())
            .filter(|(_, fixed)| fixed.algorithm != Algorithm::Sha256)
            .map(|(output, fixed)| (base(&output.path).to_owned(), fixed.clone()))
            .collect(),
        direct: available.iter().map(|(path, info)| (base(path).to_owned(), info.direct.clone())).collect(),
        sizes: available.iter().map(|(path, info)| (base(path).to_owned(), info.nar.1)).collect(),
        steps: planned.steps,
        late: planned.late,
        ground: Arc::clone(&ground),
    };
    Ok(Prepared {
        graph: Graph { targets: vec![base(root).to_owned()], ..Graph::default() },
        choices: Choices::default(),
        inputs,
        prebuilt: made,
        keys: keys::keys(&ground),
        steps: imported.steps.iter().map(|step| step.name.clone()).collect(),
        order: closure.order.iter().map(|path| base(path).to_owned()).collect(),
        memory: MEMORY.saturating_add(ground.space.saturating_mul(2)),
        on_failure: ground.on_failure,
        plan: planned.text,
        script: None,
        imported: Some(imported),
    })
}

/// By its path, its base name or its name, with or without `.drv`.
pub fn is_named(path: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.strip_suffix(".drv").unwrap_or(text).to_owned();
    let wanted = plain(wanted);
    [Some(path), Some(base(path)), name(path)].into_iter().flatten().any(|form| plain(form) == wanted)
}

fn input(path: &str, one: &Obtained) -> Input {
    let obtained = inputs::Obtained {
        path: one.path.clone(),
        kind: one.info.resolved.kind,
        sha256: one.info.resolved.sha256,
        size: one.info.nar.1,
        files: vec![],
    };
    // What a daemon built is executable and was audited by nobody.
    let role = if one.built || one.trust == Trust::Place { Role::Seed } else { Role::Source };
    let trust = format!("{}, from {}", one.trust.words(), base(&one.from));
    Input { role, obtained, trust: Some(trust), store_path: Some(path.to_owned()) }
}

fn shell(path: &Path) -> Result<Input, Failure> {
    let fail = |error: std::io::Error| {
        Failure::several(vec![
            Problem::error(format!("--sh {}: {error}", path.display())).help("name a program"),
        ])
    };
    let bytes = std::fs::read(path).map_err(fail)?;
    let obtained = inputs::Obtained {
        path: path.canonicalize().map_err(fail)?,
        kind: Kind::Exec,
        sha256: Sha256::of(&bytes),
        size: bytes.len() as u64,
        files: vec![],
    };
    Ok(Input { role: Role::Seed, obtained, trust: Some("/bin/sh, given by --sh".into()), store_path: None })
}
