//! A web server of a few lines that misbehaves on request.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

/// How to answer.
#[derive(Clone, Copy, PartialEq)]
pub enum Way {
    Good,
    /// 200 and everything, whatever range was asked for.
    NoRanges,
    NotFound,
    /// Announces everything, sends half, hangs up; ranges are served in full.
    BreaksOnce,
    /// As above at every request, each time half of what is left.
    BreaksAlways,
    /// As `BreaksOnce`, without ranges.
    BreaksNoRanges,
    /// Sends half and then nothing for long.
    Stalls,
    /// Sends a little at a time, faster than it would take to stall.
    Drips,
    /// Redirects to itself.
    Loop,
    /// Redirects to `/good`.
    Redirect,
    /// A range that nobody asked for.
    WrongRange,
    /// Announces more than any limit.
    Huge,
    /// No length, ends by closing.
    Unsized,
    /// A byte now and then, without an end: never silent, and never done.
    Trickles,
    /// The same before the headers are complete.
    TricklesHeaders,
    /// Says that it is broken, with this status.
    Broken(u16),
    /// The same for the first two requests.
    Recovers,
}

pub struct Server {
    pub url: String,
    /// The request lines and `Range` headers so far.
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// Serves until the test's process ends.
pub fn serve(way: Way, content: &[u8]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (content, log, own) = (content.to_vec(), seen.clone(), url.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (content, log, own) = (content.clone(), log.clone(), own.clone());
            std::thread::spawn(move || answer(stream.unwrap(), way, &content, &log, &own));
        }
    });
    Server { url, seen }
}

/// Serves these bodies by path, 404 for others, until the test's process ends. The address has no path.
#[allow(dead_code, reason = "the tests of derivations use it, which include this file")]
pub fn serve_all(bodies: std::collections::BTreeMap<String, Vec<u8>>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let path = request.split(' ').nth(1).unwrap_or_default();
            if path.is_empty() {
                // A connection alone, to see whether there is anyone.
                continue;
            }
            log.lock().unwrap().push(path.to_owned());
            let (status, body) = match bodies.get(path) {
                Some(body) => ("200 OK", &body[..]),
                None => ("404 Not Found", &b""[..]),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), body].concat());
        }
    });
    Server { url, seen }
}

fn answer(
    mut stream: TcpStream,
    way: Way,
    content: &[u8],
    log: &Mutex<Vec<String>>,
    own: &str,
) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    let mut range = None;
    for line in lines {
        let line = line.ok()?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        range =
            range.or(line.strip_prefix("range: bytes=").map(|range| range.trim_end_matches('-').to_owned()));
    }
    let path = request.split(' ').nth(1)?.to_owned();
    log.lock().unwrap().push(format!("{path} {}", range.as_deref().unwrap_or("all")));
    let ranges = !matches!(way, Way::NoRanges | Way::BreaksNoRanges);
    let start: Option<usize> = range.filter(|_| ranges).and_then(|range| range.parse().ok());
    let size = content.len();
    let mut reply = |head: &str, body: &[u8]| {
        let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
        let _ = stream.write_all(body);
        let _ = stream.flush();
    };
    match way {
        Way::NotFound => reply("404 Not Found\r\nContent-Length: 4", b"none"),
        Way::Loop => reply(&format!("302 Found\r\nContent-Length: 0\r\nLocation: {own}"), b""),
        Way::Redirect if path != "/good" => reply("302 Found\r\nContent-Length: 0\r\nLocation: /good", b""),
        Way::Broken(status) => reply(&format!("{status} No\r\nContent-Length: 0"), b""),
        Way::Recovers if log.lock().unwrap().len() < 3 => reply("503 No\r\nContent-Length: 0", b""),
        Way::Trickles | Way::TricklesHeaders => {
            let headers = way == Way::TricklesHeaders;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n");
            let _ = stream.write_all(if headers { b"X: " } else { b"\r\n" });
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Way::Huge => reply("200 OK\r\nContent-Length: 99999999999", content),
        Way::Unsized => reply("200 OK", content),
        Way::WrongRange if start.is_some() => {
            reply(
                &format!("206 Partial Content\r\nContent-Length: 1\r\nContent-Range: bytes 0-0/{size}"),
                b"x",
            );
        }
        _ => {
            let rest = content.get(start.unwrap_or(0)..).unwrap_or_default();
            let head = match start {
                Some(start) if start >= size => {
                    reply(&format!("416 No\r\nContent-Length: 0\r\nContent-Range: bytes */{size}"), b"");
                    return None;
                }
                Some(start) => {
                    format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{size}", size - 1)
                }
                None => "200 OK".into(),
            };
            let head = format!("{head}\r\nContent-Length: {}", rest.len());
            let half = &rest[..rest.len() / 2];
            match way {
                Way::BreaksOnce if start.is_none() => reply(&head, half),
                Way::BreaksAlways | Way::BreaksNoRanges => reply(&head, half),
                Way::Stalls => {
                    reply(&head, half);
                    std::thread::sleep(Duration::from_secs(8));
                }
                Way::Drips => {
                    reply(&head, b"");
                    for piece in rest.chunks(rest.len().div_ceil(10)) {
                        std::thread::sleep(Duration::from_millis(150));
                        let _ = stream.write_all(piece);
                    }
                }
                _ => reply(&head, rest),
            }
        }
    }
    Some(())
}
