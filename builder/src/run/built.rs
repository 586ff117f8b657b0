//! A kernel that another graph builds: `--kernel OUTPUT@GRAPH`.
//!
//! The graph is built on the machine `native`, once: the cache keeps the kernel by the plan that it came of. A record that was made
//! with such a kernel has the graph, its plan, the output and its hash beside the kernel's own.

use crate::args::{Cache, Choices, MachineName, QEMU, Tools};
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::prepare::{Prepared, prepare, store};
use crate::run::build;
use crate::run::cancel;
use crate::run::executor::{EXPORT, Setting};
use crate::run::kernel_output::{self, Wish};
use crate::run::machinery::Machinery;
use crate::run::outputs::Out;
use crate::run::prebuilt;
use crate::ui::running::Running;
use crate::ui::term;
use formats::digest::Sha256;
use records::record::BuiltFrom;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the graph's machine may take.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The tools with the kernel that a graph builds, if one was asked for: built, unless the cache has one of this plan.
pub fn tools(tools: &Tools, cache: &Path) -> Result<Tools, Failure> {
    let mut tools = tools.clone();
    if let Some(name) = tools.kernel.clone().filter(|name| kernel_output::is_meant(name)) {
        let kernel = kernel(&name, cache)?;
        tools.built.insert(name, kernel);
    }
    Ok(tools)
}

fn kernel(name: &str, cache: &Path) -> Result<(PathBuf, BuiltFrom), Failure> {
    let wish = Wish::read(name)?;
    let source = Source::open(Some(wish.graph))?;
    let graph = source.graph()?;
    let place = Cache { cache: Some(cache.into()) };
    let choices = Choices { choose: vec![], keep_going: false };
    let prepared = prepare(&source, graph, &choices, &store(&place)?)?;
    let outputs = outputs(&prepared.plan);
    if !outputs.contains(&wish.output) {
        let help = format!("its outputs are: {}", outputs.join(", "));
        return Err(wish.fail("the graph makes no output of this name", &help));
    }
    let plan = Sha256::of(prepared.plan.as_bytes());
    let graph = wish.graph.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let origin = |output_sha256, file: Option<String>, from_cache| BuiltFrom {
        graph: graph.clone(),
        graph_sha256: Sha256::of(source.text.as_bytes()),
        plan_sha256: plan,
        output: wish.output.into(),
        output_sha256,
        file,
        machine: MachineName::Native.word().into(),
        from_cache,
    };
    let note = cache.join("kernels").join(format!("{plan}-{}", crate::hash(wish.text.as_bytes())));
    if let Some((kernel, output, file)) = kept(cache, &note) {
        term::note(&format!("--kernel {name}: from the cache, not built now"));
        return Ok((kernel, origin(output, file, true)));
    }
    let scratch = prebuilt::scratch(cache)?;
    let output = build_on_native(&wish, &source, &prepared, scratch.path(), cache)?;
    let (file, bytes) = wish.find(&scratch.path().join(wish.output))?;
    let kernel = images::kernel::keep_built(cache, &bytes).map_err(Failure::machine)?;
    let line = format!("{} {output} {}\n", kernel.sha256, file.as_deref().unwrap_or_default());
    std::fs::write(&note, line)
        .map_err(|error| Failure::written(&note, "what the kernel came of", &error))?;
    Ok((kernel.path, origin(output, file, false)))
}

/// The names of a plan's outputs.
fn outputs(plan: &str) -> Vec<&str> {
    plan.lines().filter_map(|line| line.strip_prefix("output ")?.split(' ').next()).collect()
}

/// The kernel that a note in the cache is of, if it still is what it was: its file, the output's hash, the file in the output.
fn kept(cache: &Path, note: &Path) -> Option<(PathBuf, Sha256, Option<String>)> {
    let text = std::fs::read_to_string(note).ok()?;
    let mut words = text.trim_end_matches('\n').splitn(3, ' ');
    let kernel = images::kernel::kept_built(cache, words.next()?)?;
    let output = Sha256::from_hex(words.next()?)?;
    let file = words.next().filter(|file| !file.is_empty()).map(str::to_owned);
    Some((kernel.path, output, file))
}

/// Builds the graph and puts its outputs into a folder; the hash of the one that is asked for.
fn build_on_native(
    wish: &Wish<'_>,
    source: &Source,
    prepared: &Prepared,
    folder: &Path,
    cache: &Path,
) -> Result<Sha256, Failure> {
    term::note(&format!("--kernel {}: building {} on native", wish.text, wish.graph.display()));
    let tools = Tools { kernel: None, qemu: QEMU.into(), built: BTreeMap::new() };
    let setting = Setting {
        machine: MachineName::Native,
        tools: &tools,
        machinery: &Machinery::default(),
        cpus: 1,
        memory: None,
        time_limit: LONGEST,
        console: None,
        out: Some(Out { folder, nar: false, scratch: false, export: EXPORT }),
        record: None,
        logs: None,
        cache,
    };
    let mut running = Running::new(prepared.steps.len());
    let cancel = cancel::watch()?;
    let ended = build::build(source, prepared, &setting, &mut running, &cancel)?;
    ended.verdict.map_err(|failure| match failure {
        Failure::Build(why) => Failure::Build(format!("--kernel {}: {why}", wish.text)),
        other => other,
    })?;
    let made = ended.results.good().find(|output| output.name == wish.output).map(|output| output.sha256);
    made.ok_or_else(|| Failure::Build(format!("--kernel {}: the output was not made", wish.text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_read_off_the_plan() {
        assert_eq!(outputs("step a\noutput a /store/a\noutput a-dev /store/a-dev\nend\n"), ["a", "a-dev"]);
    }
}
