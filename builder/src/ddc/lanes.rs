//! The lanes of one question: which there are.

use crate::args::{self, MachineName};
use crate::failure::Failure;
use crate::prepare::graph::choices;
use graphs::Graph;
use std::collections::BTreeSet;

/// One way to build the graph.
pub struct Lane {
    /// Its alternatives joined by `,`, and `@MACHINE` where machines differ; as a file name it is safe.
    pub name: String,
    /// Every choice made, as `--choose` makes it.
    pub choose: Vec<(String, String)>,
    /// What runs it.
    pub machine: MachineName,
    /// Its kernel, where kernels differ.
    pub kernel: Option<String>,
}

/// What `--over` calls the machine's kernel, unless the graph has a choice of that name.
pub const KERNEL: &str = "kernel";
/// Its alternatives, if none are named.
const KERNELS: [&str; 2] = ["minimal", "footing"];

/// Whether `--over` means the machine's kernel by this.
fn is_kernel(graph: &Graph, over: &str) -> bool {
    over == KERNEL && !graph.choices.contains_key(KERNEL)
}

/// A lane for each alternative of what is varied, for each of several the product, and for each machine.
pub fn lanes(graph: &Graph, args: &args::Ddc) -> Result<Vec<Lane>, Failure> {
    let mut ways: Vec<Vec<(String, String)>> = vec![vec![]];
    for (number, over) in args.over.iter().enumerate() {
        let taken = alternatives(graph, over, args)?;
        if args.over[..number].contains(over) {
            return Err(Failure::help(format!("--over: `{over}` is named twice"), "name it once"));
        }
        if let Some((_, taken)) = args.choices.choose.iter().find(|(choice, _)| choice == over) {
            let text = format!("--choose {over}={taken}: `{over}` is varied");
            let help = format!("its lanes take the alternatives in turn; --choices {taken} takes only some");
            return Err(Failure::help(text, &help));
        }
        let longer = |way: &Vec<(String, String)>, taken: &String| {
            way.iter().cloned().chain([(over.clone(), taken.clone())]).collect()
        };
        ways = ways.iter().flat_map(|way| taken.iter().map(move |taken| longer(way, taken))).collect();
    }
    let mut lanes = Vec::new();
    for way in ways {
        for &machine in &args.machine {
            let mut name = way.iter().map(|(_, taken)| taken.as_str()).collect::<Vec<_>>().join(",");
            if args.machine.len() > 1 || name.is_empty() {
                name = format!("{name}@{}", machine.word()).trim_start_matches('@').to_owned();
            }
            let (kernels, way): (Vec<_>, Vec<_>) =
                way.iter().cloned().partition(|(over, _)| is_kernel(graph, over));
            let choose = args.choices.choose.iter().cloned().chain(way).collect();
            let kernel = kernels.into_iter().next().map(|(_, kernel)| kernel);
            lanes.push(Lane { name: name.replace('/', "_"), choose, machine, kernel });
        }
    }
    let names: BTreeSet<_> = lanes.iter().map(|lane| &lane.name).collect();
    if names.len() < lanes.len() {
        return Err(Failure::help("two lanes would be the same", "name each alternative and machine once"));
    }
    if lanes.len() < 2 {
        let help = "vary an input with --over INPUT, or name two machines with --machine A,B";
        return Err(Failure::help("one lane alone agrees with everything", help));
    }
    Ok(lanes)
}

/// The alternatives of one varied choice: those that `--choices` names, or all.
fn alternatives(graph: &Graph, over: &str, args: &args::Ddc) -> Result<Vec<String>, Failure> {
    let choice = graph.choices.get(over);
    let default = choice.map(|choice| choice.default.clone()).unwrap_or_default();
    let kernel = is_kernel(graph, over);
    if !kernel {
        choices("--over", graph, &[(over.to_owned(), default)])?;
    }
    let mut named = Vec::new();
    for text in &args.alternatives {
        match text.split_once('=').filter(|(choice, _)| args.over.iter().any(|over| over == choice)) {
            Some((choice, taken)) if choice == over => named.push(taken.to_owned()),
            Some(_) => {}
            None if args.over.len() == 1 => named.push(text.clone()),
            None => {
                let help = "with several inputs in --over, write each as INPUT=CHOICE";
                return Err(Failure::help(format!("--choices {text}: of which input?"), help));
            }
        }
    }
    for taken in named.iter().filter(|_| !kernel) {
        choices("--choices", graph, &[(over.to_owned(), taken.clone())])?;
    }
    if kernel && named.is_empty() {
        named = KERNELS.map(str::to_owned).into();
    }
    let all = || choice.into_iter().flat_map(|choice| choice.of.keys().cloned());
    Ok(if named.is_empty() { all().collect() } else { named })
}
