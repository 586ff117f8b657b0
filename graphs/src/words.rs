//! Words for people: what strangers wrote, without anything that a terminal or a reader's eye would obey; and plurals.
//!
//! Names of files and graphs, logs and errors come from anywhere. A control character gives orders to a terminal, and a format
//! character (Unicode's category Cf) turns round, joins or hides what stands beside it: `\u{202e}` makes `gpj.exe` of a program.

use std::borrow::Cow;

/// A text in one line, with such characters written as `\u{…}`, a line feed as `\n`.
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, is_order)
}

/// The same of a text of several lines: line feeds and tabs stay.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_order(c) && !matches!(c, '\n' | '\t'))
}

/// JSON with such characters as JSON spells them, which changes nothing of what it says. Line feeds are between its values.
pub fn shown_json(json: &str) -> Cow<'_, str> {
    let is = |c| is_order(c) && c != '\n';
    if !json.contains(is) {
        return json.into();
    }
    let mut text = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match is(c) {
            true => text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
            false => text.push(c),
        }
    }
    text.into()
}

/// So many of something.
pub fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A text of as many bytes in which no such character is left: what points into it still does.
pub(crate) fn same_length(text: &str) -> Cow<'_, str> {
    let is = |c| is_order(c) && !matches!(c, '\n' | '\t' | '\r');
    if !text.contains(is) {
        return text.into();
    }
    let other = |c: char| match c.len_utf8() {
        _ if !is(c) => c,
        1 => '?',
        2 => '\u{bf}',
        3 => '\u{fffd}',
        _ => '\u{1fbc4}',
    };
    text.chars().map(other).collect::<String>().into()
}

fn escaped(text: &str, is: impl Fn(char) -> bool + Copy) -> Cow<'_, str> {
    if !text.contains(is) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is(c) {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    out.into()
}

/// Controls (category Cc), what is invisible and acts on others (Cf), and the separators of lines and paragraphs (Zl, Zp).
/// Source: Unicode 16, `extracted/DerivedGeneralCategory.txt`; of the blocks that are set aside for format characters, all.
fn is_order(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e | 0x200b..=0x200f
            | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff0..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f
            | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_gives_orders_is_left() {
        for (text, wanted) in [
            ("plain é 漢字 🦀 \\ \"'", "plain é 漢字 🦀 \\ \"'"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
            ("exe\u{202e}gpj", "exe\\u{202e}gpj"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            (
                "a\u{200b}b\u{ad}c\u{feff}\u{2028}\u{2029}\u{e0041}",
                "a\\u{200b}b\\u{ad}c\\u{feff}\\u{2028}\\u{2029}\\u{e0041}",
            ),
        ] {
            assert_eq!(shown(text), wanted);
        }
        assert_eq!(shown_lines("a\n\tb\r\u{2066}"), "a\n\tb\\r\\u{2066}");
    }

    #[test]
    fn json_says_the_same() {
        let value = "a\u{202e}b\u{9b}\u{e0041}\n\u{1b}";
        let json = "{\n  \"x\": \"a\u{202e}b\u{9b}\u{e0041}\\n\\u001b\"\n}\n";
        let shown = shown_json(json);
        assert!(!shown.chars().any(|c| is_order(c) && c != '\n'), "{shown}");
        let read: std::collections::BTreeMap<String, String> = serde_json::from_str(&shown).unwrap();
        assert_eq!(read["x"], value);
    }

    #[test]
    fn what_points_into_a_text_still_does() {
        let text = "a\u{1b}b\u{ad}c\u{202e}d\u{e0041}e\n\t";
        let same = same_length(text);
        assert_eq!(same, "a?b\u{bf}c\u{fffd}d\u{1fbc4}e\n\t");
        assert_eq!(same.len(), text.len());
    }

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2].map(|number| count(number, "step")), ["0 steps", "1 step", "2 steps"]);
    }
}
