//! Package names, and what `apt-cache` says of them. Pure.

use crate::{control::Stanza, hash, lock::Deb};

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

/// The versions of a package that were shown, each once.
pub fn versions<'a>(shown: &'a [Stanza], package: &'a str) -> impl Iterator<Item = &'a str> {
    let own = shown.iter().filter(move |stanza| stanza.get("package") == Some(package));
    let versions: std::collections::BTreeSet<&str> = own.filter_map(|stanza| stanza.get("version")).collect();
    versions.into_iter()
}

/// Pool folder and hash of the file in the stanza of that version; else what of it is missing, and what there is instead.
pub fn find_source(
    shown: &[Stanza],
    package: &str,
    version: &str,
    file: &str,
) -> Result<(String, String), (String, String)> {
    let list = |names: Vec<&str>| if names.is_empty() { "none".into() } else { names.join(", ") };
    let of_version = || shown.iter().filter(|stanza| stanza.get("version") == Some(version));
    if of_version().next().is_none() {
        let there: Vec<&str> = versions(shown, package).collect();
        let none = format!("no source package {package}");
        let there = if there.is_empty() { none } else { format!("the versions {}", list(there)) };
        return Err((format!("version {version} of {package}"), there));
    }
    let lines = || of_version().filter_map(|stanza| Some((stanza, stanza.get("checksums-sha256")?.lines())));
    let found = lines().find_map(|(stanza, mut lines)| {
        let line = lines.find(|line| line.split(' ').nth(2) == Some(file))?;
        Some((stanza.get("directory")?.into(), line.split(' ').next()?.into()))
    });
    found.ok_or_else(|| {
        let files = lines().flat_map(|(_, lines)| lines.filter_map(|line| line.split(' ').nth(2))).collect();
        (format!("the file {file} of {package} {version}"), format!("the files {}", list(files)))
    })
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
    use crate::control::stanzas;

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
        assert_eq!(find_source(&shown, "a", "1", "a.tar"), Ok(("pool/a".into(), "45".into())));
        let not = |version: &str, file: &str| find_source(&shown, "a", version, file).unwrap_err();
        assert_eq!(not("2", "a.tar"), ("version 2 of a".into(), "the versions 1".into()));
        let files = "the files a.dsc, a.tar".to_owned();
        assert_eq!(not("1", "b.tar"), ("the file b.tar of a 1".into(), files));
        let none = find_source(&[], "a", "1", "a.tar").unwrap_err();
        assert_eq!(none.1, "no source package a");
    }

    #[test]
    fn names_are_no_options() {
        assert!(is_name("libc6=2.36-9+deb12u14") && is_name("g++-12") && is_name("a=1:2~3"));
        assert!(!is_name("-o") && !is_name("") && !is_name("a b") && !is_name("a;b") && !is_name("a*"));
        assert_eq!((letter("libgcc"), letter("tcc"), letter("lib")), ("libg", "t", "lib"));
    }
}
