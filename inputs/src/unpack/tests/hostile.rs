//! Archives that want out, or too much.

use super::*;

#[test]
fn hostile_tars() {
    let many: Vec<(String, u8, &str)> = (0..101).map(|n| (format!("f{n}"), b'0', "")).collect();
    let many: Vec<Member> =
        many.iter().map(|(name, kind, content)| (name.as_str(), *kind, *content)).collect();
    let large = "x".repeat(600 << 10);
    let table: &[(&[Member], &str)] = &[
        (&[("/etc/evil", b'0', "x")], "\"/etc/evil\": an absolute path"),
        (&[("../evil", b'0', "x")], "\"../evil\": a path with .."),
        (&[("a/../../evil", b'0', "x")], "a path with .."),
        (&[("a", b'2', "/tmp"), ("a/evil", b'0', "x")], "below \"a\", which is no folder"),
        (&[("a", b'2', ".."), ("a/b/evil", b'0', "x")], "below \"a\", which is no folder"),
        (&[("a", b'2', ".."), ("a/", b'5', "")], "it comes twice"),
        (&[("a", b'0', "x"), ("a/b", b'0', "x")], "below \"a\", which is no folder"),
        (&[("a", b'0', "x"), ("a", b'0', "y")], "\"a\": it comes twice"),
        (&[("a", b'0', "x"), ("./a", b'0', "x")], "it comes twice"),
        (&[("a", b'2', "x"), ("a", b'0', "y")], "it comes twice"),
        (&[("a/", b'5', ""), ("a", b'0', "y")], "it comes twice"),
        (&[("a", b'1', "/etc/passwd")], "\"/etc/passwd\": an absolute path"),
        (&[("a", b'1', "../x")], "a path with .."),
        (&[("a", b'1', "b")], "a hard link to \"b\", which is no earlier file"),
        (&[("a", b'1', "a")], "which is no earlier file"),
        (&[("d/", b'5', ""), ("a", b'1', "d")], "which is no earlier file"),
        (&[("a", b'2', "")], "a symbolic link to nowhere"),
        (&[("n", b'3', "")], "\"n\": a character device, which no input may hold"),
        (&[("n", b'4', "")], "a block device"),
        (&[("n", b'6', "")], "a FIFO"),
        (&[("n", b'Z', "")], "of unknown type 'Z'"),
        (&[("a", b'0', &large), ("b", b'0', &large)], "more than 1048576 bytes"),
        (&many, "more than 100 members"),
    ];
    for (members, says) in table {
        let error = run(&[tar_of(members)], 0, &[]).unwrap_err();
        assert!(error.starts_with("archive0: ") && error.contains(says), "{error}\n{says}");
    }
    // What is not picked may be odd, as long as it does not try to leave.
    let device: &[Member] = &[("n", b'3', ""), ("a", b'0', "x")];
    assert_eq!(run(&[tar_of(device)], 0, &["a"]).unwrap(), ["a=x"]);
    let leaves: &[Member] = &[("../n", b'0', ""), ("a", b'0', "x")];
    assert!(run(&[tar_of(leaves)], 0, &["a"]).is_err());
}

#[test]
fn bombs() {
    let mut tar = tar_of(&[("a", b'0', "x")]);
    tar.truncate(1024);
    // A member of 1 GiB that nobody picks still costs time, so it counts.
    let mut header = ::tar::Header::new_gnu();
    header.set_path("zeros").unwrap();
    header.set_size(1 << 30);
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    let mut writer = xz2::write::XzEncoder::new(Vec::new(), 0);
    writer.write_all(&tar).unwrap();
    for _ in 0..64 {
        writer.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let bomb = writer.finish().unwrap();
    for pick in [&[][..], &["a"]] {
        let error = run(from_ref(&bomb), 0, pick).unwrap_err();
        assert!(error.contains("more than 1048576 bytes"), "{error}");
    }
    let large = "0".repeat(2 << 20);
    let error = run(&[zip_of(&[("a", 0o644, &large)])], 0, &[]).unwrap_err();
    assert!(error.contains("more than 1048576 bytes"), "{error}");
    // A name as long as memory.
    let mut header = ::tar::Header::new_gnu();
    header.set_entry_type(::tar::EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let error = run(&[header.as_bytes().to_vec()], 0, &[]).unwrap_err();
    assert!(error.contains("attribute header is longer"), "{error}");
}

#[test]
fn no_archives() {
    assert!(run(&[b"plain text".to_vec()], 0, &[]).unwrap_err().contains("no archive that is known"));
    assert!(run(&[vec![]], 0, &[]).unwrap_err().contains("no archive that is known"));
    assert!(run(&[deb_of("other", b"")], 0, &[]).unwrap_err().contains("no data.tar"));
    let packed = zstd::encode_all(&b"no tar at all"[..], 0).unwrap();
    assert!(run(&[packed], 0, &[]).is_err());
}
