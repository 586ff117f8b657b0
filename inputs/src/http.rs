//! Files by URL: `http:`, `https:` (the system's certificates) and `file:`.
//!
//! A download goes to a part file, which stays when the connection breaks, and goes on from there with a `Range`
//! request (RFC 9110, section 14). A server that doesn't know ranges sends all of it again. Nothing that a server says
//! is trusted: the caller hashes the result. Proxies come from `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`.

use super::{
    error::{Reason, is_full, written},
    hash,
    hosts::Hosts,
    pace::Pace,
    progress::Reporter,
};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    thread,
    time::Duration,
};
use ureq::{
    Agent,
    http::{Response, StatusCode, header},
    tls::{RootCerts, TlsConfig},
};

/// For finding a server's address, and again for reaching it.
const CONNECT: Duration = Duration::from_secs(30);

/// When to give up.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Without one byte arriving; and the window in which [`Limits::rate`] is measured.
    pub stall: Duration,
    /// Bytes a second that must arrive on average in each such window.
    pub rate: u64,
    /// Followed in a row.
    pub redirects: u32,
    /// Bytes of one file.
    pub size: u64,
    /// Times that a broken download is taken up again, as long as each brings some bytes.
    pub resumes: u32,
    /// Times that a server is asked again that is busy or says that it is broken (408, 429, 5xx).
    pub retries: u32,
    /// Before each of these.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            stall: Duration::from_secs(60),
            rate: 1 << 10,
            redirects: 8,
            size: 8 << 30,
            resumes: 5,
            retries: 2,
            pause: Duration::from_secs(1),
        }
    }
}

/// Fetches a URL into `part`, going on from what is there. A host that was out of reach before is not tried again.
pub fn download(
    url: &str,
    part: &Path,
    limits: Limits,
    hosts: &Hosts,
    reporter: Reporter,
) -> Result<(), Reason> {
    match url.split_once(':') {
        Some(("http" | "https", _)) => {}
        Some(("file", path)) => return copy(path, part, limits),
        _ => return Err(Reason::Scheme(url.into())),
    }
    if let Some(why) = hosts.dead(url) {
        return Err(Reason::Unreachable(why));
    }
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(limits.redirects)
        .accept_encoding("identity")
        .user_agent(concat!("groundup/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(limits.stall))
        .timeout_per_read(Some(limits.stall))
        .build()
        .new_agent();
    let (mut resumes, mut retries) = (0, 0);
    loop {
        let before = length(part);
        match once(&agent, url, part, limits, reporter) {
            Err(Broken::Off(_)) if length(part) > before && resumes < limits.resumes => resumes += 1,
            Err(Broken::Off(what)) => return Err(Reason::Http(what)),
            Err(Broken::Busy(_)) if retries < limits.retries => {
                retries += 1;
                thread::sleep(limits.pause * retries);
            }
            Err(Broken::Busy(reason) | Broken::Final(reason)) => return Err(reason),
            Err(Broken::Unreached(what)) => {
                hosts.suspect(url);
                return Err(Reason::Unreachable(what));
            }
            Ok(()) => return Ok(()),
        }
    }
}

/// Whether it makes sense to go on.
enum Broken {
    /// Halfway.
    Off(String),
    /// The server may have it later.
    Busy(Reason),
    /// Before the server said anything.
    Unreached(String),
    Final(Reason),
}

/// What became of a request that has no response.
fn unanswered(error: &ureq::Error) -> Broken {
    use ureq::{Error, Timeout};
    let what = error.to_string();
    match error {
        // What the address is, or where it leads to, is wrong.
        Error::BadUri(_) | Error::Http(_) | Error::TooManyRedirects | Error::RedirectFailed => {
            Broken::Final(Reason::Address(what))
        }
        Error::Io(_)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::Tls(_)
        | Error::Rustls(_)
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Broken::Unreached(what),
        _ => Broken::Off(what),
    }
}

fn once(agent: &Agent, url: &str, part: &Path, limits: Limits, reporter: Reporter) -> Result<(), Broken> {
    let have = length(part);
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header(header::RANGE, format!("bytes={have}-"));
    }
    let response = request.call().map_err(|error| unanswered(&error))?;
    let number =
        |name| response.headers().get(name).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let announced = number(header::CONTENT_LENGTH);
    let start = match (response.status(), range_start(&response)) {
        (StatusCode::OK, _) => 0,
        (StatusCode::PARTIAL_CONTENT, Some(start)) if start == have && have > 0 => have,
        // The part is as long as the file, or longer, or of something else: the hash will tell about the first.
        (StatusCode::RANGE_NOT_SATISFIABLE, _) if have > 0 => {
            let all = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
            if all == Some(&format!("bytes */{have}")) {
                return Ok(());
            }
            fs::remove_file(part).map_err(|error| Broken::Final(read(part, error)))?;
            return once(agent, url, part, limits, reporter);
        }
        (StatusCode::PARTIAL_CONTENT, _) => {
            let _ = fs::remove_file(part);
            return Err(Broken::Off("the server sent another range than was asked for".into()));
        }
        (status, _) => {
            let reason = Reason::Status { code: status.as_u16(), text: status.to_string() };
            let busy = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
            return Err(if busy { Broken::Busy(reason) } else { Broken::Final(reason) });
        }
    };
    let total = announced.map(|length| start + length);
    if total.is_some_and(|total| total > limits.size) {
        return Err(Broken::Final(Reason::TooLarge(limits.size)));
    }
    let mut file = File::options().create(true).append(start > 0).write(true).truncate(start == 0).open(part);
    let file = file.as_mut().map_err(|error| Broken::Final(written(part, io::Error::from(error.kind()))))?;
    let mut body = response.into_body().into_with_config().limit(u64::MAX).reader();
    let mut pace = Pace::new(limits.stall, limits.rate, start);
    let report = |done| reporter.bytes(url, done, total);
    let done = append(&mut body, (file, part), start, limits, &mut pace, &report)?;
    match total {
        Some(total) if total != done => {
            Err(Broken::Off(format!("the connection ended after {done} of {total} bytes")))
        }
        _ => Ok(()),
    }
}

/// Appends a body to a part of `start` bytes, and returns the bytes that there are then.
fn append(
    body: &mut impl Read,
    (file, part): (&mut File, &Path),
    start: u64,
    limits: Limits,
    pace: &mut Pace,
    report: &dyn Fn(u64),
) -> Result<u64, Broken> {
    let mut buffer = vec![0; 128 << 10];
    let mut done = start;
    loop {
        report(done);
        let n = match body.read(&mut buffer) {
            Ok(0) => return Ok(done),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Broken::Off(format!("after {done} bytes: {error}"))),
        };
        done += n as u64;
        if let Some((bytes, window)) = pace.slow(done) {
            let seconds = window.as_secs();
            return Err(Broken::Final(Reason::Slow { bytes, seconds, rate: limits.rate }));
        }
        if done > limits.size {
            let _ = fs::remove_file(part);
            return Err(Broken::Final(Reason::TooLarge(limits.size)));
        }
        file.write_all(&buffer[..n]).map_err(|error| Broken::Final(written(part, error)))?;
    }
}

/// N of `Content-Range: bytes N-M/L`.
fn range_start<B>(response: &Response<B>) -> Option<u64> {
    let value = response.headers().get(header::CONTENT_RANGE)?.to_str().ok()?;
    value.strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}

/// `file:` with its path absolute and not escaped: `file:///PATH`, `file:/PATH`.
fn copy(path: &str, part: &Path, limits: Limits) -> Result<(), Reason> {
    let path = Path::new(path.strip_prefix("//").unwrap_or(path));
    if !path.is_absolute() {
        return Err(Reason::Scheme(format!("file:{}", path.display())));
    }
    let mut from = File::open(path).map_err(|error| read(path, error))?.take(limits.size + 1);
    let copied = File::create(part).and_then(|mut to| hash::copy(&mut from, &mut to));
    match copied.map_err(|error| if is_full(&error) { written(part, error) } else { read(path, error) })? {
        size if size > limits.size => Err(Reason::TooLarge(limits.size)),
        _ => Ok(()),
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map(|meta| meta.len()).unwrap_or(0)
}

fn read(path: &Path, source: io::Error) -> Reason {
    Reason::Read { path: path.into(), source }
}
