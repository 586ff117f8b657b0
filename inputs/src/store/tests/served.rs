//! URLs.

use super::server::{Way, serve};
use super::*;

fn content() -> Vec<u8> {
    (0..200_000u32).flat_map(u32::to_le_bytes).collect()
}

fn url(url: &str) -> Place {
    Place::Url(url.into())
}

#[test]
fn servers_that_come_round() {
    for (way, requests) in [
        (Way::Good, vec!["/file all"]),
        (Way::NoRanges, vec!["/file all"]),
        (Way::Unsized, vec!["/file all"]),
        (Way::Redirect, vec!["/file all", "/good all"]),
        (Way::Drips, vec!["/file all"]),
        (Way::BreaksOnce, vec!["/file all", "/file 400000"]),
        (Way::WrongRange, vec!["/file all"]),
        (Way::Recovers, vec!["/file all"; 3]),
    ] {
        let (bench, content) = (Bench::new(), content());
        let server = serve(way, &content);
        let spec = bench.spec(vec![url(&server.url)], &content);
        let got = bench.obtain(&spec).unwrap();
        assert_eq!(fs::read(&got.path).unwrap(), content);
        assert_eq!(
            (got.kind, got.size, &got.sha256),
            (Kind::File, 800_000, &spec.input.sha256.as_ref().unwrap().parse().unwrap())
        );
        assert_eq!(got.files[0].place, server.url);
        assert_eq!(server.seen(), requests);
        // From the cache the second time.
        assert_eq!(bench.obtain(&spec).unwrap(), got);
        assert_eq!(server.seen(), requests);
        assert!(bench.names("parts").is_empty() && bench.names("tmp").is_empty());
    }
}

#[test]
fn servers_that_do_not() {
    for (way, says) in [
        (Way::NotFound, "the server answered 404 Not Found"),
        (Way::Loop, "redirect"),
        (Way::Huge, "larger than the limit of 10000000 bytes"),
        (Way::Stalls, "timeout"),
        (Way::BreaksNoRanges, "after 400000 bytes"),
        (Way::BreaksAlways, "bytes: "),
        (Way::Broken(503), "the server answered 503"),
        (Way::Trickles, "too slow: "),
        (Way::TricklesHeaders, "timeout"),
    ] {
        let mut bench = Bench::new();
        if way == Way::Stalls {
            bench.store.fetch.resumes = 1;
        }
        let server = serve(way, &content());
        let error = bench.obtain(&bench.spec(vec![url(&server.url)], &content())).unwrap_err();
        assert!(
            error.starts_with(&format!("input \"it\" could not be obtained\n  {}: ", server.url)),
            "{error}"
        );
        assert!(error.contains(says), "{error}\n{says}");
        assert!(bench.names("files").is_empty());
    }
    let bench = Bench::new();
    for (place, says) in [
        ("ftp://127.0.0.1/x", "is no URL that can be fetched"),
        ("http://127.0.0.1:1/x", "refused"),
        ("http://", "http"),
        ("file:relative", "is no URL that can be fetched"),
        ("file:///no/such/file", "No such file"),
    ] {
        let error = bench.obtain(&bench.spec(vec![url(place)], b"")).unwrap_err();
        assert!(error.contains(says), "{error}\n{says}");
    }
}

/// Whether trying elsewhere may help, and whether the file is known not to be there: by status, and by no digits in a text.
#[test]
fn what_failed_is_told_apart() {
    let content = content();
    let digits = hash::bytes(b"404");
    for (way, absent, elsewhere) in [
        (Way::NotFound, true, false),
        (Way::Broken(410), true, false),
        (Way::Broken(403), false, false),
        (Way::Broken(500), false, true),
        (Way::Broken(429), false, true),
        (Way::BreaksNoRanges, false, true),
        (Way::Loop, false, false),
    ] {
        let bench = Bench::new();
        let server = serve(way, &content);
        let to = bench.folder.path().join("x");
        let reason = bench.store.download(&format!("{}/404/{digits}", server.url), &to, 1 << 20).unwrap_err();
        assert_eq!((reason.is_absent(), reason.is_elsewhere()), (absent, elsewhere), "{reason}");
        let error = bench.store.obtain(&bench.spec(vec![url(&server.url)], b""), None, &Silent).unwrap_err();
        assert_eq!(error.is_elsewhere(), elsewhere, "{error}");
    }
    let bench = Bench::new();
    for (url, elsewhere) in [
        ("http://127.0.0.1:1/404", true),
        ("http://no-such-host.invalid/404", true),
        ("http://", false),
        ("ftp://127.0.0.1/x", false),
    ] {
        let reason = bench.store.download(url, &bench.folder.path().join("x"), 9).unwrap_err();
        assert_eq!((reason.is_absent(), reason.is_elsewhere()), (false, elsewhere), "{reason}");
    }
    // TLS that is none.
    let server = serve(Way::Good, b"x");
    let url = server.url.replace("http:", "https:");
    let reason = bench.store.download(&url, &bench.folder.path().join("x"), 9).unwrap_err();
    assert!(!reason.is_absent() && reason.is_elsewhere(), "{reason}");
    // The host itself is there: other files of it are still asked for.
    assert!(bench.store.download(&server.url, &bench.folder.path().join("x"), 9).is_ok());
}

#[test]
fn a_dead_host_is_tried_once() {
    let bench = Bench::new();
    let to = bench.folder.path().join("x");
    let get = |url: &str| bench.store.download(url, &to, 9).unwrap_err().to_string();
    assert!(get("http://127.0.0.1:1/a").contains("refused"));
    assert!(bench.store.is_dead("http://127.0.0.1:1/b").is_some());
    // Someone else listens there by now, and is not asked.
    let server = serve(Way::Good, b"x");
    assert!(bench.store.is_dead(&server.url).is_none() && bench.store.download(&server.url, &to, 9).is_ok());
}

#[test]
fn a_wrong_hash_keeps_nothing() {
    let bench = Bench::new();
    let server = serve(Way::Good, b"evil");
    let error = bench.obtain(&bench.spec(vec![url(&server.url)], b"good")).unwrap_err();
    for says in [hash::bytes(b"good"), hash::bytes(b"evil"), server.url.clone(), "nothing was kept".into()] {
        assert!(error.contains(&says), "{error}\n{says}");
    }
    assert!(bench.names("files").is_empty() && bench.names("parts").is_empty());
}

#[test]
fn what_was_begun_goes_on() {
    let content = content();
    let sha256 = hash::bytes(&content);
    // Another run got 1000 bytes; a server with ranges sends the rest, one without all.
    for (way, request) in
        [(Way::Good, "/file 1000"), (Way::NoRanges, "/file 1000"), (Way::WrongRange, "/file 1000")]
    {
        let bench = Bench::new();
        fs::write(bench.store.cache.part(&sha256), &content[..1000]).unwrap();
        let server = serve(way, &content);
        let got = bench.obtain(&bench.spec(vec![url(&server.url)], &content));
        match way {
            Way::WrongRange => assert!(got.unwrap_err().contains("another range")),
            _ => assert_eq!(fs::read(got.unwrap().path).unwrap(), content),
        }
        assert_eq!(server.seen(), [request]);
    }
    // The part is of something else, is too long, or complete already.
    for (part, requests) in [
        (vec![7; 1000], vec!["/file 1000", "/file all"]),
        (vec![7; 900_000], vec!["/file 900000", "/file all"]),
        (content.clone(), vec!["/file 800000"]),
        (vec![7; 800_000], vec!["/file 800000", "/file all"]),
    ] {
        let bench = Bench::new();
        fs::write(bench.store.cache.part(&sha256), part).unwrap();
        let server = serve(Way::Good, &content);
        let got = bench.obtain(&bench.spec(vec![url(&server.url)], &content)).unwrap();
        assert_eq!(fs::read(got.path).unwrap(), content);
        assert_eq!(server.seen(), requests);
    }
    // A broken download leaves its part for the next run.
    let bench = Bench::new();
    let server = serve(Way::BreaksNoRanges, &content);
    assert!(bench.obtain(&bench.spec(vec![url(&server.url)], &content)).is_err());
    assert_eq!(bench.names("parts"), [sha256]);
    let server = serve(Way::Good, &content);
    assert!(bench.obtain(&bench.spec(vec![url(&server.url)], &content)).is_ok());
    assert_eq!(server.seen(), ["/file 400000"]);
}

#[test]
fn places_in_turn() {
    let bench = Bench::new();
    let (gone, evil, good) =
        (serve(Way::NotFound, b""), serve(Way::Good, b"evil"), serve(Way::Good, b"good"));
    let places = vec![url(&gone.url), url(&evil.url), Place::File("none".into()), url(&good.url)];
    assert_eq!(bench.obtain(&bench.spec(places.clone(), b"good")).unwrap().files[0].place, good.url);
    let error = bench.obtain(&bench.spec(places, b"other")).unwrap_err();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 5, "{error}");
    assert!(lines[1].contains("404") && lines[2].contains("wrong sha256"), "{error}");
    assert!(lines[3].contains("file none") && lines[4].contains(&hash::bytes(b"good")), "{error}");
}

#[test]
fn progress_is_told() {
    let bench = Bench::new();
    let server = serve(Way::Drips, &content());
    let events = Mutex::new(Vec::new());
    let progress = |event: &crate::Event| {
        events.lock().unwrap().push((event.input.to_owned(), event.done, event.total));
    };
    bench.store.obtain(&bench.spec(vec![url(&server.url)], &content()), None, &progress).unwrap();
    let events = events.into_inner().unwrap();
    assert!(events.len() >= 10 && events.is_sorted_by_key(|event| event.1), "{events:?}");
    assert_eq!(events.last().unwrap(), &("it".into(), 800_000, Some(800_000)));
}
