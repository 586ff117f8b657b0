//! Taking outputs out of the export region: each is verified against the hash that PID 1 printed before it is kept.

use crate::failure::Failure;
use crate::lane::Out;
use crate::prepare::Prepared;
use crate::results::Output;
use crate::{drv, nar};
use qemu::{Place, Region};
use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

/// The NAR of one output, as PID 1 hashed it.
pub fn read(region: &Region, output: &Output) -> Result<Vec<u8>, Failure> {
    let name = &output.name;
    let offset = match output.place {
        Place::At(offset) => offset,
        Place::Full => {
            let text = format!(
                "output {name}: its {} bytes did not fit into the export region; make it larger with --export MIB",
                output.size
            );
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
    let found = crate::hash(&bytes);
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
        Some(imported) => drv::out::add(out.folder, imported, output, bytes),
        None => put(bytes, &output.name, out.folder, out.nar),
    }
}

/// Puts an output's NAR into `folder`, as `NAME.nar` or unpacked as `NAME`; what was there under that name is replaced.
pub fn put(bytes: &[u8], name: &str, folder: &Path, as_nar: bool) -> Result<(), Failure> {
    let fail = |error: io::Error| Failure::input(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(fail)?;
    let place = folder.join(if as_nar { format!("{name}.nar") } else { name.to_owned() });
    // Made beside its place and renamed, so that what stands there is always whole.
    let temporary = tempfile::Builder::new().prefix(".groundup-").tempdir_in(folder).map_err(fail)?;
    let made = temporary.path().join("output");
    if as_nar {
        fs::File::create(&made).and_then(|mut file| file.write_all(bytes)).map_err(fail)?;
    } else {
        nar::unpack(bytes, &made).map_err(|error| Failure::input(format!("output {name}: {error}")))?;
    }
    if fs::symlink_metadata(&place).is_ok() {
        fs::rename(&place, temporary.path().join("old")).map_err(fail)?;
    }
    fs::rename(&made, &place).map_err(fail)
}
