//! The console's bytes as lines: pure, no I/O, bounded memory, and it never panics.
//!
//! # Encoding
//! Lines end in LF; a CR before it, which the tty adds, is dropped. A line's bytes are read as UTF-8 with U+FFFD for
//! what is none; then control characters (C0, DEL, C1) and those that turn the direction of text are dropped, a tab
//! becoming a space, so that whatever a builder or a kernel says can be shown on a terminal.
//!
//! # Grammar
//! ```text
//! "@ " event     PID 1 reports something            Line::Event
//! "| " text      a line of the builder's output     Line::Log
//! anything else                                     Line::Kernel
//! ```
//! PID 1 puts one of the two marks before every line that it or a builder writes, so no builder can forge an event.
//! A line that begins with `@ ` and is no event ([`Event::parse`]) is a `Line::Kernel`: it is shown, and it counts for
//! nothing.
//!
//! # Restrictions
//! At most [`LIMIT`] bytes of a line are kept. A longer line is cut there and is never an event.

use crate::event::Event;

/// How many bytes of a line are kept: PID 1 cuts at 4096, the kernel at about 1000.
pub const LIMIT: usize = 16 << 10;

/// A line of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// PID 1 reports something.
    Event(Event),
    /// A line of a builder's output, without its mark.
    Log(String),
    /// Everything else.
    Kernel(String),
}

/// Collects bytes into lines.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    cut: bool,
}

impl Reader {
    /// A reader at the start of a line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes, however they were cut, and hands each line that they complete to `each`.
    pub fn feed(&mut self, mut bytes: &[u8], each: &mut dyn FnMut(Line)) {
        while let Some(end) = bytes.iter().position(|&b| b == b'\n') {
            self.collect(&bytes[..end]);
            bytes = &bytes[end + 1..];
            each(self.complete());
        }
        self.collect(bytes);
    }

    /// The line that was begun and not ended, if there is one: a machine may die in the middle of a line. It is never
    /// an event.
    pub fn finish(&mut self) -> Option<Line> {
        if self.line.is_empty() {
            return None;
        }
        self.cut = true;
        Some(self.complete())
    }

    fn collect(&mut self, bytes: &[u8]) {
        // One byte more than the limit is kept, for the CR of a line that is just as long as the limit.
        let room = LIMIT + 1 - self.line.len();
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.cut |= bytes.len() > room;
    }

    fn complete(&mut self) -> Line {
        let mut line: &[u8] = &self.line;
        if !self.cut {
            line = line.strip_suffix(b"\r").unwrap_or(line);
        }
        let cut = self.cut || line.len() > LIMIT;
        let line = classify(&line[..line.len().min(LIMIT)], cut);
        self.line.clear();
        self.cut = false;
        line
    }
}

fn classify(line: &[u8], cut: bool) -> Line {
    if let Some(text) = line.strip_prefix(b"| ") {
        return Line::Log(clean(text));
    }
    let event = line.strip_prefix(b"@ ").filter(|_| !cut);
    // An event's words are plain already; a reason may hold anything and is cleaned like all else.
    match event.and_then(|text| Event::parse(&clean(text))) {
        Some(event) => Line::Event(event),
        None => Line::Kernel(clean(line)),
    }
}

/// Text that does nothing to a terminal.
fn clean(bytes: &[u8]) -> String {
    let keep = |c: char| match c {
        '\t' => Some(' '),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => None,
        c if c.is_control() => None,
        c => Some(c),
    };
    String::from_utf8_lossy(bytes).chars().filter_map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<Line> {
        let (mut reader, mut lines) = (Reader::new(), Vec::new());
        for chunk in chunks {
            reader.feed(chunk, &mut |line| lines.push(line));
        }
        lines.extend(reader.finish());
        lines
    }

    fn kernel(text: &str) -> Line {
        Line::Kernel(text.into())
    }

    #[test]
    fn marks_decide() {
        let end = Line::Event(Event::End { built: 1, failed: 2, skipped: 3 });
        for (text, line) in [
            ("@ end 1 2 3\n", end.clone()),
            ("@ end 1 2 3\r\n", end),
            (" @ end 1 2 3\n", kernel(" @ end 1 2 3")),
            ("@end 1 2 3\n", kernel("@end 1 2 3")),
            ("@  end 1 2 3\n", kernel("@  end 1 2 3")),
            ("@\tend 1 2 3\n", kernel("@ end 1 2 3")),
            ("| @ end 1 2 3\n", Line::Log("@ end 1 2 3".into())),
            ("| \n", Line::Log("".into())),
            ("|\n", kernel("|")),
            ("\n", kernel("")),
            ("\r\n", kernel("")),
            ("[    0.1] @ end 1 2 3\n", kernel("[    0.1] @ end 1 2 3")),
            ("@ end 1 2 3", kernel("@ end 1 2 3")),
            ("\r@ end 1 2 3\n", kernel("@ end 1 2 3")),
        ] {
            assert_eq!(lines(&[text.as_bytes()]), [line], "{text:?}");
        }
    }

    #[test]
    fn nothing_reaches_the_terminal() {
        let text = b"| \x1b[2J\x1b]0;t\x07a\x00b\x7fc\xc2\x9bd\xffe\te\xe2\x80\xaef\n";
        assert_eq!(lines(&[text]), [Line::Log("[2J]0;tabcd\u{fffd}e ef".into())]);
        assert_eq!(lines(&[b"@ fatal \x1b[1mno\n"]), [Line::Event(Event::Fatal { reason: "[1mno".into() })]);
    }

    #[test]
    fn long_lines_are_cut_and_are_no_events() {
        let fits = LIMIT - "@ fatal ".len();
        for (length, kept, event) in [(fits, fits, true), (fits + 1, fits, false), (1 << 20, fits, false)] {
            for end in ["\n", "\r\n"] {
                let text = format!("@ fatal {}{end}", "a".repeat(length));
                let reason = "a".repeat(kept);
                let line = match event {
                    true => Line::Event(Event::Fatal { reason }),
                    false => kernel(&format!("@ fatal {reason}")),
                };
                assert_eq!(lines(&[text.as_bytes()]), [line]);
            }
        }
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            bytes in prop::collection::vec(prop_oneof![4 => Just(b'\n'), 4 => Just(b'\r'), 4 => Just(b'@'),
                4 => Just(b' '), 4 => Just(b'|'), 30 => any::<u8>()], 0..400),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(lines(&chunks), lines(&[&bytes]));
        }

        #[test]
        fn every_long_line_is_cut_alike(extra in 0..6_usize, at in 0..LIMIT + 8, cr: bool) {
            let mut bytes = vec![b'x'; LIMIT - 3 + extra];
            bytes.extend_from_slice(if cr { b"\r\n" } else { b"\n" });
            let (a, b) = bytes.split_at(at.min(bytes.len()));
            prop_assert_eq!(lines(&[a, b]), lines(&[&bytes]));
        }

        #[test]
        fn lines_hold_no_control_characters(bytes: Vec<u8>) {
            for line in lines(&[&bytes]) {
                if let Line::Log(text) | Line::Kernel(text) = line {
                    prop_assert!(!text.contains(char::is_control));
                }
            }
        }
    }
}
