//! The names of Debian's releases. Source: Debian's `distro-info-data`, debian.csv, and the archive's folder `dists`.

/// Code names, the announced ones too, and the names that move on.
const RELEASES: [&str; 30] = [
    "buzz",
    "rex",
    "bo",
    "hamm",
    "slink",
    "potato",
    "woody",
    "sarge",
    "etch",
    "lenny",
    "squeeze",
    "wheezy",
    "jessie",
    "stretch",
    "buster",
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "oldoldstable",
    "oldstable",
    "stable",
    "testing",
    "unstable",
    "experimental",
    "rc-buggy",
    "oldoldoldstable",
    "proposed-updates",
];

/// What may stand behind one.
const PARTS: [&str; 9] = [
    "-updates",
    "-security",
    "/updates",
    "-backports",
    "-backports-sloppy",
    "-backports-staging",
    "-proposed-updates",
    "-fasttrack",
    "-lts",
];

/// Whether Debian has a suite of this name.
pub(super) fn is_known(suite: &str) -> bool {
    let release = |name: &str| RELEASES.contains(&name);
    release(suite) || PARTS.iter().any(|part| suite.strip_suffix(part).is_some_and(release))
}

/// The release that is most like one that Debian does not have, if any is like it.
pub(super) fn nearest(suite: &str) -> Option<&'static str> {
    let near = RELEASES.iter().map(|release| (strsim::damerau_levenshtein(suite, release), *release));
    near.filter(|(distance, _)| *distance <= suite.len() / 3 + 1).min().map(|(_, release)| release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_and_their_parts_are_known() {
        for suite in
            ["bookworm", "trixie-updates", "bullseye-security", "buster/updates", "sid", "stable-backports"]
        {
            assert!(is_known(suite), "{suite}");
        }
        for suite in ["bookwrm", "bookworm-update", "-updates", "jammy", "nosuch", "Bookworm"] {
            assert!(!is_known(suite), "{suite}");
        }
        assert_eq!((nearest("bookwrm"), nearest("nosuchsuite")), (Some("bookworm"), None));
    }
}
