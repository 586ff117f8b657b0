//! Bad graphs: each is `good.ron` with something put in the place of something else, and has its messages in the golden
//! file `bad.txt`. `SNAPSHOTS=overwrite` writes that anew.

use snapbox::{assert_data_eq, file};

const GOOD: &str = include_str!("good.ron");

/// A case: what it shows, and what is replaced by what.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

const ZEROS: &str = "\"0000000000000000000000000000000000000000000000000000000000000000\"";
const ONES: &str = "\"1111111111111111111111111111111111111111111111111111111111111111\"";

#[rustfmt::skip]
const CASES: &[Case] = &[
    // Syntax.
    ("no closing bracket", &[("targets: [\"script\"],\n)", "targets: [\"script\"],\n")]),
    ("no comma", &[("default: \"gcc\",", "default: \"gcc\"")]),
    ("a string without an end", &[("targets: [\"script\"]", "targets: [\"script]")]),
    ("an unknown escape", &[("int main(void)", "int \\main(void)")]),
    ("text after the end", &[("targets: [\"script\"],\n)", "targets: [\"script\"],\n) and more")]),
    ("a comment without an end", &[("targets:", "/* targets:")]),
    ("no graph at all", &[(GOOD, "")]),
    ("a list where a map belongs", &[(GOOD, "(derivations: [], targets: [])")]),
    ("an unknown field", &[("time: 60", "timeout: 60")]),
    ("an unknown field of a place", &[("suite: \"bookworm\"", "release: \"bookworm\"")]),
    ("an unknown field of the graph", &[("targets:", "goals:")]),
    ("an unknown place", &[("Url(", "Ftp(")]),
    ("a missing field", &[("builder: \"/opt/sh\",", "")]),
    ("a field written twice", &[("time: 60,", "time: 60, time: 61,")]),
    ("a size with a unit", &[("space: 2000000", "space: \"2MB\"")]),
    ("a negative size", &[("space: 2000000", "space: -1")]),
    ("a size beyond 64 bits", &[("space: 2000000", "space: 18446744073709551616")]),
    ("a number for a string", &[("directory: \"/desk/here\"", "directory: 7")]),
    // Names.
    ("a derivation written twice", &[("\"script\": (", "\"hello\": (builder: \"x\"),\n        \"script\": (")]),
    ("a seed written twice", &[("\"zig\": (from: [Wheel", "\"gcc\": (from: [Wheel")]),
    ("one name for a seed and a source", &[("\"notes\": (", "\"gcc\": (")]),
    ("one name for a derivation and an output", &[("\"hello\": (", "\"greeting-doc\": (")]),
    ("one name for a choice and a seed", &[("\"cc\": (", "\"zig\": (")]),
    ("a name with a slash", &[("\"script\": (", "\"bin/script\": (")]),
    ("a name that starts with a dot", &[("\"notes\": (", "\"..\": (")]),
    ("an empty name", &[("\"notes\": (", "\"\": (")]),
    ("a name that is too long", &[("\"notes\": (", "\"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\": (")]),
    // Seeds and sources.
    ("sources without a sha256", &[(", sha256: \"2ad75d95660563887d8d3f1d0ae1dcf18c2379cbd83a5c72f5ab276351ee6949\"", ""), ("sha256: \"0000000000000000000000000000000000000000000000000000000000000000\",", "")]),
    ("a seed of a file without a sha256", &[("[Wheel(package: \"ziglang\", version: \"0.13.0\")]", "[File(\"zig.whl\")]")]),
    ("the wrong hash of a text", &[("return 0;", "return 1;")]),
    ("a hash with too few digits", &[(ZEROS, "\"0000\"")]),
    ("a hash in capitals", &[(ONES, "\"AAAA111111111111111111111111111111111111111111111111111111111111\"")]),
    ("bad hex", &[("7f 45 4c 46 #", "7f 45 4g 46 #")]),
    ("half a byte", &[("7f 45 4c 46 #", "7f 45 4c\\n 4 #")]),
    ("no place", &[("from: [Wheel(package: \"ziglang\", version: \"0.13.0\")]", "from: []")]),
    ("a path out of the folder", &[("docs/notes.txt", "../notes.txt")]),
    ("an absolute path of a file", &[("docs/notes.txt", "/etc/passwd")]),
    ("an address that is none", &[("https://example.org", "file:///etc")]),
    ("a package that is an option", &[("\"libc6\"", "\"-oDir=/\"")]),
    ("a package named twice", &[("\"libc6\"", "\"libc6\", \"gcc-12=12.2.0-14\"")]),
    ("no packages", &[("packages: [\"gcc-12\", \"libc6\"]", "packages: []")]),
    ("a suite that is an option", &[("\"bookworm\"", "\"--help\"")]),
    ("one hash for several packages", &[("pick: [\"usr/bin/*\"", "sha256: \"2222222222222222222222222222222222222222222222222222222222222222\", pick: [\"usr/bin/*\"")]),
    ("an executable tree", &[("unpack: true", "unpack: true, executable: true")]),
    ("programs of a file and of a seed", &[("\"hello.c\": (", "\"hello.c\": (exec: true, "), ("unpack: true", "unpack: true, exec: true")]),
    ("an executable source", &[("\"hello.c\": (", "\"hello.c\": (executable: true, ")]),
    ("text as an archive", &[("\"hello.c\": (", "\"hello.c\": (unpack: true, ")]),
    ("strip and pick on a file", &[("\"hello.c\": (", "\"hello.c\": (strip: 1, pick: [\"a\"], ")]),
    ("strip that leaves nothing", &[("unpack: true", "unpack: true, strip: 1000")]),
    ("a pick that leaves the tree", &[("\"lib64\"]", "\"../lib64\", \"usr/bin/*\"]")]),
    ("places that give different things", &[("from: [Wheel(", "from: [Debian(packages: [\"zig\"]), Wheel("), ("unpack: true", "strip: 0")]),
    // Choices.
    ("a default that is no alternative", &[("default: \"gcc\"", "default: \"clang\"")]),
    ("an alternative with arguments but no builder", &[("builder: \"/store/zig/ziglang/zig\", ", "")]),
    ("a choice without alternatives", &[(GOOD, "(choices: {\"cc\": (default: \"gcc\", of: {})}, derivations: {\"a\": (builder: \"cc\", inputs: [\"cc\"])}, targets: [\"a\"])")]),
    ("a choice in a choice", &[("inputs: [\"zig\"]", "inputs: [\"zig\", \"cc\"]")]),
    ("a choice as builder that is not an input", &[("inputs: [\"cc\", \"hello.c\"]", "inputs: [\"hello.c\"]")]),
    // References.
    ("a missing input", &[("\"hello.c\"],", "\"helo.c\"],")]),
    ("an input listed twice", &[("[\"hello\", \"notes\"]", "[\"hello\", \"notes\", \"hello\"]")]),
    ("an output that is not made", &[("outputs: [\"out\", \"doc\"]", "outputs: [\"doc\"]"), ("[\"greeting-doc\", \"sh\"]", "[\"greeting\", \"sh\"]")]),
    ("a missing target", &[("targets: [\"script\"]", "targets: [\"scripts\"]")]),
    ("an output as target", &[("targets: [\"script\"]", "targets: [\"greeting-doc\", \"script\", \"script\"]")]),
    ("no targets", &[("targets: [\"script\"]", "targets: []")]),
    ("an empty graph", &[(GOOD, "(derivations: {}, targets: [])")]),
    ("a derivation that needs itself", &[("inputs: [\"hello\", \"notes\"]", "inputs: [\"hello\", \"notes\", \"greeting-doc\"]")]),
    ("a cycle", &[("inputs: [\"hello\", \"notes\"]", "inputs: [\"hello\", \"notes\", \"script\"]")]),
    ("a cycle through a choice", &[("inputs: [\"zig\"]", "inputs: [\"zig\", \"script\"]")]),
    // Builders.
    ("a builder in no input", &[("builder: \"/store/hello\"", "builder: \"/bin/sh\"")]),
    ("a builder in an input that is not declared", &[("builder: \"/store/hello\"", "builder: \"/store/sh\"")]),
    ("a builder in a source", &[("builder: \"/store/hello\"", "builder: \"/build/notes\"")]),
    ("a builder that is not executable", &[(", executable: true", "")]),
    ("a builder inside a file", &[("\"/opt/sh\",", "\"/opt/sh/bin\",")]),
    ("a builder that is a tree", &[("builder: \"/store/zig/ziglang/zig\"", "builder: \"/store/zig\"")]),
    ("a builder with dots", &[("builder: \"/store/hello\"", "builder: \"/store/hello/../sh\"")]),
    ("a builder that is a bare name", &[("builder: \"/store/hello\"", "builder: \"hello\"")]),
    // Mounts.
    ("a mount over /dev", &[("\"/build/notes\": ", "\"/dev/notes\": ")]),
    ("a mount over /tmp", &[("\"/build/notes\": ", "\"/tmp\": ")]),
    ("a mount in the store", &[("\"/build/notes\": ", "\"/store/notes.txt\": ")]),
    ("a mount over the root", &[("\"/build/notes\": ", "\"/\": ")]),
    ("a mount of what is no input", &[("\"/build/notes\": \"notes\"", "\"/build/notes\": \"hello.c\"")]),
    ("a mount inside a mount", &[("\"/lib64\": ", "\"/usr/lib64\": ")]),
    ("a mount inside a choice's mount", &[("inputs: [\"cc\", \"hello.c\"]", "inputs: [\"cc\", \"hello.c\"], mounts: {\"/usr/include\": \"hello.c\"}")]),
    ("a path inside a file", &[("\"/build/notes\": \"notes\"", "\"/build/notes\": \"notes/today\"")]),
    ("a mount written twice", &[("\"/build/notes\": \"notes\"", "\"/build/notes\": \"notes\", \"/build/notes\": \"hello\"")]),
    // Arguments, environment, outputs.
    ("a variable with an equals sign", &[("\"GREETING\"", "\"GREETING=\"")]),
    ("a variable without a name", &[("\"GREETING\"", "\"\"")]),
    ("a variable with a NUL", &[("hi there", "hi\\0there")]),
    ("an argument with a NUL", &[("\"a\\\\b\"", "\"a\\0b\"")]),
    ("a variable that is an output", &[("\"GREETING\"", "\"doc\"")]),
    ("no outputs", &[("outputs: [\"out\", \"doc\"]", "outputs: []")]),
    ("an output listed twice", &[("[\"out\", \"doc\"]", "[\"out\", \"doc\", \"doc\"]")]),
    ("outputs that cannot be named", &[("[\"out\", \"doc\"]", "[\"out\", \"doc\", \"a/b\", \"PATH\", \"x=y\"]")]),
    ("expectations that are no hashes", &[("expect: {\"doc\": \"1111", "expect_files: {\"a\": \"flat:11\"}, expect: {\"doc\": \"flat:1")]),
    ("files that are expected nowhere", &[("outputs: [\"out\", \"doc\"]", "outputs: [\"lib\", \"doc\"], expect_files: {\"bin/a\": ONES, \"lib:../a\": ONES, \"doc:a\": ONES}")]),
    ("a file that is expected twice", &[("expect: {\"doc\"", "expect_files: {\"bin/a\": ONES, \"out:bin/a\": ONES}, expect: {\"doc\"")]),
    ("a file in what is to be a file", &[("expect: {\"doc\": \"", "expect_files: {\"doc:a\": ONES}, expect: {\"doc\": \"flat:")]),
    ("a path that no input has", &[("\"/store/hello.c\"]", "\"/store/helo.c\", \"-I/store/musl/include\"]")]),
    ("a path in a variable that no input has", &[("\"hi there\"", "\"-L/store/notes -L/store/sh\"")]),
    ("a script that names what no input has", &[("\"two\\nlines\"", "\"cat /store/greeting-doc /store/$x /nix/store/y\\ncp /store/nothing /store/script\"")]),
    ("an alternative that names what no input has", &[("args: [\"cc\"]", "args: [\"cc\", \"-L/store/gcc/lib\", \"-I/store/nothing\"]")]),
    ("a suite that Debian does not have", &[("\"bookworm\"", "\"bookwrom\"")]),
    ("an expectation of what is not made", &[("expect: {\"doc\"", "expect: {\"dox\"")]),
    // Limits.
    ("too little memory", &[("memory: 3000000", "memory: 1048575")]),
    ("absurd sizes", &[("time: 60", "time: 0"), ("log: 1000000", "log: 1099511627777"), ("space: 2000000", "space: 0"), ("memory: 3000000", "memory: 99999999999999"), ("processes: 4", "processes: 1000001")]),
    ("a working directory that cannot be", &[("\"/desk/here\"", "\"/proc/self\"")]),
    ("a working directory in what is no input", &[("\"/desk/here\"", "\"/store/hello\"")]),
    ("a relative working directory", &[("\"/desk/here\"", "\"work\"")]),
    // Warnings.
    ("what nobody uses", &[("[\"hello\", \"notes\"]", "[\"hello\"]"), ("mounts: {\"/build/notes\": \"notes\"},", "")]),
    ("what no target needs", &[("targets: [\"script\"]", "targets: [\"hello\"]")]),
    // Several at once.
    ("all problems of one run", &[("7f 45", "7f 4"), ("docs/notes.txt", "../notes.txt"), ("\"hello.c\"],", "\"missing\"],"), ("time: 60", "time: 0"), ("targets: [\"script\"]", "targets: [\"scripts\"]")]),
];

fn text(changes: &[(&str, &str)]) -> String {
    let mut text = GOOD.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "not in good.ron: {from}");
        text = text.replacen(from, &to.replace("ONES", ONES), 1);
    }
    text
}

#[test]
fn each_says_what_is_wrong_and_what_to_do() {
    assert!(CASES.len() >= 40);
    let mut all = String::new();
    for (name, changes) in CASES {
        let text = text(changes);
        let problems = match graphs::load("bad.ron", &text) {
            Ok((_, warnings)) => warnings,
            Err(problems) => problems,
        };
        assert!(!problems.is_empty(), "{name}: nothing was found");
        for problem in problems.list() {
            assert!(problem.help.is_some(), "{name}: no help");
            assert!(problems.line_and_column(problem).is_some(), "{name}: no place: {}", problem.message);
        }
        all += &format!("=== {name}\n{}\n", problems.render(false));
    }
    assert_data_eq!(all, file!["bad.txt"].raw());
}
