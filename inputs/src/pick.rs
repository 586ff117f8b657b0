//! Which members of an archive are taken. Pure.
//!
//! A pattern is a path inside the tree, or a glob: `*` and `?` stay inside one component, `**` crosses them, `[a-z]` and
//! `{a,b}` as usual. A pattern that names a folder takes all below it. No pattern at all takes everything. A pattern
//! that takes nothing is an error: otherwise a renamed file would silently be missing from a seed. With a `!` before it, a
//! pattern leaves out what it matches, whatever others take.

use globset::{GlobBuilder, GlobMatcher};
use std::{cell::Cell, ffi::OsStr, os::unix::ffi::OsStrExt};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("pick \"{0}\" takes nothing: no path matches it{1}")]
    Nothing(String, String),
    #[error("pick \"{pattern}\" is no pattern: {what}")]
    Pattern { pattern: String, what: String },
}

/// A list of patterns that remembers which of them were of use.
pub struct Picker {
    taken: Vec<Pattern>,
    left_out: Vec<Pattern>,
}

struct Pattern {
    text: String,
    matcher: GlobMatcher,
    used: Cell<bool>,
}

impl Pattern {
    /// Whether the path, or a folder that it is in, is meant.
    fn is_of(&self, path: &[u8]) -> bool {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let is = |end: usize| self.matcher.is_match(OsStr::from_bytes(&path[..end]));
        let found = slashes.chain([path.len()]).any(is);
        if found {
            self.used.set(true);
        }
        found
    }
}

impl Picker {
    pub fn new(patterns: &[String]) -> Result<Self, Error> {
        let one = |pattern: &String| {
            let plain = pattern.strip_prefix('!').unwrap_or(pattern).trim_end_matches('/');
            let error = |what: String| Error::Pattern { pattern: pattern.clone(), what };
            if plain.is_empty() || plain.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err(error(
                    "a path inside the tree is needed, without /, . or .. at its start or inside".into(),
                ));
            }
            let glob = GlobBuilder::new(plain).literal_separator(true).backslash_escape(true).build();
            let matcher = glob.map_err(|e| error(e.kind().to_string()))?.compile_matcher();
            Ok(Pattern { text: pattern.clone(), matcher, used: Cell::new(false) })
        };
        let all = patterns.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        let (left_out, taken) = all.into_iter().partition(|pattern| pattern.text.starts_with('!'));
        Ok(Picker { taken, left_out })
    }

    /// Whether the path, or a folder that it is in, is taken.
    pub fn takes(&self, path: &[u8]) -> bool {
        // All are asked, so that each knows whether it is of use.
        let count = |patterns: &[Pattern]| patterns.iter().filter(|pattern| pattern.is_of(path)).count();
        let taken = self.taken.is_empty() || count(&self.taken) > 0;
        count(&self.left_out) == 0 && taken
    }

    /// To be asked at the end; `seen` says how much there was to take from.
    pub fn finish(&self, seen: &str) -> Result<(), Error> {
        match self.taken.iter().chain(&self.left_out).find(|pattern| !pattern.used.get()) {
            Some(pattern) => Err(Error::Nothing(pattern.text.clone(), seen.into())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(patterns: &[&str], path: &str) -> bool {
        Picker::new(&patterns.iter().map(|p| (*p).into()).collect::<Vec<_>>()).unwrap().takes(path.as_bytes())
    }

    #[test]
    fn takes_what_it_says() {
        for (patterns, path, taken) in [
            (&[][..], "a/b", true),
            (&["a"], "a/b/c", true),
            (&["a/"], "a/b/c", true),
            (&["a"], "ab", false),
            (&["a/b"], "a", false),
            (&["usr/bin/*-gcc-12"], "usr/bin/x86_64-linux-gnu-gcc-12", true),
            (&["usr/*"], "usr/bin/gcc", true),
            (&["usr/*/gcc"], "usr/a/b/gcc", false),
            (&["usr/**/gcc"], "usr/a/b/gcc", true),
            (&["{a,b}/c"], "b/c", true),
            (&["!a/b"], "a/b/c", false),
            (&["!a/b"], "a/c", true),
            (&["a", "!**/doc"], "a/x/doc/y", false),
            (&["a", "!**/doc"], "a/x/y", true),
            (&["a", "!**/doc"], "b", false),
        ] {
            assert_eq!(takes(patterns, path), taken, "{patterns:?} {path}");
        }
    }

    #[test]
    fn refuses_what_is_useless() {
        let picker = Picker::new(&["a".into(), "b/c".into()]).unwrap();
        assert!(picker.takes(b"a"));
        assert!(picker.finish("").unwrap_err().to_string().contains("\"b/c\" takes nothing"));
        for bad in ["", "/", "/a", "../a", "a//b", "a/./b", "a[", "{a"] {
            assert!(Picker::new(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
