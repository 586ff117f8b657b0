//! `groundup show`: a derivation of Nix or Guix as people and programs read it.

use crate::args;
use crate::envelope;
use crate::failure::Failure;
use crate::nix;
use crate::prepare::unused::Unused;
use crate::ui::term;
use graphs::drv::show;
use serde_json::json;

/// Reads and checks it, and prints it, with all that it needs if asked to.
pub fn show(graph: &args::Graph, recursive: bool, as_json: bool) -> Result<(), Failure> {
    let Some(path) = nix::is(graph) else {
        return Err(Failure::help(
            "show prints derivations of Nix and Guix",
            "name a .drv file; a graph in RON is readable as it is",
        ));
    };
    Unused::default().contents(&graph.drv).done()?;
    let closure = nix::load(path, &graph.drv)?.0.closure;
    if as_json {
        let derivations = serde_json::to_value(show::shown(&closure, recursive)).map_err(Failure::input)?;
        return envelope::print("show", Ok(()), json!({ "derivations": derivations }));
    }
    term::result(&show::ron(&closure, recursive))
}
