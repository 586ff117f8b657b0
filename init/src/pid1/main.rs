//! PID 1: carries out `/plan`, says what came of it on the console, and turns the machine off. It reads nothing else, starts
//! nothing else and waits for nobody.
//!
//! | file | subject |
//! |---|---|
//! | `start` | the entry point, the memory functions that a compiler expects, panics |
//! | `sys` | the system calls that rustix does not offer |
//! | `memory` | all the memory there is: fixed, since there is no allocator |
//! | `console` | events |
//! | `machine` | what is done once: mounts, entropy, settings, the end |
//! | `settings` | settings of the kernel, as files below /proc |
//! | `host` | what is different where the kernel is the host's |
//! | `region` | memory that the machine shares: the image and the export region |
//! | `unpack` | inputs that the kernel did not unpack, hashed on the way |
//! | `input` | verifying and forgetting inputs |
//! | `folder` | PID 1's own folders |
//! | `anew` | what starts anew for each step: random numbers, clocks, numbers of devices |
//! | `step` | a step as PID 1 sees it: start, follow, end, report |
//! | `supervisor` | a step as its first process sees it: from its namespaces to `execve` |
//! | `world` | the step's root |
//! | `covers` | its /proc |
//! | `known` | the names that outputs may refer to, in fixed memory |
//! | `references` | which things in the store refer to which |
//! | `terminal` | a terminal for a builder's output |
//! | `output` | canonicalising, hashing and exporting what a step made |
#![no_std]
#![no_main]

mod anew;
mod console;
mod covers;
mod folder;
mod host;
mod input;
mod known;
mod machine;
mod memory;
mod output;
mod references;
mod region;
mod settings;
mod start;
mod step;
mod supervisor;
mod sys;
mod terminal;
mod unpack;
mod world;

use formats::plan::{Item, OnFailure, Plan};
use memory::Memory;

/// How many steps came to which end.
#[derive(Default)]
struct Tally {
    built: u32,
    failed: u32,
    skipped: u32,
}

/// Carries out the plan. What it returns is fatal: the machine can't go on.
fn run(memory: &mut Memory) -> Result<Tally, machine::Fatal> {
    machine::mount()?;
    let plan = machine::plan()?;
    event!("groundup 1 ", &anew::hash(&[plan]));
    // All of it is read once before anything is done, so that a mistake at its end costs nothing.
    let items = Plan::read(plan)?;
    items.clone().try_for_each(|item| item.map(drop))?;
    machine::settle(&items.entropy)?;
    let region::Shared { image, export: mut region } = region::find();
    let image = image.map(|image| unpack::Image::new(image, memory::starts())).transpose()?;
    let (on_failure, entropy) = (items.on_failure, items.entropy);
    let mut tally = Tally::default();
    for item in items {
        let over = tally.failed + tally.skipped > 0 && on_failure == OnFailure::Stop;
        // By reference: a step is large, and moving it is code.
        match &item {
            Err(error) => return Err((*error).into()),
            Ok(Item::Input(input)) if !over => input::verify(*input, &image, memory),
            Ok(Item::Input(_)) => {}
            // Where that fails, so does the step that needs it.
            Ok(Item::Refers(input, base)) => drop(input::refers(*input, *base)),
            Ok(Item::DropInput(name)) => input::forget(*name, memory),
            Ok(Item::DropOutput(step)) => step::forget(*step, memory),
            Ok(Item::Step(step)) if over => {
                event!("skipped ", step.name, " an earlier step was not built");
                tally.skipped += 1;
            }
            Ok(Item::Step(step)) => match step::run(step, &entropy, memory, &mut region) {
                step::Outcome::Built => tally.built += 1,
                step::Outcome::Failed => tally.failed += 1,
                step::Outcome::Skipped => tally.skipped += 1,
            },
        }
    }
    Ok(tally)
}

/// The first Rust code: the last of its `arguments` says what it runs on and how to end.
fn main(arguments: &[*const u8]) -> ! {
    let word = machine::last(arguments);
    host::note(word);
    match run(memory::take()) {
        Ok(tally) => {
            event!("end ", tally.built, " ", tally.failed, " ", tally.skipped);
        }
        Err(fatal) => {
            event!("fatal ", fatal);
        }
    }
    machine::end(word)
}
