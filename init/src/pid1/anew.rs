//! What starts anew for each step, so that nothing of it follows from what ran before: random numbers, the clocks that count from
//! the start, the phase of the machine's timer. (Numbers of processes and of System V objects start anew with their namespaces; numbers of devices
//! because PID 1 keeps none of a step's file systems when that has ended: see [`init::keep`] and `step`.)

use crate::{host, sys};
use formats::hex::Digest;
use formats::nar::Sha256;
use formats::plan::Step;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// The sha256 of these, one behind the other.
pub fn hash(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()
}

/// Gives the kernel's random numbers this seed. A kernel of Linux's own mixes what it knows of the past into it, the minimal one
/// does not (see `images/build-kernel.sh`).
pub fn seed(seed: &Digest) -> Result<(), Errno> {
    let random = rustix::fs::open(c"/dev/random", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    sys::add_entropy(rustix::fd::AsFd::as_fd(&random), seed)
}

/// Between two steps: waits until the kernel has put away what the last one left, and its timer is in the same phase as ever.
/// Then everything starts anew. The seed is made of the plan's and the name of the step's first output.
pub fn begin(step: &Step<'_>, entropy: &Digest) -> Result<(), Errno> {
    if !host::is_shared() {
        let output = step.outputs().next().map_or(&b""[..], |output| output.base.as_bytes());
        sys::sleep_to_phase();
        seed(&hash(&[entropy, output]))?;
    }
    Ok(())
}
