//! A page: everything in one file, and nothing loaded from elsewhere.

use super::text::row;
use super::{Report, State, StepReport};
use std::collections::BTreeSet;
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:96em;padding:0 1em;color:#222}
table{border-collapse:collapse;font-size:13px}th,td{padding:2px 6px;border:1px solid #ddd;text-align:center}
th.n{text-align:left;font-weight:normal;white-space:nowrap}pre{background:#f6f6f6;padding:.6em;overflow-x:auto}
.same{background:#e6f4e6}.differs{background:#f6b8b0;font-weight:bold}.failed{background:#f3d9a4}.follows{background:#fbe3df}
.not{color:#999}h2{margin-top:2em;border-bottom:1px solid #ccc}td.v,th.v{writing-mode:vertical-rl;transform:rotate(180deg)}
.wide{overflow-x:auto}ins{background:#f6b8b0;text-decoration:none}";

/// The page.
pub fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>groundup probe: {0}</title>\n\
         <style>{STYLE}</style></head><body>\n<h1>Why builds differ: {0}</h1>\n<p>Machine {1}, seed {2}; {3} builds in {4} boots.</p>\n",
        escape(&report.graph),
        report.machine,
        report.seed,
        report.builds,
        report.boots
    );
    page += &picture(report);
    page += &matrix(report);
    report.steps.iter().for_each(|step| page += &section(step));
    let record = format!("{:#}", report.json());
    page += &format!(
        "<h2>The record</h2>\n<details><summary>JSON</summary><pre>{}</pre></details>\n",
        escape(&record)
    );
    page + "</body></html>\n"
}

fn escape(text: &str) -> String {
    let text = graphs::words::shown_lines(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn color(state: State) -> &'static str {
    match state {
        State::Reproducible => "#cfe9cf",
        State::Same => "#ffd27f",
        State::Differs => "#f6b8b0",
        State::Inherits => "#fbe3df",
        State::Fails | State::Breaks => "#e8c4a0",
        State::NotProbed => "#eeeeee",
    }
}

/// The graph: a column for each distance from what needs nothing.
fn picture(report: &Report) -> String {
    const WIDE: usize = 190;
    const HIGH: usize = 34;
    let many = report.steps.len();
    let mut depth = vec![0_usize; many];
    // The steps are in the plan's order, so what is needed comes before what needs it.
    for at in 0..many {
        let needs = report.edges.iter().filter(|(_, to)| *to == at).map(|(from, _)| depth[*from] + 1);
        depth[at] = needs.max().unwrap_or(0);
    }
    let mut rows = vec![0; depth.iter().max().map_or(0, |most| most + 1)];
    let places: Vec<(usize, usize)> = depth
        .iter()
        .map(|&column| {
            rows[column] += 1;
            (column * WIDE + 10, rows[column] * HIGH - HIGH + 10)
        })
        .collect();
    let (width, height) = (rows.len() * WIDE, rows.iter().max().copied().unwrap_or(0) * HIGH + 20);
    let mut svg =
        format!("<div class=\"wide\"><svg width=\"{width}\" height=\"{height}\" font-size=\"12\">\n");
    for &(from, to) in &report.edges {
        let ((x, y), (to_x, to_y)) = (places[from], places[to]);
        let (x, y, to_y) = (x + WIDE - 40, y + 12, to_y + 12);
        let _ = writeln!(svg, "<path d=\"M{x} {y} L{to_x} {to_y}\" stroke=\"#888\" fill=\"none\"/>");
    }
    for (step, (x, y)) in report.steps.iter().zip(places) {
        let (fill, state, name) = (color(step.state), step.state.words(), escape(&step.name));
        let shown: String = step.name.chars().take(20).collect();
        let _ = writeln!(
            svg,
            "<a href=\"#{name}\"><title>{name}: {state}</title><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"24\" rx=\"4\" \
             fill=\"{fill}\" stroke=\"#888\"/><text x=\"{}\" y=\"{}\">{}</text></a>",
            WIDE - 40,
            x + 6,
            y + 16,
            escape(&shown)
        );
    }
    svg + "</svg></div>\n"
}

fn matrix(report: &Report) -> String {
    let mut seen = BTreeSet::new();
    let names = report.steps.iter().flat_map(|step| &step.cells).map(|(name, _)| name);
    let names: Vec<&String> = names.filter(|name| seen.insert(*name)).collect();
    let probed: Vec<&StepReport> = report.steps.iter().filter(|step| !step.cells.is_empty()).collect();
    let mut table = "<h2>Steps by variations</h2>\n<div class=\"wide\"><table>\n<tr><th></th>".to_owned();
    names.iter().for_each(|name| table += &format!("<th class=\"v\">{}</th>", escape(name)));
    table += "</tr>\n";
    for step in probed {
        table += &format!("<tr><th class=\"n\"><a href=\"#{0}\">{0}</a></th>", escape(&step.name));
        for name in &names {
            let cell = step.cells.iter().find(|(known, _)| known == *name).map(|(_, cell)| cell.words());
            let (word, more) = cell.unwrap_or(("", ""));
            let class = word.split(' ').next().unwrap_or_default();
            let sign = match class {
                "same" => "=",
                "differs" => "≠",
                "failed" => "!",
                "follows" => "~",
                _ => "",
            };
            table += &format!("<td class=\"{class}\" title=\"{word} {}\">{sign}</td>", escape(more));
        }
        table += "</tr>\n";
    }
    table
        + "</table></div>\n<p>= the same, ≠ differs, ~ differs as a consequence of another, ! fails; empty: not varied.</p>\n"
}

fn section(step: &StepReport) -> String {
    let mut text = format!(
        "<h2 id=\"{0}\" style=\"border-left:.5em solid {2};padding-left:.5em\">{0}: {1}</h2>\n",
        escape(&step.name),
        step.state.words(),
        color(step.state)
    );
    if let Some(known) = &step.known {
        text += &format!("<p>{}</p>\n", escape(&super::text::from_before(known)));
    }
    if let Some(giver) = &step.inherits_from {
        text +=
            &format!("<p>The same from the same inputs; differs with what {} makes.</p>\n", escape(giver));
    }
    step.notes.iter().for_each(|note| text += &format!("<p>{}</p>\n", escape(note)));
    for cause in &step.causes {
        let (subjects, about) = (cause.subjects.join(" and "), cause.about.join(", and "));
        text += &format!(
            "<h3>{subjects} <small>({})</small></h3>\n<p>{}</p>\n",
            escape(&cause.set),
            escape(&about)
        );
        for detail in &cause.details {
            let comma = if detail.place.is_empty() { "" } else { ", " };
            let (output, place) = (escape(&detail.output), comma.to_owned() + &escape(&detail.place));
            text += &format!("<p><b>{output}</b>{place}: {}</p>\n", escape(&detail.what));
            if let Some((offset, one, other)) = &detail.bytes {
                let (one, other) = (escape(&row(one)), escape(&row(other)));
                text += &format!("<pre>{offset:8x}  {one}\n      →  {other}</pre>\n");
            }
            detail
                .found
                .iter()
                .take(3)
                .for_each(|found| text += &format!("<p>{} stands in it.</p>\n", escape(found)));
        }
        text += &format!("<p>Replay:</p><pre>{}</pre>\n", escape(&cause.replay));
    }
    text
}
