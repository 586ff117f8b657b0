//! An input's failure as a problem of the graph: where the graph asks for it, what went wrong there, what to do. Pure.

use super::error::{Attempt, Error, Reason};
use super::{pick, unpack};
use graphs::{Graph, Problem, Spot};
use std::io;

/// What `groundup lock` does about it.
const LOCK: &str = "`groundup lock GRAPH` resolves it and writes the lock file";
/// What to do where the disk is full.
const ROOM: &str = "make room there, or name another folder with --cache DIR";
/// What is true of every place that is out of reach.
const ANOTHER: &str = "add another place that has the file: its sha256 stays";

/// The problem that an error is in the graph that asks for the input.
pub fn problem(graph: &Graph, error: &Error) -> Problem {
    match error {
        Error::Unobtainable { name, attempts } => unobtainable(graph, name, attempts),
        Error::NotLocked { name } => {
            let text = format!("the input `{name}` has no sha256 and is not in the lock file");
            Problem::error(text).at(Spot::input(graph, name)).help(LOCK)
        }
        Error::NotPinned { name, found } => {
            let text = format!("the input `{name}` has no sha256, and only packages may float");
            Problem::error(text)
                .at(Spot::input(graph, name))
                .help(format!("its place has sha256: \"{found}\""))
        }
        Error::StaleLock { name, what } => {
            let text = format!("the lock file is out of date for the input `{name}`: {what}");
            Problem::error(text).at(Spot::input(graph, name)).help("`groundup lock GRAPH` renews it")
        }
        Error::Unpack { name, archive, source } => unpacked(graph, name, archive, source),
        Error::Full { .. } => Problem::error(error.to_string()).help(ROOM),
        Error::Cache { .. } => Problem::error(error.to_string())
            .help("make the cache folder writable, or name another with --cache DIR"),
    }
}

/// One place: the problem stands there. Several: it stands at the input, and each place says why not.
fn unobtainable(graph: &Graph, name: &str, attempts: &[Attempt]) -> Problem {
    match attempts {
        [] => Problem::error(format!("the input `{name}` names no place"))
            .at(Spot::input_field(graph, name, "from"))
            .help("name one, such as File(\"notes.txt\")"),
        [one] => {
            let text =
                format!("the input `{name}` could not be obtained: {}: {}", one.what, line(&one.reason));
            Problem::error(text).at(Spot::place(graph, name, one.place)).help(advice(&one.reason))
        }
        _ => {
            let text =
                format!("the input `{name}` could not be obtained from any of its {} places", attempts.len());
            let problem = Problem::error(text).at(Spot::input(graph, name));
            let problem = attempts.iter().fold(problem, |problem, attempt| {
                problem.related(Spot::place(graph, name, attempt.place), line(&attempt.reason))
            });
            let mut help: Vec<String> = Vec::new();
            for advice in attempts.iter().map(|attempt| advice(&attempt.reason)) {
                if !help.contains(&advice) {
                    help.push(advice);
                }
            }
            problem.help(help.join("; or "))
        }
    }
}

/// A reason on one line.
fn line(reason: &Reason) -> String {
    if let Reason::Vanished { package, version, tried, .. } = reason {
        return format!("{package} version {version} has vanished from the mirrors ({})", tried.join("; "));
    }
    reason.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// What to do about it.
fn advice(reason: &Reason) -> String {
    match reason {
        Reason::WrongHash { found, .. } | Reason::OtherFile { found, .. } => format!(
            "if you trust what it has now, write sha256: \"{found}\"; if not, name another place: the sha256 stays"
        ),
        Reason::Full { .. } => ROOM.into(),
        Reason::Hex { .. } => "write bytes as pairs of digits; `#` and `;` start a comment".into(),
        Reason::Escape => "put the file itself below the graph's folder".into(),
        Reason::Read { source, .. } => match source.kind() {
            io::ErrorKind::NotFound => "put the file there, or correct the path".into(),
            io::ErrorKind::PermissionDenied => "let this user read it, or correct the path".into(),
            _ => "put a file there that can be read, or correct the path".into(),
        },
        Reason::Status { .. } | Reason::Http(_) | Reason::Unreachable(_) | Reason::Address(_) => {
            format!("check the address and the network, or {ANOTHER}")
        }
        Reason::Slow { .. } => format!("try again later, or {ANOTHER}"),
        Reason::Mirror { .. } | Reason::Mirrors(_) => {
            format!("check the network and the program's configuration, or {ANOTHER}")
        }
        Reason::NoSource { .. } => "write a version and a file that are there, with the file's sha256".into(),
        Reason::TooLarge(_) => "name a place of a smaller file".into(),
        Reason::Scheme(_) => "write an address that starts with https:// or http://".into(),
        Reason::MissingProgram { package, .. } => format!("install it: apt-get install {package}"),
        Reason::Program { .. } => format!("check the network and the program's configuration, or {ANOTHER}"),
        Reason::UnknownPackage { .. } => "correct the name, or name the suite that has it".into(),
        Reason::Vanished { advice, .. } => (*advice).into(),
        Reason::NotLocked => LOCK.into(),
    }
}

fn unpacked(graph: &Graph, name: &str, archive: &str, source: &unpack::Error) -> Problem {
    let what = if archive == name { String::new() } else { format!(" ({archive})") };
    let problem = Problem::error(format!("the archive of the input `{name}`{what} is refused: {source}"));
    let input = graph.seeds.get(name).or_else(|| graph.sources.get(name));
    let picked = |pattern: &String| input?.pick.iter().position(|other| other == pattern);
    match source {
        unpack::Error::Pick(pick::Error::Nothing(pattern, _) | pick::Error::Pattern { pattern, .. }) => {
            let spot = picked(pattern).map(|number| Spot::pick(graph, name, number));
            problem
                .at(spot.unwrap_or_else(|| Spot::input(graph, name)))
                .help("write a path or glob of the archive, after `strip`; `*` stays inside one folder, `**` does not")
        }
        unpack::Error::Empty(_) => {
            problem.at(Spot::input_field(graph, name, "strip")).help("take fewer leading folders off")
        }
        unpack::Error::Unknown => problem
            .at(Spot::input(graph, name))
            .help("take `unpack` out, or name a place that has an archive"),
        unpack::Error::Broken { .. } => problem.at(Spot::input(graph, name)).help(
            "it has the sha256 that was asked for, so it was broken when that was written: \
             name a whole archive with its own sha256",
        ),
        _ => problem.at(Spot::input(graph, name)).help("name an archive without it, and its sha256"),
    }
}
