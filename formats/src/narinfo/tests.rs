use super::*;

fn info() -> NarInfo {
    NarInfo {
        path: "/nix/store/0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-x".into(),
        url: "nar/x.nar".into(),
        compression: Some("none".into()),
        nar_hash: Sha256::of(b""),
        nar_size: 112,
        references: ["a", "b"].map(|name| format!("0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-{name}")).into(),
        deriver: Some("x.drv".into()),
        signatures: vec![],
    }
}

fn refused(text: &str) -> String {
    match NarInfo::parse(text) {
        Err(error) => error.to_string(),
        Ok(info) => panic!("{text}\n{info:?}"),
    }
}

#[test]
fn what_is_written_is_read() {
    let info = info();
    assert_eq!(NarInfo::parse(&info.write()), Ok(info.clone()));
    assert!(NarInfo::parse("StorePath: x\n").is_err());
    let short = info.write().replace("NarHash: sha256:", "NarHash: sha256:0");
    assert!(refused(&short).contains("no sha256"));
    for odd in ["x", "é", "../0mdqa9w1p6cmli6976v4wi0sw9r4p5pr-a", "0mdqa9w1p6cmli6976v4wi0sw9r4p5pr"] {
        let text = info.write().replace("References: ", &format!("References: {odd} "));
        assert!(refused(&text).contains("base names"), "{text}");
    }
}

#[test]
fn no_field_stands_twice() {
    let text = info().write();
    for line in text.lines() {
        // Equal or not, and wherever it stands.
        let (key, _) = line.split_once(':').unwrap();
        for again in [line.to_owned(), format!("{key}: 1")] {
            for twice in [format!("{text}{again}\n"), format!("{again}\n{text}")] {
                let said = refused(&twice);
                assert!(said.contains("second"), "{said}\n{twice}");
            }
        }
    }
    assert!(refused(&format!("{text}X-Own: a\nX-Own: a\n")).contains("a second X-Own"));
}

#[test]
fn addresses_stay_below_the_cache() {
    let with = |url: &str| info().write().replace("URL: nar/x.nar", &format!("URL: {url}"));
    for good in ["x", "nar/1.nar.xz", "nar/gzip/0abc-gtk%2B-3", "nar/x.nar?hash=abc", "a/..b/c..", "a:b/c"] {
        let parsed = NarInfo::parse(&with(good));
        assert_eq!(parsed.is_ok(), good != "a:b/c", "{good}: {parsed:?}");
    }
    for bad in [
        "",
        "..",
        "../x",
        "nar/../../x",
        "nar/..",
        "nar/./x",
        "nar//x",
        "/etc/passwd",
        "//host/x",
        "http://host/x",
        "HTTPS://host/x",
        "file:///etc/passwd",
        "data:,x",
        "%2e%2e/x",
        "nar/%2E%2e/x",
        "nar/.%2e/x",
        "nar%2f..%2f..%2fx",
        "%2fetc/passwd",
        "%252e%252e/x",
        "nar/x?/../../y",
        "nar/x#/../../y",
        "nar\\..\\x",
        "nar/%5c..%5cx",
        "nar/a b",
        "nar/%00x",
        "nar/%0ax",
        "nar/%zz",
        "nar/%2",
        "nar/é",
        "http%3a//host/x",
    ] {
        refused(&with(bad));
    }
}

#[test]
fn what_no_two_readers_see_alike_is_refused() {
    let text = info().write();
    for bad in [
        text.replace('\n', "\r\n"),
        text.replace("NarSize: 112", "NarSize: +112"),
        text.replace("NarSize: 112", "NarSize: 0x70"),
        text.replace("NarSize: 112", "NarSize: 99999999999999999999"),
        text.replace("FileSize: 112", "FileSize: -1"),
        text.replace("Deriver: ", "Deriver: \u{1b}[2J"),
        text.replace("Deriver: ", "Deriver "),
        text.replace("StorePath: /nix/store/", "StorePath: /nix/../store/"),
        text.replace("StorePath: /nix/store/", "StorePath: "),
        text.clone() + &"x".repeat(LONGEST as usize),
    ] {
        refused(&bad);
    }
}

#[test]
fn guix_offers_several_compressions() {
    let group = |name: &str| format!("URL: nar/{name}/x\nCompression: {name}\nFileSize: 9\n");
    let (start, rest) = (info().write(), "URL: nar/x.nar\nCompression: none\n");
    let start = start.replace(rest, "").replace("FileSize: 112\n", "");
    let parse = |groups: &str| NarInfo::parse(&(start.clone() + groups));
    let first = parse(&(group("lzip") + &group("zstd") + &group("gzip"))).unwrap();
    assert_eq!((first.url.as_str(), first.is_known()), ("nar/zstd/x", true));
    let none = parse(&(group("lzip") + &group("br"))).unwrap();
    assert_eq!((none.url.as_str(), none.is_known()), ("nar/lzip/x", false));
    for bad in [
        group("gzip") + &group("gzip"),
        group("gzip") + "URL: nar/y\n",
        group("gzip") + "Compression: xz\n",
        group("gzip") + "FileSize: 9\n",
        "URL: a\nURL: b\n".into(),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
}
