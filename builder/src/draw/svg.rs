//! The picture: colours by CSS, dark where the reader's screen is, shapes as well as colours for what a node is, a tooltip for each box.

use super::layout::{BOX, Layout, Place};
use super::{Drawing, Kind, escaped};
use std::fmt::Write;

/// Colours and lines. `--` names are those of the page that the picture may stand in.
pub const STYLE: &str = "\
svg.graph{--paper:#ffffff;--ink:#1f2328;--line:#8c959f;--seed:#ffe3b3;--source:#dbeafe;--choice:#eadcff;--step:#e6f4ea;--target:#bfe8cb;--border:#57606a;background:var(--paper)}
@media (prefers-color-scheme:dark){svg.graph{--paper:#0d1117;--ink:#e6edf3;--line:#6e7681;--seed:#5c4313;--source:#1b3a63;--choice:#45306b;--step:#1d3b29;--target:#1f6b3a;--border:#8b949e}}
svg.graph text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:var(--ink)}
svg.graph .way{fill:none;stroke:var(--line);stroke-width:1.2}
svg.graph .tip{fill:var(--line)}
svg.graph .box{stroke:var(--border);stroke-width:1}
svg.graph .seed .box{fill:var(--seed)}
svg.graph .source .box{fill:var(--source)}
svg.graph .choice .box{fill:var(--choice)}
svg.graph .step .box{fill:var(--step)}
svg.graph .target .box{fill:var(--target);stroke-width:2.5}
svg.graph .focus .box{stroke:#d1242f;stroke-width:3}
";

/// Height of the legend above the drawing.
const LEGEND: i64 = 48;

/// The picture, as a file of its own or as a part of a page.
pub fn svg(drawing: &Drawing, layout: &Layout, title: &str) -> String {
    let legend: i64 = 16 + Kind::ALL.iter().map(|kind| super::layout::width(kind.word()) + 44).sum::<i64>();
    let heading = format!("{title}: {}", drawing.totals());
    let width = layout.size.0.max(legend).max(super::layout::width(&heading) + 32);
    let height = layout.size.1 + LEGEND;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n",
        escaped(&heading)
    );
    let _ = writeln!(text, "<text x=\"16\" y=\"18\">{}</text>", escaped(&heading));
    let mut x = 16;
    for kind in Kind::ALL {
        let place = Place { x, y: 36, width: super::layout::width(kind.word()) + 28 };
        x += place.width + 16;
        let _ = writeln!(
            text,
            "<g class=\"{}\">{}{}</g>",
            kind.word(),
            shape(kind, place, 18),
            label(place, kind.word())
        );
    }
    let _ = writeln!(text, "<g transform=\"translate(0 {LEGEND})\">");
    for way in &layout.ways {
        let _ = writeln!(text, "{}", line(way));
    }
    for (number, (node, place)) in drawing.nodes.iter().zip(&layout.places).enumerate() {
        let focus = if drawing.focus == Some(number) { " focus" } else { "" };
        let _ = writeln!(
            text,
            "<g class=\"{}{focus}\"><title>{}: {}</title>{}{}</g>",
            node.kind.word(),
            escaped(&node.name),
            escaped(&node.about),
            shape(node.kind, *place, BOX),
            label(*place, &node.name)
        );
    }
    text + "</g>\n</svg>\n"
}

fn label(place: Place, name: &str) -> String {
    let (x, y) = (place.x + place.width / 2, place.y + 4);
    format!("<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{}</text>", escaped(name))
}

/// A seed has six corners, a source a folded one, a choice is round, a step a box.
fn shape(kind: Kind, place: Place, height: i64) -> String {
    let Place { x, y, width } = place;
    let (top, bottom, right) = (y - height / 2, y + height / 2, x + width);
    match kind {
        Kind::Seed => {
            let (a, b) = (x + 7, right - 7);
            format!("<path class=\"box\" d=\"M{a} {top}H{b}L{right} {y}L{b} {bottom}H{a}L{x} {y}Z\"/>")
        }
        Kind::Source => {
            let (fold, below) = (right - 7, top + 7);
            format!(
                "<path class=\"box\" d=\"M{x} {top}H{fold}L{right} {below}V{bottom}H{x}ZM{fold} {top}V{below}H{right}\"/>"
            )
        }
        Kind::Choice => {
            let round = height / 2;
            format!(
                "<rect class=\"box\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
            )
        }
        Kind::Step | Kind::Target => {
            format!(
                "<rect class=\"box\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" rx=\"3\"/>"
            )
        }
    }
}

/// A smooth line through points, with a tip at its end: flat where it passes a column.
fn line(way: &[(i64, i64)]) -> String {
    let Some(&(x, y)) = way.first() else { return String::new() };
    let mut path = format!("M{x} {y}");
    for two in way.windows(2) {
        let [(x, y), (to_x, to_y)] = [two[0], two[1]];
        if y == to_y {
            let _ = write!(path, "H{to_x}");
        } else {
            let middle = (x + to_x) / 2;
            let _ = write!(path, "C{middle} {y} {middle} {to_y} {to_x} {to_y}");
        }
    }
    let (x, y) = way[way.len() - 1];
    let (back, above, below) = (x - 7, y - 3, y + 3);
    format!("<path class=\"way\" d=\"{path}\"/><path class=\"tip\" d=\"M{x} {y}L{back} {above}V{below}Z\"/>")
}

#[cfg(test)]
mod tests {
    use super::super::layout::layout;
    use super::super::tests::drawing;
    use super::*;

    #[test]
    fn names_are_whole_and_harmless() {
        let drawing = drawing();
        let text = svg(&drawing, &layout(&drawing).unwrap(), "x<y");
        assert!(text.contains(">a&amp;b</text>") && text.contains("x&lt;y: 1 seed"), "{text}");
        assert_eq!(text.matches("<path class=\"way\"").count(), drawing.edges.len());
        assert_eq!(text, svg(&drawing, &layout(&drawing).unwrap(), "x<y"));
    }
}
