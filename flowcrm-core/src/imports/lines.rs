/// The line that has been reached in a file; lines end with `\n`, `\r\n` or `\r`.
#[derive(Debug, Default)]
pub(super) struct Lines {
    ended: usize,
    after_carriage_return: bool,
}

impl Lines {
    pub(super) fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.ended += usize::from(*byte == b'\r' || (*byte == b'\n' && !self.after_carriage_return));
            self.after_carriage_return = *byte == b'\r';
        }
    }

    pub(super) const fn reached(&self) -> usize {
        self.ended + 1
    }
}
