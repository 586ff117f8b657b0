//! From a graph to everything that an image is made of: choices made, inputs obtained, plan written.

pub mod binds;
pub mod folders;
pub mod graph;
pub mod runner;
pub mod units;
pub mod unused;

use crate::args;
use crate::audit::tcb;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::graph::{Source, choices};
use crate::run::prebuilt::{self, Prebuilt};
use crate::ui::fetching::Fetching;
pub use folders::temporary;
use graphs::plan::Failure as OnFailure;
use graphs::{Choices, Graph, Resolved, Role};
use inputs::{InputCache, InputSpec, Obtained, default_folder};
pub use runner::Script;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// An input that a plan uses.
#[derive(Clone)]
pub struct Input {
    /// What it is trusted for.
    pub role: Role,
    /// What it is and where.
    pub obtained: Obtained,
    /// Why it is believed to be what it is, where the graph does not say it.
    pub trust: Option<String>,
    /// Its path in a store of Nix or Guix.
    pub store_path: Option<String>,
}

impl Input {
    /// What it is in an image.
    pub fn packed(&self) -> images::Kind {
        match self.obtained.kind {
            graphs::Kind::File => images::Kind::File,
            graphs::Kind::Exec => images::Kind::Exec,
            // A link's NAR is that of a tree.
            graphs::Kind::Tree | graphs::Kind::Data if self.obtained.path.is_symlink() => {
                images::Kind::Output
            }
            graphs::Kind::Tree | graphs::Kind::Data => images::Kind::Tree,
        }
    }
}

/// All that an image is made of, but PID 1.
#[derive(Clone)]
pub struct Prepared {
    /// The graph.
    pub graph: Graph,
    /// The alternative taken for each choice.
    pub choices: Choices,
    /// The inputs that the plan uses, by name.
    pub inputs: BTreeMap<String, Input>,
    /// Outputs of earlier runs that it uses or replaces, by name.
    pub prebuilt: prebuilt::All,
    /// The key of each step, those of prebuilt steps included.
    pub keys: BTreeMap<String, formats::digest::Sha256>,
    /// The names of the steps that are to be built, in order.
    pub steps: Vec<String>,
    /// The names of all steps in order, of those that are not built too.
    pub order: Vec<String>,
    /// In bytes: what the largest step may use.
    pub memory: u64,
    /// What happens after a failure.
    pub on_failure: OnFailure,
    /// The plan's text.
    pub plan: String,
    /// What carries the plan out in the place of our own PID 1.
    pub script: Option<Script>,
    /// What derivations of Nix and Guix have beside that; then the graph holds nothing but the target.
    pub imported: Option<nix::Imported>,
}

impl Prepared {
    /// What goes into the image.
    pub fn image(&self) -> images::Image<'_> {
        let input = |(name, input): (&String, &Input)| images::Input {
            name: name.clone(),
            kind: input.packed(),
            path: input.obtained.path.clone(),
        };
        images::Image {
            init: self.script.as_ref().map_or(images::INIT, |script| &script.text),
            shell: self.script.as_ref().map(|script| script.busybox.clone()),
            plan: self.plan.as_bytes(),
            inputs: self.inputs.iter().map(input).chain(self.packed_outputs()).collect(),
        }
    }

    /// The prebuilt outputs that a step uses.
    fn packed_outputs(&self) -> impl Iterator<Item = images::Input> + '_ {
        let used: BTreeSet<&str> =
            self.plan.lines().filter_map(|line| line.strip_prefix("input ")?.split(' ').next()).collect();
        self.prebuilt.iter().filter(move |(name, _)| used.contains(name.as_str())).map(|(name, prebuilt)| {
            images::Input { name: name.clone(), kind: images::Kind::Output, path: prebuilt.path.clone() }
        })
    }

    /// Has a shell script carry out the plan, by this busybox, if there is one.
    pub fn by_script(mut self, busybox: Option<&Path>) -> Result<Prepared, Failure> {
        if let Some(busybox) = busybox {
            let text = crate::audit::script::script(self.plan.as_bytes()).map_err(Failure::input)?;
            self.script = Some(Script { text, busybox: tcb::static_program("--script", busybox)? });
        }
        Ok(self)
    }

    /// The variables that the derivation of this name sets itself.
    pub fn own(&self, derivation: &str) -> BTreeSet<String> {
        if let Some(imported) = &self.imported {
            return imported.own(derivation);
        }
        let derivation = self.graph.derivations.get(derivation);
        derivation.into_iter().flat_map(|derivation| derivation.env.keys().cloned()).collect()
    }

    /// The same where what does not need a step that failed is built all the same.
    pub fn continuing(&self) -> Prepared {
        Prepared { plan: self.plan.replacen("\nfailure stop\n", "\nfailure continue\n", 1), ..self.clone() }
    }

    /// The steps that are to be built, in order.
    pub fn remaining_steps(&self) -> Result<Vec<graphs::plan::Step>, Failure> {
        if let Some(imported) = &self.imported {
            return Ok(imported.steps.clone());
        }
        let resolved = self.resolved();
        let left = graphs::remaining_steps(&self.graph, &self.choices, &resolved).map_err(Failure::input)?;
        left.collect::<Result<_, _>>().map_err(Failure::input)
    }

    fn resolved(&self) -> BTreeMap<String, Resolved> {
        let mut resolved = resolved(&self.inputs);
        let output = |prebuilt: &Prebuilt| Resolved { kind: graphs::Kind::Tree, sha256: prebuilt.sha256 };
        resolved.extend(self.prebuilt.iter().map(|(name, prebuilt)| (name.clone(), output(prebuilt))));
        resolved
    }

    /// Takes these outputs as they are: what made them is not built, and what nobody needs any more is not packed.
    pub fn take_over(&mut self, prebuilt: prebuilt::All) -> Result<(), Failure> {
        if let Some(imported) = &self.imported {
            *self = nix::take_over(imported, prebuilt)?;
            return Ok(());
        }
        self.prebuilt = prebuilt;
        let plan = graphs::plan(&self.graph, &self.choices, &self.resolved(), self.on_failure);
        self.plan = plan.map_err(Failure::input)?;
        let left = self.remaining_steps()?;
        let used: BTreeSet<&str> = left.iter().flat_map(graphs::plan::Step::inputs).collect();
        self.inputs.retain(|name, _| used.contains(name.as_str()));
        self.steps = left.into_iter().map(|step| step.name).collect();
        Ok(())
    }
}

fn resolved(inputs: &BTreeMap<String, Input>) -> BTreeMap<String, Resolved> {
    inputs.iter().map(|(name, input)| (name.clone(), Resolved::from(&input.obtained))).collect()
}

/// The cache folder that was asked for, or the usual one.
pub fn cache(args: &args::Cache) -> PathBuf {
    args.cache.clone().unwrap_or_else(default_folder)
}

/// The cache, opened.
pub fn store(args: &args::Cache) -> Result<InputCache, Failure> {
    InputCache::open(&cache(args)).map_err(|error| Failure::cache(&error))
}

/// Obtains the inputs and writes the plan. Every input that could not be had is reported.
pub fn prepare(
    source: &Source,
    graph: Graph,
    args: &args::Choices,
    store: &InputCache,
) -> Result<Prepared, Failure> {
    let choices = choices("--choose", &graph, &args.choose)?;
    if let Some(loaded) = &source.drv {
        return nix::prepare(loaded, args.keep_going, store);
    }
    let lock = source.lock()?;
    let used = graphs::used_inputs(&graph, &choices).map_err(Failure::input)?;
    let specs: Vec<_> =
        used.iter().map(|used| InputSpec::new(used.name, used.input, source.folder())).collect();
    let fetching = Fetching::start();
    let obtained = store.obtain_all(&specs, &lock, &fetching);
    fetching.finish();
    let mut inputs = BTreeMap::new();
    let mut errors = Vec::new();
    for (used, obtained) in used.iter().zip(obtained) {
        match obtained {
            Ok(mut obtained) => {
                if used.role == Role::Source && !used.input.exec && obtained.kind == graphs::Kind::Tree {
                    obtained.kind = graphs::Kind::Data;
                }
                let input = Input { role: used.role, obtained, trust: None, store_path: None };
                inputs.insert(used.name.to_owned(), input);
            }
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(source.input_problems(&graph, &errors));
    }
    let missing = binds::missing(&graph, &choices, &inputs)?;
    if !missing.is_empty() {
        return Err(source.problems(missing));
    }
    let resolved = resolved(&inputs);
    let on_failure = if args.keep_going { OnFailure::Continue } else { OnFailure::Stop };
    let problem = |error: graphs::plan::Error| source.problems(vec![error.problem(&graph)]);
    let plan = graphs::plan(&graph, &choices, &resolved, on_failure).map_err(problem)?;
    let keys = graphs::keys(&graph, &choices, &resolved).map_err(problem)?;
    let order: Vec<String> =
        graphs::order(&graph, &choices).map_err(Failure::input)?.into_iter().map(str::to_owned).collect();
    let memory = graphs::memory(&graph, &choices).map_err(Failure::input)?;
    Ok(Prepared {
        graph,
        choices,
        inputs,
        prebuilt: prebuilt::All::new(),
        keys,
        steps: order.clone(),
        order,
        memory,
        on_failure,
        plan,
        script: None,
        imported: None,
    })
}
