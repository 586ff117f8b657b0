//! What `apt` prints and reads. Pure, but for a look at which keyring there is.

use std::{collections::BTreeSet, path::Path};

/// Where Debian's archive keyring is; the package debian-archive-keyring has changed its ending.
const KEYRINGS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];

/// A mirror and a suite on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Ends in a slash.
    pub uri: String,
    pub suite: String,
}

impl Repository {
    pub fn is_security(&self) -> bool {
        self.suite.ends_with("-security") || self.suite.ends_with("/updates")
    }
}

/// Sources for a suite of Debian's on the machine's mirrors, point updates and security included where there are any.
pub fn sources(suite: &str, source: bool, repositories: &[Repository]) -> String {
    let kind = if source { "deb-src" } else { "deb" };
    let keyring = KEYRINGS.iter().find(|path| Path::new(path).exists());
    let signed = keyring.map(|path| format!(" [signed-by={path}]")).unwrap_or_default();
    let mut lines = Vec::new();
    for Repository { uri, .. } in repositories.iter().filter(|repository| !repository.is_security()) {
        lines.push(format!("{kind}{signed} {uri} {suite} main\n"));
        lines.push(format!("{kind}{signed} {uri} {suite}-updates main\n"));
    }
    for Repository { uri, .. } in repositories.iter().filter(|repository| repository.is_security()) {
        lines.push(format!("{kind}{signed} {uri} {suite}-security main\n"));
    }
    let mut seen = BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines.concat()
}

/// From lines `'MIRROR/dists/SUITE/InRelease' …`, in order, each once.
pub fn repositories(printed: &str) -> Vec<Repository> {
    let mut found = Vec::new();
    for line in printed.lines() {
        let uri = line.strip_prefix('\'').and_then(|line| line.split_once('\'')).map(|(uri, _)| uri);
        let Some((mirror, suite)) = uri.and_then(|uri| uri.strip_suffix("/InRelease")?.split_once("/dists/"))
        else {
            continue;
        };
        let repository = Repository { uri: format!("{mirror}/"), suite: suite.into() };
        if !found.contains(&repository) {
            found.push(repository);
        }
    }
    found
}

/// The first of what `apt` calls errors, on one line; the others mostly say the same again.
pub fn errors(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("E: ")).take(3).collect();
    if lines.is_empty() { "it failed and said nothing".into() } else { lines.join("; ") }
}

/// The packages of lines `Inst NAME (VERSION …)`, as `NAME=VERSION`. Source: apt-get(8), --simulate.
pub fn installed(printed: &str) -> Vec<String> {
    let one = |line: &str| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        // What is installed now would stand in brackets before that; nothing is.
        let version = rest.strip_prefix('(')?.split([' ', ')']).next()?;
        Some(format!("{name}={version}"))
    };
    printed.lines().filter_map(one).collect()
}

/// Why packages can not be installed together: what `apt` prints below its heading, else its errors.
pub fn unmet(printed: &str, said: &str) -> String {
    let below = printed.lines().skip_while(|line| !line.starts_with("The following packages have unmet"));
    let lines: Vec<&str> =
        below.skip(1).take_while(|line| line.starts_with(' ')).map(str::trim).take(3).collect();
    if lines.is_empty() { errors(said) } else { lines.join("; ") }
}

/// The status that a mirror gave for the one file that was asked for: that of HTTP, or 404 where a mirror is a folder.
///
/// `apt` prints `E: Failed to fetch URI  404  Not Found [IP: …]`; the URI itself may hold any digits.
pub fn status(said: &str) -> Option<u16> {
    let line = said.lines().find_map(|line| line.strip_prefix("E: Failed to fetch "))?;
    let (_, rest) = line.split_once(' ')?;
    let rest = rest.trim_start();
    if rest.starts_with("File not found") {
        return Some(404);
    }
    let (code, _) = rest.split_once(' ')?;
    code.parse().ok().filter(|_| code.len() == 3)
}

/// Hash and size of a file that was not the one asked for.
pub fn received(said: &str) -> Option<(String, u64)> {
    let after = said.split_once("Hashes of received file:")?.1;
    let value = |key: &str| after.lines().find_map(|line| line.trim().strip_prefix("- ")?.strip_prefix(key));
    let size = value("Filesize:").and_then(|size| size.split(' ').next()?.parse().ok());
    Some((value("SHA256:")?.trim().into(), size.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_mirrors() {
        let printed = "'http://a/debian/dists/x/InRelease' a_debian_x_InRelease 0 \n\
            'http://a/debian/dists/x/InRelease' again 0\n\
            'file:/srv/security/dists/x-security/InRelease' y 0\n\
            'http://a/debian/dists/x/main/binary-amd64/Packages.xz' z 0\n\
            'http://flat/InRelease' z 0\nnoise\n";
        let found = repositories(printed);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], Repository { uri: "http://a/debian/".into(), suite: "x".into() });
        assert!(found[1].is_security() && !found[0].is_security());
        let text = sources("y", true, &found);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains(" http://a/debian/ y-updates main\n"), "{text}");
        assert!(text.contains(" file:/srv/security/ y-security main\n"), "{text}");
        assert!(text.lines().all(|line| line.starts_with("deb-src ")), "{text}");
    }

    #[test]
    fn a_status_is_where_apt_prints_it() {
        let line = |rest: &str| format!("W: x\nE: Failed to fetch http://m/pool/4.404-404_404.deb  {rest}\n");
        assert_eq!(status(&line("404  Not Found [IP: 127.0.0.1 80]")), Some(404));
        assert_eq!(status(&line("410  Gone")), Some(410));
        assert_eq!(status(&line("503  Service Unavailable")), Some(503));
        assert_eq!(status(&line("File not found - /m/pool/x (2: No such file or directory)")), Some(404));
        for other in ["Could not connect to m:404 (127.0.0.1)", "Hash Sum mismatch 404", "4040  x", ""] {
            assert_eq!(status(&line(other)), None, "{other}");
        }
    }

    #[test]
    fn reads_what_would_be_installed() {
        let printed = "NOTE: x\nInst gcc-12-base (12.2.0-14 Debian:12.15/oldstable [amd64])\n\
            Inst libc6 (2.36-9+deb12u14 A, B [amd64]) []\nConf libc6 (2.36 x)\n";
        assert_eq!(installed(printed), ["gcc-12-base=12.2.0-14", "libc6=2.36-9+deb12u14"]);
        let printed = "The following packages have unmet dependencies:\n a : Depends: b (>= 2)\nInst\n";
        assert_eq!(unmet(printed, "E: x\n"), "a : Depends: b (>= 2)");
        assert_eq!(unmet("", "E: x\n"), "x");
    }

    #[test]
    fn shortens_errors() {
        assert_eq!(errors("W: a\nE: b\n c\nE: d\n"), "b; d");
        let said = "E: x\n   Hashes of received file:\n    - SHA256:ab\n    - Filesize:10500 [weak]\n";
        assert_eq!(received(said), Some(("ab".into(), 10500)));
    }
}
