//! Other programs that are run for their output, and not for ever.

use std::{
    io::{self, Read},
    process::{Command, Output, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// For a package manager that refreshes its lists or fetches a package of some 100 MB. Their own time limits are about
/// silence: a server that sends a byte now and then would hold them for ever.
pub const LIMIT: Duration = Duration::from_secs(30 * 60);

/// What a program says until it ends. One that takes longer than `limit` is ended.
pub fn output(command: &mut Command, limit: Duration) -> io::Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let (stdout, stderr) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            let what = format!("it was ended, because it took longer than {} seconds", limit.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        thread::sleep(Duration::from_millis(5));
    };
    Ok(Output {
        status,
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
    })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut bytes));
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let said = output(Command::new("sh").args(["-c", "echo a; echo b >&2; exit 3"]), LIMIT).unwrap();
        assert_eq!(
            (said.status.code(), &said.stdout[..], &said.stderr[..]),
            (Some(3), &b"a\n"[..], &b"b\n"[..])
        );
        let start = Instant::now();
        let error = output(Command::new("sleep").arg("60"), Duration::from_millis(200)).unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(10) && error.to_string().contains("ended"), "{error}");
    }
}
