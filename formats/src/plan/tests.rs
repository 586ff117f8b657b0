//! A plan with one of everything, and what each mistake in it is called.
use super::*;
use std::string::String;
use std::vec::Vec;

const PLAN: &str = include_str!("../../tests/everything.plan");

fn read(text: &str) -> Result<Vec<Item<'_>>, Error> {
    Plan::read(text.as_bytes())?.collect()
}

#[test]
fn one_of_everything() {
    let items = read(PLAN).unwrap();
    let [
        Item::Input(a),
        Item::Input(b),
        Item::Refers(input, base),
        Item::Step(step),
        Item::DropInput(gone),
        Item::DropOutput(done),
    ] = items.as_slice()
    else {
        panic!("{items:?}")
    };
    assert_eq!((input.as_str(), base.as_str()), ("tree", "hex0"));
    assert_eq!((a.name.as_str(), a.kind, b.kind), ("hex0", Kind::Exec, Kind::Tree));
    assert_eq!((a.verified, b.verified), (true, false));
    assert_eq!((step.uid, step.gid, step.umask, step.clock), (1000, 100, 0o22, 1_577_836_800));
    assert_eq!((step.personality, step.pid_one, step.loopback), (0x40000, PidOne::Init, true));
    assert_eq!((step.limits[3], step.limits[4]), ((Some(8_388_608), None), (Some(0), Some(0))));
    assert_eq!((step.store_mode, step.world().count(), step.args().count()), (0o1775, 12, 2));
    let text = |field: Field<'_>| String::from_utf8(field.bytes().collect()).unwrap();
    assert_eq!(text(step.args().nth(1).unwrap()), "two words\\\n\t\r\u{1}é");
    assert_eq!(text(step.env().next().unwrap()), "A=1 2");
    let outputs: Vec<_> =
        step.outputs().map(|output| (output.name.as_str(), output.base.as_str(), output.expected)).collect();
    assert_eq!(
        outputs,
        [
            ("one", "one", None),
            ("one-flat", "one-flat", Some(Expected::Flat([0x22; 32]))),
            ("one-lib", "one-lib", Some(Expected::Nar([0x11; 32]))),
        ]
    );
    let files =
        step.outputs().flat_map(|output| output.files().map(move |(path, _)| (output.name.as_str(), path)));
    let files: Vec<_> = files.map(|(name, path)| (name, text(path))).collect();
    assert_eq!(files, [("one-lib", String::from("bin/a")), ("one-lib", String::from("b c"))]);
    assert_eq!((gone.as_str(), done.as_str()), ("hex0", "one"));
}

#[test]
fn every_line_is_needed() {
    let lines: Vec<_> = PLAN.split_inclusive('\n').collect();
    let optional = [
        "dir ",
        "file ",
        "link ",
        "device ",
        "proc ",
        "bind ",
        "env ",
        "drop ",
        "input ",
        "refers ",
        "pts ",
        "shm ",
        "closure",
        "expect-file ",
    ];
    for (i, line) in lines.iter().enumerate() {
        let shorter: String = lines[..i].iter().chain(&lines[i + 1..]).copied().collect();
        let optional = optional.iter().any(|word| line.starts_with(word))
            || line.starts_with("output one-")
            || line.starts_with("output one ")
            || line.starts_with("arg ");
        assert_eq!(read(&shorter).is_ok(), optional, "without {line:?}");
    }
}

#[test]
fn only_a_prefix_between_two_items_is_a_plan() {
    let head = PLAN.split_inclusive('\n').take(3).map(str::len).sum::<usize>();
    for end in 0..PLAN.len() {
        let prefix = &PLAN.as_bytes()[..end];
        let text = String::from_utf8_lossy(prefix);
        let between =
            end >= head && text.ends_with('\n') && text.contains("step") == text.contains("\nend\n");
        assert_eq!(Plan::read(prefix).is_ok_and(|mut plan| plan.all(|item| item.is_ok())), between, "{end}");
    }
}

/// In `PLAN`, `from` becomes `to`, and this is expected instead.
#[test]
fn mistakes() {
    let id = "an id between 1 and 2^32-2: no step runs as root";
    let number = "a decimal number below 2^63, without leading zeros";
    let field = "a field in its one spelling, without NUL";
    let path = "an absolute, normalised path";
    let name = "a name of 1 to 244 bytes of A-Z a-z 0-9 + . _ ? = -, not starting with a dot";
    let digest = "64 lower-case hexadecimal digits";
    for (from, to, expected) in [
        ("plan 1", "plan 2", "`groundup plan 1`"),
        ("failure stop", "failure maybe", "`stop` or `continue`"),
        ("failure stop", "failure stop ", "the end of the line"),
        ("entropy 2", "entropy Z", digest),
        ("input hex0 exec", "input hex0 link", "`file`, `exec`, `tree` or `data`"),
        ("input hex0", "input .hex0", name),
        ("input hex0", "input he/x0", name),
        ("input hex0", "inputs hex0", "`input`, `refers`, `step` or `drop`"),
        ("step one", "step", "another field"),
        ("uid 1000", "uid 0", id),
        ("uid 1000", "uid 4294967295", id),
        ("gid 100", "gid 0100", number),
        ("gid 100", "gid 0", id),
        ("umask 0022", "umask 22", "four octal digits"),
        ("umask 0022", "umask 022", "four octal digits"),
        ("umask 0022", "umask 1777", "a mask of at most 0777"),
        ("umask 0022", "umask 0082", "four octal digits"),
        ("host localhost", "host local host", "the end of the line"),
        ("clock 1577836800", "clock -1", number),
        ("clock 1577836800", "clock 9223372036854775808", number),
        (
            "personality 40000",
            "personality 0x40000",
            "a lower-case hexadecimal number below 2^32, without leading zeros",
        ),
        ("pid-one init", "pid-one me", "`init` or `builder`"),
        ("log terminal", "log tty", "`pipe` or `terminal`"),
        ("rules nix", "rules bsd", "`groundup`, `nix` or `guix`"),
        ("loopback up", "loopback", "another field"),
        ("space-limit 268435456", "space-limit 0", "a number of bytes above 0"),
        ("limit data", "limit stack", "the resources of `limit` in their order"),
        ("limit core 0 0", "limit core 0 lots", number),
        ("builder /", "builder x/", "an absolute path"),
        ("dir /build 0700 builder", "dir build 0700 builder", path),
        ("dir /build 0700 builder", "dir /build/ 0700 builder", path),
        ("dir /build 0700 builder", "dir /a//b 0700 builder", path),
        ("dir /build 0700 builder", "dir /a/../b 0700 builder", path),
        ("dir /build 0700 builder", "dir / 0700 builder", path),
        ("dir /build 0700 builder", "dir /build 0700 me", "`root` or `builder`"),
        (
            "device /build/null null",
            "device /build/null mem",
            "`null`, `zero`, `full`, `random`, `urandom` or `tty`",
        ),
        ("store /store 1775", "store /store 1775\nstore /other 1775", "one `store` only"),
        ("store /store 1775\n", "", "a `store` above `cwd`"),
        (
            "bind input hex0 /store/hex0",
            "bind input ../plan /store/hex0",
            "NAME, STEP/NAME, or a normalised path below one",
        ),
        (
            "bind input hex0 /store/hex0",
            "bind input hex0/../x /store/hex0",
            "NAME, STEP/NAME, or a normalised path below one",
        ),
        (
            "bind input hex0 /store/hex0",
            "bind output hex0 /store/hex0",
            "NAME, STEP/NAME, or a normalised path below one",
        ),
        ("bind input hex0 /store/hex0", "bind thing hex0 /store/hex0", "`input` or `output`"),
        ("arg two", "arg \\qwo", "text in its one spelling"),
        ("arg two", "arg \\x41", "text in its one spelling"),
        ("arg two", "arg \\x0a", "text in its one spelling"),
        ("arg two", "arg \\x20", "text in its one spelling"),
        ("arg two", "arg \\x0A", "text in its one spelling"),
        ("arg two", "arg \u{7f}", "text in its one spelling"),
        ("arg two", "arg \\x00", "text without NUL"),
        ("link /build/x a\\x20b", "link /build/x a b", "the end of the line"),
        ("link /build/x a\\x20b", "link /build/x a\\x00b", field),
        ("env A=1 2", "env A", "NAME=VALUE"),
        ("env A=1 2", "env =1", "NAME=VALUE"),
        ("env A=1 2", "env C=1", "variables in ascending order, each once"),
        ("env A=1 2", "env B=1", "variables in ascending order, each once"),
        ("output one /store/one", "output one /other/one", "an output directly in the store"),
        ("output one /store/one", "output one /store/a/one", "an output directly in the store"),
        ("output one /store/one -", "output one /store/one +", digest),
        ("end\n", "fin\n", "`output` or `end`"),
        ("drop input hex0", "drop it hex0", "`input` or `output`"),
    ] {
        assert!(PLAN.contains(from), "{from}");
        let text = PLAN.replacen(from, to, 1);
        let found = read(&text).expect_err(to);
        assert_eq!(found.expected, expected, "{to}");
        // A line that should not follow, or is missed later, is named itself.
        let line = PLAN[..PLAN.find(from).unwrap()].matches('\n').count() as u32 + 1;
        let late = if to.is_empty() { 4 } else { 1 };
        assert!((line..=line + late).contains(&found.line), "{to}: line {} for {line}", found.line);
    }
}

#[test]
fn errors_end_the_plan() {
    let text = PLAN.replace("uid 1000", "uid 0");
    let mut plan = Plan::read(text.as_bytes()).unwrap();
    assert_eq!(plan.by_ref().filter(Result::is_err).count(), 1);
    assert!(plan.next().is_none());
}
