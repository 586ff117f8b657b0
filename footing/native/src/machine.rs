//! The machine `native`: this program, started anew, carries out an image's plan and runs its steps here.
//!
//! Its standard output is the console, its standard input the export region, if there is one.
#![allow(unsafe_code, reason = "files are mapped")]

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::ptr::null_mut;

use footing_core::kernel::{Kernel, Settings};
use footing_core::plan::{self, Resources};

use crate::Native;

/// The first argument by which this program knows that it is the machine.
pub const STAGE: &str = "@native";

/// What a step on this machine sees of the host, for the record.
pub const UNPINNED: [&str; 4] = [
    "the processor's number, for a program that executes RDPID or LSL",
    "random numbers of the processor, for a program that executes RDRAND or RDSEED though CPUID says that there are none",
    "aborts of transactional memory, for a program that uses it though CPUID says that there is none",
    "vector instructions above SSE4.2 execute where the processor has them, though CPUID says that there are none",
];

/// What else is not pinned where the processor can not trap CPUID.
pub const CPUID: &str = "the processor's model and features, which this one can not hide";

/// Processes and threads of a step at a time; as in a virtual machine.
const PROCESSES: u32 = 30_000;

/// This program, to be started anew as the machine: also where `/proc` is not mounted.
#[must_use]
pub fn program() -> PathBuf {
    let link = Path::new("/proc/self/exe");
    // SAFETY: a call with a number; the kernel keeps the path as a string for as long as the program runs, or there is none.
    let started = unsafe {
        match libc::getauxval(libc::AT_EXECFN) {
            0 => None,
            at => Some(CStr::from_ptr(at as *const libc::c_char)),
        }
    };
    match started {
        Some(path) if link.symlink_metadata().is_err() => OsStr::from_bytes(path.to_bytes()).into(),
        _ => link.into(),
    }
}

/// The arguments by which this program becomes the machine; the processes of a step may have so many MiB together.
#[must_use]
pub fn arguments(image: &Path, mebibytes: u64) -> Vec<OsString> {
    vec![STAGE.into(), image.into(), mebibytes.to_string().into()]
}

/// Is the machine; `arguments` are those behind [`STAGE`]. To be called before anything else, while there is one thread.
#[must_use]
pub fn stage(arguments: &[OsString]) -> ExitCode {
    let result = match arguments {
        [image, mebibytes] => carry_out(image, mebibytes),
        _ => Err("this is the native machine, which `groundup run --machine native` starts".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(3)
        }
    }
}

fn carry_out(image: &OsStr, mebibytes: &OsStr) -> Result<(), String> {
    let memory = mebibytes.to_str().and_then(|text| text.parse::<u64>().ok()).ok_or("no size of memory")?;
    let image = map(Path::new(image)).map_err(|error| format!("{}: {error}", image.display()))?;
    let mut outside = Outside { region: region().map_err(|error| format!("the export region: {error}"))? };
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        write_all(format!("@ fatal footing panicked at {place}\n").as_bytes());
        eprintln!("{info}");
    }));
    let native = Native::new(None).map_err(|error| refusal(&error))?;
    if !native.pins_cpuid() {
        eprintln!("{CPUID}");
    }
    let mut kernel = Kernel::new(native, Settings::default());
    let resources = Resources { memory: memory.saturating_mul(1 << 20), processes: PROCESSES };
    plan::run(image, &mut kernel, &mut outside, resources);
    Ok(())
}

/// Why the host can not be the machine, in words that say what to change.
fn refusal(error: &crate::Error) -> String {
    let scope = std::fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    format!("the native machine can not be made: {error}; {}", help(scope.trim()))
}

/// What helps, by the value of `kernel.yama.ptrace_scope`, if the host's kernel has that. Source: `Documentation/admin-guide/LSM/Yama.rst`.
fn help(scope: &str) -> &'static str {
    match scope {
        "2" => {
            "the setting kernel.yama.ptrace_scope is 2, which lets only root use ptrace: run it as root, or allow it by `sysctl \
             kernel.yama.ptrace_scope=1` as root"
        }
        "3" => {
            "the setting kernel.yama.ptrace_scope is 3, which forbids ptrace until the host starts anew: start it with 1, or use \
             `--machine strict`, which does not need it"
        }
        _ => {
            "it needs ptrace, seccomp with notifications and memfd_create, which a container's filter may forbid: run it without \
             that filter, or use `--machine strict`, which needs none of them"
        }
    }
}

/// A file's bytes, which nobody changes while this program runs.
fn map(path: &Path) -> io::Result<&'static [u8]> {
    let file = File::open(path)?;
    let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    if length == 0 {
        return Ok(&[]);
    }
    // SAFETY: a new mapping, which stays; the file is the caller's alone.
    unsafe {
        let at = libc::mmap(null_mut(), length, libc::PROT_READ, libc::MAP_PRIVATE, file.as_raw_fd(), 0);
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(std::slice::from_raw_parts(at.cast(), length))
    }
}

/// The export region, which is standard input if that is a file.
fn region() -> io::Result<Option<&'static mut [u8]>> {
    // SAFETY: standard input stays open.
    let file = File::from(unsafe { BorrowedFd::borrow_raw(0) }.try_clone_to_owned()?);
    let data = file.metadata()?;
    let length = usize::try_from(data.len()).map_err(io::Error::other)?;
    if !data.is_file() || length == 0 {
        return Ok(None);
    }
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping, which stays; whoever made the region reads it only after the events that say what is in it.
    unsafe {
        let at = libc::mmap(null_mut(), length, access, libc::MAP_SHARED, file.as_raw_fd(), 0);
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Some(std::slice::from_raw_parts_mut(at.cast(), length)))
    }
}

/// Where the runner's words and results go.
struct Outside {
    region: Option<&'static mut [u8]>,
}

/// Writes to the console. Without one there is nobody to say so to.
fn write_all(bytes: &[u8]) {
    let mut out = io::stdout();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

impl plan::Home for Outside {
    fn console(&mut self, bytes: &[u8]) {
        write_all(bytes);
    }

    fn traced(&mut self, step: &[u8], calls: u64, trace: u64) {
        write_all(format!("@ trace {} {calls} {trace:016x}\n", String::from_utf8_lossy(step)).as_bytes());
    }

    fn region(&self) -> Option<u64> {
        self.region.as_ref().map(|region| region.len() as u64)
    }

    fn export(&mut self, offset: u64, bytes: &[u8]) {
        let place = self.region.as_mut().zip(usize::try_from(offset).ok());
        let place = place.and_then(|(region, offset)| region.get_mut(offset..)?.get_mut(..bytes.len()));
        if let Some(place) = place {
            place.copy_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::help;

    #[test]
    fn help_fits_the_setting() {
        assert!(help("2").contains("sysctl kernel.yama.ptrace_scope=1"));
        assert!(help("3").contains("until the host starts anew"));
        for other in ["", "0", "1"] {
            assert!(help(other).starts_with("it needs ptrace, seccomp with notifications and memfd_create"));
        }
    }
}
