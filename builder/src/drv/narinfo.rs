//! `narinfo` files, which say what a binary cache has of a store path. Pure.
//!
//! Lines of `Key: value`. Read are StorePath, URL, Compression, NarHash (`sha256:` in base 32 or hex), NarSize and References;
//! signatures are not: what a cache says is checked against what it gives, and where it can be against the path itself.
//! Source: Nix's `src/libstore/nar-info.cc`, Guix's `guix/narinfo.scm`.

use graphs::drv::{nix32, path};
use std::collections::BTreeSet;

/// What a cache has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarInfo {
    /// The full path.
    pub path: String,
    /// Where the NAR is, below the cache.
    pub url: String,
    /// In hex.
    pub nar_hash: String,
    /// Bytes.
    pub nar_size: u64,
    /// Base names.
    pub references: BTreeSet<String>,
    /// The base name of the derivation that made it.
    pub deriver: Option<String>,
}

impl NarInfo {
    /// Reads one; the error says what was expected.
    pub fn parse(text: &str) -> Result<NarInfo, String> {
        let field = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        let must = |key: &str| field(key).ok_or_else(|| format!("no {key}"));
        let hash = must("NarHash")?;
        let digits = hash.strip_prefix("sha256:").unwrap_or_default();
        let bytes = match digits.len() {
            52 => nix32::decode(digits),
            64 => graphs::hex::decode(digits).ok(),
            _ => None,
        };
        let bytes =
            bytes.ok_or_else(|| format!("NarHash: expected sha256: and 52 or 64 digits, found {hash:?}"))?;
        let size = must("NarSize")?;
        let references: BTreeSet<String> =
            field("References").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        if let Some(odd) = references.iter().find(|name| name.contains('/') || path::name(name).is_none()) {
            return Err(format!("References: expected base names of paths in the store, found {odd:?}"));
        }
        Ok(NarInfo {
            path: must("StorePath")?.to_owned(),
            url: must("URL")?.to_owned(),
            nar_hash: crate::hex(&bytes),
            nar_size: size.parse().map_err(|_| format!("NarSize: expected a number, found {size:?}"))?,
            references,
            deriver: field("Deriver").map(str::to_owned),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let info = NarInfo {
            path: "/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x".into(),
            url: "nar/x.nar".into(),
            nar_hash: crate::hash(b""),
            nar_size: 112,
            references: ["a", "b"].map(|name| format!("0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-{name}")).into(),
            deriver: Some("x.drv".into()),
        };
        assert_eq!(NarInfo::parse(&info.write()), Ok(info.clone()));
        assert!(NarInfo::parse("StorePath: x\n").is_err());
        let short = info.write().replace("NarHash: sha256:", "NarHash: sha256:0");
        assert!(NarInfo::parse(&short).unwrap_err().contains("52 or 64"), "{short}");
        for odd in ["x", "é", "../0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-a", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr"] {
            let text = info.write().replace("References: ", &format!("References: {odd} "));
            assert!(NarInfo::parse(&text).unwrap_err().contains("base names"), "{text}");
        }
    }
}
