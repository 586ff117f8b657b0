//! `groundup graph`: what needs what, as a picture, or as text for other programs. Nothing is fetched.

use crate::args::{self, DrawFormat};
use crate::draw::{self, Drawing, collect, html, layout, svg};
use crate::envelope;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::graph::{Source, choices};
use crate::run::preflight::Ahead;
use crate::ui::term;
use serde_json::json;

/// Draws it, to standard output or to a file.
pub fn graph(args: &args::Draw, json: bool) -> Result<(), Failure> {
    let source = Source::of(&args.graph)?;
    Ahead::default().file("--output", args.output.as_deref()).done()?;
    let drawing = match &source.drv {
        Some(loaded) => collect::closure(&loaded.closure),
        None => {
            let graph = source.graph()?;
            let choices = choices("--choose", &graph, &args.choose)?;
            collect::graph(&graph, &choices).map_err(Failure::input)?
        }
    };
    let drawing = match &args.focus {
        Some(name) => drawing.focused(find(&drawing, name)?),
        None => drawing,
    };
    let text = drawn(&drawing, args.format, &source.label())?;
    if let Some(path) = &args.output {
        let fail = |error| Failure::written(path, "the picture", &error);
        std::fs::write(path, &text).map_err(fail)?;
    }
    if json {
        let node =
            |node: &draw::Node| json!({ "name": node.name, "kind": node.kind.word(), "about": node.about });
        let nodes: Vec<_> = drawing.nodes.iter().map(node).collect();
        let text = args.output.is_none().then_some(text);
        let value = json!({
            "graph": source.label(), "format": args.format.word(), "path": args.output, "text": text,
            "nodes": nodes, "edges": drawing.edges, "focus": drawing.focus,
        });
        return envelope::print("graph", Ok(()), value);
    }
    match &args.output {
        Some(_) => Ok(()),
        None => term::exact(text.as_bytes()),
    }
}

fn drawn(drawing: &Drawing, format: DrawFormat, title: &str) -> Result<String, Failure> {
    let picture = || layout::layout(drawing).map(|layout| svg::svg(drawing, &layout, title));
    Ok(match format {
        DrawFormat::Dot => draw::text::dot(drawing),
        DrawFormat::Mermaid => draw::text::mermaid(drawing),
        DrawFormat::Html => html::html(drawing, picture().as_deref(), title),
        DrawFormat::Svg => picture().ok_or_else(|| {
            let text = format!("{title}: {} are too many for a picture", drawing.totals());
            Failure::help(text, "name a step with --focus, or take --format dot or html")
        })?,
    })
}

/// The number of a node by its name; of a derivation of Nix or Guix, its name alone will do.
fn find(drawing: &Drawing, name: &str) -> Result<usize, Failure> {
    let nodes = || drawing.nodes.iter().enumerate();
    let exact = nodes().find(|(_, node)| node.name == name);
    let derivation =
        || nodes().find(|(_, node)| node.name.ends_with(".drv") && nix::is_named(&node.name, name));
    exact.or_else(derivation).map(|(number, _)| number).ok_or_else(|| {
        let names: Vec<_> = drawing.nodes.iter().map(|node| node.name.as_str()).take(40).collect();
        let help = format!("there are {}", names.join(", "));
        Failure::help(format!("--focus {name}: the targets need nothing of this name"), &help)
    })
}
