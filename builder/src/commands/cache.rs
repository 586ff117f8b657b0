//! `groundup cache`: what the cache folder takes, and how it becomes smaller.

use crate::args;
use crate::envelope;
use crate::failure::Failure;
use crate::prepare;
use crate::ui::term;
use serde_json::json;
use std::time::SystemTime;

/// Prints what each kind of thing takes, after removing what was not used for the longest time if it is more than so many MiB.
pub fn cache(args: &args::Cache, limit: Option<u64>, json: bool) -> Result<(), Failure> {
    let folder = prepare::cache(args);
    let fail = |error| Failure::input(format!("{}: {error}", folder.display()));
    let freed = match limit {
        Some(limit) => inputs::shrink(&folder, limit << 20, SystemTime::now()).map_err(fail)?,
        None => 0,
    };
    let all = inputs::usage(&folder).map_err(fail)?;
    let total: u64 = all.iter().map(|kind| kind.bytes).sum();
    if json {
        let one = |kind: &inputs::Usage| json!({ "name": kind.name, "about": kind.about, "bytes": kind.bytes, "things": kind.things });
        let value = json!({
            "folder": folder, "total": total, "freed": freed, "kinds": all.iter().map(one).collect::<Vec<_>>(),
        });
        return envelope::print("cache", Ok(()), value);
    }
    if limit.is_some() {
        term::note(&format!("{} freed", term::size(freed)));
    }
    if limit.is_some_and(|limit| total > limit << 20) {
        term::note("more is left than was asked for: what was used within the last hour stays");
    }
    let line =
        |name: &str, bytes: u64, about: &str| format!("{name:10} {:>12}  {about}\n", term::size(bytes));
    let lines =
        all.iter().map(|kind| line(kind.name, kind.bytes, &format!("{}: {}", kind.things, kind.about)));
    let text: String = lines.chain([line("all", total, &folder.display().to_string())]).collect();
    term::result(&text)
}
