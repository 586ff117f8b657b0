//! Files of /proc and /sys whose text depends on the moment, or says how many processors there are.

use crate::calls::Path;
use crate::clock::{Kind, SECOND};
use crate::tracee::Tracee;
use crate::{Probe, sys};

/// Larger files are left as they are.
const ROOM: usize = 1 << 20;

/// What is to be opened instead of a path, as a number of a file of ours.
pub fn instead(path: &[u8], tracee: Tracee, probe: &mut Probe) -> Option<usize> {
    let cpus = probe.options.cpus;
    match path {
        b"/sys/devices/system/cpu/online"
        | b"/sys/devices/system/cpu/present"
        | b"/sys/devices/system/cpu/possible" => {
            let mut range = Path::new();
            range.push(b"0-").number(cpus? as usize - 1).push(b"\n");
            sys::file(&[range.bytes()])
        }
        b"/proc/cpuinfo" => made(b"/proc/cpuinfo\0", |text, file| processors(text, cpus, file)),
        b"/proc/stat" => {
            let start = probe.clock.before() / SECOND;
            made(b"/proc/stat\0", |text, file| statistics(text, cpus, start as usize, file))
        }
        b"/proc/meminfo" => made(b"/proc/meminfo\0", memory),
        b"/proc/loadavg" => sys::file(&[b"0.00 0.00 0.00 1/1 1\n"]),
        b"/proc/uptime" => {
            let now = probe.clock.look(Kind::Monotonic, tracee.pid(), &mut probe.processes) / (SECOND / 100);
            let mut text = Path::new();
            for _ in 0..2 {
                text.number((now / 100) as usize).push(b".");
                text.number((now / 10 % 10) as usize).number((now % 10) as usize).push(b" ");
            }
            let text = text.bytes();
            sys::file(&[&text[..text.len() - 1], b"\n"])
        }
        _ => None,
    }
}

/// A file of ours in the place of one of the kernel's.
fn made(path: &[u8], write: impl FnOnce(&[u8], usize) -> Option<()>) -> Option<usize> {
    let room = sys::memory(ROOM);
    let length = sys::content(path, room);
    let file = sys::file(&[]).filter(|_| length > 0)?;
    let written = write(&room[..length], file);
    sys::release(room);
    sys::rewind(file);
    written.map(|()| file)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|&byte| byte == b'\n')
}

/// Every processor as it is, or the first one so often. How fast one is at the moment is no matter.
fn processors(text: &[u8], cpus: Option<u32>, file: usize) -> Option<()> {
    const NAME: &[u8] = b"processor\t: ";
    let first = find(text, b"\n\n")? + 2;
    for number in 0..cpus.map_or(1, |many| many as usize) {
        let text = if cpus.is_some() { &text[..first] } else { text };
        for line in lines(text) {
            let mut other = Path::new();
            let line = match line {
                line if line.starts_with(b"cpu MHz") => b"cpu MHz\t\t: 1000.000\n",
                line if line.starts_with(NAME) && cpus.is_some() => {
                    other.push(NAME).number(number).push(b"\n");
                    other.bytes()
                }
                line => line,
            };
            sys::write(file, line)?;
        }
    }
    Some(())
}

/// As when the machine has just started.
fn statistics(text: &[u8], cpus: Option<u32>, start: usize, file: usize) -> Option<()> {
    let real = lines(text).filter(|line| line.starts_with(b"cpu")).count().saturating_sub(1);
    let many = cpus.map_or(real, |many| many as usize);
    sys::write(file, b"cpu  100 0 100 10000 0 0 0 0 0 0\n")?;
    for number in 0..many {
        let mut line = Path::new();
        line.push(b"cpu").number(number).push(b" 100 0 100 10000 0 0 0 0 0 0\n");
        sys::write(file, line.bytes())?;
    }
    let mut rest = Path::new();
    rest.push(b"intr 0\nctxt 0\nbtime ")
        .number(start)
        .push(b"\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n");
    sys::write(file, rest.bytes())?;
    sys::write(file, b"softirq 0 0 0 0 0 0 0 0 0 0 0\n").map(drop)
}

/// What there is stays, and half of it is free.
fn memory(text: &[u8], file: usize) -> Option<()> {
    const STAY: [&[u8]; 5] =
        [b"MemTotal:", b"SwapTotal:", b"CommitLimit:", b"VmallocTotal:", b"Hugepagesize:"];
    let all = lines(text).next()?.iter().filter(|byte| byte.is_ascii_digit());
    let all = all.fold(0, |number, digit| number * 10 + usize::from(digit & 15));
    for line in lines(text) {
        let colon = find(line, b":")? + 1;
        let name = &line[..colon];
        let mut other = Path::new();
        let line = if STAY.contains(&name) {
            line
        } else {
            let is_free = matches!(name, b"MemFree:" | b"MemAvailable:");
            other.push(name).push(b" ").number(if is_free { all / 2 } else { 0 }).push(b" kB\n");
            other.bytes()
        };
        sys::write(file, line)?;
    }
    Some(())
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
