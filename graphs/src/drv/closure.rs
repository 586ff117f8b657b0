//! A derivation with all that it needs: read, checked and put in order. Pure: the caller says where files come from.

use super::{Derivation, modulo, parse, path};
use crate::problem::Problem;
use petgraph::graph::{DiGraph, NodeIndex};
use std::collections::{BTreeMap, BTreeSet};

/// A derivation and, directly or not, all derivations that it needs.
#[derive(Debug, Clone)]
pub struct Closure {
    /// The folder that all paths lie in.
    pub store: String,
    /// The path of the derivation that was asked for.
    pub root: String,
    /// All of them, by path.
    pub derivations: BTreeMap<String, Derivation>,
    /// Their paths, each after all that it needs.
    pub order: Vec<String>,
}

/// Finds the bytes of a file by its path in the store.
pub type Find<'a> = dyn FnMut(&str) -> Result<Option<Vec<u8>>, String> + 'a;

/// Reads `root`, the bytes of the file that goes by `name`, and with `find` what it needs, by path. All problems are reported.
pub fn load(name: &str, root: &[u8], find: &mut Find<'_>) -> Result<Closure, Vec<Problem>> {
    let refused = |name: &str, error: parse::Error| {
        Problem::error(format!("{name}, {error}"))
            .help("a `.drv` file is never written by hand: get it anew from the store that made it")
    };
    let first = parse(root).map_err(|error| vec![refused(name, error)])?;
    let unnamed = || vec![Problem::error(format!("{name}: the outputs' paths give the derivation no name"))];
    let drv_name = first.name().ok_or_else(unnamed)?;
    let store = first.store().ok_or_else(unnamed)?.to_owned();
    let own = modulo::own_path(root, &first, &store, drv_name);
    let mut problems = Vec::new();
    let named = path::base(name);
    if path::name(named).is_some_and(|name| name.ends_with(".drv")) && named != path::base(&own) {
        problems.push(changed(name, &own));
    }
    let mut missing: BTreeMap<String, String> = BTreeMap::new();
    let mut derivations = BTreeMap::new();
    let mut waiting: Vec<(String, String)> =
        first.inputs.keys().map(|input| (input.clone(), own.clone())).collect();
    derivations.insert(own.clone(), first);
    while let Some((wanted, by)) = waiting.pop() {
        if derivations.contains_key(&wanted) || missing.contains_key(&wanted) {
            continue;
        }
        let bytes = match find(&wanted) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                missing.insert(wanted, by);
                continue;
            }
            Err(error) => {
                problems.push(Problem::error(error));
                missing.insert(wanted, by);
                continue;
            }
        };
        match parse(&bytes) {
            Ok(derivation) => {
                let name = path::name(&wanted).and_then(|name| name.strip_suffix(".drv")).unwrap_or_default();
                let must = modulo::own_path(&bytes, &derivation, &store, name);
                if must != wanted {
                    problems.push(changed(&wanted, &must));
                }
                waiting.extend(derivation.inputs.keys().map(|input| (input.clone(), wanted.clone())));
                derivations.insert(wanted, derivation);
            }
            Err(error) => {
                problems.push(refused(&wanted, error));
                missing.insert(wanted, by);
            }
        }
    }
    problems.extend(
        missing
            .iter()
            .filter(|(path, _)| !problems.iter().any(|problem| problem.message.contains(path.as_str())))
            .map(|(path, by)| {
                Problem::error(format!("{path} is missing; {by} needs it"))
                    .help("name a folder or an archive that has it with --store")
            })
            .collect::<Vec<_>>(),
    );
    check_names(&derivations, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let order = order(&derivations).map_err(|problem| vec![*problem])?;
    let closure = Closure { store, root: own, derivations, order };
    closure.check_paths()?;
    Ok(closure)
}

fn changed(name: &str, must: &str) -> Problem {
    Problem::error(format!("{name} has another content than its name says: with this content it is {must}"))
        .help("the file was changed after it was made: get it anew")
}

/// Every output that is needed must be one that the derivation has.
fn check_names(derivations: &BTreeMap<String, Derivation>, problems: &mut Vec<Problem>) {
    for (path, derivation) in derivations {
        for (input, outputs) in &derivation.inputs {
            let Some(needed) = derivations.get(input) else { continue };
            for output in outputs.iter().filter(|output| !needed.outputs.contains_key(*output)) {
                problems.push(Problem::error(format!(
                    "{path} needs the output `{output}` of {input}, which has none of that name"
                )));
            }
        }
    }
}

/// By need, and among those whose needs are met by path. No recursion: a chain of any length does not overflow a stack.
fn order(derivations: &BTreeMap<String, Derivation>) -> Result<Vec<String>, Box<Problem>> {
    let numbers: BTreeMap<&str, usize> =
        derivations.keys().enumerate().map(|(i, path)| (path.as_str(), i)).collect();
    let mut graph = DiGraph::with_capacity(derivations.len(), derivations.len() * 4);
    for path in derivations.keys() {
        graph.add_node(path.as_str());
    }
    for (i, derivation) in derivations.values().enumerate() {
        for input in derivation.inputs.keys().filter_map(|input| numbers.get(input.as_str())) {
            graph.add_edge(NodeIndex::new(*input), NodeIndex::new(i), ());
        }
    }
    let needs = crate::order::Needs { graph };
    let (order, left) = needs.sort(&vec![true; derivations.len()]);
    if left.is_empty() {
        return Ok(order.into_iter().map(|node| needs.graph[node].to_owned()).collect());
    }
    let cycle: Vec<_> = left.iter().map(|node| needs.graph[*node]).collect();
    let text = format!("cycle: these need each other, or something that does: {}", cycle.join(", "));
    Err(Box::new(Problem::error(text)))
}

impl Closure {
    /// The derivation that was asked for.
    pub fn root(&self) -> &Derivation {
        &self.derivations[&self.root]
    }

    /// The derivation of a path in the closure, which every path in `order` is.
    pub fn get(&self, path: &str) -> &Derivation {
        &self.derivations[path]
    }

    /// All sources, by path.
    pub fn sources(&self) -> BTreeSet<&str> {
        self.derivations.values().flat_map(|derivation| &derivation.sources).map(String::as_str).collect()
    }

    /// Which derivation makes each output's path, and by which name.
    pub fn makers(&self) -> BTreeMap<&str, (&str, &str)> {
        self.derivations
            .iter()
            .flat_map(|(path, derivation)| {
                derivation
                    .outputs
                    .iter()
                    .map(move |(name, output)| (output.path.as_str(), (path.as_str(), name.as_str())))
            })
            .collect()
    }

    /// Every output must have the path that follows from its derivation.
    fn check_paths(&self) -> Result<(), Vec<Problem>> {
        let mut hashes = modulo::Hashes::new();
        let mut problems = Vec::new();
        for path in &self.order {
            let derivation = self.get(path);
            let name = path::name(path).and_then(|name| name.strip_suffix(".drv")).unwrap_or_default();
            let must = modulo::paths(derivation, &hashes, &self.store, name).unwrap_or_default();
            for (output, must) in &must {
                let is =
                    derivation.outputs.get(output).map(|output| output.path.as_str()).unwrap_or_default();
                if is != must {
                    problems.push(
                        Problem::error(format!(
                            "{path}: the output `{output}` must be at {must}, and is at {is}"
                        ))
                        .help("the path follows from the derivation: one of the two was changed"),
                    );
                }
            }
            if let Some(hash) = modulo::hash(derivation, &hashes) {
                hashes.insert(path.clone(), hash);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}
