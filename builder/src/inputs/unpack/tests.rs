//! Hostile and honest archives.

use super::*;
use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::{MetadataExt, PermissionsExt},
    slice::from_ref,
};

/// A member: name, type, content or link target.
type Member<'a> = (&'a str, u8, &'a str);

/// The names are put into the header as they are: the crate's own functions would refuse the hostile ones.
fn tar_of(members: &[Member]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, kind, content) in members {
        let mut header = ::tar::Header::new_gnu();
        let data = if matches!(*kind, b'0' | b'x') { content.as_bytes() } else { &[] };
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(::tar::EntryType::new(if *kind == b'x' { b'0' } else { *kind }));
        header.set_mode(if *kind == b'x' { 0o4755 } else { 0o600 });
        header.set_size(data.len() as u64);
        if data.is_empty() {
            header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
        }
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip_of(members: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, mode, content) in members {
        let options = ::zip::write::SimpleFileOptions::default().unix_permissions(*mode);
        if mode & 0o170000 == 0o120000 {
            writer.add_symlink(*name, *content, options).unwrap();
        } else {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn deb_of(data_name: &str, data: &[u8]) -> Vec<u8> {
    let mut builder = ar::Builder::new(Vec::new());
    for (name, content) in [("debian-binary", &b"2.0\n"[..]), ("control.tar", b""), (data_name, data)] {
        builder.append(&ar::Header::new(name.into(), content.len() as u64), content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What `find` would print: folders with a slash, links with their target, `*` for programs.
fn list(root: &Path) -> Vec<String> {
    fn walk(root: &Path, at: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if meta.is_dir() {
                out.push(name + "/");
                walk(root, &path, out);
            } else if meta.is_symlink() {
                out.push(format!("{name} -> {}", fs::read_link(&path).unwrap().display()));
            } else {
                let mark = if meta.mode() & 0o111 != 0 { "*" } else { "" };
                out.push(format!("{name}{mark}={}", fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    out.sort();
    out
}

fn limits() -> Limits {
    Limits { bytes: 1 << 20, members: 100 }
}

fn run(archives: &[Vec<u8>], strip: usize, pick: &[&str]) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<(String, PathBuf)> = (0..archives.len())
        .map(|n| (format!("archive{n}"), folder.path().join(format!("file{n}"))))
        .collect();
    for (content, (_, path)) in archives.iter().zip(&files) {
        fs::write(path, content).unwrap();
    }
    let pick: Vec<String> = pick.iter().map(|pick| (*pick).into()).collect();
    let root = folder.path().join("root");
    let recipe = Recipe { strip, pick: &pick, limits: limits() };
    let done = unpack(&files, recipe, &root).map_err(|(archive, error)| format!("{archive}: {error}"));
    let outside = fs::read_dir(folder.path()).unwrap().count();
    assert!(outside <= archives.len() + 2, "something was written outside");
    done.map(|()| {
        assert_eq!(outside, archives.len() + 1, "something was left beside the tree");
        list(&root)
    })
}

const GOOD: &[Member] = &[
    ("./", b'5', ""),
    ("./top/", b'5', ""),
    ("./top/a", b'0', "text"),
    ("./top/prog", b'x', "code"),
    ("./top/hard", b'1', "./top/a"),
    ("./top/sym", b'2', "../../../etc/passwd"),
    ("./top/empty/", b'5', ""),
    ("top/deep/er/file", b'0', "implied folders"),
];

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
fn no_archives() {
    assert!(run(&[b"plain text".to_vec()], 0, &[]).unwrap_err().contains("no archive that is known"));
    assert!(run(&[vec![]], 0, &[]).unwrap_err().contains("no archive that is known"));
    assert!(run(&[deb_of("other", b"")], 0, &[]).unwrap_err().contains("no data.tar"));
    let packed = zstd::encode_all(&b"no tar at all"[..], 0).unwrap();
    assert!(run(&[packed], 0, &[]).is_err());
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
