//! Targets for libFuzzer, which looks for bytes that reach new code: what `node/tests/wire`
//! does with random bytes. `make libfuzzer` runs them.

#[path = "../node/tests/wire/chain.rs"]
pub mod chain;
#[path = "../node/tests/wire/messages.rs"]
pub mod messages;
#[path = "../node/tests/wire/strangers.rs"]
pub mod strangers;

/// libFuzzer's bytes as a source of choices; where they end, every choice is the first.
pub struct Choices<'a>(pub &'a [u8]);

impl rand::RngCore for Choices<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        let (taken, rest) = self.0.split_at(dest.len().min(self.0.len()));
        dest.fill(0);
        dest[..taken.len()].copy_from_slice(taken);
        self.0 = rest;
    }
}
