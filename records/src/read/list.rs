//! Lists of hashes and names, as `sha256sum` and its kin write them, plain, `--tag`, or with `\` before a name that needs it;
//! stage0-posix's `.answers` are such lists.
//! Source: coreutils' manual, "cksum common options" and "md5sum invocation".

use super::Error;
use super::claims::{Claims, Form, Method, Of, Output};
use formats::nix_hash;

/// By the number of hex digits.
const ALGORITHMS: [(&str, usize); 4] = [("sha1", 40), ("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// Reads one. Empty lines say nothing, and so do lines that begin with `#`, but for those that say what the hashes below are of.
pub fn read(text: &str) -> Result<Claims, Error> {
    let mut claims = Claims::new(Form::List);
    let mut below = Of::Listed;
    for (number, line) in text.lines().enumerate() {
        if let Some(comment) = line.strip_prefix('#') {
            below = kind(comment.trim()).unwrap_or(below);
            continue;
        }
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("line {}", number + 1);
        let prefixed = line.split_once(':').and_then(|(word, rest)| Some((kind(word)?, rest)));
        let (of, line) = prefixed.unwrap_or((below, line));
        let (algorithm, hex, name) = plain(line).or_else(|| tagged(line)).ok_or_else(|| {
            Error::new(&place, "expected `HASH  NAME`, as sha256sum writes it, or another kind of record")
        })?;
        let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
        if of == Of::Nar && algorithm != "sha256" {
            return Err(Error::new(
                &place,
                format_args!("a NAR is known by its sha256, and this is a {algorithm}"),
            ));
        }
        let method = Method { of, algorithm: algorithm.into() };
        claims.add(&place, name, Output::new(method, hex, None))?;
    }
    if claims.outputs.is_empty() {
        return Err(Error::new("line 1", "there is no hash in it"));
    }
    Ok(claims)
}

/// What a word says that hashes are of.
fn kind(word: &str) -> Option<Of> {
    match word {
        "nar-sha256" => Some(Of::Nar),
        "sha256" | "file-sha256" => Some(Of::File),
        _ => None,
    }
}

/// `HEX  NAME` or `HEX *NAME`; `\HEX` where the name is escaped.
fn plain(line: &str) -> Option<(&'static str, String, String)> {
    let (line, escaped) = marked(line);
    let (digits, name) = line.split_once(' ')?;
    let name = name.strip_prefix([' ', '*'])?;
    let &(algorithm, length) = ALGORITHMS.iter().find(|(_, length)| *length == digits.len())?;
    let hex = nix_hash::hex(digits, length)?;
    let name = if escaped { unescape(name)? } else { name.to_owned() };
    (!name.is_empty()).then_some((algorithm, hex, name))
}

/// `SHA256 (NAME) = HEX`; `\SHA256` where the name is escaped.
fn tagged(line: &str) -> Option<(&'static str, String, String)> {
    let (line, escaped) = marked(line);
    let (tag, rest) = line.split_once(" (")?;
    let (name, digits) = rest.rsplit_once(") = ")?;
    let &(algorithm, length) = ALGORITHMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag))?;
    let name = if escaped { unescape(name)? } else { name.to_owned() };
    Some((algorithm, nix_hash::hex(digits, length)?, name)).filter(|(.., name)| !name.is_empty())
}

/// Whether a backslash before the line says that the name in it is escaped, and the line without it.
fn marked(line: &str) -> (&str, bool) {
    line.strip_prefix('\\').map_or((line, false), |line| (line, true))
}

fn unescape(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = name.chars();
    while let Some(c) = rest.next() {
        out.push(match (c, c == '\\') {
            (_, true) => match rest.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            (c, _) => c,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_lines_are_read() {
        let h = "ab".repeat(32);
        let upper = h.to_uppercase();
        let text = format!(
            "# comment\n\n{h}  ./bin/a b\n{h} *c\n\\{h}  d\\ne\\\\f\nSHA256 (g (h)) = {upper}\n{h}{h}  i\n\\SHA256 (j\\nk) = {h}\n"
        );
        let claims = read(&text).unwrap();
        let names: Vec<_> = claims.outputs.keys().map(String::as_str).collect();
        assert_eq!(names, ["bin/a b", "c", "d\ne\\f", "g (h)", "i", "j\nk"]);
        let listed = Method { of: Of::Listed, algorithm: "sha256".into() };
        assert_eq!(claims.outputs["g (h)"].digests[&listed], h);
    }

    #[test]
    fn a_list_may_say_what_its_hashes_are_of() {
        let h = "ab".repeat(32);
        const NAR_MARK: &str = "# nar-sha256";
        let of = |text: String, name: &str| {
            let claims = read(&text).unwrap();
            claims.outputs[name].digests.keys().next().unwrap().of
        };
        assert_eq!(of(format!("{h}  a\n{NAR_MARK}\n# more\n{h}  b\n"), "a"), Of::Listed);
        assert_eq!(of(format!("{h}  a\n{NAR_MARK}\n# more\n{h}  b\n"), "b"), Of::Nar);
        assert_eq!(of(format!("{NAR_MARK}\n# sha256\n{h}  b\n"), "b"), Of::File);
        assert_eq!(of(format!("nar-sha256:{h}  b\n"), "b"), Of::Nar);
        assert_eq!(of(format!("{NAR_MARK}\nsha256:{h} *b:c\n"), "b:c"), Of::File);
        assert_eq!(of(format!("{h}  nar-sha256:b\n"), "nar-sha256:b"), Of::Listed);
        assert!(read(&format!("nar-sha256:{h}{h}  b\n")).is_err());
    }

    #[test]
    fn what_is_no_list_is_refused_at_its_line() {
        let h = "ab".repeat(32);
        for (text, place) in [
            ("hello".to_owned(), "line 1"),
            (format!("{h}  a\n{h}"), "line 2"),
            (format!("{h}  a\n{h}  "), "line 2"),
            (format!("{h}x  a"), "line 1"),
            (format!("{h} a"), "line 1"),
            (format!("\\{h}  a\\x"), "line 1"),
            (format!("{h}  a\n{}  a\n", "cd".repeat(32)), "line 2"),
            ("# nothing\n".to_owned(), "line 1"),
        ] {
            assert_eq!(read(&text).unwrap_err().place, place, "{text:?}");
        }
    }
}
