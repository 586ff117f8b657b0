//! Any bytes from a builder, in any pieces: whole marked lines without control bytes, none of the plain bytes lost, and the
//! console's reader takes none of them for an event.
#![no_main]

use formats::log::{MARK, Marker, WIDTH, is_plain};
use formats::nar::Sink;
use groundup_fuzz::stream;
use qemu::console::{Line, Reader};

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

fn marked(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut marker, mut out) = (Marker::default(), Bytes(Vec::new()));
    pieces.iter().for_each(|piece| marker.feed(piece, &mut out));
    marker.finish(&mut out);
    out.0
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let stream = stream::expand(bytes);
    let [whole, single, pieces] = stream::cuts(&stream).map(|pieces| marked(&pieces));
    assert_eq!(whole, single);
    assert_eq!(whole, pieces);
    let mut kept = Vec::new();
    for line in whole.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_prefix(MARK).and_then(|line| line.strip_suffix(b"\n")).expect("a marked line");
        assert!(text.len() <= WIDTH && text.iter().all(|&byte| is_plain(byte)));
        kept.extend_from_slice(text);
    }
    assert!(kept.iter().copied().eq(stream.iter().copied().filter(|&byte| is_plain(byte))));
    Reader::new().feed(&whole, &mut |line| assert!(matches!(line, Line::Log(_))));
});
