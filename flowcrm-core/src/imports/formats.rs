//! What is no list at all.

/// Refuses what is no list at all, by its first bytes.
pub(super) fn refuse_other_formats(start: &[u8]) -> Result<(), String> {
    const SIGNATURES: [(&[u8], &str); 13] = [
        (b"PK\x03\x04", "is a workbook or an archive, not CSV: save the sheet as \"CSV UTF-8\""),
        (b"\xd0\xcf\x11\xe0", "is a workbook, not CSV: save the sheet as \"CSV UTF-8\""),
        (b"%PDF", "is a PDF, not a list: export the records themselves as CSV"),
        (b"\x89PNG", "is an image, not a list: export the records themselves as CSV"),
        (b"\xff\xd8\xff", "is an image, not a list: export the records themselves as CSV"),
        (b"GIF8", "is an image, not a list: export the records themselves as CSV"),
        (b"\x1f\x8b", "is compressed: unpack it first"),
        (b"7z\xbc\xaf", "is compressed: unpack it first"),
        (b"Rar!", "is compressed: unpack it first"),
        (b"{\\rtf", "is a text document, not a list: export the records themselves as CSV"),
        (b"SQLite format 3", "is a database, not a list: export the records themselves as CSV"),
        (b"BEGIN:VCARD", "is a set of vCards, not a list: export the contacts as CSV"),
        (b"PAR1", "is a Parquet file, not CSV: export the records themselves as CSV"),
    ];
    if let Some((_, refusal)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return Err((*refusal).to_owned());
    }
    let opening: String =
        start.iter().filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte)).take(40).collect();
    let opening = opening.to_lowercase();
    if ["<!doctype", "<html", "<?xml", "<table", "<head", "<meta"].iter().any(|tag| opening.starts_with(tag))
    {
        return Err("is a web page or XML, not a list: export the records themselves as CSV".to_owned());
    }
    if ["{\"", "[{\"", "{}", "[]"].iter().any(|json| opening.starts_with(json)) {
        return Err("is JSON, not CSV: send its records as a CSV file".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_is_refused() {
        let files: [(&[u8], &str); 6] = [
            (b"PK\x03\x04zip", "workbook"),
            (b"%PDF-1.7\n", "PDF"),
            (b"\x89PNG\r\n", "image"),
            (b"\n <!DOCTYPE html>", "web page"),
            (b"[\n {\"name\": 1}]", "JSON"),
            (b"\x1f\x8b\x08", "compressed"),
        ];
        for (file, advice) in files {
            let refusal = refuse_other_formats(file).unwrap_err();
            assert!(refusal.contains(advice), "{refusal}");
        }
    }

    #[test]
    fn lists_are_not() {
        for file in [&b"name,email\n"[..], b"", b"PK,name\n", b"[Test],Ada\n", b"\xff\xfea\0"] {
            assert_eq!(refuse_other_formats(file), Ok(()));
        }
    }
}
