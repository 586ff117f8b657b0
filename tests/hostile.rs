//! Steps that attack the machine, PID 1, the events and each other (`graphs/hostile.ron`), and steps that take too much
//! (`graphs/greedy.ron`). What must come of each stands in `snapshots/`; `SNAPSHOTS=overwrite` renews it, after which it is to
//! be read: a step of either graph fails with a clear reason or is built and has done no harm, and all others stand.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use qemu::{Event, Line};
use snapbox::{assert_data_eq, file};
use std::sync::LazyLock;
use support::{Run, graph, nix_hash, run};

static HOSTILE: LazyLock<Run> = LazyLock::new(|| run(Some(&graph("hostile")), &["--keep-going"]));
static GREEDY: LazyLock<Run> = LazyLock::new(|| run(Some(&graph("greedy")), &["--keep-going"]));
/// The others are on the minimal kernel.
const DEBIAN: [&str; 3] = ["--keep-going", "--kernel", "debian"];

/// The machine ended by itself, the program said that the build failed, and good steps gave what they always give.
fn stands(run: &Run) {
    assert_eq!(run.status, Some(4), "{}", run.stderr);
    let end = run.events().last();
    assert!(matches!(end, Some(Event::End { failed: 1.., .. })), "{end:?}\n{}", run.stderr);
    let panics = |line: &&Line| matches!(line, Line::Kernel(text) if text.contains("Kernel panic"));
    assert_eq!(run.lines.iter().find(panics), None);
    assert_eq!(run.hash("a-good"), run.hash("z-good"));
    assert_eq!(nix_hash(&run.output("z-good")), run.hash("z-good"));
}

#[test]
fn hostile_steps_harm_nobody() {
    stands(&HOSTILE);
    assert_data_eq!(HOSTILE.story(), file!["snapshots/hostile.txt"].raw());
}

#[test]
fn greedy_steps_harm_nobody() {
    stands(&GREEDY);
    // Which of its limits a fork bomb meets first is the kernel's matter.
    let (memory, time) = ("ran out of the machine's memory", "ran longer than its time limit of 3 s");
    let bomb = |why: &str| format!("@ failed processes {why}\n");
    let story = GREEDY.story().replace(&bomb(memory), &bomb(time));
    assert_data_eq!(story, file!["snapshots/greedy.txt"].raw());
}

#[test]
fn hostile_steps_harm_nobody_on_debians_kernel() {
    let run = run(Some(&graph("hostile")), &DEBIAN);
    stands(&run);
    assert_data_eq!(run.story(), file!["snapshots/hostile.txt"].raw());
}

#[test]
fn greedy_steps_harm_nobody_on_debians_kernel() {
    let run = run(Some(&graph("greedy")), &DEBIAN);
    stands(&run);
    assert_data_eq!(run.story(), file!["snapshots/greedy.txt"].raw());
}

#[test]
fn no_attack_is_allowed() {
    let allowed = |line: &&Line| matches!(line, Line::Log(text) if text.ends_with(": ALLOWED"));
    assert_eq!(HOSTILE.lines.iter().find(allowed), None);
}

#[test]
fn no_event_is_forged() {
    let of_z_good = HOSTILE.events().filter(|event| match event {
        Event::Step { name } | Event::Built { name, .. } | Event::Output { name, .. } => name == "z-good",
        Event::Failed { name, .. } | Event::Skipped { name, .. } => name == "z-good",
        _ => false,
    });
    assert_eq!(of_z_good.count(), 3);
    assert_eq!(HOSTILE.events().filter(|event| matches!(event, Event::End { .. })).count(), 1);
    // The lines are there, as text.
    assert!(HOSTILE.log("forge-events").contains(&"@ end 99 0 0"));
}

#[test]
fn no_control_character_passes() {
    let plain = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    let from = HOSTILE.console.windows(2).position(|two| two == b"@ ").unwrap();
    assert_eq!(HOSTILE.console[from..].iter().copied().find(|&byte| !plain(byte)), None);
    // A carriage return comes from the terminal, before each line feed, and from nowhere else.
    let returns = HOSTILE.console[from..].windows(2).filter(|two| two[0] == b'\r' && two[1] != b'\n');
    assert_eq!(returns.count(), 0);
    // What the program passes on to its own terminal, C1 and text direction included.
    let steers = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}'));
    assert_eq!(HOSTILE.stderr.chars().chain(HOSTILE.stdout.chars()).find(|&c| steers(c)), None);
}

#[test]
fn steps_limits_end_them_in_time() {
    let times = GREEDY.events().filter_map(|event| match event {
        Event::Failed { name, milliseconds, reason } if reason.contains("time limit of 3 s") => {
            Some((name, milliseconds))
        }
        _ => None,
    });
    let late: Vec<_> = times.filter(|(_, time)| !(3000..4000).contains(*time)).collect();
    assert!(late.is_empty(), "{late:?}");
}

#[test]
fn without_keep_going_the_first_failure_is_the_last_step() {
    let run = run(Some(&graph("failing")), &[]);
    assert_eq!(run.status, Some(4), "{}", run.stderr);
    assert_data_eq!(run.story(), file!["snapshots/failing.txt"].raw());
}

#[test]
fn a_builder_that_can_not_start_says_why() {
    let run = run(Some(&graph("unstartable")), &[]);
    let reason = run.events().find_map(|event| match event {
        Event::Failed { reason, .. } => Some(reason.as_str()),
        _ => None,
    });
    assert_eq!(reason, Some("builder /store/text: not a program that this kernel can run"));
}
