//! The quotes of a row.

/// Where the last byte stands to the quotes of its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Before the cell: a quote opens it.
    Before,
    /// In a cell without quotes, where a quote is a character like others.
    Without,
    Within,
    /// At a quote that closes the cell, or that another one doubles.
    AtQuote,
    /// Behind the quotes, where blanks may stand.
    Behind,
}

impl Quoting {
    /// Where the next byte stands.
    pub(super) const fn then(self, byte: u8, delimiter: u8) -> Self {
        match (self, byte) {
            (Self::Within, b'"') => Self::AtQuote,
            (Self::Before | Self::AtQuote, b'"') | (Self::Within, _) => Self::Within,
            (_, b'\r' | b'\n') => Self::Before,
            (_, byte) if byte == delimiter => Self::Before,
            (Self::AtQuote | Self::Behind, b' ' | b'\t') => Self::Behind,
            _ => Self::Without,
        }
    }
}

/// What the quotes of a row tell beside its cells.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a mark by itself")]
pub(super) struct Marks {
    /// Whether their number is odd, in the row and in its last cell.
    is_odd: bool,
    is_odd_in_cell: bool,
    /// Whether a cell is open that backslashes escape quotes in.
    is_open_by_backslash: bool,
    is_escaped: bool,
    is_last: bool,
    has_line_break: bool,
    is_open_ended: bool,
    has_tail: bool,
}

impl Marks {
    /// Whether the row may be meant to go on behind its line, or the one behind it is part of a cell by mistake.
    pub(super) const fn are_uncertain(self) -> bool {
        self.is_odd || self.is_open_by_backslash || self.has_line_break
    }

    /// Whether something stands behind the last quote but the end of its cell.
    pub(super) const fn are_open_ended(self) -> bool {
        self.is_open_ended
    }

    /// Whether a quote closes a cell that none has opened.
    pub(super) const fn have_tail(self) -> bool {
        self.has_tail
    }

    pub(super) fn follow(&mut self, byte: u8, quoting: Quoting, delimiter: u8) {
        let ends_cell = matches!(byte, b'\r' | b'\n') || byte == delimiter;
        if ends_cell && quoting != Quoting::Within {
            self.end_cell(quoting);
        }
        self.has_line_break |= quoting == Quoting::Within && matches!(byte, b'\r' | b'\n');
        let is_quote = byte == b'"';
        if is_quote {
            self.is_odd = !self.is_odd;
            self.is_odd_in_cell = !self.is_odd_in_cell;
            if !self.is_escaped && (self.is_open_by_backslash || quoting != Quoting::Without) {
                self.is_open_by_backslash = !self.is_open_by_backslash;
            }
        }
        self.is_open_ended = !is_quote && (self.is_open_ended || self.is_last && !ends_cell);
        self.is_escaped = byte == b'\\' && !self.is_escaped;
        self.is_last = is_quote;
    }

    pub(super) fn end_cell(&mut self, quoting: Quoting) {
        self.has_tail |= quoting == Quoting::Without && self.is_last && self.is_odd_in_cell;
        self.is_odd_in_cell = false;
    }
}
