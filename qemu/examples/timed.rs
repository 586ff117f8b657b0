//! Boots an image in the strict machine, `timed KERNEL IMAGE MEMORY-MIB`, or without `-icount` if `fast` follows, or runs it on the host or on
//! footing, `timed host|native IMAGE GROUNDUP`, or any command, `timed command PROGRAM ARGUMENT`. For benchmarks: each line of the console comes with
//! the seconds since the start, of the wall clock and of CPU time, that of all processes that the machine consists of.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use qemu::{Line, Machine, Profile};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let fast = arguments.pop_if(|last| last == "fast").is_some();
    let [kernel, image, last] = &arguments[..] else {
        return Err("usage: timed KERNEL IMAGE MEMORY-MIB [fast], timed host|native IMAGE GROUNDUP, or timed command PROGRAM ARGUMENT".into());
    };
    if kernel == "command" {
        return command(image, last);
    }
    let mut machine = Machine::new(kernel, image);
    if fast {
        machine.profile = Profile::Fast { kvm: false, cpus: 1 };
    }
    if kernel == "host" || kernel == "native" {
        machine.profile =
            if kernel == "host" { Profile::Host { perturbed: false, held: false } } else { Profile::Native };
        machine.program = last.into();
    } else {
        machine.memory = last.to_string_lossy().parse()?;
    }
    let begun = Instant::now();
    let is_one_process = !machine.profile.is_this_program();
    let mut each = |line: Line| {
        let text = match line {
            Line::Log(text) => format!("| {text}"),
            Line::Kernel(text) => text,
            Line::Event(event) => format!("{event:?}"),
        };
        print(begun, &text, is_one_process);
    };
    qemu::run(&machine, &mut each, &AtomicBool::new(false))?;
    Ok(())
}

/// Runs a command, whose output is the console.
fn command(program: &OsStr, argument: &OsStr) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let mut child = Command::new(program).arg(argument).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    for line in BufReader::new(output).lines() {
        print(begun, &format!("| {}", line?), false);
    }
    if child.wait()?.success() { Ok(()) } else { Err("the command failed".into()) }
}

/// To look at all processes takes longer than many a step: only for lines that mark something, unless the machine is one process.
fn print(begun: Instant, text: &str, is_one_process: bool) {
    let cpu = if is_one_process || text.starts_with("| mark ") { cpu(is_one_process) } else { None };
    println!("{:.3} {:.2} {text}", begun.elapsed().as_secs_f64(), cpu.unwrap_or(f64::NAN));
}

/// The processes that are there.
fn processes() -> Option<Vec<u32>> {
    let all = std::fs::read_dir("/proc").ok()?.flatten();
    Some(all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

/// The processes that this thread has started.
fn children() -> Option<Vec<u32>> {
    let all = std::fs::read_to_string("/proc/thread-self/children").ok()?;
    Some(all.split_whitespace().filter_map(|number| number.parse().ok()).collect())
}

/// CPU seconds of all processes below this one, those that have ended included, proc_pid_stat(5); the clock ticks 100 times a second on
/// every Linux that Debian ships.
fn cpu(is_one_process: bool) -> Option<f64> {
    let mut all = BTreeMap::new();
    for number in if is_one_process { children()? } else { processes()? } {
        // It may have ended meanwhile: then it counts with its parent.
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{number}/stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().unwrap_or(0)).sum::<u64>();
        all.insert(number, (fields.get(1)?.parse::<u32>().ok()?, ticks));
    }
    let own = std::process::id();
    let below = |mut number: u32| {
        while let Some(&(parent, _)) = all.get(&number) {
            if parent == own {
                return true;
            }
            number = parent;
        }
        false
    };
    let ticks: u64 = all.iter().filter(|(number, _)| below(**number)).map(|(_, (_, ticks))| ticks).sum();
    Some(ticks as f64 / 100.0)
}
