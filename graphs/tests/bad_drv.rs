//! A table of files that are no derivations, by kind, and what is said of each.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

use graphs::drv::{self, closure, modulo};
use snapbox::{assert_data_eq, file};
use std::collections::BTreeMap;

const GOOD: &str = include_str!("good.drv");
const FIXED: &str = include_str!("fixed.drv");

/// In a good file, the first of the one becomes the other.
#[rustfmt::skip]
const CASES: &[(&str, &str, &str)] = &[
    // The frame.
    ("another word", "Derive(", "Derivation("),
    ("white space", "Derive(", "Derive( "),
    ("white space between items", "),(\"out\"", "), (\"out\""),
    ("a derivation made by a derivation", "Derive(", "DrvWithVersion(\"xp-dyn-drv\","),
    ("no outputs' list", "Derive([", "Derive("),
    ("something behind it", "1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\")])", "1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\")])\n"),
    ("a list that is not closed", ",(\"out\",\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\")])", ")"),
    ("a comma too many", "\"echo", ",\"echo"),
    ("a comma too few", "\"-c\",", "\"-c\""),
    ("a trailing comma in a list", "'é\"]", "'é\",]"),
    ("a number", "\"x86_64-linux\"", "64"),
    ("an apostrophe for quotes", "\"x86_64-linux\"", "'x86_64-linux'"),
    ("a group with a field too many", "(\"empty\",\"\")", "(\"empty\",\"\",\"\")"),
    ("a group with a field too few", "(\"empty\",\"\")", "(\"empty\")"),
    ("an empty group", "(\"empty\",\"\")", "()"),
    // Strings.
    ("an unknown escape", "\\n", "\\x"),
    ("an escape in hex", "\\n", "\\x0a"),
    ("an escaped apostrophe", "'é", "\\'é"),
    ("a line feed as it is", "\\n", "\n"),
    ("a tab as it is", "\\t", "\t"),
    ("a carriage return as it is", "\\r", "\r"),
    ("a quote that closes too early", "\\\"a", "\"a"),
    ("NUL in an argument", "'é", "\0"),
    ("NUL in a variable", "(\"empty\",\"\")", "(\"empty\",\"\0\")"),
    // Outputs.
    ("no output", "(\"dev\",\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\",\"\"),(\"out\",\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\",\"\")", ""),
    ("an output twice", "(\"out\",\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\",\"\")", "(\"dev\",\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\",\"\")"),
    ("outputs out of order", "(\"dev\",\"/nix", "(\"zev\",\"/nix"),
    ("an output without a name", "(\"dev\",\"/nix", "(\"\",\"/nix"),
    ("an output named drv", "(\"dev\",\"/nix", "(\"drv\",\"/nix"),
    ("an output whose name leads out", "(\"dev\",\"/nix", "(\"../dev\",\"/nix"),
    ("an output whose name is a path", "(\"dev\",\"/nix", "(\"a/b\",\"/nix"),
    ("an output in another store", "\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\"", "\"/gnu/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\""),
    ("an output in no store", "\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\"", "\"0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\""),
    ("a path that leads out", "\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\"", "\"/nix/../0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\""),
    ("a path below an output", "\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\"", "\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x/y\",\"\""),
    ("a path without a hash", "\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\"", "\"/nix/store/x-dev\",\"\""),
    ("a hash with a letter that is no digit", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\"", "emdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\""),
    ("a hash that is too short", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\"", "mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\""),
    ("a path without a name", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\"", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-\",\"\""),
    ("a hidden name", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\",\"\"", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-.x-dev\",\"\""),
    ("content-addressed", "(\"out\",\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\",\"\")", "(\"out\",\"\",\"r:sha256\",\"\")"),
    ("impure", "(\"out\",\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\",\"\")", "(\"out\",\"\",\"r:sha256\",\"impure\")"),
    ("deferred", "(\"out\",\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\",\"\")", "(\"out\",\"\",\"\",\"\")"),
    ("a hash without its kind", "x-dev\",\"\",\"\"", "x-dev\",\"\",\"e3b0c4\""),
    ("fixed beside others", "1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"\",\"\"", "1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\",\"md5\",\"d41d8cd98f00b204e9800998ecf8427e\""),
    // What is needed.
    ("a derivation twice", "1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-b.drv", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-a.drv"),
    ("derivations out of order", "1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-b.drv", "00dqa9w1p6cmli6976v4wi0sw9r4p5pr-b.drv"),
    ("a derivation that is none", "-b.drv\"", "-b\""),
    ("no output of a derivation", "-b.drv\",[\"out\"]", "-b.drv\",[]"),
    ("an output of a derivation twice", "[\"dev\",\"out\"]", "[\"out\",\"out\"]"),
    ("outputs of a derivation out of order", "[\"dev\",\"out\"]", "[\"out\",\"dev\"]"),
    ("an output of a derivation that leads out", "-b.drv\",[\"out\"]", "-b.drv\",[\"..\"]"),
    ("a derivation in another store", "\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-b.drv", "\"/nix/stort/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-b.drv"),
    ("a source twice", "2mdqa9w1p6cmli6976v4wi0sw9r4p5pr-t.c", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-s.c"),
    ("sources out of order", "2mdqa9w1p6cmli6976v4wi0sw9r4p5pr-t.c", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-r.c"),
    ("a source outside the store", "\"/nix/store/2mdqa9w1p6cmli6976v4wi0sw9r4p5pr-t.c\"", "\"/etc/passwd\""),
    ("a source that leads out", "2mdqa9w1p6cmli6976v4wi0sw9r4p5pr-t.c", "2mdqa9w1p6cmli6976v4wi0sw9r4p5pr-/../t.c"),
    // The builder and its environment.
    ("no platform", "\"x86_64-linux\"", "\"\""),
    ("no builder", "\"/nix/store/1mdqa9w1p6cmli6976v4wi0sw9r4p5pr-b/bin/sh\"", "\"\""),
    ("a variable twice", "(\"empty\",\"\")", "(\"dev\",\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\")"),
    ("variables out of order", "(\"empty\",\"\")", "(\"abc\",\"\")"),
    ("a variable without a name", "(\"dev\",\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\"),(\"empty\"", "(\"\",\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\"),(\"empty\""),
    ("an equals sign in a name", "(\"empty\"", "(\"emp=ty\""),
    ("a variable with another path than the output", "(\"dev\",\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\"),(", "(\"dev\",\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x\"),("),
    ("no variable with the output's path", "(\"dev\",\"/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x-dev\"),(", "("),
];

/// The same for a fixed output.
#[rustfmt::skip]
const FIXED_CASES: &[(&str, &str, &str)] = &[
    ("an unknown hash", "r:sha256", "r:crc32"),
    ("an unknown method", "r:sha256", "n:sha256"),
    ("a hash too short", "7852b855", "7852b85"),
    ("a hash too long", "7852b855", "7852b8550"),
    ("a hash of another length", "r:sha256", "sha512"),
    ("a hash in upper case", "e3b0c442", "E3B0C442"),
    ("a hash in base 32", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"),
    ("no hash", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", ""),
    ("a fixed output by another name", "(\"out\",\"/nix", "(\"lib\",\"/nix"),
];

#[test]
fn the_good_ones_are_good() {
    for text in [GOOD, FIXED] {
        assert_eq!(drv::write(&drv::parse(text.as_bytes()).unwrap()), text);
    }
}

#[test]
fn each_says_where_and_what_was_expected() {
    assert!(CASES.len() + FIXED_CASES.len() >= 60);
    let mut all = String::new();
    let cases = CASES.iter().map(|case| (GOOD, case)).chain(FIXED_CASES.iter().map(|case| (FIXED, case)));
    for (good, (name, from, to)) in cases {
        assert!(good.contains(from), "{name}: {from}");
        let error = drv::parse(good.replacen(from, to, 1).as_bytes()).expect_err(name);
        all += &format!("{name}: {error}\n");
    }
    assert_data_eq!(all, file!["bad_drv.txt"].raw());
}

#[test]
fn no_prefix_is_a_derivation() {
    for end in 0..GOOD.len() {
        assert!(drv::parse(&GOOD.as_bytes()[..end]).is_err(), "{end}");
    }
}

#[test]
fn not_utf_8_and_too_large() {
    let mut bytes = GOOD.as_bytes().to_vec();
    let place = bytes.iter().position(|&byte| byte == 0xc3).unwrap();
    bytes[place] = 0xff;
    let error = drv::parse(&bytes).unwrap_err();
    assert_eq!((error.offset, error.found.as_str()), (place, "the byte 0xff"));
    bytes.resize((64 << 20) + 1, b' ');
    assert!(drv::parse(&bytes).unwrap_err().expected.contains("64 MiB"));
}

/// Derivations that need each other in this way, by path; the paths are not those that their content gives.
fn load(needs: &[(&str, &[&str])]) -> String {
    let path = |name: &str| format!("/nix/store/{}-{name}", "0".repeat(32));
    let text = |name: &str, needs: &[&str]| {
        let inputs: Vec<_> =
            needs.iter().map(|need| format!("(\"{}\",[\"out\"])", path(&format!("{need}.drv")))).collect();
        let out = path(name);
        format!(
            "Derive([(\"out\",\"{out}\",\"\",\"\")],[{}],[],\"p\",\"b\",[],[(\"out\",\"{out}\")])",
            inputs.join(",")
        )
    };
    let files: BTreeMap<_, _> =
        needs.iter().map(|(name, needs)| (path(&format!("{name}.drv")), text(name, needs))).collect();
    let (name, root) = files.first_key_value().unwrap();
    let loaded = closure::load(name, root.as_bytes(), &mut |path| {
        Ok(files.get(path).map(|text| text.clone().into_bytes()))
    });
    loaded.unwrap_err().iter().map(|problem| problem.message.clone() + "\n").collect()
}

#[test]
fn closures_that_are_none() {
    let cycle = load(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]);
    assert!(cycle.contains("another content"), "{cycle}");
    let missing = load(&[("a", &["b", "c"]), ("b", &[])]);
    assert!(missing.contains("-c.drv is missing") && missing.contains("-a.drv needs it"), "{missing}");
}

#[test]
fn output_paths_follow_from_the_content() {
    let read = drv::parse(FIXED.as_bytes()).unwrap();
    let must = modulo::paths(&read, &[], "/nix/store", "f");
    assert_ne!(must["out"], read.outputs["out"].path);
    let right = FIXED.replace(&read.outputs["out"].path, &must["out"]);
    let loaded = closure::load("-", right.as_bytes(), &mut |_| Ok(None)).unwrap();
    assert_eq!(loaded.order.len(), 1);
    let wrong = closure::load("-", FIXED.as_bytes(), &mut |_| Ok(None)).unwrap_err();
    assert!(wrong[0].message.contains(&must["out"]), "{}", wrong[0].message);
}
