//! What becomes of honest tars.

use super::*;

#[test]
fn honest_tars_of_every_packing() {
    let plain = tar_of(GOOD);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&plain).unwrap();
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz2.write_all(&plain).unwrap();
    let mut xz = xz2::write::XzEncoder::new(Vec::new(), 0);
    xz.write_all(&plain).unwrap();
    let zst = zstd::encode_all(&plain[..], 0).unwrap();
    let all = [plain, gz.finish().unwrap(), bz2.finish().unwrap(), xz.finish().unwrap(), zst];
    let expected = [
        "a=text",
        "deep/",
        "deep/er/",
        "deep/er/file=implied folders",
        "empty/",
        "hard=text",
        "prog*=code",
        "sym -> ../../../etc/passwd",
    ];
    for archive in &all {
        assert_eq!(run(from_ref(archive), 1, &[]).unwrap(), expected);
        assert_eq!(run(&[deb_of("data.tar", archive)], 1, &[]).unwrap(), expected);
        // Cut anywhere before its end, it is no archive.
        for length in [1, 8, archive.len() / 2] {
            assert!(run(&[archive[..length].to_vec()], 1, &[]).is_err(), "{length} of {}", archive.len());
        }
    }
    for cut in &all[1..] {
        let error = run(&[cut[..cut.len() - 3].to_vec()], 1, &[]).unwrap_err();
        assert!(error.starts_with("archive0: a"), "{error}");
    }
}

#[test]
fn pick_and_strip() {
    let archive = || vec![tar_of(GOOD)];
    assert_eq!(run(&archive(), 0, &["top/a"]).unwrap(), ["top/", "top/a=text"]);
    assert_eq!(run(&archive(), 1, &["deep", "e*"]).unwrap().len(), 4);
    // The target of a picked hard link need not be picked.
    assert_eq!(run(&archive(), 1, &["hard"]).unwrap(), ["hard=text"]);
    assert_eq!(run(&archive(), 2, &[]).unwrap(), ["er/", "er/file=implied folders"]);
    let error = run(&archive(), 1, &["a", "nothing/*"]).unwrap_err();
    assert!(error.contains("pick \"nothing/*\" takes nothing"), "{error}");
    assert!(run(&archive(), 9, &[]).unwrap_err().contains("nothing is left"));
}

#[test]
fn long_names() {
    let extended = |kind: u8, data: &[u8], then: &[Member]| {
        let mut builder = ::tar::Builder::new(Vec::new());
        let mut header = ::tar::Header::new_ustar();
        header.set_entry_type(::tar::EntryType::new(kind));
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data).unwrap();
        [builder.into_inner().unwrap()[..512 + data.len().div_ceil(512) * 512].to_vec(), tar_of(then)]
            .concat()
    };
    let pax = |key: &str, value: &str| {
        let rest = format!(" {key}={value}\n");
        let digits = if rest.len() < 98 { 2 } else { 3 };
        format!("{}{rest}", rest.len() + digits).into_bytes()
    };
    let long = format!("{}/f", "d".repeat(200));
    let file: &[Member] = &[("short", b'0', "x")];
    let link: &[Member] = &[("short", b'2', "x")];
    let expected = [format!("{}/", "d".repeat(200)), format!("{long}=x")];
    assert_eq!(run(&[extended(b'L', long.as_bytes(), file)], 0, &[]).unwrap(), expected);
    assert_eq!(run(&[extended(b'x', &pax("path", &long), file)], 0, &[]).unwrap(), expected);
    assert_eq!(run(&[extended(b'K', long.as_bytes(), link)], 0, &[]).unwrap(), [format!("short -> {long}")]);
    assert_eq!(
        run(&[extended(b'x', &pax("linkpath", &long), link)], 0, &[]).unwrap(),
        [format!("short -> {long}")]
    );
    assert_eq!(run(&[extended(b'g', &pax("comment", "0123456789"), file)], 0, &[]).unwrap(), ["short=x"]);
    for (kind, data, says) in [
        (b'L', b"../f".to_vec(), "a path with .."),
        (b'x', pax("path", "/f"), "an absolute path"),
        (b'x', pax("size", "0000000000000001"), "the pax attribute size is not taken"),
        (b'x', pax("GNU.sparse.major", "1"), "is not taken"),
        (b'g', pax("path", "everything"), "is not taken"),
        (b'x', b"99 nonsense".to_vec(), "malformed pax extension"),
    ] {
        let error = run(&[extended(kind, &data, file)], 0, &[]).unwrap_err();
        assert!(error.contains(says), "{error}\n{says}");
    }
}

#[test]
fn packages_merge() {
    let one: &[Member] =
        &[("usr/", b'5', ""), ("usr/a", b'0', "x"), ("usr/same", b'0', "s"), ("l", b'2', "usr")];
    let two: &[Member] =
        &[("usr/", b'5', ""), ("usr/b", b'0', "y"), ("usr/same", b'0', "s"), ("l", b'2', "usr")];
    let merge = |second: &[Member]| run(&[tar_of(one), tar_of(second)], 0, &[]);
    assert_eq!(merge(two).unwrap(), ["l -> usr", "usr/", "usr/a=x", "usr/b=y", "usr/same=s"]);
    for (second, says) in [
        (&[("usr/a", b'0', "z")][..], "archive1: \"usr/a\" is in archive0 too, and differs there"),
        (&[("usr/a", b'x', "x")], "\"usr/a\" is in archive0 too"),
        (&[("usr/a", b'2', "x")], "\"usr/a\" is in archive0 too"),
        (&[("l", b'2', "other")], "\"l\" is in archive0 too"),
        (&[("l/", b'5', "")], "\"l\" is in archive0 too"),
        (&[("usr", b'0', "x")], "it comes twice, or both as a folder and as something else"),
        (&[("usr/a/b", b'0', "x")], "below \"usr/a\", which is no folder in archive0"),
    ] {
        let error = merge(second).unwrap_err();
        assert!(error.contains(says), "{error}\n{says}");
    }
    // A pick is of use if one of the packages has it.
    assert_eq!(run(&[tar_of(one), tar_of(two)], 0, &["usr/b"]).unwrap(), ["usr/", "usr/b=y"]);
}

#[test]
fn modes_are_ours() {
    let folder = tempfile::tempdir().unwrap();
    let (file, root) = (folder.path().join("f"), folder.path().join("root"));
    fs::write(&file, tar_of(GOOD)).unwrap();
    unpack(&[("f".into(), file)], Recipe { strip: 1, pick: &[], limits: limits() }, &root).unwrap();
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o7700;
    assert_eq!((mode("a"), mode("prog"), mode("empty")), (0o600, 0o700, 0o700));
}
