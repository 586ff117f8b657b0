//! From a graph to everything that an image is made of: choices made, inputs obtained, plan written.

use crate::args;
use crate::failure::Failure;
use crate::fetching::Fetching;
use crate::graph::{Source, choices};
use crate::inputs::{InputSpec, Obtained, Store, default_folder};
use graphs::plan::Failure as OnFailure;
use graphs::{Choices, Graph, Resolved, Role};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An input that a plan uses.
pub struct Input {
    /// What it is trusted for.
    pub role: Role,
    /// What it is and where.
    pub obtained: Obtained,
}

/// All that an image is made of, but PID 1.
pub struct Prepared {
    /// The graph.
    pub graph: Graph,
    /// The alternative taken for each choice.
    pub choices: Choices,
    /// The inputs that the plan uses, by name.
    pub inputs: BTreeMap<String, Input>,
    /// The plan's text.
    pub plan: String,
}

impl Prepared {
    /// What goes into the image.
    pub fn image(&self) -> images::Image<'_> {
        let input = |(name, input): (&String, &Input)| images::Input {
            name: name.clone(),
            kind: match input.obtained.kind {
                graphs::Kind::File => images::Kind::File,
                graphs::Kind::Exec => images::Kind::Exec,
                graphs::Kind::Tree => images::Kind::Tree,
            },
            path: input.obtained.path.clone(),
        };
        images::Image {
            init: images::INIT,
            plan: self.plan.as_bytes(),
            inputs: self.inputs.iter().map(input).collect(),
        }
    }

    /// The names of its steps, in order.
    pub fn steps(&self) -> Result<Vec<String>, Failure> {
        let order = graphs::order(&self.graph, &self.choices).map_err(Failure::input)?;
        Ok(order.into_iter().map(str::to_owned).collect())
    }
}

/// The cache folder that was asked for, or the usual one.
pub fn cache(args: &args::Cache) -> PathBuf {
    args.cache.clone().unwrap_or_else(default_folder)
}

/// Where a cache that was opened has room for what is being made.
pub fn temporary(cache: &Path) -> PathBuf {
    cache.join("tmp")
}

/// The cache, opened.
pub fn store(args: &args::Cache) -> Result<Store, Failure> {
    let help = "make it a folder that this user can write to, or name another with --cache DIR";
    Store::open(&cache(args)).map_err(|error| Failure::help(error, help))
}

/// Obtains the inputs and writes the plan. Every input that could not be had is reported.
pub fn prepare(
    source: &Source,
    graph: Graph,
    args: &args::Choices,
    store: &Store,
) -> Result<Prepared, Failure> {
    let choices = choices("--choose", &graph, &args.choose)?;
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
            Ok(obtained) => drop(inputs.insert(used.name.to_owned(), Input { role: used.role, obtained })),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(source.input_problems(&graph, &errors));
    }
    let resolved: BTreeMap<_, _> =
        inputs.iter().map(|(name, input)| (name.clone(), Resolved::from(&input.obtained))).collect();
    let on_failure = if args.keep_going { OnFailure::Continue } else { OnFailure::Stop };
    let plan = graphs::plan(&graph, &choices, &resolved, on_failure)
        .map_err(|error| source.problems(vec![error.problem(&graph)]))?;
    Ok(Prepared { graph, choices, inputs, plan })
}
