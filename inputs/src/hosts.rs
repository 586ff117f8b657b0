//! Which hosts can't be reached, so that one dead host costs its time once and not once for each of its files.
//!
//! A host counts as out of reach when its name does not resolve or no connection to it comes about. What a host says
//! once it is reached (404, 500, a broken certificate) says nothing of its other files and is not remembered. Through a
//! proxy only the proxy has to be reached: names are resolved there.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{TcpStream, ToSocketAddrs},
    sync::{Mutex, MutexGuard, mpsc},
    thread,
    time::Duration,
};
use ureq::{Proxy, http::Uri};

/// For trying whether a host is there: its name and one connection.
const PROBE: Duration = Duration::from_secs(10);

/// Time passes in waits of this length. Where this whole machine stood still, that was one wait, and no host's fault.
const WAIT: Duration = Duration::from_millis(100);

/// How many waits without an answer: those of one connection, and a second for names.
const WAITS: u128 = PROBE.as_millis() / WAIT.as_millis() + 10;

/// A host and a port, `HOST:PORT`.
type Host = String;

/// What was found out in this run.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<BTreeMap<Host, Option<String>>>);

impl Hosts {
    /// Why the host of a URL is out of reach, if it was found to be.
    pub fn dead(&self, url: &str) -> Option<String> {
        self.known().get(&host(url)?)?.clone()
    }

    /// Tries the hosts of all these URLs at once, those that are not known yet.
    pub fn probe<'a>(&self, urls: impl IntoIterator<Item = &'a str>) {
        let all: BTreeSet<Host> = urls.into_iter().filter_map(host).collect();
        let new: Vec<Host> = all.into_iter().filter(|host| !self.known().contains_key(host)).collect();
        let (to, from) = mpsc::channel();
        for host in &new {
            let (to, host) = (to.clone(), host.clone());
            // A resolver can't be interrupted: whoever is late is not waited for.
            thread::spawn(move || to.send((host.clone(), reach(&host))));
        }
        drop(to);
        let mut late: BTreeSet<Host> = new.into_iter().collect();
        let mut waits = 0;
        while waits < WAITS {
            match from.recv_timeout(WAIT) {
                Ok((host, why)) => {
                    late.remove(&host);
                    self.known().insert(host, why);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => waits += 1,
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        let why = format!("no answer within {} seconds", PROBE.as_secs());
        self.known().extend(late.into_iter().map(|host| (host, Some(why.clone()))));
    }

    /// After a connection failed: tries whether it is the host of this URL that is out of reach, or another one that it
    /// leads to.
    pub fn suspect(&self, url: &str) {
        if let Some(host) = host(url) {
            self.known().remove(&host);
            self.probe([url]);
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Host, Option<String>>> {
        self.0.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

/// What has to be reached for a URL: its host, or the proxy.
fn host(url: &str) -> Option<Host> {
    let uri: Uri = url.parse().ok()?;
    let port = match uri.scheme_str()? {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    if let Some(proxy) = Proxy::try_from_env().filter(|proxy| !proxy.is_no_proxy(&uri)) {
        return Some(format!("{}:{}", proxy.host(), proxy.port()));
    }
    Some(format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(port)))
}

/// Why a connection does not come about.
fn reach(host: &str) -> Option<String> {
    let addresses: Vec<_> = match host.to_socket_addrs() {
        Ok(addresses) => addresses.collect(),
        Err(error) => return Some(error.to_string()),
    };
    let mut why = "its name has no address".to_owned();
    for address in addresses.iter().take(4) {
        match TcpStream::connect_timeout(address, PROBE / addresses.len().clamp(1, 4) as u32) {
            Ok(_) => return None,
            Err(error) => why = error.to_string(),
        }
    }
    Some(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_host_is_known_by_name_and_port() {
        assert_eq!(host("http://a.test/x").as_deref(), Some("a.test:80"));
        assert_eq!(host("https://a.test/x").as_deref(), Some("a.test:443"));
        assert_eq!(host("https://u@a.test:8/x").as_deref(), Some("a.test:8"));
        assert_eq!(host("http://[::1]:8/x").as_deref(), Some("[::1]:8"));
        assert_eq!((host("ftp://a.test/x"), host("file:///x"), host("x")), (None, None, None));
    }

    #[test]
    fn many_dead_hosts_take_the_time_of_one() {
        let hosts = Hosts::default();
        let urls: Vec<String> = (0..200).map(|n| format!("http://n{n}.invalid/x")).collect();
        let start = Instant::now();
        hosts.probe(urls.iter().map(String::as_str));
        assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
        assert!(urls.iter().all(|url| hosts.dead(url).is_some()));
        // The second time nothing is asked.
        let start = Instant::now();
        hosts.probe(urls.iter().map(String::as_str));
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn a_host_that_is_there_is_not_dead() {
        // An address of its own: ports of 127.0.0.1 that are free again go to whoever asks next.
        let id = std::process::id().to_be_bytes();
        let address = std::net::Ipv4Addr::new(127, 64 | id[1] & 63, id[2], id[3]);
        let listener = std::net::TcpListener::bind((address, 0)).unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let hosts = Hosts::default();
        hosts.probe([url.as_str(), "http://127.0.0.1:1/x"]);
        assert_eq!(hosts.dead(&url), None);
        assert!(hosts.dead("http://127.0.0.1:1/y").unwrap().contains("refused"));
        drop(listener);
        hosts.suspect(&url);
        assert!(hosts.dead(&url).is_some());
    }
}
