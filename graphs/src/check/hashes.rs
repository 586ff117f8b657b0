//! What a sha256 must look like in a graph.

/// Why this is no sha256 in hex, if it is none.
pub(super) fn not_sha256(text: &str) -> Option<String> {
    if let Some(bad) = text.chars().find(|c| !matches!(c, '0'..='9' | 'a'..='f')) {
        return Some(format!("it holds {bad:?}"));
    }
    (text.len() != 64).then(|| format!("it has {} digits", text.len()))
}

pub(super) const SHA256_HELP: &str = "a sha256 is 64 digits 0-9 a-f, as `sha256sum` prints it, or `sha256-` and base64; `groundup hash` prints both";
