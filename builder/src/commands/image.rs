//! `groundup image`: the initrd, for whoever has a machine of their own to run it on.

use crate::args;
use crate::commands::disk;
use crate::envelope;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::graph::Source;
use crate::prepare::{prepare, store};
use crate::run::cancel;
use crate::run::pack::{mode, pack};
use crate::run::preflight::{Ahead, folder};
use crate::ui::term;
use serde_json::json;
use std::io;
use std::path::Path;

/// Where an image goes, and in what form.
pub struct Target<'a> {
    /// The file.
    pub path: &'a Path,
    /// The kernel, if it is to be a disk.
    pub disk: Option<&'a str>,
    /// Compressed.
    pub xz: bool,
    /// The busybox for a shell script that carries out the plan in the place of our own PID 1.
    pub script: Option<&'a Path>,
}

/// Writes the image whole or not at all.
pub fn image(
    graph: &args::Graph,
    target: &Target<'_>,
    choices: &args::Choices,
    cache: &args::Cache,
    as_json: bool,
) -> Result<(), Failure> {
    let source = Source::of(graph)?;
    let graph = source.graph()?;
    let option = if target.disk.is_some() { "--usb" } else { "--output" };
    Ahead::default().whole_file(option, Some(target.path)).done()?;
    let kernel =
        target.disk.map(|name| disk::Kernel::obtain(name, target.script.is_some(), cache)).transpose()?;
    let prepared = prepare(&source, graph, choices, &store(cache)?)?.by_script(target.script)?;
    nix::stages::refuse(prepared.imported.as_ref())?;
    let fail = |error: io::Error| Failure::written(target.path, "the image", &error);
    let cancel = cancel::watch()?;
    let file = tempfile::Builder::new().permissions(mode()).tempfile_in(folder(target.path)).map_err(fail)?;
    let plan = crate::hash(prepared.plan.as_bytes());
    // The file goes when this returns, also where a signal is why.
    let (written, disk) = match &kernel {
        None => (pack(&prepared.image(), (target.path, file.as_file()), target.xz, &cancel)?, None),
        Some(kernel) => {
            let (written, disk) = kernel.write(&prepared, &plan, (target.path, file.as_file()), &cancel)?;
            (written, Some(disk))
        }
    };
    file.persist(target.path).map_err(|error| fail(error.error))?;
    if as_json {
        let disk = disk.zip(kernel).map(|(disk, kernel)| {
            json!({ "sha256": disk.sha256, "size": disk.size, "kernel": crate::hash(&kernel.bytes) })
        });
        return envelope::print(
            "image",
            Ok(()),
            json!({
                "graph": source.label(), "plan": plan, "image": written.sha256, "size": written.size, "unpacked": written.unpacked, "disk": disk,
            }),
        );
    }
    let path = target.path.display();
    term::result(&match disk {
        None => format!("{plan}  plan\n{}  {path}\n", written.sha256),
        Some(disk) => format!("{plan}  plan\n{}  image\n{}  {path}\n", written.sha256, disk.sha256),
    })
}
