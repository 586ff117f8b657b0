//! Taking outputs out of the export region: each is verified against the hash that PID 1 printed before it is kept.

use crate::failure::Failure;
use crate::nix;
use crate::prepare::Prepared;
use crate::run::preflight;
use crate::run::results::Output;
use formats::digest::Sha256;
use qemu::{Place, Region};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Where outputs go, and how.
#[derive(Clone, Copy)]
pub struct Out<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// As `NAME.nar`.
    pub nar: bool,
    /// For this program's own use: those of derivations are no binary cache either.
    pub scratch: bool,
    /// Room for them on their way, in MiB.
    pub export: u64,
}

/// The list is no symbolic link either.
const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// The NAR of one output, as PID 1 hashed it.
pub fn read(region: &Region, output: &Output) -> Result<Vec<u8>, Failure> {
    let name = &output.name;
    let offset = match output.place {
        Place::At(offset) => offset,
        Place::Full => {
            let (size, folder) = (output.size, region.folder().display());
            let text = match region.is_cut() {
                true => format!("output {name}: no room in {folder} for its {size} bytes on their way out"),
                false => format!(
                    "output {name}: its {size} bytes did not fit into the export region; make it larger with --export MIB"
                ),
            };
            return Err(Failure::Machine(text));
        }
        Place::None => {
            return Err(Failure::Machine(format!("output {name}: the machine found no export region")));
        }
    };
    let lost = |error: &dyn std::fmt::Display| Failure::Machine(format!("output {name}: {error}"));
    let mut bytes = Vec::new();
    let mut part = region.read(offset, output.size).map_err(|error| lost(&error))?;
    part.read_to_end(&mut bytes).map_err(|error| lost(&error))?;
    let found = Sha256::of(&bytes);
    if found != output.sha256 {
        let text = format!("output {name}: PID 1 printed {}, the export region holds {found}", output.sha256);
        return Err(Failure::Machine(text));
    }
    Ok(bytes)
}

/// Takes one output, whose NAR these bytes are, to where outputs go: a derivation's into a binary cache, others as [`put`] leaves
/// them.
pub fn keep(out: Out<'_>, prepared: &Prepared, output: &Output, bytes: &[u8]) -> Result<(), Failure> {
    match &prepared.imported {
        Some(imported) if !out.scratch => nix::out::add(out.folder, imported, output, bytes),
        _ => put(bytes, &output.name, out.folder, out.nar),
    }
}

/// In a folder of outputs, what steps that failed had made: to look at, and nothing else. No output's name begins with a dot.
pub const FAILED: &str = ".failed";

/// In a folder of outputs, the names of those that this program has put there.
const OURS: &str = ".groundup";

/// Puts an output's NAR into `folder`, as `NAME.nar` or unpacked as `NAME`. What was there under that name is replaced if this
/// program has put it there, and left alone if not; the folder is no symbolic link.
pub fn put(bytes: &[u8], name: &str, folder: &Path, as_nar: bool) -> Result<(), Failure> {
    let fail = |error: io::Error| Failure::input(format!("{}: {error}", folder.display()));
    if preflight::is_link(folder) {
        return Err(fail(io::Error::other("this is a symbolic link, which is not followed")));
    }
    fs::create_dir_all(folder).map_err(fail)?;
    let name = if as_nar { format!("{name}.nar") } else { name.to_owned() };
    let place = folder.join(&name);
    let mut list = File::options();
    list.read(true).append(true).create(true).custom_flags(NOFOLLOW);
    let mut ours = list.open(folder.join(OURS)).map_err(fail)?;
    let mut names = String::new();
    ours.read_to_string(&mut names).map_err(fail)?;
    if !names.lines().any(|line| line == name) {
        if fs::symlink_metadata(&place).is_ok() {
            let text = format!("{}: this is there, and groundup has not put it there", place.display());
            return Err(Failure::help(text, "take it away, or name another folder with --out"));
        }
        ours.write_all(format!("{name}\n").as_bytes()).map_err(fail)?;
    }
    // Made beside its place and renamed, so that what stands there is always whole.
    let temporary = tempfile::Builder::new().prefix(".groundup-").tempdir_in(folder).map_err(fail)?;
    let made = temporary.path().join("output");
    if as_nar {
        File::create(&made).and_then(|mut file| file.write_all(bytes)).map_err(fail)?;
    } else {
        inputs::restore(bytes, &made, bytes.len() as u64)
            .map_err(|error| Failure::input(format!("output {name}: {error}")))?;
    }
    if fs::symlink_metadata(&place).is_ok() {
        fs::rename(&place, temporary.path().join("old")).map_err(fail)?;
    }
    fs::rename(&made, &place).map_err(fail)
}
