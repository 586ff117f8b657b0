//! `groundup hash`: the hashes of a file, a folder or what a URL gives, as graphs, Nix and Guix write them.

use crate::args;
use crate::envelope;
use crate::failure::Failure;
use crate::prepare::store;
use crate::ui::term;
use formats::digest::Sha256;
use formats::nix_hash;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Bytes of a file that is fetched.
const LARGEST: u64 = 8 << 30;

/// Prints the sha256 of the NAR and, of a plain file, of its bytes; both in hex and as SRI.
pub fn hash(what: &str, cache: &args::Cache, json: bool) -> Result<(), Failure> {
    if !what.starts_with("http://") && !what.starts_with("https://") {
        let fail = |error| Failure::help(format!("{what}: {error}"), "name a file, a folder, or a URL");
        // What ends in dots has no name of its own.
        let path = match Path::new(what).file_name() {
            Some(_) => what.into(),
            None => fs::canonicalize(what).map_err(fail)?,
        };
        return show(what, &path, json);
    }
    let store = store(cache)?;
    let folder = store.temporary().map_err(|error| Failure::cache(&error))?;
    let path = folder.path().join("file");
    store.download(what, &path, LARGEST).map_err(|reason| {
        let problem =
            graphs::Problem::error(format!("{what}: {reason}")).help("name a URL that gives a file");
        Failure::lacking(vec![problem], reason.is_elsewhere())
    })?;
    show(what, &path, json)
}

fn show(what: &str, path: &Path, json: bool) -> Result<(), Failure> {
    let fail = |error| Failure::help(format!("{what}: {error}"), "name a file, a folder, or a URL");
    let kind = fs::symlink_metadata(path).map_err(fail)?;
    let (nar, size) = inputs::nar(path).map_err(fail)?;
    let flat = if kind.is_file() { Some(inputs::hash_file(path).map_err(fail)?) } else { None };
    let of =
        |sha256: Sha256, size: u64| json!({ "sha256": sha256, "sri": nix_hash::sri(&sha256), "size": size });
    if json {
        let flat = flat.map_or(Value::Null, |(sha256, size)| of(sha256, size));
        return envelope::print("hash", Ok(()), json!({ "path": what, "nar": of(nar, size), "flat": flat }));
    }
    let line = |word, sha256: Sha256| format!("{word}  {sha256}  {}\n", nix_hash::sri(&sha256));
    let flat = flat.map(|(sha256, _)| line("flat", sha256)).unwrap_or_default();
    term::result(&(flat + &line("nar ", nar)))
}
