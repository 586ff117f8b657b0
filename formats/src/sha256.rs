//! SHA-256 (FIPS 180-4) for a machine whose instructions are counted: what it costs is how many instructions it takes, however many
//! a real CPU could run at once. On the strict machine, whose CPU has no instructions for it, this takes 39 a byte; crate `sha2`
//! takes 73 in its compact form, and 52 in its unrolled one, which is several times as large as this.
//!
//! Crate `sha2` is the oracle in the tests, and what programs of the host hash with.
#![allow(unsafe_code)]

use core::arch::naked_asm;

/// A message that is being hashed.
pub struct Sha256 {
    state: State,
    /// The bytes since the last whole block.
    rest: [u8; 64],
    size: u64,
}

#[repr(C, align(16))]
struct State([u32; 8]);

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
#[repr(C, align(16))]
struct Constants([u32; 64]);

#[rustfmt::skip]
static K: Constants = Constants([
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

impl Sha256 {
    /// The empty message.
    pub const fn new() -> Sha256 {
        let state =
            [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
        Sha256 { state: State(state), rest: [0; 64], size: 0 }
    }

    /// Adds to the message.
    pub fn update(&mut self, mut bytes: &[u8]) {
        let used = (self.size % 64) as usize;
        self.size += bytes.len() as u64;
        if used > 0 {
            let (more, left) = bytes.split_at(bytes.len().min(64 - used));
            self.rest[used..used + more.len()].copy_from_slice(more);
            bytes = left;
            if used + more.len() < 64 {
                return;
            }
            compress(&mut self.state, &self.rest);
        }
        let (blocks, left) = bytes.split_at(bytes.len() - bytes.len() % 64);
        compress(&mut self.state, blocks);
        self.rest[..left.len()].copy_from_slice(left);
    }

    /// The hash.
    pub fn finalize(mut self) -> [u8; 32] {
        let bits = self.size * 8;
        self.update(&[0x80]);
        while self.size % 64 != 56 {
            self.update(&[0]);
        }
        self.update(&bits.to_be_bytes());
        let mut digest = [0; 32];
        for (bytes, word) in digest.chunks_exact_mut(4).zip(self.state.0) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        digest
    }
}

impl Default for Sha256 {
    fn default() -> Sha256 {
        Sha256::new()
    }
}

/// Takes in the whole blocks of `bytes`.
fn compress(state: &mut State, bytes: &[u8]) {
    // SAFETY: so many blocks are there.
    unsafe { blocks(state, bytes.as_ptr(), bytes.len() / 64) }
}

/// First all 64 words of the message schedule, four at a time as far as none of them follows from another; then eight rounds at a
/// time, after which each variable is in its register again. Where a round has `a ^ b`, the next one has `b ^ c`: it is kept for
/// `Maj`. A translated CPU takes most for instructions that turn about what is in a vector, so there are none.
///
/// # Safety
/// `count` blocks of 64 bytes start at `bytes`.
#[unsafe(naked)]
unsafe extern "C" fn blocks(state: &mut State, bytes: *const u8, count: usize) {
    naked_asm!(
        // Variables a to h, of which each round makes the next; `$e` and so on are registers.
        ".macro groundup_round a, b, c, d, e, f, g, h, i, ab, bc",
        "mov r10d, \\e",
        "mov r11d, \\f",
        "ror r10d, 14",
        "xor r11d, \\g",
        "xor r10d, \\e",
        "add \\h, [rsp + rcx + 4 * \\i]",
        "add \\h, [rsi + rcx + 4 * \\i]",
        "ror r10d, 5",
        "and r11d, \\e",
        "xor r10d, \\e",
        "xor r11d, \\g",
        "ror r10d, 6",
        "add \\h, r11d",
        "mov \\ab, \\a",
        "add \\h, r10d",
        "xor \\ab, \\b",
        "mov r10d, \\a",
        "add \\d, \\h",
        "and \\bc, \\ab",
        "ror r10d, 9",
        "xor \\bc, \\b",
        "xor r10d, \\a",
        "add \\h, \\bc",
        "ror r10d, 11",
        "xor r10d, \\a",
        "ror r10d, 2",
        "add \\h, r10d",
        ".endm",
        ".macro groundup_word w, at",
        "mov eax, \\w",
        "ror eax, 2",
        "xor eax, \\w",
        "shr \\w, 10",
        "ror eax, 17",
        "xor \\w, eax",
        "add \\w, [rsp + rcx + \\at]",
        "mov [rsp + rcx + \\at], \\w",
        ".endm",
        "test rdx, rdx",
        "jz 5f",
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        // The schedule; behind it where the stack pointer was, how many blocks are left, and where they are.
        "mov rax, rsp",
        "sub rsp, 288",
        "and rsp, -16",
        "mov [rsp + 256], rax",
        "1:",
        "xor ecx, ecx",
        // Sixteen words of the message, whose bytes are the other way round.
        "2:",
        "mov eax, [rsi + rcx]",
        "bswap eax",
        "mov [rsp + rcx], eax",
        "add ecx, 4",
        "cmp ecx, 64",
        "jne 2b",
        "mov ebx, [rsp + 56]",
        "mov ebp, [rsp + 60]",
        "3:",
        // Of the word of 15 before: its turns by 7 and 18, and its shift by 3.
        "movdqu xmm1, [rsp + rcx - 60]",
        "movdqa xmm2, xmm1",
        "movdqa xmm3, xmm1",
        "psrld xmm2, 3",
        "psrld xmm3, 7",
        "pxor xmm2, xmm3",
        "psrld xmm3, 11",
        "pxor xmm2, xmm3",
        "pslld xmm1, 14",
        "pxor xmm2, xmm1",
        "pslld xmm1, 11",
        "pxor xmm2, xmm1",
        // The words of 16 and of 7 before.
        "paddd xmm2, [rsp + rcx - 64]",
        "movdqu xmm1, [rsp + rcx - 28]",
        "paddd xmm2, xmm1",
        "movdqa [rsp + rcx], xmm2",
        // Of the word of 2 before: its turns by 17 and 19, and its shift by 10.
        ".irp at, 0, 4, 8, 12",
        ".if \\at % 8",
        "groundup_word ebp, \\at",
        ".else",
        "groundup_word ebx, \\at",
        ".endif",
        ".endr",
        "add ecx, 16",
        "cmp ecx, 256",
        "jne 3b",
        "mov eax, [rdi]",
        "mov ebx, [rdi + 4]",
        "mov ebp, [rdi + 8]",
        "mov r8d, [rdi + 12]",
        "mov r9d, [rdi + 16]",
        "mov r12d, [rdi + 20]",
        "mov r13d, [rdi + 24]",
        "mov r14d, [rdi + 28]",
        "mov [rsp + 264], rdx",
        "mov [rsp + 272], rsi",
        "lea rsi, [rip + {k}]",
        "mov edx, ebx",
        "xor edx, ebp",
        "xor ecx, ecx",
        "4:",
        "groundup_round eax, ebx, ebp, r8d, r9d, r12d, r13d, r14d, 0, r15d, edx",
        "groundup_round r14d, eax, ebx, ebp, r8d, r9d, r12d, r13d, 1, edx, r15d",
        "groundup_round r13d, r14d, eax, ebx, ebp, r8d, r9d, r12d, 2, r15d, edx",
        "groundup_round r12d, r13d, r14d, eax, ebx, ebp, r8d, r9d, 3, edx, r15d",
        "groundup_round r9d, r12d, r13d, r14d, eax, ebx, ebp, r8d, 4, r15d, edx",
        "groundup_round r8d, r9d, r12d, r13d, r14d, eax, ebx, ebp, 5, edx, r15d",
        "groundup_round ebp, r8d, r9d, r12d, r13d, r14d, eax, ebx, 6, r15d, edx",
        "groundup_round ebx, ebp, r8d, r9d, r12d, r13d, r14d, eax, 7, edx, r15d",
        ".purgem groundup_round",
        ".purgem groundup_word",
        "add ecx, 32",
        "cmp ecx, 256",
        "jne 4b",
        "mov rdx, [rsp + 264]",
        "mov rsi, [rsp + 272]",
        "add [rdi], eax",
        "add [rdi + 4], ebx",
        "add [rdi + 8], ebp",
        "add [rdi + 12], r8d",
        "add [rdi + 16], r9d",
        "add [rdi + 20], r12d",
        "add [rdi + 24], r13d",
        "add [rdi + 28], r14d",
        "add rsi, 64",
        "dec rdx",
        "jnz 1b",
        "mov rsp, [rsp + 256]",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "5:",
        "ret",
        k = sym K,
    )
}

#[cfg(test)]
mod tests {
    use super::Sha256;
    use sha2::Digest as _;
    use std::vec::Vec;

    #[test]
    fn it_agrees_with_sha2_for_every_length_and_cut() {
        let bytes: Vec<u8> = (0..20_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for length in (0..300).chain([4095, 4096, 4097, 20_000]) {
            let expected: [u8; 32] = sha2::Sha256::digest(&bytes[..length]).into();
            for cut in [1, 7, 55, 56, 63, 64, 65, 128, 1000, 20_000] {
                let mut hash = Sha256::new();
                bytes[..length].chunks(cut).for_each(|chunk| hash.update(chunk));
                assert_eq!(hash.finalize(), expected, "{length} bytes, {cut} at a time");
            }
        }
    }
}
