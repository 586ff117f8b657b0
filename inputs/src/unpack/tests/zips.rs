//! zip.

use super::*;

#[test]
fn zips() {
    let good =
        zip_of(&[("p/", 0o40755, ""), ("p/a", 0o644, "x"), ("p/b", 0o755, "y"), ("p/l", 0o120777, "a")]);
    assert_eq!(run(from_ref(&good), 1, &[]).unwrap(), ["a=x", "b*=y", "l -> a"]);
    assert_eq!(run(from_ref(&good), 0, &["p/b"]).unwrap(), ["p/", "p/b*=y"]);
    for length in [10, good.len() / 2, good.len() - 1] {
        assert!(run(&[good[..length].to_vec()], 0, &[]).is_err());
    }
    for (members, says) in [
        (&[("../a", 0o644, "x")][..], "a path with .."),
        (&[("/a", 0o644, "x")], "an absolute path"),
        (&[("..\\a", 0o644, "x")], "a backslash"),
        (&[("l", 0o120777, ".."), ("l/x", 0o644, "y")], "below \"l\", which is no folder"),
        (&[("a", 0o644, "x"), ("./a", 0o644, "y")], "it comes twice"),
    ] {
        let error = run(&[zip_of(members)], 0, &[]).unwrap_err();
        assert!(error.contains(says), "{error}\n{says}");
    }
    // Twice under the same name: the writer refuses, so the second is renamed afterwards.
    let mut twice = zip_of(&[("aa", 0o644, "x"), ("bb", 0o644, "y")]);
    for at in 0..twice.len() - 1 {
        if &twice[at..at + 2] == b"bb" {
            twice[at..at + 2].copy_from_slice(b"aa");
        }
    }
    assert!(run(&[twice], 0, &[]).unwrap_err().contains("a member comes twice"));
    let mut wrong = zip_of(&[("a", 0o644, "content")]);
    let at = wrong.windows(2).position(|pair| pair == [0, 0]).unwrap();
    wrong[at.max(40)] ^= 0xff;
    assert!(run(&[wrong], 0, &[]).is_err());
}
