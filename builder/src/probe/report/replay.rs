//! The command that shows a difference again.

use crate::args::{self, MachineName};
use crate::ui::term::quoted;
use std::path::Path;

/// All that the command was asked for and that may matter, as it stands on a command line, for one step and one set.
pub fn replay(args: &args::Probe, step: &str, set: &str, seed: u64) -> String {
    let mut words = vec!["groundup".to_owned(), "probe".to_owned()];
    let mut add = |option: &str, value: &str| words.extend([option.to_owned(), quoted(value)]);
    add("--step", step);
    add("--vary", set);
    add("--repeat", "1");
    add("--seed", &seed.to_string());
    if args.machine != MachineName::Strict {
        add("--machine", args.machine.word());
    }
    for (choice, taken) in &args.choices.choose {
        add("--choose", &format!("{choice}={taken}"));
    }
    let path = |path: &Path| path.display().to_string();
    if let Some(kernel) = &args.tools.kernel {
        add("--kernel", kernel);
    }
    if args.tools.qemu != Path::new("qemu-system-x86_64") {
        add("--qemu", &path(&args.tools.qemu));
    }
    for (option, file) in [
        ("--other-kernel", &args.other_kernel),
        ("--other-lock", &args.other_lock),
        ("--cache", &args.cache.cache),
    ] {
        file.iter().for_each(|file| add(option, &path(file)));
    }
    if let Some(memory) = args.memory {
        add("--memory", &memory.to_string());
    }
    if let Some(graph) = &args.graph.path {
        let graph = path(graph);
        let dashed = graph.starts_with('-') && graph != "-";
        words.insert(2, quoted(&if dashed { format!("./{graph}") } else { graph }));
    }
    words.join(" ") + " --again" + &args.graph.drv.words()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command};
    use clap::Parser;

    fn parsed(words: &[&str]) -> args::Probe {
        let parsed = Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        match parsed.command {
            Command::Probe(probe) => *probe,
            _ => panic!("{words:?}"),
        }
    }

    #[test]
    fn all_that_was_asked_for_is_asked_again() {
        let asked = "groundup probe a.ron --machine host --kernel debian --qemu /opt/qemu --other-kernel k --other-lock l.ron \
            --cache c --memory 900 --choose cc=gcc --store s --inputs i --stop-at x --sh sh --space 7 --repeat 5 --seed 3";
        let words: Vec<&str> = asked.split_whitespace().collect();
        let again = replay(&parsed(&words), "it's a step", "date", 4);
        let mut shown: Vec<&str> = again.split(' ').collect();
        // What a shell would make of the quoted name.
        let quoted = shown.iter().position(|word| *word == "'it'\\''s").unwrap();
        shown.splice(quoted..quoted + 3, ["it's a step"]);
        let (one, other) = (parsed(&words), parsed(&shown));
        assert_eq!((other.step, other.vary), (vec!["it's a step".to_owned()], vec!["date".to_owned()]));
        assert_eq!((other.repeat, other.seed, other.again), (1, 4, true));
        assert_eq!(
            format!("{:?}", (one.graph, one.choices, one.tools)),
            format!("{:?}", (other.graph, other.choices, other.tools))
        );
        let more = |probe: &args::Probe| {
            format!(
                "{:?}",
                (&probe.machine, &probe.other_kernel, &probe.other_lock, &probe.cache, probe.memory)
            )
        };
        assert_eq!(more(&parsed(&words)), more(&parsed(&shown)));
    }

    #[test]
    fn names_that_a_shell_would_take_for_something_else_are_not() {
        let asked = parsed(&["groundup", "probe", "--", "-a b.ron"]);
        assert!(
            replay(&asked, "s", "date", 1).starts_with("groundup probe './-a b.ron' --step s --vary date ")
        );
        let asked = parsed(&["groundup", "probe"]);
        assert!(replay(&asked, "s", "date", 1).starts_with("groundup probe --step s "));
    }
}
