//! Boots an image in the strict machine, `timed KERNEL IMAGE MEMORY-MIB`, or without `-icount` if `fast` follows, or runs it on the host or on
//! footing, `timed host|native IMAGE GROUNDUP`. For benchmarks: each line of the console comes with the seconds since the start, of the wall clock and of the machine's CPU
//! time.

use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use qemu::{Line, Machine, Profile};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let fast = arguments.pop_if(|last| last == "fast").is_some();
    let [kernel, image, last] = &arguments[..] else {
        return Err("usage: timed KERNEL IMAGE MEMORY-MIB [fast], or timed host|native IMAGE GROUNDUP".into());
    };
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
    let mut each = |line: Line| {
        let text = match line {
            Line::Log(text) => format!("| {text}"),
            Line::Kernel(text) => text,
            Line::Event(event) => format!("{event:?}"),
        };
        println!("{:.3} {:.2} {text}", begun.elapsed().as_secs_f64(), cpu().unwrap_or(f64::NAN));
    };
    qemu::run(&machine, &mut each, &AtomicBool::new(false))?;
    Ok(())
}

/// CPU seconds of the only child, proc_pid_stat(5); the clock ticks 100 times a second on every Linux that Debian ships.
fn cpu() -> Option<f64> {
    let children = std::fs::read_to_string("/proc/thread-self/children").ok()?;
    let child = children.split_whitespace().next()?;
    let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}
