//! A step's result does not depend on what ran before it in the same boot: a program writes down all that it could see of that
//! (`graphs/anew.c`), as the first step and after noisy ones.
#![allow(clippy::unwrap_used, reason = "in a test it is the assertion")]

mod support;

use snapbox::{IntoData, assert_data_eq};
use std::fs;
use std::path::Path;
use std::process::Command;
use support::{folder, graph, groundup, need};

/// The outputs of these steps after these others, on a machine.
fn results(machine: &str, noise: &str, sleep: &str, wanted: &[&str]) -> Vec<String> {
    need("busybox", "busybox-static");
    need("qemu-system-x86_64", "qemu-system-x86");
    let folder = folder();
    let program = folder.path().join("anew");
    let source = graph("anew").with_extension("c");
    let compiled = Command::new("gcc").args(["-O1", "-static", "-o"]).arg(&program).arg(source).status();
    assert!(compiled.unwrap().success(), "gcc -static: apt-get install gcc libc6-dev");
    let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|path| Path::new(path).exists());
    fs::copy(busybox.unwrap(), folder.path().join("busybox")).unwrap();
    let mut text = fs::read_to_string(graph("anew")).unwrap();
    for (mark, file) in [("BUSYBOX", "busybox"), ("ANEW", "anew")] {
        text = text.replace(mark, &builder::hash(&fs::read(folder.path().join(file)).unwrap()));
    }
    text = text.replace("MACHINE", machine).replace("NOISE", noise).replace("SLEEP", sleep);
    let (graph, out) = (folder.path().join("anew.ron"), folder.path().join("out"));
    fs::write(&graph, text).unwrap();
    let mut command = groundup();
    command.arg("run").arg(&graph).args(["--machine", machine, "--timeout", "600", "--out"]).arg(&out);
    if machine == "strict" {
        command.args(["--kernel", "minimal"]);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    wanted.iter().map(|name| fs::read_to_string(out.join(name)).unwrap()).collect()
}

const NOISE: &str = "\"a-noise\", \"b-noise\", \"c-user\", ";

/// Two boots, since random numbers follow from the name of the output too.
#[test]
fn a_step_in_strict_starts_as_if_it_were_the_first() {
    // The kernel would draw random numbers anew after a minute.
    let [first, later] = [("", ""), (NOISE, "sleep 200")]
        .map(|(noise, sleep)| results("strict", noise, sleep, &["result"]).remove(0));
    assert!(first.contains("getrandom ") && first.contains("port "), "{first}");
    assert_data_eq!(later, first.raw());
}

#[test]
fn a_step_on_the_host_has_numbers_and_clocks_of_its_own() {
    let noise = format!("\"a-first\", {NOISE}");
    // Where somebody else mounts something meanwhile, numbers of devices are others.
    for attempt in 1.. {
        let both = results("host", &noise, "sleep 2", &["a-first", "result"]);
        assert!(both[0].contains("CLOCK_MONOTONIC 0\n") && both[0].contains("/proc device "), "{}", both[0]);
        if both[0] == both[1] || attempt == 5 {
            assert_data_eq!(&both[1], both[0].as_str().raw());
            break;
        }
    }
}
