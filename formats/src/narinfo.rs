//! `narinfo` files, which say what a binary cache has of a store path. Pure. The one reader of them.
//!
//! # Encoding
//! Lines of `Key: value`, printable text without control characters, at most [`LONGEST`] bytes.
//!
//! # Grammar
//! `StorePath`, `URL`, `NarHash` and `NarSize` are needed; `Compression`, `FileSize`, `References`, `Deriver` and any number
//! of `Sig` may stand there. Other keys are read over. Guix writes a group of `URL`, `Compression` and `FileSize` for each
//! compression that it has.
//!
//! # Restrictions
//! - No key stands twice: two readers that take different ones would see different files. The exceptions are `Sig`, and Guix's
//!   groups, which must differ in address and in compression.
//! - An address is relative to the cache and stays below it: no scheme, no leading slash, no `.`, `..` or empty component,
//!   percent-encoded or not, no backslash, no byte outside printable ASCII.
//! - Signatures are checked elsewhere (`sign::nix`). What a cache says is held against what it has, and where that is
//!   possible against the path itself.
//!
//! Sources: Nix's manual, "narinfo format", and `src/libstore/nar-info.cc`; Guix's `guix/narinfo.scm`.

mod address;

use crate::compression::Compression;
use crate::digest::Sha256;
use crate::nix_hash::sha256;
use crate::store_path;
use address::address;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of the longest narinfo that is read. One that names 10,000 references has half of it.
pub const LONGEST: u64 = 1 << 20;

/// What a cache has of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarInfo {
    /// The full path.
    pub path: String,
    /// Where the NAR is, below the cache: of the first compression that can be undone here.
    pub url: String,
    /// What packs the NAR at that address.
    pub compression: Option<String>,
    /// Of the NAR.
    pub nar_hash: Sha256,
    /// Bytes of the NAR.
    pub nar_size: u64,
    /// Base names.
    pub references: BTreeSet<String>,
    /// The base name of the derivation that made it.
    pub deriver: Option<String>,
    /// The signatures `Sig`.
    pub signatures: Vec<Signed>,
}

/// A signature of Nix's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The name of the key.
    pub key: String,
    /// In base64.
    pub signature: String,
}

/// What is wrong with a narinfo.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Error {
    /// A line, or a field.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl Error {
    fn new(place: impl ToString, what: impl ToString) -> Error {
        Error { place: place.to_string(), what: what.to_string() }
    }
}

/// One address of the NAR, and what packs it.
#[derive(Default)]
struct Packed {
    url: Option<String>,
    compression: Option<String>,
    size: Option<u64>,
}

impl Packed {
    fn is_known(&self) -> bool {
        is_known(self.compression.as_deref())
    }
}

/// Whether there is a decompressor for this, as narinfos spell it.
fn is_known(compression: Option<&str>) -> bool {
    compression.is_none_or(|name| name == "none" || Compression::named(name).is_some())
}

/// The lines of a narinfo by their keys, and none of the keys twice.
struct Lines<'a> {
    fields: BTreeMap<&'a str, &'a str>,
    signatures: Vec<Signed>,
    packed: Vec<Packed>,
}

impl<'a> Lines<'a> {
    fn read(text: &'a str) -> Result<Lines<'a>, Error> {
        let (fields, packed) = (BTreeMap::new(), vec![Packed::default()]);
        let mut lines = Lines { fields, signatures: Vec::new(), packed };
        for (number, line) in text.split('\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            lines.line(line).map_err(|error| match error.place.is_empty() {
                true => Error::new(format_args!("line {}", number + 1), error.what),
                false => error,
            })?;
        }
        Ok(lines)
    }

    /// An error without a place is about this line.
    fn line(&mut self, line: &'a str) -> Result<(), Error> {
        let error = |what: &str| Error::new("", what);
        if line.chars().any(char::is_control) {
            return Err(error("a control character"));
        }
        let (key, value) = line.split_once(':').ok_or_else(|| error("expected `Key: value`"))?;
        let value = value.trim_matches(' ');
        let last = self.packed.last_mut().ok_or_else(|| error("expected a group"))?;
        let is_second = match key {
            "Sig" => {
                let signed = value.split_once(':').ok_or_else(|| error("expected `KEY:BASE64`"))?;
                self.signatures.push(Signed { key: signed.0.into(), signature: signed.1.into() });
                false
            }
            "URL" => {
                let url = Some(address(value).map_err(|what| error(&what))?);
                match last.url {
                    Some(_) => self.packed.push(Packed { url, ..Packed::default() }),
                    None => last.url = url,
                }
                false
            }
            "Compression" => last.compression.replace(value.into()).is_some(),
            "FileSize" => last.size.replace(number_of("FileSize", value)?).is_some(),
            _ => self.fields.insert(key, value).is_some(),
        };
        if is_second { Err(error(&format!("a second {key}"))) } else { Ok(()) }
    }

    fn field(&self, key: &str) -> Result<&'a str, Error> {
        let missing = || Error::new("narinfo", format_args!("there is no {key}"));
        self.fields.get(key).copied().ok_or_else(missing)
    }
}

impl NarInfo {
    /// Of a NAR that is not compressed, in a store path that refers to nothing.
    pub fn plain(path: String, url: String, nar_hash: Sha256, nar_size: u64) -> NarInfo {
        let (references, signatures) = (BTreeSet::new(), Vec::new());
        NarInfo { path, url, compression: None, nar_hash, nar_size, references, deriver: None, signatures }
    }

    /// Reads one; the error says what was expected.
    pub fn parse(text: &str) -> Result<NarInfo, Error> {
        if text.len() as u64 > LONGEST {
            return Err(Error::new("narinfo", format_args!("longer than {LONGEST} bytes")));
        }
        let lines = Lines::read(text)?;
        let path = lines.field("StorePath")?;
        let store = path.rsplit_once('/').map(|(store, _)| store).filter(|store| store_path::is_store(store));
        if store.is_none() || store_path::name(path).is_none() {
            return Err(Error::new("StorePath", format_args!("{path:?} is no store path")));
        }
        let hash = lines.field("NarHash")?;
        let nar_hash =
            sha256(hash).ok_or_else(|| Error::new("NarHash", format_args!("{hash:?} is no sha256")))?;
        let references = lines.fields.get("References").copied().unwrap_or_default().split(' ');
        let references: BTreeSet<String> =
            references.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let is_base = |name: &String| !name.contains('/') && store_path::name(name).is_some();
        if let Some(odd) = references.iter().find(|name| !is_base(name)) {
            let what = format!("expected base names of paths in the store, found {odd:?}");
            return Err(Error::new("References", what));
        }
        let nar_size = number_of("NarSize", lines.field("NarSize")?)?;
        let (path, deriver) = (path.to_owned(), lines.fields.get("Deriver").map(|&text| text.to_owned()));
        let (url, compression) = choose(lines.packed)?;
        let signatures = lines.signatures;
        Ok(NarInfo { path, url, compression, nar_hash, nar_size, references, deriver, signatures })
    }

    /// Whether what packs the NAR can be undone here.
    pub fn is_known(&self) -> bool {
        is_known(self.compression.as_deref())
    }

    /// What Nix signs: however the file spells them, the hash in nix32 and the sorted references.
    pub fn fingerprint(&self) -> String {
        let store = self.path.rsplit_once('/').map_or("", |(store, _)| store);
        let references: Vec<_> = self.references.iter().map(|base| format!("{store}/{base}")).collect();
        let hash = self.nar_hash.nix32();
        format!("1;{};sha256:{hash};{};{}", self.path, self.nar_size, references.join(","))
    }

    /// The text of one, for a NAR that is not compressed.
    pub fn write(&self) -> String {
        let hash = self.nar_hash.nix32();
        let references: Vec<_> = self.references.iter().map(String::as_str).collect();
        let mut text = format!(
            "StorePath: {}\nURL: {}\nCompression: none\nFileHash: sha256:{hash}\nFileSize: {}\nNarHash: sha256:{hash}\nNarSize: {}\n\
             References: {}\n",
            self.path,
            self.url,
            self.nar_size,
            self.nar_size,
            references.join(" ")
        );
        if let Some(deriver) = &self.deriver {
            text += &format!("Deriver: {deriver}\n");
        }
        text
    }
}

/// The address that is used, of all that there are.
fn choose(packed: Vec<Packed>) -> Result<(String, Option<String>), Error> {
    if packed.len() > 1 {
        let distinct = |of: fn(&Packed) -> Option<&String>| {
            let set: BTreeSet<_> = packed.iter().filter_map(of).collect();
            set.len() == packed.len()
        };
        if !distinct(|one| one.url.as_ref()) || !distinct(|one| one.compression.as_ref()) {
            return Err(Error::new("URL", "a second URL that is not for another Compression"));
        }
    }
    let at = packed.iter().position(Packed::is_known).unwrap_or(0);
    let chosen = packed.into_iter().nth(at).unwrap_or_default();
    let url = chosen.url.ok_or_else(|| Error::new("narinfo", "there is no URL"))?;
    Ok((url, chosen.compression))
}

/// Digits and nothing else: what `str::parse` takes beyond that, others do not.
fn number_of(key: &str, text: &str) -> Result<u64, Error> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| Error::new(key, format_args!("expected a number, found {text:?}")))
}

#[cfg(test)]
#[path = "narinfo/tests.rs"]
mod tests;
