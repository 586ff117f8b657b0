//! A web server for this machine alone, which misbehaves as its paths say. `/debian/` and `/simple/` have nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Starts it for as long as the process lives; the port has five digits, so that underlines are as long in every run.
pub fn start() -> u16 {
    let listener = loop {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        if listener.local_addr().unwrap().port() >= 10_000 {
            break listener;
        }
    };
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who hangs up early is none of our business.
            thread::spawn(move || answer(stream).ok());
        }
    });
    port
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let answer = match first.split(' ').nth(1).unwrap_or_default() {
        "/hi" => "200 OK\r\nContent-Length: 3\r\n\r\nhi\n",
        "/short" => "200 OK\r\nContent-Length: 100\r\n\r\nhi\n",
        "/huge" => "200 OK\r\nContent-Length: 99999999999999\r\n\r\nhi\n",
        "/loop" => "302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
        _ => "404 Not Found\r\nContent-Length: 0\r\n\r\n",
    };
    let (status, rest) = answer.split_once("\r\n").unwrap_or_default();
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{rest}")
}
