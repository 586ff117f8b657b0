//! What was found, verified: fixed outputs by their declared hash, the rest by its NAR hash where one is known.

use super::hash;
use super::places::Found;
use formats::digest::Sha256;
use formats::references::Known;
use formats::store_path::{self, base, name};
use graphs::drv;
use graphs::drv::{Algorithm, Fixed};
use graphs::plan::PathInfo;
use graphs::{Kind, Resolved};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Why something is believed to be what its path says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// A derivation declares its hash.
    Declared,
    /// Its store path follows from its content.
    Path,
    /// A binary cache says its NAR hash.
    Cache,
    /// It stood at that path, and nothing else speaks for it.
    Place,
}

impl Trust {
    /// As it stands in lists.
    pub fn words(self) -> &'static str {
        match self {
            Trust::Declared => "its hash is declared",
            Trust::Path => "its path follows from its content",
            Trust::Cache => "NAR hash of a cache",
            Trust::Place => "trusted by its store path alone",
        }
    }
}

/// Looks at what was found: its form, its hashes, what it refers to, and whether it is what it should be.
pub fn examine(
    path: &str,
    store: &str,
    fixed: Option<&Fixed>,
    found: &Found,
    known: &Known,
) -> Result<(PathInfo, Trust), String> {
    let fail = |error: io::Error| format!("{}: {error}", found.from);
    let (hashed, names) = known.search(|sink| inputs::nar_to(&found.path, sink));
    let (nar, size) = hashed.map_err(fail)?;
    let direct = match (derivation(path, found), &found.info) {
        (Some(references), _) => references,
        (None, Some(info)) => info.references.clone(),
        (None, None) => names,
    };
    let meta = fs::symlink_metadata(&found.path).map_err(fail)?;
    let kind = match meta.file_type() {
        // A link is hashed as a NAR, too.
        kind if kind.is_dir() || kind.is_symlink() => Kind::Tree,
        _ if meta.mode() & 0o100 != 0 => Kind::Exec,
        _ => Kind::File,
    };
    let sha256 = if kind == Kind::Tree {
        nar
    } else {
        let hash =
            File::open(&found.path).and_then(|file| hash::read(file, Algorithm::Sha256)).map_err(fail)?;
        Sha256::from_hex(&hash).ok_or_else(|| format!("{}: {hash} is no sha256", found.from))?
    };
    let wrong = |what: &str, expected: &str, is: &str| {
        Err(format!("{path}, from {}: expected {what} {expected}, found {is}", found.from))
    };
    let mut ca = follows(path, store, nar, sha256, &direct);
    let trust = if let Some(fixed) = fixed {
        if !fixed.recursive && kind != Kind::File {
            return wrong("a plain file", "that is not executable", "another");
        }
        let is = hash_of(&found.path, fixed).map_err(fail)?;
        if is != fixed.hash {
            return wrong(&fixed.method(), &fixed.hash, &is);
        }
        ca = Some(format!("fixed:{}:{}", fixed.method(), fixed.nix32()));
        Trust::Declared
    } else if let Some(info) = &found.info {
        if info.nar_hash != nar {
            return wrong("NAR sha256", &info.nar_hash.to_string(), &nar.to_string());
        }
        if info.nar_size != size {
            return wrong("a NAR of the size", &info.nar_size.to_string(), &size.to_string());
        }
        if ca.is_some() { Trust::Path } else { Trust::Cache }
    } else if ca.is_some() {
        Trust::Path
    } else {
        Trust::Place
    };
    let info = PathInfo {
        resolved: Resolved { kind, sha256 },
        references: direct.clone(),
        direct,
        nar: (nar, size),
        ca,
    };
    Ok((info, trust))
}

/// The hash of what lies at a path, by the method that a fixed output declares.
fn hash_of(path: &Path, fixed: &Fixed) -> io::Result<String> {
    if !fixed.recursive {
        return hash::read(File::open(path)?, fixed.algorithm);
    }
    let mut hash = hash::Hasher::new(fixed.algorithm);
    inputs::nar_to(path, &mut hash)?;
    Ok(hash.finish())
}

/// What a derivation that is given as the file that it is refers to: what it is made of, and not what it makes.
fn derivation(path: &str, found: &Found) -> Option<BTreeSet<String>> {
    if !path.ends_with(".drv") || !found.path.is_file() {
        return None;
    }
    let derivation = drv::parse(&fs::read(&found.path).ok()?).ok()?;
    let needed = derivation.inputs.keys().chain(&derivation.sources);
    Some(needed.map(|path| base(path).to_owned()).collect())
}

/// How the path follows from the content, if it does: as that of a source by its NAR, of a text or of a file by its bytes.
fn follows(
    at: &str,
    store: &str,
    nar: Sha256,
    flat: Sha256,
    references: &BTreeSet<String>,
) -> Option<String> {
    let name = name(at)?;
    let others =
        references.iter().filter(|other| *other != base(at)).map(|other| format!(":{store}/{other}"));
    let others: String = others.collect();
    let itself = if references.contains(base(at)) { ":self" } else { "" };
    let content = Sha256::of(format!("fixed:out:sha256:{flat}:"));
    [
        (store_path::make(&format!("source{others}{itself}"), nar, store, name), "fixed:r", nar),
        (store_path::make(&format!("text{others}"), flat, store, name), "text", flat),
        (store_path::make("output:out", content, store, name), "fixed", flat),
    ]
    .into_iter()
    .find(|(path, ..)| path == at)
    .map(|(_, how, hash)| format!("{how}:sha256:{}", hash.nix32()))
}
