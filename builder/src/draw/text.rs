//! A drawing as text for other programs: Graphviz (`dot`) and Mermaid.

use super::{Drawing, Kind};
use std::fmt::Write;

/// In the language of Graphviz. Source: <https://graphviz.org/doc/info/lang.html>.
pub fn dot(drawing: &Drawing) -> String {
    let quoted = |text: &str| graphs::words::shown(text).replace('\\', "\\\\").replace('"', "\\\"");
    let mut text = String::from("digraph groundup {\n  rankdir=LR;\n  node [fontname=\"monospace\"];\n");
    for (number, node) in drawing.nodes.iter().enumerate() {
        let shape = match node.kind {
            Kind::Seed => "hexagon",
            Kind::Source => "note",
            Kind::Choice => "oval",
            Kind::Step => "box",
            Kind::Target => "box, penwidth=2.5",
        };
        let color = if drawing.focus == Some(number) { ", color=red" } else { "" };
        let _ = writeln!(
            text,
            "  n{number} [label=\"{}\", tooltip=\"{}\", shape={shape}{color}];",
            quoted(&node.name),
            quoted(&node.about)
        );
    }
    for (from, to) in &drawing.edges {
        let _ = writeln!(text, "  n{from} -> n{to};");
    }
    text + "}\n"
}

/// In the language of Mermaid. Source: <https://mermaid.js.org/syntax/flowchart.html>; characters that mean something there are written
/// as entities.
pub fn mermaid(drawing: &Drawing) -> String {
    let plain = |c: char| c.is_alphanumeric() || " -_.+/=:,@".contains(c);
    let escape = |c: char| if plain(c) { c.to_string() } else { format!("#{};", c as u32) };
    let quoted = |text: &str| graphs::words::shown(text).chars().map(escape).collect::<String>();
    let mut text = String::from("flowchart LR\n");
    for (number, node) in drawing.nodes.iter().enumerate() {
        let name = quoted(&node.name);
        let shape = match node.kind {
            Kind::Seed => format!("{{{{\"{name}\"}}}}"),
            Kind::Source => format!(">\"{name}\"]"),
            Kind::Choice => format!("([\"{name}\"])"),
            Kind::Step => format!("[\"{name}\"]"),
            Kind::Target => format!("[[\"{name}\"]]"),
        };
        let _ = writeln!(text, "  n{number}{shape}");
    }
    for (from, to) in &drawing.edges {
        let _ = writeln!(text, "  n{from} --> n{to}");
    }
    if let Some(focus) = drawing.focus {
        let _ = writeln!(text, "  style n{focus} stroke:red,stroke-width:3px");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests::drawing;
    use super::*;

    #[test]
    fn names_are_quoted() {
        let mut drawing = drawing();
        drawing.nodes[1].name = "a\"b]".into();
        assert!(dot(&drawing).contains("n1 [label=\"a\\\"b]\", tooltip="));
        assert!(dot(&drawing).contains("\n  n2 -> n4;\n"));
        let text = mermaid(&drawing);
        assert!(text.contains("n1>\"a#34;b#93;\"]") && text.contains("n4[[\"last\"]]\n"), "{text}");
    }
}
