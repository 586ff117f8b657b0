//! The home alone, tried with programs written by hand: what each does, and what the home says of it.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

extern crate alloc;

mod programs;

use footing_vm::{Home, Machine, cpu, event};

/// The program that the home starts.
///
/// # Safety
/// The home calls it once.
#[unsafe(no_mangle)]
extern "Rust" fn footing_main(machine: Machine) -> ! {
    let Machine { initrd, shared, memory, .. } = machine;
    event!("memory ", memory >> 20);
    let image = shared.image.unwrap_or_default();
    event!("image ", image.len() as u64, " export ", shared.export.map_or(0, |bytes| bytes.len()) as u64);
    let mut home = Home::new([initrd, image]);
    programs::try_all(&mut home);
    event!("end 0 0 0");
    cpu::end()
}
