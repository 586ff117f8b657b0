//! String literals: what they stand for, and which bytes of the text stand for which bytes of that.
//!
//! Escapes as in RON's grammar: `\" \' \\ \n \r \t \0`, `\xHH` (one byte, of which several may make a character),
//! `\u{…}`, and a backslash before a line break, which takes that and the white space after it away.

use std::ops::Range;

/// The bytes that a literal stands for, each group with the range of the literal that it comes from.
fn parts(literal: &str) -> Vec<(Vec<u8>, Range<usize>)> {
    let mut parts = Vec::new();
    if let Some(raw) = literal.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|&byte| byte == b'#').count();
        let body = 2 + hashes..literal.len().saturating_sub(1 + hashes);
        let text = literal.get(body.clone()).unwrap_or("");
        parts.extend(text.char_indices().map(|(at, c)| unit(c, body.start + at, c.len_utf8())));
        return parts;
    }
    let mut at = 1;
    let end = at + body(literal).len();
    while at < end {
        let rest = &literal[at..end];
        let Some(c) = rest.chars().next() else { break };
        let part = if c == '\\' { escape(rest, at) } else { unit(c, at, c.len_utf8()) };
        at = part.1.end;
        parts.push(part);
    }
    parts
}

/// What stands between the quotes. A text that `ron` refused may end inside a literal.
fn body(literal: &str) -> &str {
    let body = literal.get(1..).unwrap_or("");
    body.strip_suffix('"').unwrap_or(body)
}

fn unit(c: char, at: usize, len: usize) -> (Vec<u8>, Range<usize>) {
    (c.to_string().into_bytes(), at..at + len)
}

/// One escape at the head of `rest`, which is at `at` of the literal.
fn escape(rest: &str, at: usize) -> (Vec<u8>, Range<usize>) {
    let Some(c) = rest[1..].chars().next() else { return (Vec::new(), at..at + 1) };
    let plain = |c| unit(c, at, 2);
    match c {
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        '0' => plain('\0'),
        'x' => {
            let byte = rest.get(2..4).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let len = if byte.is_some() { 4 } else { 2 };
            (byte.into_iter().collect(), at..at + len)
        }
        'u' => {
            let end = rest.find('}').unwrap_or(rest.len() - 1);
            let code = rest.get(3..end).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let text = code.and_then(char::from_u32).map(String::from).unwrap_or_default();
            (text.into_bytes(), at..at + end + 1)
        }
        '\n' | '\r' => {
            let blank = rest[1..].len() - rest[1..].trim_start_matches([' ', '\t', '\n', '\r']).len();
            (Vec::new(), at..at + 1 + blank)
        }
        _ => unit(c, at, 1 + c.len_utf8()),
    }
}

/// What a literal stands for.
pub(super) fn value(literal: &str) -> String {
    if literal.starts_with('"') && !literal.contains('\\') {
        return body(literal).to_owned();
    }
    let bytes = parts(literal).into_iter().flat_map(|(bytes, _)| bytes).collect();
    // `ron` has read the text before, so bytes that make no text cannot be a name that anyone looks for.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The range of `text` that stands for the bytes `within` of the string literal at `whole`.
pub(super) fn narrow(text: &str, whole: &Range<usize>, within: &Range<usize>) -> Range<usize> {
    let parts = parts(&text[whole.clone()]);
    let position = |wanted: usize| {
        let mut seen = 0;
        for (bytes, range) in &parts {
            if !bytes.is_empty() && seen + bytes.len() > wanted {
                return whole.start + range.start;
            }
            seen += bytes.len();
        }
        parts.last().map_or(whole.start, |(_, range)| whole.start + range.end)
    };
    let start = position(within.start);
    let mut seen = 0;
    let covered = parts.iter().take_while(|(bytes, _)| {
        let before = seen;
        seen += bytes.len();
        before < within.end
    });
    let end = covered.last().map_or(start, |(_, range)| whole.start + range.end);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_mean_what_ron_says() {
        let texts = [
            r#""""#,
            r#""plain""#,
            r#""é\u{e9}\xc3\xa9""#,
            r#""\"\'\\\n\r\t\0\x41""#,
            "\"a\\\n   b\\\r\n\tc\"",
            "r\"a\\n\"",
            "r##\"a\"#b\"##",
        ];
        for text in texts {
            assert_eq!(value(text), ron::from_str::<String>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn literals_that_ron_refuses_do_no_harm() {
        for text in
            ["\"", "\"é", "\"a\\", "\"\\é", "\"\\xé\u{7df}", "\"\\x4\"", "\"\\u{é", "\"\\u", "r", "r#\"é"]
        {
            value(text);
            narrow(text, &(0..text.len()), &(0..9));
        }
    }
}
