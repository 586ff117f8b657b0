//! From a closure to everything that an image is made of.

use super::content::Trust;
use super::obtain::{Obtained, obtain};
use super::places::Places;
use super::{Loaded, STDIN};
use crate::failure::Failure;
use crate::inputs;
use crate::prepare::{Input, Prepared};
use graphs::drv::fetch;
use graphs::drv::path::{base, name};
use graphs::plan::imported::{Check, checks, needs};
use graphs::plan::{self, Failure as OnFailure, Given};
use graphs::{Choices, Graph, Kind, Problem, Resolved, Role};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The name of the input that is `/bin/sh`.
const SHELL: &str = "bin-sh";

/// What is known of derivations of Nix and Guix beside the plan.
#[derive(Clone)]
pub struct Imported {
    /// The folder that their paths lie in.
    pub store: String,
    /// In bytes: what the hungriest step may use.
    pub memory: u64,
    /// What is demanded of the references of outputs.
    pub checks: Vec<Check>,
    /// The base names that each given thing refers to, by its own.
    pub direct: BTreeMap<String, BTreeSet<String>>,
    /// Where unpacked inputs are.
    _kept: Arc<tempfile::TempDir>,
}

/// Memory for a builder itself, in bytes.
const MEMORY: u64 = 1 << 30;

/// Obtains what is not built and writes the plan.
pub fn prepare(loaded: &Loaded, keep_going: bool, store: &inputs::Store) -> Result<Prepared, Failure> {
    let (closure, args) = (&loaded.closure, &loaded.args);
    let folder = store.temporary().map_err(Failure::input)?;
    let root = Some(loaded.path.as_path()).filter(|path| *path != Path::new(STDIN));
    let beside = root
        .and_then(Path::parent)
        .map(|parent| if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() });
    let folders: Vec<_> = args.store.iter().cloned().chain(beside).collect();
    let places = Places::new(&args.inputs, &folders);
    let mut unused: BTreeSet<&str> = args.stop_at.iter().map(String::as_str).collect();
    for wanted in &args.stop_at {
        if closure.derivations.keys().any(|path| is_named(path, wanted)) {
            unused.remove(wanted.as_str());
        }
    }
    if let Some(wanted) = unused.first() {
        return Err(Failure::help(
            format!("--stop-at {wanted}: no derivation here goes by that name"),
            "name it by its name or its path, with or without .drv: groundup show --recursive lists them",
        ));
    }
    // What is fixed and has no URL is built, unless it was named where to take it from.
    let named = Places::new(&args.inputs, &[]);
    let needs = needs(closure, &|path| {
        let derivation = closure.get(path);
        let fixed = fetch::fetch(derivation);
        args.stop_at.iter().any(|wanted| is_named(path, wanted))
            || fetch::is_builtin(derivation)
            || fixed.is_some_and(|fetch| {
                !fetch.urls.is_empty() || matches!(named.find(fetch.path, folder.path()), Ok(Some(_)))
            })
    });
    let obtained = obtain(closure, &needs, &places, folder.path()).map_err(Failure::several)?;
    let mut inputs: BTreeMap<String, Input> =
        obtained.iter().map(|(path, one)| (base(path).to_owned(), input(path, one))).collect();
    let shell = args.sh.as_deref().map(shell).transpose()?;
    let resolved = shell.as_ref().map(|shell| Resolved::from(&shell.obtained));
    let given: BTreeMap<String, Given> =
        obtained.iter().map(|(path, one)| (path.clone(), one.given.clone())).collect();
    let on_failure = if keep_going { OnFailure::Continue } else { OnFailure::Stop };
    let setting = plan::imported::Setting {
        shell: resolved.as_ref().map(|resolved| (SHELL, resolved)),
        space: args.space << 20,
        failure: on_failure,
    };
    let plan = plan::imported::plan(closure, &needs, &given, setting).map_err(Failure::several)?;
    inputs.extend(shell.map(|shell| (SHELL.to_owned(), shell)));
    let imported = Imported {
        store: closure.store.clone(),
        memory: MEMORY.saturating_add((args.space << 20).saturating_mul(2)),
        checks: needs.build.iter().flat_map(|path| checks(closure, closure.get(path))).collect(),
        direct: given.iter().map(|(path, given)| (base(path).to_owned(), given.direct.clone())).collect(),
        _kept: Arc::new(folder),
    };
    let steps = needs.build.iter().map(|path| base(path).to_owned()).collect();
    let graph = Graph { targets: vec![base(&closure.root).to_owned()], ..Graph::default() };
    Ok(Prepared {
        graph,
        choices: Choices::default(),
        inputs,
        given: BTreeMap::new(),
        keys: BTreeMap::new(),
        steps,
        on_failure,
        plan,
        script: None,
        imported: Some(imported),
    })
}

/// By its path, its base name or its name, with or without `.drv`.
fn is_named(path: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.strip_suffix(".drv").unwrap_or(text).to_owned();
    let wanted = plain(wanted);
    [Some(path), Some(base(path)), name(path)].into_iter().flatten().any(|form| plain(form) == wanted)
}

fn input(path: &str, one: &Obtained) -> Input {
    let obtained = inputs::Obtained {
        path: one.path.clone(),
        kind: one.given.resolved.kind,
        sha256: one.given.resolved.sha256.clone(),
        size: one.given.nar.1,
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
        sha256: crate::hash(&bytes),
        size: bytes.len() as u64,
        files: vec![],
    };
    Ok(Input { role: Role::Seed, obtained, trust: Some("/bin/sh, given by --sh".into()), store_path: None })
}
