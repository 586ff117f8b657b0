//! Where what is in a store comes from: folders of a store, NAR files, binary caches.

use super::files::unpacked;
use super::narinfo::NarInfo;
use crate::inputs;
use graphs::drv::path::{HASH, base};
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes of the largest NAR that is taken.
pub(super) const LARGEST: u64 = 16 << 30;

/// One place.
enum Place {
    /// A folder with base names in it, as they are or as `BASE.nar`, packed or not.
    Folder(PathBuf),
    /// A file `BASE.nar`, packed or not.
    Nar(PathBuf),
    /// A folder with `HASH.narinfo` in it.
    Cache(PathBuf),
    /// The same behind a URL.
    Url(String),
}

/// All places, in the order in which they are tried.
pub struct Places(Vec<Place>);

/// Something that was found.
pub struct Found {
    /// Where it is now.
    pub path: PathBuf,
    /// What a cache says of it.
    pub info: Option<NarInfo>,
    /// Where it was, for messages and records.
    pub from: String,
}

impl Places {
    /// Those that were named.
    pub fn new(named: &[PathBuf], folders: &[PathBuf]) -> Places {
        let place = |path: &PathBuf| match path.to_str() {
            Some(url) if url.contains("://") => Place::Url(url.trim_end_matches('/').to_owned()),
            _ if path.is_file() => Place::Nar(path.clone()),
            _ if path.join("nix-cache-info").exists() => Place::Cache(path.clone()),
            _ => Place::Folder(path.clone()),
        };
        let folders = folders.iter().filter(|path| path.is_dir());
        Places(named.iter().map(place).chain(folders.cloned().map(Place::Folder)).collect())
    }

    /// As they stand in messages.
    pub fn describe(&self) -> String {
        let one = |place: &Place| match place {
            Place::Folder(path) | Place::Nar(path) | Place::Cache(path) => path.display().to_string(),
            Place::Url(url) => url.clone(),
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Finds what stands at a path of the store. `temporary` has room for what has to be unpacked.
    pub fn find(&self, path: &str, temporary: &Path) -> Result<Option<Found>, String> {
        for place in &self.0 {
            if let Some(found) = place.find(path, temporary)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Place {
    fn find(&self, path: &str, temporary: &Path) -> Result<Option<Found>, String> {
        let name = base(path);
        match self {
            Place::Folder(folder) => {
                let there = folder.join(name);
                if fs::symlink_metadata(&there).is_ok() {
                    let from = there.display().to_string();
                    return Ok(Some(Found { path: there, info: None, from }));
                }
                let nars = ["nar", "nar.xz", "nar.gz", "nar.zst", "nar.bz2"]
                    .map(|ending| folder.join(format!("{name}.{ending}")));
                nars.into_iter()
                    .find(|nar| nar.is_file())
                    .map(|nar| unpack(&nar, name, temporary))
                    .transpose()
            }
            Place::Nar(nar) => {
                let file = nar.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let is = file.strip_prefix(name).is_some_and(|rest| rest.starts_with(".nar"));
                if is { unpack(nar, name, temporary).map(Some) } else { Ok(None) }
            }
            Place::Cache(folder) => {
                let info = folder.join(format!("{}.narinfo", &name[..HASH]));
                match fs::read_to_string(&info) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(format!("{}: {error}", info.display())),
                    Ok(text) => {
                        let info = read(&text, path, &info.display().to_string())?;
                        if Path::new(&info.url).is_absolute() || info.url.split('/').any(|part| part == "..")
                        {
                            return Err(format!(
                                "{}: its URL, {:?}, leads out of the cache",
                                folder.display(),
                                info.url
                            ));
                        }
                        let found = unpack(&folder.join(&info.url), name, temporary)?;
                        Ok(Some(Found { info: Some(info), ..found }))
                    }
                }
            }
            Place::Url(url) => {
                let at = format!("{url}/{}.narinfo", &name[..HASH]);
                let file = temporary.join(format!("{name}.narinfo"));
                if inputs::download(&at, &file).is_err() {
                    // Caches differ in how they say that they do not have it.
                    return Ok(None);
                }
                let text = fs::read_to_string(&file).map_err(|error| format!("{at}: {error}"))?;
                let info = read(&text, path, &at)?;
                let (from, nar) = (format!("{url}/{}", info.url), temporary.join(format!("{name}.packed")));
                inputs::download(&from, &nar).map_err(|error| format!("{from}: {error}"))?;
                let found = unpack(&nar, name, temporary)?;
                Ok(Some(Found { info: Some(info), from, ..found }))
            }
        }
    }
}

fn read(text: &str, path: &str, place: &str) -> Result<NarInfo, String> {
    let info = NarInfo::parse(text).map_err(|error| format!("{place}: {error}"))?;
    if info.path == path { Ok(info) } else { Err(format!("{place}: it is about {}, not {path}", info.path)) }
}

fn unpack(nar: &Path, name: &str, temporary: &Path) -> Result<Found, String> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", nar.display());
    let file = File::open(nar).map_err(|error| fail(&error))?;
    let mut bytes = Vec::new();
    let mut from = unpacked(BufReader::new(file)).map_err(|error| fail(&error))?.take(LARGEST);
    from.read_to_end(&mut bytes).map_err(|error| fail(&error))?;
    let path = temporary.join(name);
    crate::nar::unpack(&bytes, &path).map_err(|error| fail(&error))?;
    Ok(Found { path, info: None, from: nar.display().to_string() })
}
