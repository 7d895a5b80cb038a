//! Cells that a spreadsheet would run as formulas (OWASP, CSV Injection), made harmless and back.

use std::borrow::Cow;

/// The text with an apostrophe in front if a spreadsheet would take it for a formula.
///
/// Text that looks as if that had been done already gets one more, so that [`taken_back`] always gives the text
/// itself.
pub(super) fn neutralised(text: &str) -> Cow<'_, str> {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}").into() } else { text.into() }
}

/// The text of a cell whose formula was made harmless; any other cell as it is.
pub(crate) fn taken_back(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_text_and_comes_back() {
        for (text, cell) in [
            ("=1+2", "'=1+2"),
            ("+49 30 1", "'+49 30 1"),
            ("-", "'-"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("'=1", "''=1"),
            ("''=1", "'''=1"),
            ("plain", "plain"),
            ("'quoted'", "'quoted'"),
            ("a=b", "a=b"),
            ("", ""),
            ("'", "'"),
        ] {
            assert_eq!(neutralised(text), cell);
            assert_eq!(taken_back(cell), text);
        }
    }
}
