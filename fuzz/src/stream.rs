//! Streams of bytes, long ones and in pieces, from few bytes of a fuzzer's.

/// Longer than any limit that a line is cut at, and no longer, so that many are tried.
const LONGEST: usize = 20 << 10;

/// Repeats the byte before each 0xfe as often as the byte after it says, times 128: lines reach the limits at which they
/// are cut, although a fuzzer's inputs are short.
pub fn expand(bytes: &[u8]) -> Vec<u8> {
    let mut stream = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, stream.last().copied()) {
            (0xfe, Some(before)) => {
                let times = usize::from(bytes.next().unwrap_or(0)) * 128;
                stream.resize((stream.len() + times).min(LONGEST), before);
            }
            _ => stream.push(byte),
        }
        if stream.len() >= LONGEST {
            break;
        }
    }
    stream
}

/// The stream in pieces: as a whole, in single bytes, and cut wherever its own bytes say.
pub fn cuts(stream: &[u8]) -> [Vec<&[u8]>; 3] {
    let mut pieces = Vec::new();
    let mut rest = stream;
    while let Some(first) = rest.first() {
        let length = usize::from(*first).pow(2) / 16 + 1;
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    [vec![stream], stream.chunks(1).collect(), pieces]
}
