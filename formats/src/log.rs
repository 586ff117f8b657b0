//! Marks what a builder prints, so that none of it can be taken for an event, and takes ASCII's control characters from it.
//! (Those above 0x7f are a matter of the text's encoding, and of whoever decodes it.)

use crate::nar::Sink;

/// What starts each line of a builder's output.
pub const MARK: &[u8] = b"| ";
/// Longer lines are broken.
pub const WIDTH: usize = 4096;

/// A stream of bytes that becomes marked lines. Control characters other than tab are dropped.
#[derive(Default)]
pub struct Marker {
    /// Bytes written of the line that is open; `None` between lines.
    open: Option<usize>,
}

impl Marker {
    /// Marks the next bytes.
    pub fn feed(&mut self, bytes: &[u8], out: &mut dyn Sink) {
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.open.is_none() {
                self.start(out);
            }
            for run in line.chunk_by(|&a, &b| is_plain(a) == is_plain(b)) {
                if is_plain(run[0]) {
                    self.plain(run, out);
                }
            }
            if line.ends_with(b"\n") {
                self.finish(out);
            }
        }
    }

    /// Ends the line that is open.
    pub fn finish(&mut self, out: &mut dyn Sink) {
        if self.open.take().is_some() {
            out.write(b"\n");
        }
    }

    fn start(&mut self, out: &mut dyn Sink) {
        out.write(MARK);
        self.open = Some(0);
    }

    fn plain(&mut self, mut run: &[u8], out: &mut dyn Sink) {
        while !run.is_empty() {
            let width = self.open.unwrap_or(0);
            if width == WIDTH {
                self.finish(out);
                self.start(out);
                continue;
            }
            let (fits, rest) = run.split_at(run.len().min(WIDTH - width));
            out.write(fits);
            self.open = Some(width + fits.len());
            run = rest;
        }
    }
}

/// Whether a byte stands on the console as it is.
pub fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    impl Sink for Vec<u8> {
        fn write(&mut self, bytes: &[u8]) {
            self.extend_from_slice(bytes);
        }
    }

    fn marked(chunks: &[&[u8]]) -> Vec<u8> {
        let (mut marker, mut out) = (Marker::default(), Vec::new());
        chunks.iter().for_each(|chunk| marker.feed(chunk, &mut out));
        marker.finish(&mut out);
        out
    }

    #[test]
    fn every_line_is_marked() {
        assert_eq!(marked(&[b"a\n@ end 1 0 0\n\nb"]), b"| a\n| @ end 1 0 0\n| \n| b\n");
        assert_eq!(marked(&[]), b"");
    }

    #[test]
    fn chunks_make_no_difference() {
        let text = b"one\r\n\x1b[2Jtwo\n\n@ three".as_slice();
        let single: Vec<_> = text.chunks(1).collect();
        assert_eq!(marked(&single), marked(&[text]));
        assert_eq!(marked(&[text]), b"| one\n| [2Jtwo\n| \n| @ three\n");
    }

    #[test]
    fn a_long_line_is_broken_and_marked_again() {
        let out = marked(&[&[b'x'; WIDTH + 1]]);
        let lines: Vec<_> = out.split(|&byte| byte == b'\n').collect();
        assert_eq!((lines[0].len(), lines[1], lines[2]), (WIDTH + 2, b"| x".as_slice(), b"".as_slice()));
    }
}
