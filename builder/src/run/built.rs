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
use crate::run::executor::{EXPORT, Machinery, Setting};
use crate::run::kernel::{Kernel, is_kernel};
use crate::run::outputs::Out;
use crate::run::prebuilt;
use crate::ui::running::Running;
use crate::ui::term;
use formats::digest::Sha256;
use records::record::BuiltFrom;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file that is the kernel where an output is a folder and no file of it is named.
const USUAL: &str = "vmlinux";
/// How long the graph's machine may take.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What was asked for.
struct Wish<'a> {
    /// As it stands on the command line.
    text: &'a str,
    output: &'a str,
    /// The file in it.
    file: Option<&'a str>,
    graph: &'a Path,
}

/// What a list of parts says of where a kernel came from.
pub fn about(from: &BuiltFrom) -> String {
    let file = from.file.as_ref().map_or(String::new(), |file| format!("{file} in "));
    format!(
        "{file}the output {} of {}, built on {} by the plan {}",
        from.output, from.graph, from.machine, from.plan_sha256
    )
}

/// Whether a kernel's name means the output of a graph: no file has this name.
pub fn is_meant(name: &str) -> bool {
    name.contains('@') && !Path::new(name).exists()
}

impl<'a> Wish<'a> {
    fn read(text: &'a str) -> Result<Wish<'a>, Failure> {
        let halves = text.split_once('@').filter(|(output, graph)| !output.is_empty() && !graph.is_empty());
        let Some((output, graph)) = halves else {
            let help = "write OUTPUT@GRAPH or OUTPUT/FILE@GRAPH, such as kernel/vmlinux@kernel.ron";
            return Err(Failure::help(format!("--kernel {text}: an output and a graph are needed"), help));
        };
        let (output, file) =
            output.split_once('/').map_or((output, None), |(output, file)| (output, Some(file)));
        if file.is_some_and(|file| file.split('/').any(|part| matches!(part, "" | "." | ".."))) {
            let help = "write the file's path in the output, such as kernel/vmlinux@kernel.ron";
            return Err(Failure::help(format!("--kernel {text}: this names no file in the output"), help));
        }
        Ok(Wish { text, output, file, graph: Path::new(graph) })
    }

    /// The kernel in the output, and its file's name where the output is a folder.
    fn find(&self, output: &Path) -> Result<(Option<String>, Vec<u8>), Failure> {
        let file = self.file.or_else(|| output.is_dir().then_some(USUAL)).map(str::to_owned);
        let path = file.as_ref().map_or_else(|| output.to_owned(), |file| output.join(file));
        let help = "name the kernel's file in the output: OUTPUT/FILE@GRAPH";
        // A link could lead out of the output.
        let plain = path.ancestors().take_while(|path| *path != output).all(|path| !path.is_symlink());
        let bytes = std::fs::read(&path).ok().filter(|_| plain);
        let Some(bytes) = bytes else {
            return Err(
                self.fail(format!("the output has no file {}", file.as_deref().unwrap_or(self.output)), help)
            );
        };
        match is_kernel(&bytes) {
            true => Ok((file, bytes)),
            false => Err(self.fail("the output is no kernel for x86 (a bzImage, or an ELF file)", help)),
        }
    }

    fn fail(&self, what: impl std::fmt::Display, help: &str) -> Failure {
        Failure::help(format!("--kernel {}: {what}", self.text), help)
    }
}

/// That an option names a graph that can be read.
pub fn probe(name: &str) -> Result<(), Failure> {
    let wish = Wish::read(name)?;
    let there = std::fs::File::open(wish.graph).map(drop);
    there.map_err(|error| {
        wish.fail(format!("{}: {error}", wish.graph.display()), "name a graph in RON that is there")
    })
}

/// The kernel, built if the cache has none of this plan.
pub fn kernel(name: &str, cache: &Path) -> Result<Kernel, Failure> {
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
    let origin = |output_sha256, file: Option<String>| BuiltFrom {
        graph: graph.clone(),
        graph_sha256: Sha256::of(source.text.as_bytes()),
        plan_sha256: plan,
        output: wish.output.into(),
        output_sha256,
        file,
        machine: MachineName::Native.word().into(),
    };
    let note = cache.join("kernels").join(format!("{plan}-{}", crate::hash(wish.text.as_bytes())));
    if let Some((kernel, output, file)) = kept(cache, &note) {
        return Ok(Kernel { path: kernel, about: String::new(), origin: Some(origin(output, file)) });
    }
    let scratch = prebuilt::scratch(cache)?;
    let output = build_on_native(&wish, &source, &prepared, scratch.path(), cache)?;
    let (file, bytes) = wish.find(&scratch.path().join(wish.output))?;
    let kernel = images::kernel::keep_built(cache, &bytes).map_err(Failure::machine)?;
    let line = format!("{} {output} {}\n", kernel.sha256, file.as_deref().unwrap_or_default());
    std::fs::write(&note, line)
        .map_err(|error| Failure::written(&note, "what the kernel came of", &error))?;
    Ok(Kernel { path: kernel.path, about: String::new(), origin: Some(origin(output, file)) })
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
    let tools = Tools { kernel: None, qemu: QEMU.into() };
    let setting = Setting {
        machine: MachineName::Native,
        tools: &tools,
        machinery: &Machinery { kernel: None, no_kvm: None, parts: vec![] },
        cpus: 1,
        memory: None,
        time_limit: LONGEST,
        console: None,
        out: Some(Out { folder, nar: false, export: EXPORT }),
        record: None,
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
    fn a_wish_has_an_output_a_file_and_a_graph() {
        let read = |text| Wish::read(text).ok().map(|wish| (wish.output, wish.file, wish.graph));
        assert_eq!(read("kernel@kernel.ron"), Some(("kernel", None, Path::new("kernel.ron"))));
        assert_eq!(read("kernel/a/b@../k@.ron"), Some(("kernel", Some("a/b"), Path::new("../k@.ron"))));
        assert!(["@kernel.ron", "kernel@", "kernel/../x@k.ron"].iter().all(|text| read(text).is_none()));
    }

    #[test]
    fn outputs_are_read_off_the_plan() {
        assert_eq!(outputs("step a\noutput a /store/a\noutput a-dev /store/a-dev\nend\n"), ["a", "a-dev"]);
    }
}
