# Groups of tests and checks, by what they need. `just` lists them.

default:
    @just --list

# Formatting, lints, cycles between files: no root, no QEMU, no network.
lint:
    tools/check-cycles
    cargo fmt --all --check
    cargo clippy --release --locked --workspace --all-targets -- -D warnings
    tools/lint-programs

# Tests beside the code: no root, no QEMU. Those of `inputs` that fetch real packages are left out.
unit:
    cargo test --release --locked --workspace --lib -- --skip network

# Tests in machines: QEMU and KVM or time.
boot:
    cargo test --release --locked -p builder --test machines --test strict --test determinism --test init

# Tests that fetch real packages.
network:
    cargo test --release --locked -p inputs --lib network

# Each fuzz target for a minute; needs a nightly compiler and cargo-fuzz.
fuzz seconds="60":
    cd fuzz && for target in $(cargo +nightly fuzz list); do cargo +nightly fuzz run "$target" -- -max_total_time={{seconds}}; done

# Writes the golden files anew; look at the difference before it is committed.
bless:
    SNAPSHOTS=overwrite cargo test --release --locked -p graphs
    SNAPSHOTS=overwrite cargo test --release --locked -p builder --test bad_input --test command_line
