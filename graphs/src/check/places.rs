//! Places: each such that the fetcher can make something of it, and nothing else.
//!
//! Package names and versions become arguments of `apt` and `pip`, so what could be read as an option or as another
//! package is refused here.

use formats::digest::Sha256;

use super::{Check, paths, suites};
use crate::hex;
use crate::locate::Trail;
use crate::model::{Input, Place};
use crate::problem::Problem;

/// The sha256 of what stands in the graph itself.
pub(super) fn inline_sha256(place: &Place) -> Option<Sha256> {
    match place {
        Place::Text(text) => Some(Sha256::of(text)),
        Place::Hex(text) => Some(Sha256::of(hex::decode(text).ok()?)),
        _ => None,
    }
}

impl Check<'_> {
    /// One place, at `spot`, of the seed or source at `owner`.
    pub(super) fn place(&mut self, owner: &Trail<'_>, spot: &Trail<'_>, place: &Place, input: &Input) {
        match place {
            Place::Text(_) => {
                if input.unpack {
                    self.error(*spot, "text is no archive", "take `unpack` out, or name another place");
                }
                self.inline(owner, spot, place, input);
            }
            Place::Hex(text) => {
                if let Err(error) = hex::decode(text) {
                    let help = "write bytes as pairs of digits; `#` and `;` start a comment";
                    self.error(spot.item(0).within(error.at()), error.to_string(), help);
                }
                self.inline(owner, spot, place, input);
            }
            Place::File(path) => {
                if let Some(why) = paths::not_relative(path) {
                    let help = "write the path from the graph's folder down, which it may not leave";
                    self.error(spot.item(0), format!("bad path {path:?}: {why}"), help);
                }
            }
            Place::Url(url) => {
                if let Some(why) = not_url(url) {
                    self.error(
                        spot.item(0),
                        format!("bad address {url:?}: {why}"),
                        "write `https://…` in ASCII",
                    );
                }
            }
            Place::Debian { packages, suite, dependencies } => {
                self.packages(&spot.then("packages"), packages, input);
                if *dependencies && packages.len() == 1 && input.sha256.is_some() {
                    let help = "take `sha256` out: the lock file pins each package";
                    self.error(
                        spot.then("dependencies"),
                        "one sha256 cannot be that of several packages",
                        help,
                    );
                }
                self.suite(spot, suite.as_deref());
            }
            Place::DebianSource { package, version, file, suite } => {
                self.word(&spot.then("package"), "package", package, is_debian_name);
                self.word(&spot.then("version"), "version", version, is_debian_version);
                self.word(&spot.then("file"), "file", file, is_file_name);
                self.suite(spot, suite.as_deref());
            }
            Place::Wheel { package, version } => {
                self.word(&spot.then("package"), "package", package, is_wheel_name);
                if let Some(version) = version {
                    self.word(&spot.then("version"), "version", version, is_wheel_version);
                }
            }
        }
    }

    /// What stands in the graph itself can be verified at once.
    fn inline(&mut self, owner: &Trail<'_>, spot: &Trail<'_>, place: &Place, input: &Input) {
        let (Some(expected), Some(found)) = (&input.sha256, inline_sha256(place)) else { return };
        if super::hashes::not_sha256(expected).is_none() && *expected != found.to_string() {
            let message = format!("wrong hash: expected {expected}, found {found}");
            let help = "if the text here is as it should be, write the hash found as its `sha256`";
            let problem = Problem::error(message).help(help).at(owner.then("sha256"));
            self.report(problem.related(*spot, "of what stands here"));
        }
    }

    fn packages(&mut self, spot: &Trail<'_>, packages: &[String], input: &Input) {
        if packages.is_empty() {
            self.error(*spot, "no package is named", "write `packages: [\"NAME\"]` or `[\"NAME=VERSION\"]`");
        }
        if packages.len() > 1 && input.sha256.is_some() {
            let help = "take `sha256` out: the lock file pins each package";
            self.error(*spot, "one sha256 cannot be that of several packages", help);
        }
        let name = |package: &str| package.split('=').next().unwrap_or_default().to_owned();
        for (number, package) in packages.iter().enumerate() {
            self.word(&spot.item(number), "package", package, is_debian_package);
            if packages[..number].iter().any(|other| name(other) == name(package)) {
                let message = format!("the package `{}` is named twice", name(package));
                self.error(spot.item(number), message, "keep one of the two");
            }
        }
    }

    fn suite(&mut self, spot: &Trail<'_>, suite: Option<&str>) {
        let Some(suite) = suite else { return };
        self.word(&spot.then("suite"), "suite", suite, is_suite);
        if is_suite(suite) && !suites::is_known(suite) {
            let help = match suites::nearest(suite) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write a release's code name, like `bookworm`, or leave it out for the machine's own"
                    .to_owned(),
            };
            self.error(spot.then("suite"), format!("Debian has no suite `{suite}`"), help);
        }
    }

    fn word(&mut self, spot: &Trail<'_>, what: &str, word: &str, is_good: fn(&str) -> bool) {
        if !is_good(word) {
            let help = match what {
                "package" => "write its name as the archive does, for Debian also `NAME=VERSION`",
                "version" => "write it as the archive does, like `1.2.3-1`",
                "suite" => "write the release's code name, like `bookworm`",
                _ => "write a file's name, without any folder",
            };
            self.error(*spot, format!("{word:?} cannot be a {what}"), help);
        }
    }
}

fn not_url(url: &str) -> Option<&'static str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        None => Some("it starts with neither `https://` nor `http://`"),
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '?', '#', ':']) => Some("it names no host"),
        Some(rest) if !rest.chars().all(|c| c.is_ascii_graphic()) => Some("it holds what an address cannot"),
        Some(_) => None,
    }
}

/// Starts with a letter or digit and holds only those and `more`.
fn is_made_of(word: &str, more: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.len() <= 255
        && word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

/// `NAME`, `NAME:ARCHITECTURE` and either with `=VERSION`.
fn is_debian_package(package: &str) -> bool {
    let (name, version) = package.split_once('=').map_or((package, None), |(n, v)| (n, Some(v)));
    let (name, arch) = name.split_once(':').map_or((name, None), |(n, a)| (n, Some(a)));
    is_debian_name(name)
        && arch.is_none_or(|arch| is_made_of(arch, "-"))
        && version.is_none_or(is_debian_version)
}

/// Debian policy, 5.6.1.
fn is_debian_name(name: &str) -> bool {
    name.len() >= 2 && is_made_of(name, "+-.") && !name.contains(|c: char| c.is_ascii_uppercase())
}

/// Debian policy, 5.6.12.
fn is_debian_version(version: &str) -> bool {
    is_made_of(version, ".+-:~")
}

fn is_suite(suite: &str) -> bool {
    is_made_of(suite, "-./_") && !suite.contains("..")
}

fn is_file_name(file: &str) -> bool {
    is_made_of(file, ".+-_~:=@,")
}

fn is_wheel_name(name: &str) -> bool {
    is_made_of(name, "-_.")
}

fn is_wheel_version(version: &str) -> bool {
    is_made_of(version, ".!+-_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_apt_would_take_for_an_option() {
        for package in ["musl-dev", "musl-dev=1.2.3-1", "libc6:i386", "libstdc++6", "tcc=0.9.27+git2020~1-1"]
        {
            assert!(is_debian_package(package), "{package}");
        }
        for package in ["", "-oDir=/", "a", "Musl", "musl dev", "musl=", "musl/sid", "musl:=1", "../musl"] {
            assert!(!is_debian_package(package), "{package}");
        }
        assert!(!is_suite("--help") && !is_suite("../x") && is_suite("bookworm-updates"));
    }

    #[test]
    fn addresses() {
        assert_eq!(not_url("https://host/a?b=c"), None);
        for url in
            ["", "ftp://a/b", "https://", "https:///a", "https://a b", "file:///etc/passwd", "https://é/"]
        {
            assert!(not_url(url).is_some(), "{url}");
        }
    }
}
