/// The line that has been reached in a file; lines end with `\n`, `\r\n` or `\r`.
#[derive(Debug, Default)]
pub(super) struct Lines {
    ended: i64,
    after_carriage_return: bool,
}

impl Lines {
    pub(super) fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.pass(*byte);
        }
    }

    pub(super) fn pass(&mut self, byte: u8) {
        self.ended += i64::from(byte == b'\r' || (byte == b'\n' && !self.after_carriage_return));
        self.after_carriage_return = byte == b'\r';
    }

    pub(super) const fn reached(&self) -> i64 {
        self.ended + 1
    }
}
