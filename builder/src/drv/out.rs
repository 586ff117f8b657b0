//! Outputs as a binary cache: `nix-cache-info`, and for each a NAR and its `narinfo`, as `nix copy --from file://…` takes them.

use super::Imported;
use super::narinfo::NarInfo;
use crate::failure::Failure;
use crate::results::Output;
use graphs::drv::nix32;
use graphs::drv::path::HASH;
use std::fs;
use std::io::Write;
use std::path::Path;

/// Adds one output, whose NAR these bytes are, to the cache in a folder.
pub fn add(folder: &Path, imported: &Imported, output: &Output, nar: &[u8]) -> Result<(), Failure> {
    let hash = graphs::hex::decode(&output.sha256).unwrap_or_default();
    let info = NarInfo {
        path: format!("{}/{}", imported.store, output.name),
        url: format!("nar/{}.nar", nix32::encode(&hash)),
        nar_hash: output.sha256.clone(),
        nar_size: output.size,
        references: output.references.iter().cloned().collect(),
        deriver: Some(output.step.clone()),
    };
    let about = format!("StoreDir: {}\nWantMassQuery: 1\nPriority: 50\n", imported.store);
    let name = output.name.get(..HASH).unwrap_or(&output.name);
    write(folder, &info.url, nar)?;
    write(folder, &format!("{name}.narinfo"), info.write().as_bytes())?;
    write(folder, "nix-cache-info", about.as_bytes())
}

/// Made beside its place and renamed, so that what stands there is always whole.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    let fail = |error: std::io::Error| Failure::input(format!("{}: {error}", path.display()));
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(fail)?;
    let mut file = tempfile::Builder::new().prefix(".groundup-").tempfile_in(parent).map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(file.path(), mode).map_err(fail)?;
    file.persist(&path).map(drop).map_err(|error| fail(error.error))
}
