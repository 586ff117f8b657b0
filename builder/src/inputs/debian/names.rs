//! Package names, and what `apt-cache` says of them. Pure.

use crate::inputs::{control::Stanza, hash, lock::Deb};

/// The package of a stanza, if it is the one wanted (`NAME` or `NAME=VERSION`) and can be downloaded.
pub fn deb(stanza: &Stanza, wanted: &str) -> Option<Deb> {
    let (package, version) = match wanted.split_once('=') {
        Some((package, version)) => (package, Some(version)),
        None => (wanted, None),
    };
    let field = |name| stanza.get(name);
    let fits =
        field("package") == Some(package) && version.is_none_or(|version| field("version") == Some(version));
    let sha256 = field("sha256").filter(|sha256| hash::is_sha256(sha256))?;
    fits.then_some(Deb {
        package: package.into(),
        suite: None,
        version: field("version")?.into(),
        sha256: sha256.into(),
        size: field("size")?.parse().ok()?,
        pool: field("filename")?.into(),
    })
}

/// Pool folder and hash of the file in the stanza of that version.
pub fn find_source(shown: &[Stanza], version: &str, file: &str) -> Option<(String, String)> {
    let stanza = shown.iter().find(|stanza| stanza.get("version") == Some(version))?;
    let line = stanza.get("checksums-sha256")?.lines().find(|line| line.split(' ').nth(2) == Some(file))?;
    Some((stanza.get("directory")?.into(), line.split(' ').next()?.into()))
}

/// Policy section 5.6.1, with a version after `=`; above all nothing that `apt` could take for an option.
pub fn is_name(package: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.=:~".contains(&byte);
    package.starts_with(|c: char| c.is_ascii_alphanumeric()) && package.bytes().all(rest)
}

/// Whether a suite only updates another.
pub fn is_update_of(own: &str, suite: &str) -> bool {
    own.strip_prefix(suite).is_some_and(|rest| matches!(rest, "-updates" | "-security" | "/updates"))
}

/// The folder of the pool that a source package is in.
pub fn letter(package: &str) -> &str {
    package.get(..if package.starts_with("lib") { 4 } else { 1 }).unwrap_or(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::control::stanzas;

    #[test]
    fn reads_stanzas() {
        let sha = "0".repeat(64);
        let text = format!("Package: a\nVersion: 1\nFilename: pool/a.deb\nSize: 5\nSHA256: {sha}\n");
        let shown = stanzas(&text);
        assert_eq!(deb(&shown[0], "a").unwrap().pool, "pool/a.deb");
        assert!(
            deb(&shown[0], "a=1").is_some()
                && deb(&shown[0], "a=2").is_none()
                && deb(&shown[0], "b").is_none()
        );
        let text = "Package: a\nVersion: 1\nDirectory: pool/a\nChecksums-Sha256:\n 12 3 a.dsc\n 45 6 a.tar\n";
        let shown = stanzas(text);
        assert_eq!(find_source(&shown, "1", "a.tar"), Some(("pool/a".into(), "45".into())));
        assert_eq!(find_source(&shown, "2", "a.tar"), None);
    }

    #[test]
    fn names_are_no_options() {
        assert!(is_name("libc6=2.36-9+deb12u14") && is_name("g++-12") && is_name("a=1:2~3"));
        assert!(!is_name("-o") && !is_name("") && !is_name("a b") && !is_name("a;b") && !is_name("a*"));
        assert_eq!((letter("libgcc"), letter("tcc"), letter("lib")), ("libg", "t", "lib"));
    }
}
