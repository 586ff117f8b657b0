//! For a terminal.

use super::{Cause, Report, State, StepReport};
use crate::probe::detail::Detail;
use crate::probe::history::Known;
use crate::probe::outcome::BuildOutcome;
use crate::ui::term::{count, shown};
use graphs::vary::VARIATIONS;

/// So many variations are named where not all were made.
const FEW: usize = 8;

/// The whole report.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    let host = report.machine == "host";
    for step in &report.steps {
        tell(&mut text, step, host);
    }
    let number = |state| report.steps.iter().filter(|step| step.state == state).count();
    let states = [
        State::Reproducible,
        State::Same,
        State::Differs,
        State::Inherits,
        State::Breaks,
        State::Fails,
        State::NotProbed,
    ];
    let states = states.map(|state| (number(state), state.words()));
    let counts: Vec<_> =
        states.iter().filter(|(many, _)| *many > 0).map(|(many, words)| format!("{words}: {many}")).collect();
    let (builds, boots) = (count(report.builds, "build"), count(report.boots, "boot"));
    let known = report.steps.iter().filter(|step| step.known.is_some()).count();
    text += &format!("{}. {}. {builds} in {boots}.\n", count(report.steps.len(), "step"), counts.join(", "));
    if known > 0 {
        text += &format!("Known from before, not built now: {known}.\n");
    }
    if report.named.is_empty() && !report.versions {
        text += "Not asked: seed-version, which needs --other-lock.\n";
    }
    text
}

/// Where an answer comes from that nothing was built for.
pub(super) fn from_before(known: &Known) -> String {
    let by = if known.by.is_empty() { String::new() } else { format!(" by {}", known.by.join(" and ")) };
    let varied = match VARIATIONS.iter().filter(|one| !known.varied.iter().any(|set| set == one.name)).count()
    {
        0 => "everything varied".to_owned(),
        _ if known.varied.len() <= FEW => format!("varied: {}", known.varied.join(", ")),
        few => format!("all but {few} varied"),
    };
    // Others may have written it.
    shown(&format!(
        "known from before{by}, not built now ({}, {varied}): {}; --again builds it again",
        known.machine,
        known.causes.join(", ")
    ))
    .into_owned()
}

fn tell(text: &mut String, step: &StepReport, host: bool) {
    let mut line = |words: String| text.extend([&*words, "\n"]);
    line(format!("{}: {}", step.name, step.state.words()));
    if let Some(known) = &step.known {
        line(format!("  {}", from_before(known)));
    }
    if let Some(BuildOutcome::Failed(reason)) = &step.control {
        line(format!("  when nothing is varied: {reason}"));
    }
    if let Some(giver) = &step.inherits_from {
        line(format!("  it is the same from the same inputs, and differs with what {giver} makes"));
    }
    if step.noisy && host {
        line("  it differs from build to build by itself".into());
    }
    step.notes.iter().for_each(|note| line(format!("  note: {note}")));
    step.causes.iter().for_each(|cause| tell_cause(&mut line, cause));
    for (word, lead) in
        [("same", "the same with"), ("failed", "fails with"), ("follows", "follows from others")]
    {
        let names: Vec<_> = step
            .cells
            .iter()
            .filter(|(_, cell)| cell.words().0 == word)
            .map(|(name, cell)| match cell.words().1 {
                "" => name.clone(),
                more => format!("{name} ({more})"),
            })
            .collect();
        if !names.is_empty() {
            line(format!("  {lead}: {}", names.join(", ")));
        }
    }
    for (name, cell) in step.cells.iter().filter(|(_, cell)| cell.words().0 == "not varied") {
        line(format!("  not varied: {name}: {}", cell.words().1));
    }
}

fn tell_cause(line: &mut impl FnMut(String), cause: &Cause) {
    line(format!("  {} ({}): {}", cause.subjects.join(" and "), cause.set, cause.about.join(", and ")));
    for detail in &cause.details {
        tell_detail(line, detail);
    }
    line(format!("    again: {}", cause.replay));
}

fn tell_detail(line: &mut impl FnMut(String), detail: &Detail) {
    let place = if detail.place.is_empty() { String::new() } else { format!(", {}", shown(&detail.place)) };
    line(format!("    {}{place}: {}", detail.output, detail.what));
    if let Some((offset, one, other)) = &detail.bytes {
        line(format!("      {offset:8x}  {}", row(one)));
        line(format!("            ->  {}", row(other)));
    }
    detail.found.iter().take(3).for_each(|found| line(format!("      {found} stands in it")));
}

/// Bytes in hex and as text.
pub(super) fn row(bytes: &[u8]) -> String {
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = |&byte: &u8| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' };
    format!("{:47}  {}", hex.join(" "), bytes.iter().map(shown).collect::<String>())
}
