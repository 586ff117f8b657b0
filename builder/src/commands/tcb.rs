//! `groundup tcb`: what has to be trusted, each with size and hash, and how much it is in all.

use crate::args;
use crate::audit::tcb::{self, Component};
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::graph::Source;
use crate::prepare::{Prepared, cache, prepare, store};
use crate::run::built;
use crate::run::kernel::kernel;
use crate::ui::term;
use graphs::Role;
use serde_json::json;

/// Lists the machine's parts and the seeds, then the sources, which are only read.
pub fn tcb(
    graph: &args::Graph,
    choices: &args::Choices,
    cache_args: &args::Cache,
    tools: &args::Tools,
    (usb, as_json): (bool, bool),
) -> Result<(), Failure> {
    let source = Source::of(graph)?;
    let graph = source.graph()?;
    // A disk has footing where no other kernel is named, and needs no QEMU.
    let footing = args::Tools { kernel: tools.kernel.clone().or(Some("footing".into())), ..tools.clone() };
    let tools = if usb { &footing } else { tools };
    let probe = if usb { tcb::probe_kernel } else { tcb::probe };
    probe(tools)?;
    let prepared = prepare(&source, graph, choices, &store(cache_args)?)?;
    let cache = cache(cache_args);
    let tools = &built::tools(tools, &cache)?;
    let kernel = kernel(tools, &cache, false)?;
    let mut trusted = if usb { tcb::disk(&kernel)? } else { tcb::parts(tools, &kernel)? };
    let also = match usb {
        true => ["the CPU", "the machine's firmware, BIOS or UEFI"],
        false => ["the CPU", "the host's kernel and the libraries that QEMU is linked with"],
    };
    trusted.extend(inputs(&prepared, Role::Seed));
    // Nix's and Guix's daemons let builders run what is in a source; of a graph in RON, what it says.
    let runs = |name: &str| {
        prepared.imported.is_some() || prepared.graph.sources.get(name).is_some_and(|source| source.exec)
    };
    let (run, read): (Vec<_>, Vec<_>) = inputs(&prepared, Role::Source).partition(|part| runs(&part.name));
    let total = |parts: &[Component]| parts.iter().map(|part| part.size).sum::<u64>();
    if as_json {
        return envelope::print(
            "tcb",
            Ok(()),
            json!({
                "graph": source.label(), "trusted": tcb::descriptors(&trusted), "trustedBytes": total(&trusted),
                "executableSources": tcb::descriptors(&run), "executableSourceBytes": total(&run),
                "sources": tcb::descriptors(&read), "sourceBytes": total(&read),
                "alsoTrusted": also,
            }),
        );
    }
    let mut text = String::from("Trusted as they are:\n");
    text += &table(&trusted);
    let and = if usb { "the machine's firmware" } else { "the host's kernel and the libraries of QEMU" };
    text += &format!("{:>12} bytes in all; and the CPU, and {and}\n", total(&trusted));
    if !run.is_empty() {
        text += "\nSources whose programs may be run where they are, trusted as far as they are run:\n";
        text += &table(&run);
        text += &format!("{:>12} bytes in all\n", total(&run));
    }
    if !read.is_empty() {
        text += "\nOnly read, mounted noexec, trusted because they can be audited:\n";
        text += &table(&read);
        text += &format!("{:>12} bytes in all\n", total(&read));
    }
    term::result(&text)
}

fn inputs(prepared: &Prepared, role: Role) -> impl Iterator<Item = Component> + '_ {
    prepared.inputs.iter().filter(move |(_, input)| input.role == role).map(|(name, input)| {
        let made_of = |file: &inputs::FetchedFile| match &file.version {
            Some(version) => format!("{} {version}", file.name),
            None => String::new(),
        };
        let files: Vec<_> =
            input.obtained.files.iter().map(made_of).filter(|text| !text.is_empty()).collect();
        let trust: Vec<_> = input.trust.iter().cloned().collect();
        let about = [&[tcb::role(input.role).to_owned()], files.as_slice(), &trust].concat().join(", ");
        let obtained = &input.obtained;
        Component { name: name.clone(), about, sha256: obtained.sha256, size: obtained.size, origin: None }
    })
}

fn table(parts: &[Component]) -> String {
    let line =
        |part: &Component| format!("{:>12}  {}  {}  ({})\n", part.size, part.sha256, part.name, part.about);
    parts.iter().map(line).collect()
}
