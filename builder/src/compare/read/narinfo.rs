//! narinfo: what a binary cache of Nix or Guix says of one store path.
//! Sources: Nix's manual, "narinfo format"; `guix/narinfo.scm`.

use super::claims::{Claims, Form, Method, Output};
use super::{Error, hash};
use graphs::drv::nix32;
use std::collections::{BTreeMap, BTreeSet};

/// What a narinfo says, as far as it concerns the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narinfo {
    /// The whole store path.
    pub path: String,
    /// The NAR's sha256 in hex.
    pub sha256: String,
    /// Bytes of the NAR.
    pub size: u64,
    /// The signatures `Sig`, each the name of a key and base64.
    pub signatures: Vec<Signed>,
    /// What Nix signs.
    pub fingerprint: String,
}

/// A signature of Nix's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The name of the key.
    pub key: String,
    /// In base64.
    pub signature: String,
}

impl Narinfo {
    /// Reads one.
    pub fn read(text: &str) -> Result<Narinfo, Error> {
        let mut fields = BTreeMap::new();
        let mut signatures = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.is_empty() {
                continue;
            }
            let place = format!("line {}", number + 1);
            let (key, value) =
                line.split_once(':').ok_or_else(|| Error::new(&place, "expected `Key: value`"))?;
            let value = value.trim();
            if key == "Sig" {
                let (key, signature) =
                    value.split_once(':').ok_or_else(|| Error::new(&place, "expected `KEY:BASE64`"))?;
                signatures.push(Signed { key: key.into(), signature: signature.into() });
            } else if fields.insert(key, value).is_some() && key != "URL" && !REPEATED.contains(&key) {
                return Err(Error::new(place, format_args!("a second {key}")));
            }
        }
        let field = |key: &str| {
            fields.get(key).copied().ok_or_else(|| Error::new("narinfo", format_args!("there is no {key}")))
        };
        let path = field("StorePath")?;
        let (folder, _) = path
            .rsplit_once('/')
            .filter(|(folder, base)| folder.starts_with('/') && base.len() > 33)
            .ok_or_else(|| Error::new("StorePath", format_args!("{path:?} is no store path")))?;
        let told = field("NarHash")?;
        let sha256 =
            hash::nix(told).ok_or_else(|| Error::new("NarHash", format_args!("{told:?} is no sha256")))?;
        let told_size = field("NarSize")?;
        let size =
            told_size.parse().map_err(|_| Error::new("NarSize", format_args!("{told_size:?} is no size")))?;
        let references = fields.get("References").copied().unwrap_or_default().split_whitespace();
        // However the file spells them, it is the hash in nix32 and the sorted references that are signed.
        let references: BTreeSet<_> = references.map(|base| format!("{folder}/{base}")).collect();
        let references: Vec<_> = references.into_iter().collect();
        let nix32 = nix32::encode(&graphs::hex::decode(&sha256).unwrap_or_default());
        let fingerprint = format!("1;{path};sha256:{nix32};{size};{}", references.join(","));
        Ok(Narinfo { path: path.into(), sha256, size, signatures, fingerprint })
    }

    /// As claims.
    pub fn claims(&self) -> Claims {
        let output = Output::new(Method::nar(), self.sha256.clone(), Some(self.size));
        let mut claims = Claims::new(Form::Narinfo);
        claims.outputs.insert(self.path.clone(), output);
        claims
    }
}

/// Guix tells these once for each compression that it has.
const REPEATED: [&str; 2] = ["Compression", "FileSize"];
