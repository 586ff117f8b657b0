//! The kernel that carries out the plan of its initrd.
#![no_std]
#![no_main]
#![allow(unsafe_code)]

extern crate alloc;

use footing_core::kernel::{Kernel, Settings};
use footing_core::plan::{self, Resources};
use footing_vm::results::Results;
use footing_vm::{Home, Machine, cpu, screen, serial};
use formats::nar::Sink;

/// Nanoseconds after which the home says that a thread made no call.
const SLICE: u64 = 1_000_000_000;
/// Processes and threads at a time.
const PROCESSES: u32 = 30_000;

/// Where the runner's words and results go: the serial port and the memory that the machine shares.
struct Outside {
    region: Option<&'static mut [u8]>,
    /// On bare metal, to be shown at the end.
    results: Option<Results>,
}

impl plan::Home for Outside {
    fn console(&mut self, bytes: &[u8]) {
        serial::Console.write(bytes);
        self.results.iter_mut().for_each(|results| results.add(bytes));
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

/// Nothing leaves a machine of bare metal but what is said and shown.
fn show(results: &Results) {
    let hash = results.hash();
    screen::code(&formats::qr::encode(&hash));
    for part in
        [results.lines(), b"The sha256 of these lines, which `groundup run` prints too:\n", &hash, b"\n"]
    {
        serial::Console.write(part);
    }
}

/// The program that the home starts.
///
/// # Safety
/// The home calls it once.
#[unsafe(no_mangle)]
extern "Rust" fn footing_main(machine: Machine) -> ! {
    let Machine { initrd, shared, metal, .. } = machine;
    // The initrd has the plan alone where the machine shares the whole image.
    let image = shared.image.unwrap_or(initrd);
    let home = Home::new([initrd, image]);
    let mut kernel = Kernel::new(home, Settings { slice: SLICE, ..Settings::default() });
    // Programs may map more than there is, as on Linux: who touches too much ends by it.
    let resources = Resources { memory: u64::MAX, processes: PROCESSES };
    let mut outside = Outside { region: shared.export, results: metal.then(Results::default) };
    let tally = plan::run(image, &mut kernel, &mut outside, resources);
    if let (Some(_), Some(results)) = (tally, &outside.results) {
        show(results);
    }
    cpu::end()
}
