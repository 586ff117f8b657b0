//! The kernel that carries out the plan of its initrd.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

use footing_vm::{Machine, cpu, event};

/// The program that the home starts.
///
/// # Safety
/// The home calls it once.
#[unsafe(no_mangle)]
extern "Rust" fn footing_main(machine: Machine) -> ! {
    let plan = formats::archive::Archive::new(machine.initrd)
        .flatten()
        .find(|entry| entry.name.to_bytes() == b"plan")
        .map(|entry| entry.data);
    match plan {
        None => event!("fatal no plan"),
        Some(_) => event!("fatal this kernel can't carry out a plan yet"),
    }
    cpu::end()
}
