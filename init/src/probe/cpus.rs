//! Files that tell how many processors there are.

use crate::calls::Path;
use crate::sys;

/// Larger files are left as they are.
const ROOM: usize = 64 << 10;

/// What is to be opened instead of a path where there are to be so many, as a number of a file of ours.
pub fn instead(path: &[u8], many: u32) -> Option<usize> {
    match path {
        b"/sys/devices/system/cpu/online"
        | b"/sys/devices/system/cpu/present"
        | b"/sys/devices/system/cpu/possible" => {
            let mut range = Path::new();
            range.push(b"0-").number(many as usize - 1).push(b"\n");
            sys::file(&[range.bytes()])
        }
        b"/proc/stat" => copies(path, many, b"cpu0", 3, b"\n", b"cpu"),
        b"/proc/cpuinfo" => copies(path, many, b"processor", 12, b"\n\n", b""),
        _ => None,
    }
}

/// A file with the part from `start` to `end` so often, each with its number `at` so many bytes after its start; what comes after
/// it is left out as long as its lines start with `left_out`.
fn copies(path: &[u8], many: u32, start: &[u8], at: usize, end: &[u8], left_out: &[u8]) -> Option<usize> {
    let mut ended = Path::new();
    ended.push(path).push(b"\0");
    let room = sys::memory(ROOM);
    let length = sys::content(ended.bytes(), room);
    let text = &room[..length];
    let first = find(text, start)?;
    let last = first + find(&text[first..], end)? + end.len();
    let part = text.get(first..last).filter(|part| part.len() > at)?;
    let rest = text[last..].split_inclusive(|&byte| byte == b'\n');
    let rest: usize = rest.take_while(|line| line.starts_with(left_out)).map(<[u8]>::len).sum();
    let file = sys::file(&[&text[..first]])?;
    for number in 0..many as usize {
        let mut name = Path::new();
        name.push(&part[..at]).number(number);
        sys::write(file, name.bytes());
        sys::write(file, &part[at + 1..]);
    }
    sys::write(file, &text[last + rest..]);
    sys::rewind(file);
    sys::release(room);
    Some(file)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
