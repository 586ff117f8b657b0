//! Fixed outputs that can be had by a URL: what a derivation says of where its content is.
//!
//! | builder | where | source |
//! |---|---|---|
//! | `builtin:fetchurl` | `url`, or the `urls` of the structured attributes | Nix's manual, `builtins.fetchurl` |
//! | `builtin:download` | `url`, a Scheme string or list of strings; `mirror://NAME/REST` by `mirrors` | `guix/download.scm` |
//! | any other | the words of `url` and `urls` | Nixpkgs' `fetchurl` |

use super::{Derivation, Fixed};

/// A fixed output and where it may be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch<'a> {
    /// Its path.
    pub path: &'a str,
    /// What it must be.
    pub fixed: &'a Fixed,
    /// Where to try, in this order; `mirror:` ones are still to be looked up in `mirrors`.
    pub urls: Vec<String>,
    /// The path of a file of mirrors, which is a source of the derivation.
    pub mirrors: Option<&'a str>,
    /// The file is to be executable.
    pub executable: bool,
    /// It is to be unpacked: such a download is a NAR itself.
    pub unpack: bool,
}

/// What a derivation fetches: `None` for one that builds. One that has its content by no URL has no `urls`.
pub fn fetch(derivation: &Derivation) -> Option<Fetch<'_>> {
    let (output, fixed) = derivation.fixed()?;
    let value = |name: &str| derivation.env.get(name).map(String::as_str);
    let is = |name: &str| matches!(value(name), Some("1" | "true"));
    let mut fetch = Fetch {
        path: &output.path,
        fixed,
        urls: vec![],
        mirrors: None,
        executable: is("executable"),
        unpack: is("unpack"),
    };
    match derivation.builder.as_str() {
        "builtin:fetchurl" => fetch.urls.extend(value("url").map(str::to_owned)),
        "builtin:download" => {
            fetch.urls = strings(value("url").unwrap_or_default());
            fetch.mirrors = value("mirrors");
        }
        builtin if builtin.starts_with("builtin:") => {}
        _ => {
            let words = ["url", "urls"].into_iter().filter_map(value).flat_map(str::split_whitespace);
            fetch.urls = words.filter(|word| word.contains("://")).map(str::to_owned).collect();
        }
    }
    Some(fetch)
}

/// Whether no program of a store can build it, so that it has to be fetched.
pub fn is_builtin(derivation: &Derivation) -> bool {
    derivation.builder.starts_with("builtin:")
}

/// The strings in a Scheme datum, which is one or a list of them.
pub fn strings(datum: &str) -> Vec<String> {
    let mut strings = Vec::new();
    let mut chars = datum.chars();
    while chars.by_ref().any(|c| c == '"') {
        let mut string = String::new();
        while let Some(c) = chars.next() {
            match c {
                '"' => break,
                '\\' => string.extend(chars.next()),
                _ => string.push(c),
            }
        }
        strings.push(string);
    }
    strings
}

/// The URLs that stand for one of `mirror://NAME/REST` by a file of mirrors, `((NAME "URL"…)…)`; others stand for themselves.
pub fn resolve(url: &str, mirrors: &str) -> Vec<String> {
    let Some((name, rest)) = url.strip_prefix("mirror://").and_then(|url| url.split_once('/')) else {
        return vec![url.to_owned()];
    };
    let of_name = |list: &&str| {
        list.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with(char::is_whitespace))
    };
    let list = mirrors.split('(').find(of_name).unwrap_or_default();
    strings(list).into_iter().map(|mirror| format!("{}/{rest}", mirror.trim_end_matches('/'))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheme_strings() {
        assert_eq!(strings(r#""a""#), ["a"]);
        assert_eq!(strings(r#"("a\"b" "c\\")"#), ["a\"b", "c\\"]);
        assert!(strings("()").is_empty() && strings("").is_empty());
    }

    #[test]
    fn mirrors() {
        let list = r#"((gnu "https://one/gnu/" "ftp://two") (gnupg "https://three"))"#;
        assert_eq!(resolve("mirror://gnu/x/y.tar", list), ["https://one/gnu/x/y.tar", "ftp://two/x/y.tar"]);
        assert_eq!(resolve("mirror://none/x", list), Vec::<String>::new());
        assert_eq!(resolve("https://x/y", list), ["https://x/y"]);
    }
}
