//! A derivation with all that it needs: read, checked and put in order. Pure: the caller says where files come from.

use super::{Derivation, modulo, parse};
use crate::problem::Problem;
use formats::store_path;
use indexmap::IndexMap;
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

/// One derivation on the way to a closure: each has a number, by which the others know it.
#[derive(Default)]
struct Met {
    derivation: Option<Derivation>,
    /// The first that was found to need it.
    by: usize,
    /// The numbers of those that it needs, in their order.
    needs: Vec<usize>,
}

/// All that was met, by path.
type Meetings = IndexMap<String, Met>;

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
    let named = store_path::base(name);
    if store_path::name(named).is_some_and(|name| name.ends_with(".drv")) && named != store_path::base(&own) {
        problems.push(changed(name, &own));
    }
    let mut missing = BTreeMap::new();
    let mut met = Meetings::from([(own.clone(), Met::default())]);
    meet(&mut met, 0, first);
    let mut next = 1;
    while let Some((wanted, Met { by, .. })) = met.get_index(next) {
        let wanted = wanted.clone();
        match find(&wanted) {
            Ok(None) => drop(missing.insert(wanted, *by)),
            Err(error) => problems.push(Problem::error(error)),
            Ok(Some(bytes)) => match parse(&bytes) {
                Err(error) => problems.push(refused(&wanted, error)),
                Ok(derivation) => {
                    let name = store_path::name(&wanted)
                        .and_then(|name| name.strip_suffix(".drv"))
                        .unwrap_or_default();
                    let must = modulo::own_path(&bytes, &derivation, &store, name);
                    if must != wanted {
                        problems.push(changed(&wanted, &must));
                    }
                    meet(&mut met, next, derivation);
                }
            },
        }
        next += 1;
    }
    problems.extend(missing.iter().map(|(path, by)| {
        Problem::error(format!(
            "{path} is missing; {} needs it",
            met.get_index(*by).map_or("", |(path, _)| path)
        ))
        .help("name a folder or an archive that has it with --store")
    }));
    check_names(&met, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let order = order(&met).map_err(|problem| vec![*problem])?;
    check_paths(&met, &order, &store)?;
    let path = |number: &usize| met.get_index(*number).map(|(path, _)| path.clone());
    let order = order.iter().filter_map(path).collect();
    let derivations = met.into_iter().filter_map(|(path, met)| Some((path, met.derivation?))).collect();
    Ok(Closure { store, root: own, derivations, order })
}

/// Takes in a derivation that was read, and gives numbers to those that it needs.
fn meet(met: &mut Meetings, number: usize, derivation: Derivation) {
    let mut needs = Vec::with_capacity(derivation.inputs.len());
    for input in derivation.inputs.keys() {
        needs.push(
            met.get_index_of(input.as_str())
                .unwrap_or_else(|| met.insert_full(input.clone(), Met { by: number, ..Met::default() }).0),
        );
    }
    met[number].needs = needs;
    met[number].derivation = Some(derivation);
}

fn changed(name: &str, must: &str) -> Problem {
    Problem::error(format!("{name} has another content than its name says: with this content it is {must}"))
        .help("the file was changed after it was made: get it anew")
}

/// Every output that is needed must be one that the derivation has.
fn check_names(met: &Meetings, problems: &mut Vec<Problem>) {
    for (path, Met { derivation, needs, .. }) in met {
        for ((input, outputs), number) in derivation.iter().flat_map(|found| &found.inputs).zip(needs) {
            let Some(needed) = &met[*number].derivation else { continue };
            for output in outputs.iter().filter(|output| !needed.outputs.contains_key(*output)) {
                problems.push(Problem::error(format!(
                    "{path} needs the output `{output}` of {input}, which has none of that name"
                )));
            }
        }
    }
}

/// By need, and among those whose needs are met by path. No recursion: a chain of any length does not overflow a stack.
fn order(met: &Meetings) -> Result<Vec<usize>, Box<Problem>> {
    let path = |number: usize| met.get_index(number).map_or("", |(path, _)| path.as_str());
    let mut sorted: Vec<usize> = (0..met.len()).collect();
    sorted.sort_unstable_by_key(|number| path(*number));
    let mut node = vec![NodeIndex::new(0); met.len()];
    let mut graph = DiGraph::with_capacity(met.len(), met.values().map(|met| met.needs.len()).sum());
    for number in &sorted {
        node[*number] = graph.add_node(path(*number));
    }
    for number in &sorted {
        for needed in &met[*number].needs {
            graph.add_edge(node[*needed], node[*number], ());
        }
    }
    let needs = crate::order::DependencyGraph { graph };
    let (order, left) = needs.sort(&vec![true; met.len()]);
    if left.is_empty() {
        return Ok(order.into_iter().map(|node| sorted[node.index()]).collect());
    }
    let cycle: Vec<_> = left.iter().map(|node| needs.graph[*node]).collect();
    let text = format!("cycle: these need each other, or something that does: {}", cycle.join(", "));
    Err(Box::new(Problem::error(text)))
}

/// Every output must have the path that follows from its derivation.
fn check_paths(met: &Meetings, order: &[usize], store: &str) -> Result<(), Vec<Problem>> {
    let mut hashes = vec![String::new(); met.len()];
    let mut problems = Vec::new();
    for number in order {
        let Some((path, Met { derivation: Some(derivation), needs, .. })) = met.get_index(*number) else {
            continue;
        };
        let name = store_path::name(path).and_then(|name| name.strip_suffix(".drv")).unwrap_or_default();
        let needed: Vec<&str> = needs.iter().map(|needed| hashes[*needed].as_str()).collect();
        for (output, must) in modulo::paths(derivation, &needed, store, name) {
            let is = derivation.outputs.get(&output).map(|output| output.path.as_str()).unwrap_or_default();
            if is != must {
                problems.push(
                    Problem::error(format!(
                        "{path}: the output `{output}` must be at {must}, and is at {is}"
                    ))
                    .help("the path follows from the derivation: one of the two was changed"),
                );
            }
        }
        hashes[*number] = modulo::hash(derivation, &needed);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
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
}
