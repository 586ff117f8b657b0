//! Outputs as a binary cache: `nix-cache-info`, and for each a NAR and its `narinfo`, as `nix copy --from file://…` takes them. What
//! was obtained and is referred to is there, too: nobody could take the outputs without it.

use super::Imported;
use super::obtain::Obtained;
use crate::failure::Failure;
use crate::run::results::Output;
use formats::digest::Sha256;
use formats::nar::Sink;
use formats::narinfo::NarInfo;
use formats::store_path::HASH;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::NamedTempFile;

/// Adds one output, whose NAR these bytes are, to the cache in a folder.
pub fn add(folder: &Path, imported: &Imported, output: &Output, nar: &[u8]) -> Result<(), Failure> {
    let path = format!("{}/{}", imported.store, output.name);
    let info = NarInfo {
        references: output.references.iter().cloned().collect(),
        deriver: Some(output.step.clone()),
        ..NarInfo::plain(path, url(output.sha256), output.sha256, output.size)
    };
    let about = format!("StoreDir: {}\nWantMassQuery: 1\nPriority: 50\n", imported.store);
    write(folder, &info.url, nar)?;
    referred(folder, imported, &output.references)?;
    write(folder, &info_name(&output.name), info.write().as_bytes())?;
    write(folder, "nix-cache-info", about.as_bytes())
}

/// Adds what was obtained and is at these base names, and what that refers to in turn.
fn referred(folder: &Path, imported: &Imported, names: &[String]) -> Result<(), Failure> {
    let (mut waiting, mut seen) = (names.to_vec(), BTreeSet::new());
    while let Some(name) = waiting.pop() {
        let path = format!("{}/{name}", imported.store);
        let Some(one) = imported.ground.obtained.get(&path).filter(|_| seen.insert(name.clone())) else {
            continue;
        };
        let (nar_hash, nar_size) = one.info.nar;
        let (references, url) = (one.info.direct.clone(), url(nar_hash));
        let info = NarInfo { references, ..NarInfo::plain(path, url, nar_hash, nar_size) };
        let text = info.write();
        let stands = fs::read_to_string(folder.join(info_name(&name))).is_ok_and(|other| other == text);
        if !stands || !folder.join(&info.url).exists() {
            archive(folder, one, &info)?;
            write(folder, &info_name(&name), text.as_bytes())?;
        }
        waiting.extend(one.info.direct.iter().cloned());
    }
    Ok(())
}

/// Where the NAR of this hash is, below the cache.
fn url(sha256: Sha256) -> String {
    format!("nar/{}.nar", sha256.nix32())
}

fn info_name(name: &str) -> String {
    format!("{}.narinfo", name.get(..HASH).unwrap_or(name))
}

/// Writes the NAR of something obtained, however large it is.
fn archive(folder: &Path, one: &Obtained, info: &NarInfo) -> Result<(), Failure> {
    let fail = |error: io::Error| Failure::input(format!("{}: {error}", one.path.display()));
    let path = folder.join(&info.url);
    let mut sink = ToFile { file: BufWriter::new(beside(&path).map_err(fail)?), error: None };
    let (found, _) = inputs::nar_to(&one.path, &mut sink).map_err(fail)?;
    if found != info.nar_hash {
        return Err(Failure::input(format!("{} was changed during the run", one.path.display())));
    }
    let file = sink.error.map_or(Ok(()), Err).and_then(|()| Ok(sink.file.into_inner()?)).map_err(fail)?;
    put(file, &path).map_err(fail)
}

/// The first error stays.
struct ToFile {
    file: BufWriter<NamedTempFile>,
    error: Option<io::Error>,
}

impl Sink for ToFile {
    fn write(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.file.write_all(bytes).err();
        }
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    let write = |mut file: NamedTempFile| file.write_all(bytes).and_then(|()| put(file, &path));
    beside(&path).and_then(write).map_err(|error| Failure::input(format!("{}: {error}", path.display())))
}

/// Made beside its place and renamed, so that what stands there is always whole.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)?;
    tempfile::Builder::new().prefix(".groundup-").tempfile_in(parent)
}

fn put(file: NamedTempFile, path: &Path) -> io::Result<()> {
    fs::set_permissions(file.path(), PermissionsExt::from_mode(0o644))?;
    file.persist(path).map(drop).map_err(|error| error.error)
}
