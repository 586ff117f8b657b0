//! A program that is nothing but a list of calls, which Linux and footing both carry out.

/// Where the program's memory lies, and how much there is.
pub const MEMORY: u64 = 0x1000_0000;
/// Bytes of it.
pub const SIZE: usize = 1 << 20;

/// An argument of a call.
#[derive(Clone, Debug)]
pub enum Arg {
    /// A number.
    Number(u64),
    /// The address of these bytes.
    Bytes(Vec<u8>),
    /// The result of an earlier call, counted back: 1 is the last one.
    Result(usize),
    /// The same for the number of a process; one that no process has if the call failed.
    Process(usize),
    /// The address of so many bytes, which are compared after the call.
    Out(usize),
    /// The address of a `struct stat`: type, mode, links, owner and size are compared.
    Stat,
    /// The address of an array of addresses and lengths of `Bytes` and `Out`.
    Vectors(Vec<Arg>),
    /// The address of a `struct stat` whose last change of bytes is compared too, if it is one that a program has set.
    Times,
    /// The address of room for directory entries, whose names are compared, sorted.
    Entries,
}

/// A number that no process has.
const NOBODY: u64 = 0x3fff_ffff;

/// A call, and whether its result is compared as it is or only by success.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number.
    pub number: libc::c_long,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// Results other than errors may differ: addresses, times, numbers of processes.
    pub loose: bool,
    /// What the new process does, if this is fork(2), before it exits with 0.
    pub child: Vec<Call>,
}

/// What a call led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whose it is: 0 of the first process; of the n-th child the parent's number and the digit n.
    pub who: u32,
    /// Its result, or an error's number, negative. 0 for what may differ.
    pub result: i64,
    /// What the memory held that it was to fill.
    pub outs: Vec<Vec<u8>>,
}

impl Answer {
    /// What is compared of a call.
    pub fn new(who: u32, call: &Call, result: i64, outs: Vec<Vec<u8>>) -> Answer {
        Answer { who, result: if call.loose { result.min(0) } else { result }, outs }
    }
}

/// Room of an argument in the program's memory.
const ROOM: usize = 16 << 10;

/// The numbers that a call is made with; `write` puts bytes into the program's memory.
pub fn prepare(call: &Call, results: &[i64], write: &mut dyn FnMut(u64, &[u8])) -> [u64; 6] {
    let mut numbers = [0; 6];
    let mut at = MEMORY;
    for (place, arg) in numbers.iter_mut().zip(&call.args) {
        *place = lay(arg, &mut at, results, write);
    }
    numbers
}

fn lay(arg: &Arg, at: &mut u64, results: &[i64], write: &mut dyn FnMut(u64, &[u8])) -> u64 {
    let here = *at;
    match arg {
        Arg::Number(number) => return *number,
        Arg::Result(back) => return results[results.len() - back] as u64,
        Arg::Process(back) => {
            let result = results.len().checked_sub(*back).map_or(-1, |at| results[at]);
            return if result > 0 { result as u64 } else { NOBODY };
        }
        Arg::Bytes(bytes) => write(here, bytes),
        Arg::Out(length) => write(here, &vec![0xaa; *length]),
        Arg::Stat | Arg::Times => write(here, &[0; 144]),
        Arg::Entries => write(here, &[0; 4096]),
        Arg::Vectors(parts) => {
            let mut array = Vec::new();
            *at += ROOM as u64;
            for part in parts {
                let length = match part {
                    Arg::Bytes(bytes) => bytes.len(),
                    Arg::Out(length) => *length,
                    _ => 0,
                };
                array.extend_from_slice(&lay(part, at, results, write).to_le_bytes());
                array.extend_from_slice(&(length as u64).to_le_bytes());
            }
            write(here, &array);
            return here;
        }
    }
    *at += ROOM as u64;
    here
}

/// What the memory holds after a call; `read` takes bytes out of the program's memory.
pub fn collect(call: &Call, result: i64, read: &mut dyn FnMut(u64, &mut [u8])) -> Vec<Vec<u8>> {
    let mut outs = Vec::new();
    let mut at = MEMORY;
    for arg in &call.args {
        gather(arg, &mut at, result, read, &mut outs);
    }
    outs
}

fn gather(
    arg: &Arg,
    at: &mut u64,
    result: i64,
    read: &mut dyn FnMut(u64, &mut [u8]),
    outs: &mut Vec<Vec<u8>>,
) {
    let here = *at;
    match arg {
        Arg::Number(_) | Arg::Result(_) | Arg::Process(_) => return,
        Arg::Bytes(_) => {}
        Arg::Out(length) => {
            let mut bytes = vec![0; *length];
            read(here, &mut bytes);
            outs.push(bytes);
        }
        Arg::Stat => {
            let mut bytes = [0; 144];
            read(here, &mut bytes);
            outs.push(shown(&bytes));
        }
        Arg::Times => {
            let mut bytes = [0; 144];
            read(here, &mut bytes);
            let mut all = shown(&bytes);
            let seconds = u64::from_le_bytes(bytes[88..96].try_into().expect("eight bytes"));
            if seconds < 1 << 20 {
                all.extend_from_slice(&bytes[88..104]);
            }
            outs.push(all);
        }
        Arg::Entries => {
            let mut bytes = vec![0; 4096];
            read(here, &mut bytes);
            outs.push(names(&bytes[..result.clamp(0, 4096) as usize]));
        }
        Arg::Vectors(parts) => {
            *at += ROOM as u64;
            for part in parts {
                gather(part, at, result, read, outs);
            }
            return;
        }
    }
    *at += ROOM as u64;
}

/// Links, mode, owner, group, and of what is no directory the size.
fn shown(stat: &[u8; 144]) -> Vec<u8> {
    let folder = stat[25] & 0xf0 == 0x40;
    let mut shown = stat[16..36].to_vec();
    if !folder {
        shown.extend_from_slice(&stat[48..56]);
    }
    shown
}

/// The names and types of `struct linux_dirent64`s, sorted.
fn names(mut bytes: &[u8]) -> Vec<u8> {
    let mut names = Vec::new();
    while bytes.len() > 19 {
        let length = usize::from(u16::from_le_bytes([bytes[16], bytes[17]]));
        let name = bytes[19..length].split(|&byte| byte == 0).next().unwrap_or_default();
        names.push([&[bytes[18] + b'0'], name, b" "].concat());
        bytes = &bytes[length..];
    }
    names.sort();
    names.concat()
}
