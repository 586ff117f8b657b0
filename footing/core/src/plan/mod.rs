//! The plan runner: carries out the plan of an image, with the same events, hashes and exported bytes as PID 1 on Linux.
//!
//! | file | subject |
//! |---|---|
//! | `home` | what it needs of its home and of the kernel |
//! | `event` | lines on the console |
//! | `reason` | why something failed, in words |
//! | `image` | the archive: the plan, and where each input starts |
//! | `input` | verifying and forgetting inputs |
//! | `unpack` | an input's files, over the bytes of the image |
//! | `world` | the root of a step |
//! | `bind` | inputs and outputs in it |
//! | `settings` | what the kernel is to know of a step |
//! | `step` | a step: start, log, end, report |
//! | `output` | what a step made: hashed, exported, held against what was expected |
//! | `canonical` | the archive of an output, and the tree that later steps see |
//! | `references` | which things in the store refer to which |
//! | `export` | the export region |
//!
//! An input is files over the image's own bytes; nothing is copied. An output is moved out of its step's file systems, not copied,
//! but for files with several names.

mod bind;
mod canonical;
mod event;
mod export;
mod home;
mod image;
mod input;
mod output;
mod reason;
mod references;
mod settings;
mod step;
#[cfg(test)]
mod tests;
mod unpack;
mod world;

use crate::map::Map;
use crate::tree::VolumeId;
use alloc::boxed::Box;
use event::event;
use formats::hex::Digest;
use formats::nar::Sha256;
use formats::plan::{Item, OnFailure, Plan};
pub use home::{Home, Resources, Steps};
use image::Image;
use reason::Fatal;
use references::References;

/// How many steps came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All their outputs stand.
    pub built: u32,
    /// They have none.
    pub failed: u32,
    /// They were not started.
    pub skipped: u32,
}

/// The only kind of map here: each kind is code of its own.
type Numbers = Map<Box<[u8]>, u32>;

/// Trees by name: the numbers of their roots.
type Trees = Numbers;

/// The file systems that outlive steps.
struct Volumes {
    /// Inputs that may be executed.
    inputs: VolumeId,
    /// Inputs that are only read.
    sources: VolumeId,
    /// What steps made.
    outputs: VolumeId,
    /// How many there are of these.
    count: usize,
}

/// What is known while a plan is carried out.
struct Runner<'a> {
    kernel: &'a mut dyn Steps,
    home: &'a mut dyn Home,
    resources: Resources,
    image: Image,
    volumes: Volumes,
    /// Verified.
    inputs: Trees,
    /// What steps made: `STEP/BASE`.
    outputs: Trees,
    references: References,
    /// Bytes of the export region that are taken.
    exported: u64,
}

/// Carries out the plan of an image, a newc archive. All that is to be known of it is on the home's console afterwards. None: the
/// plan could not be carried out to its end, which the last event says.
pub fn run(
    image: &'static [u8],
    kernel: &mut dyn Steps,
    home: &mut dyn Home,
    resources: Resources,
) -> Option<Tally> {
    match carry_out(image, kernel, home, resources) {
        Ok(tally) => {
            event!(home, "end ", tally.built, " ", tally.failed, " ", tally.skipped);
            Some(tally)
        }
        Err(fatal) => {
            event!(home, "fatal ", fatal);
            None
        }
    }
}

fn carry_out(
    bytes: &'static [u8],
    kernel: &mut dyn Steps,
    home: &mut dyn Home,
    resources: Resources,
) -> Result<Tally, Fatal> {
    let plan = Image::plan(bytes)?;
    event!(home, "groundup 1 ", &hash(&[plan]));
    // All of it is read once before anything is done, so that a mistake at its end costs nothing.
    let items = Plan::read(plan)?;
    items.clone().try_for_each(|item| item.map(drop))?;
    let image = Image::new(bytes)?;
    let tree = kernel.tree();
    let inputs = tree.volume(u64::MAX, false, 1);
    let sources = tree.volume(u64::MAX, true, 1);
    let outputs = tree.volume(u64::MAX, false, 2);
    let volumes = Volumes { inputs, sources, outputs, count: tree.volumes() };
    let mut runner = Runner {
        kernel,
        home,
        resources,
        image,
        volumes,
        inputs: Map::new(),
        outputs: Map::new(),
        references: References::default(),
        exported: 0,
    };
    let mut tally = Tally::default();
    let (on_failure, entropy) = (items.on_failure, items.entropy);
    for item in items {
        let over = tally.failed + tally.skipped > 0 && on_failure == OnFailure::Stop;
        match &item? {
            Item::Input(_) if over => {}
            Item::Input(input) => runner.verify(input),
            Item::Refers(input, base) => runner.references.add(input.as_bytes(), base.as_bytes()),
            Item::DropInput(name) => runner.forget_input(name.as_bytes()),
            Item::DropOutput(step) => runner.forget_outputs(step.as_bytes()),
            Item::Step(step) if over => {
                event!(runner.home, "skipped ", step.name, " an earlier step was not built");
                tally.skipped += 1;
            }
            Item::Step(step) => match runner.step(step, &entropy) {
                step::Outcome::Built => tally.built += 1,
                step::Outcome::Failed => tally.failed += 1,
                step::Outcome::Skipped => tally.skipped += 1,
            },
        }
    }
    Ok(tally)
}

/// The sha256 of these, one behind the other.
fn hash(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()
}
