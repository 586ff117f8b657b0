//! The plan's bytes, against the golden file. `SNAPSHOTS=overwrite` writes that anew.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;

use graphs::{Choices, Failure, Resolved};
use snapbox::{assert_data_eq, file};

const GOOD: &str = include_str!("good.ron");

fn resolved(graph: &graphs::Graph, choices: &Choices) -> BTreeMap<String, Resolved> {
    let used = graphs::used_inputs(graph, choices).unwrap();
    let one = |used: graphs::Used<'_>| {
        let sha256 = used.input.sha256.clone().unwrap_or_else(|| "f".repeat(64)).parse().unwrap();
        (used.name.to_owned(), Resolved { kind: used.input.kind(), sha256 })
    };
    used.into_iter().map(one).collect()
}

#[test]
fn the_good_graph_is_good() {
    let (_, problems) = graphs::load("good.ron", GOOD).unwrap();
    assert_eq!(problems.render(false), "");
}

#[test]
fn its_plan() {
    let (graph, _) = graphs::load("good.ron", GOOD).unwrap();
    let choices = Choices::defaults(&graph);
    let plan = graphs::plan(&graph, &choices, &resolved(&graph, &choices), Failure::Stop).unwrap();
    assert_data_eq!(plan, file!["good.plan"].raw());
}

#[test]
fn another_choice_changes_only_what_it_is_about() {
    let (graph, _) = graphs::load("good.ron", GOOD).unwrap();
    let choices = Choices::new(&graph, [("cc", "zig")]).unwrap();
    let names: Vec<_> = graphs::used_inputs(&graph, &choices).unwrap().into_iter().map(|u| u.name).collect();
    assert_eq!(names, ["hello.c", "notes", "sh", "zig"]);
    let plan = graphs::plan(&graph, &choices, &resolved(&graph, &choices), Failure::Continue).unwrap();
    let (_, greeting) = plan.split_once("step greeting\n").unwrap();
    let golden = include_str!("good.plan").split_once("step greeting\n").unwrap().1;
    assert_eq!(greeting, golden);
    assert!(plan.contains("failure continue\n") && plan.contains("arg zig\narg cc\narg -o\n"));
}

#[test]
fn memory_is_that_of_the_hungriest_step() {
    let (graph, _) = graphs::load("good.ron", GOOD).unwrap();
    assert_eq!(graphs::memory(&graph, &Choices::defaults(&graph)), Ok(768 << 20));
}

#[test]
fn an_input_that_was_not_handed_over_is_an_error() {
    let (graph, _) = graphs::load("good.ron", GOOD).unwrap();
    let choices = Choices::defaults(&graph);
    let mut resolved = resolved(&graph, &choices);
    resolved.remove("notes");
    let error = graphs::plan(&graph, &choices, &resolved, Failure::Stop).unwrap_err();
    assert_eq!(error.to_string(), "the input `notes` is not resolved");
}

#[test]
fn a_path_inside_what_turns_out_to_be_a_file_is_an_error() {
    let (graph, _) = graphs::load("good.ron", GOOD).unwrap();
    let choices = Choices::defaults(&graph);
    let mut resolved = resolved(&graph, &choices);
    resolved.get_mut("gcc").unwrap().kind = graphs::Kind::File;
    let error = graphs::plan(&graph, &choices, &resolved, Failure::Stop).unwrap_err();
    assert_eq!(error.to_string(), "`hello` wants `lib64` inside the input `gcc`, which is a single file");
}

/// The reader that PID 1 uses takes every line of it, and says the same of what is needed.
#[test]
fn the_reader_takes_it() {
    for (name, text) in [
        ("good.ron", GOOD),
        ("seed.ron", include_str!("../seed.ron")),
        ("ladder.ron", include_str!("../ladder.ron")),
        ("tcc.ron", include_str!("../tcc.ron")),
        ("userland.ron", include_str!("../userland.ron")),
    ] {
        let (graph, _) = graphs::load(name, text).unwrap();
        let choices = Choices::defaults(&graph);
        let plan = graphs::plan(&graph, &choices, &resolved(&graph, &choices), Failure::Stop).unwrap();
        let items: Vec<_> = formats::plan::Plan::read(plan.as_bytes()).unwrap().map(Result::unwrap).collect();
        let steps: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                formats::plan::Item::Step(step) => Some(step),
                _ => None,
            })
            .collect();
        let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, graphs::order(&graph, &choices).unwrap(), "{name}");
        for (step, ours) in steps.iter().zip(graphs::steps(&graph, &choices).unwrap()) {
            let ours = ours.unwrap();
            let bytes = |field: formats::plan::Field<'_>| String::from_utf8(field.bytes().collect()).unwrap();
            assert_eq!(step.args().map(bytes).collect::<Vec<_>>(), ours.args);
            let env: Vec<_> = ours.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(step.env().map(bytes).collect::<Vec<_>>(), env);
            assert_eq!(step.world().count(), ours.world.len());
        }
    }
}

#[test]
fn what_is_expected_stands_in_the_plan() {
    let hash = "1".repeat(64);
    let to = format!(
        "expect_files: {{\"bin/a b\": \"{hash}\", \"doc:x:y\": \"{hash}\"}}, expect: {{\"out\": \"flat:"
    );
    let text = GOOD
        .replace("expect: {\"doc\": \"", &to)
        .replace("outputs: [\"out\", \"doc\"]", "outputs: [\"lib\", \"out\", \"doc\"]");
    let (graph, _) = graphs::load("good.ron", &text.replace("\"bin/a b\"", "\"lib:bin/a b\"")).unwrap();
    let choices = Choices::defaults(&graph);
    let plan = graphs::plan(&graph, &choices, &resolved(&graph, &choices), Failure::Stop).unwrap();
    let wanted = format!(
        "output greeting-lib /store/greeting-lib -\nexpect-file bin/a\\x20b {hash}\n\
         output greeting /store/greeting flat:{hash}\n\
         output greeting-doc /store/greeting-doc -\nexpect-file x:y {hash}\nend\n"
    );
    assert!(plan.contains(&wanted), "{plan}");
    assert!(formats::plan::Plan::read(plan.as_bytes()).unwrap().all(|item| item.is_ok()));
}

/// A chain `a`, `b`, `c`, of which `b` and `c` are wanted.
const CHAIN: &str = r#"(
    seeds: {"sh": (from: [Hex("7f")], sha256: "620bfdaa346b088fb49998d92f19a7eaf6bfc2fb0aee015753966da1028cb731", executable: true)},
    derivations: {
        "a": (builder: "/store/sh", inputs: ["sh"]),
        "b": (builder: "/store/sh", inputs: ["sh", "a"]),
        "c": (builder: "/store/sh", inputs: ["sh", "b"]),
    },
    targets: ["b", "c"],
)"#;

#[test]
fn what_was_built_before_is_an_input() {
    let (graph, _) = graphs::load("chain.ron", CHAIN).unwrap();
    let choices = Choices::defaults(&graph);
    let all = resolved(&graph, &choices);
    let given = |names: &[&str]| {
        let mut resolved = all.clone();
        for name in names {
            let output = Resolved { kind: graphs::Kind::Tree, sha256: "a".repeat(64).parse().unwrap() };
            resolved.insert((*name).to_owned(), output);
        }
        let plan = graphs::plan(&graph, &choices, &resolved, Failure::Stop).unwrap();
        let interesting =
            |line: &&str| ["input ", "step ", "bind ", "drop "].iter().any(|word| line.starts_with(word));
        plan.lines().filter(interesting).map(|line| line.replace(&"a".repeat(64), "HASH")).collect::<Vec<_>>()
    };
    let seed = "input sh exec 620bfdaa346b088fb49998d92f19a7eaf6bfc2fb0aee015753966da1028cb731";
    let expected = [
        seed,
        "input a tree HASH",
        "step b",
        "bind input sh /store/sh",
        "bind input a /store/a",
        "drop input a",
        "step c",
        "bind input sh /store/sh",
        "bind output b/b /store/b",
        "drop input sh",
        "drop output b",
        "drop output c",
    ];
    assert_eq!(
        given(&["a"]).iter().collect::<std::collections::BTreeSet<_>>(),
        expected.iter().map(|line| line.to_string()).collect::<Vec<_>>().iter().collect()
    );
    // Every other step is built, whether somebody still needs it or not.
    assert!(given(&["b"]).iter().filter(|line| line.starts_with("step ")).eq(["step a", "step c"].iter()));
    assert!(given(&["c"]).iter().filter(|line| line.starts_with("step ")).eq(["step a", "step b"].iter()));
    assert!(given(&["a", "b", "c"]).is_empty());
}

#[test]
fn a_key_follows_what_a_step_is_made_of() {
    let keys = |text: &str, hash: &str| {
        let (graph, _) = graphs::load("chain.ron", text).unwrap();
        let choices = Choices::defaults(&graph);
        let mut resolved = resolved(&graph, &choices);
        resolved.get_mut("sh").unwrap().sha256 = hash.repeat(64).parse().unwrap();
        graphs::plan::keys(&graph, &choices, &resolved).unwrap()
    };
    let before = keys(CHAIN, "a");
    assert_eq!(before, keys(CHAIN, "a"));
    let other_seed = keys(CHAIN, "b");
    assert!(before.keys().all(|step| before[step] != other_seed[step]));
    let other_b = keys(&CHAIN.replace("\"b\": (", "\"b\": (args: [\"x\"], "), "a");
    assert_eq!(before["a"], other_b["a"]);
    assert!(before["b"] != other_b["b"] && before["c"] != other_b["c"]);
}
