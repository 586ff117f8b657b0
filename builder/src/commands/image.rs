//! `groundup image`: the initrd, for whoever has a machine of their own to run it on.

use crate::args;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::graph::Source;
use crate::prepare::{Prepared, prepare, store};
use crate::run::cancel;
use crate::run::preflight::{Ahead, folder};
use crate::ui::term;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where an image goes, and in what form.
pub struct Target<'a> {
    /// The file.
    pub path: &'a Path,
    /// Compressed.
    pub xz: bool,
    /// The busybox for a shell script that carries out the plan in the place of our own PID 1.
    pub script: Option<&'a Path>,
}

/// What was written.
pub struct Written {
    /// Of the file.
    pub sha256: String,
    /// Bytes of the file.
    pub size: u64,
    /// Bytes of the archive, before compression.
    pub unpacked: u64,
    /// Entries of the archive.
    pub entries: u32,
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
    Ahead::default().whole_file("--output", Some(target.path)).done()?;
    let prepared = prepare(&source, graph, choices, &store(cache)?)?.by_script(target.script)?;
    nix::stages::refuse(prepared.imported.as_ref())?;
    let fail = |error: io::Error| Failure::written(target.path, "the image", &error);
    let cancel = cancel::watch()?;
    let file = tempfile::Builder::new().permissions(mode()).tempfile_in(folder(target.path)).map_err(fail)?;
    // The file goes when this returns, also where a signal is why.
    let written = write(&prepared, (target.path, file.as_file()), target.xz, &cancel)?;
    file.persist(target.path).map_err(|error| fail(error.error))?;
    let plan = crate::hash(prepared.plan.as_bytes());
    if as_json {
        return term::json(&json!({
            "graph": source.label(), "plan": plan, "image": written.sha256, "size": written.size, "unpacked": written.unpacked,
        }));
    }
    term::result(&format!("{plan}  plan\n{}  {}\n", written.sha256, target.path.display()))
}

/// What a new file has before the umask: a temporary one is its owner's alone otherwise.
pub fn mode() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Writes the image of what is prepared to a file that is open.
pub fn write(
    prepared: &Prepared,
    to: (&Path, &File),
    xz: bool,
    cancel: &AtomicBool,
) -> Result<Written, Failure> {
    pack(&prepared.image(), to, xz, cancel)
}

/// Writes an image to a file that is open.
pub fn pack(
    image: &images::Image<'_>,
    (path, file): (&Path, &File),
    xz: bool,
    cancel: &AtomicBool,
) -> Result<Written, Failure> {
    let full = |error: &io::Error| Failure::written(path, "the image", error);
    let mut out =
        Hashing { cancel, file: BufWriter::with_capacity(1 << 20, file), hash: Sha256::new(), size: 0 };
    let write = if xz { images::write_xz } else { images::write };
    let summary = write(image, &mut out).map_err(|error| match cancel.load(Ordering::Relaxed) {
        true => Failure::machine(cancel::SAID),
        false => match &error {
            images::Error::Write(source) => full(source),
            _ => Failure::input(error),
        },
    })?;
    out.flush().map_err(|error| full(&error))?;
    Ok(Written {
        sha256: formats::hex::text(&out.hash.finalize()),
        size: out.size,
        unpacked: summary.bytes,
        entries: summary.entries,
    })
}

/// Hashes what passes through.
struct Hashing<'a> {
    cancel: &'a AtomicBool,
    file: BufWriter<&'a File>,
    hash: Sha256,
    size: u64,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        let length = self.file.write(bytes)?;
        self.hash.update(&bytes[..length]);
        self.size += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
