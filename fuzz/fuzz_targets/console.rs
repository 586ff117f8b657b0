//! Any bytes on the console, in any pieces: the same lines, no event that its raw line does not begin as one, nothing that a
//! terminal would obey.
#![no_main]

use groundup_fuzz::stream;
use qemu::console::{LIMIT, Line, Reader};

fn lines(pieces: &[&[u8]]) -> Vec<Line> {
    let (mut reader, mut lines) = (Reader::new(), Vec::new());
    pieces.iter().for_each(|piece| reader.feed(piece, &mut |line| lines.push(line)));
    lines.extend(reader.finish());
    lines
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let stream = stream::expand(bytes);
    let [whole, single, pieces] = stream::cuts(&stream).map(|pieces| lines(&pieces));
    assert_eq!(whole, single);
    assert_eq!(whole, pieces);
    let raw: Vec<&[u8]> = stream.split_inclusive(|&byte| byte == b'\n').collect();
    assert_eq!(raw.len(), whole.len());
    for (raw, line) in raw.iter().zip(&whole) {
        match line {
            Line::Event(_) => {
                assert!(raw.starts_with(b"@ ") && raw.ends_with(b"\n") && raw.len() <= LIMIT + 2)
            }
            Line::Log(text) | Line::Kernel(text) => {
                assert!(!text.contains(char::is_control));
                assert_eq!(matches!(line, Line::Log(_)), raw.starts_with(b"| "));
            }
        }
    }
});
