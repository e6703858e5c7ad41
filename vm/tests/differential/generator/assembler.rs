//! Bytes with labels: jumps may lead forward, and data may stand behind the code.

/// A place in the code that may not be known yet.
#[derive(Clone, Copy, Debug)]
pub struct Label(usize);

/// Code in the making.
#[derive(Debug, Default)]
pub struct Assembler {
    bytes: Vec<u8>,
    labels: Vec<u16>,
    /// Where two bytes of a label go, and what they are mixed with.
    fixups: Vec<(usize, Label, u16)>,
    data: Vec<(Label, Vec<u8>)>,
}

impl Assembler {
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(0);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    pub fn bind(&mut self, label: Label) {
        self.labels[label.0] = self.bytes.len() as u16;
    }

    /// Two bytes that will say where the label is, with some bits flipped.
    pub fn reference(&mut self, label: Label, flipped: u16) {
        self.fixups.push((self.bytes.len(), label, flipped));
        self.bytes(&[0, 0]);
    }

    /// Bytes to stand behind the code. Returns where.
    pub fn data(&mut self, bytes: Vec<u8>) -> Label {
        let label = self.label();
        self.data.push((label, bytes));
        label
    }

    pub fn finish(mut self) -> Vec<u8> {
        for (label, bytes) in std::mem::take(&mut self.data) {
            self.bind(label);
            self.bytes(&bytes);
        }
        for (at, label, flipped) in &self.fixups {
            let target = self.labels[label.0] ^ flipped;
            self.bytes[*at..*at + 2].copy_from_slice(&target.to_be_bytes());
        }
        self.bytes
    }
}
