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

use crate::compare::read::hash::nix as sha256;
use graphs::drv::{nix32, path};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of the longest narinfo that is read. One that names 10,000 references has half of it.
pub const LONGEST: u64 = 1 << 20;

/// What a cache has of a path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NarInfo {
    /// The full path.
    pub path: String,
    /// Where the NAR is, below the cache: of the first compression that can be undone here.
    pub url: String,
    /// What packs the NAR at that address.
    pub compression: Option<String>,
    /// In hex.
    pub nar_hash: String,
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

/// The compressions that can be undone here, as narinfos spell them.
const KNOWN: [&str; 5] = ["none", "xz", "zstd", "gzip", "bzip2"];

impl NarInfo {
    /// Reads one; the error says what was expected.
    pub fn parse(text: &str) -> Result<NarInfo, Error> {
        if text.len() as u64 > LONGEST {
            return Err(Error::new("narinfo", format_args!("longer than {LONGEST} bytes")));
        }
        let mut fields = BTreeMap::new();
        let mut signatures = Vec::new();
        let mut packed = vec![Packed::default()];
        for (number, line) in text.split('\n').enumerate().filter(|(_, line)| !line.is_empty()) {
            let place = || format!("line {}", number + 1);
            let error = |what: &str| Error::new(place(), what);
            if line.chars().any(char::is_control) {
                return Err(error("a control character"));
            }
            let (key, value) = line.split_once(':').ok_or_else(|| error("expected `Key: value`"))?;
            let value = value.trim_matches(' ');
            let again = || Error::new(place(), format_args!("a second {key}"));
            let last = packed.len() - 1;
            match key {
                "Sig" => {
                    let (key, signature) =
                        value.split_once(':').ok_or_else(|| error("expected `KEY:BASE64`"))?;
                    signatures.push(Signed { key: key.into(), signature: signature.into() });
                }
                "URL" => {
                    let url = address(value).map_err(|what| Error::new(place(), what))?;
                    if packed[last].url.is_some() {
                        packed.push(Packed { url: Some(url), ..Packed::default() });
                    } else {
                        packed[last].url = Some(url);
                    }
                }
                "Compression" => {
                    if packed[last].compression.replace(value.into()).is_some() {
                        return Err(again());
                    }
                }
                "FileSize" => {
                    if packed[last].size.replace(number_of("FileSize", value)?).is_some() {
                        return Err(again());
                    }
                }
                _ => {
                    if fields.insert(key, value).is_some() {
                        return Err(again());
                    }
                }
            }
        }
        let field = |key: &str| {
            fields.get(key).copied().ok_or_else(|| Error::new("narinfo", format_args!("there is no {key}")))
        };
        let at = field("StorePath")?;
        let store = at.rsplit_once('/').map(|(store, _)| store).filter(|store| path::is_store(store));
        if store.is_none() || path::name(at).is_none() {
            return Err(Error::new("StorePath", format_args!("{at:?} is no store path")));
        }
        let hash = field("NarHash")?;
        let nar_hash =
            sha256(hash).ok_or_else(|| Error::new("NarHash", format_args!("{hash:?} is no sha256")))?;
        let references = fields.get("References").copied().unwrap_or_default().split(' ');
        let references: BTreeSet<String> =
            references.filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if let Some(odd) = references.iter().find(|name| name.contains('/') || path::name(name).is_none()) {
            let what = format!("expected base names of paths in the store, found {odd:?}");
            return Err(Error::new("References", what));
        }
        let nar_size = number_of("NarSize", field("NarSize")?)?;
        let (url, compression) = choose(packed)?;
        Ok(NarInfo {
            path: at.to_owned(),
            url,
            compression,
            nar_hash,
            nar_size,
            references,
            deriver: fields.get("Deriver").map(|deriver| (*deriver).to_owned()),
            signatures,
        })
    }

    /// Whether what packs the NAR can be undone here.
    pub fn is_known(&self) -> bool {
        self.compression.as_deref().is_none_or(|name| KNOWN.contains(&name))
    }

    /// What Nix signs: however the file spells them, the hash in nix32 and the sorted references.
    pub fn fingerprint(&self) -> String {
        let store = self.path.rsplit_once('/').map_or("", |(store, _)| store);
        let references: Vec<_> = self.references.iter().map(|base| format!("{store}/{base}")).collect();
        let hash = nix32::encode(&graphs::hex::decode(&self.nar_hash).unwrap_or_default());
        format!("1;{};sha256:{hash};{};{}", self.path, self.nar_size, references.join(","))
    }

    /// The text of one, for a NAR that is not compressed.
    pub fn write(&self) -> String {
        let hash = graphs::hex::decode(&self.nar_hash).unwrap_or_default();
        let hash = nix32::encode(&hash);
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
    let known = |one: &Packed| one.compression.as_deref().is_none_or(|name| KNOWN.contains(&name));
    let at = packed.iter().position(known).unwrap_or(0);
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

/// An address, if it stays below the cache.
fn address(url: &str) -> Result<String, String> {
    let refuse = |why: &str| Err(format!("the URL {url:?} {why}"));
    if url.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse("is not of printable ASCII");
    }
    let Some(decoded) = percent(url) else { return refuse("has a `%` that encodes nothing") };
    // What would be decoded a second time is refused, too.
    if decoded.iter().any(|byte| matches!(byte, b'\\' | b'%') || byte.is_ascii_control()) {
        return refuse("holds a backslash, a control character or an encoded `%`");
    }
    for text in [url.as_bytes(), &decoded] {
        let mut parts = text.split(|byte| *byte == b'/');
        if text.first() == Some(&b'/') || parts.next().is_some_and(|first| first.contains(&b':')) {
            return refuse("leads out of the cache: it is not relative");
        }
        if text
            .split(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .any(|part| matches!(part, b"." | b".." | b""))
        {
            return refuse("leads out of the cache: a component is empty, `.` or `..`");
        }
    }
    Ok(url.to_owned())
}

/// The bytes that percent-encoding stands for.
fn percent(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        bytes.push((digit(0)? * 16 + digit(1)?) as u8);
        rest = &after[2..];
    }
    Some(bytes)
}

#[cfg(test)]
#[path = "narinfo/tests.rs"]
mod tests;
