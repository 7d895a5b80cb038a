//! Text out of the bytes of a file, whatever its encoding.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How many bytes show what a file is: a byte order mark, the zeros of UTF-16, the signature of another format.
const START: usize = 4 * 1024;

/// How many bytes, from the first that is not ASCII, tell UTF-8 from cp1252.
const WINDOW: usize = 64 * 1024;

/// Bytes that cp1252 leaves undefined.
const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// The first byte that cp1252 has a letter for, but for a few.
const FIRST_LETTER: u8 = 0xc0;

/// Decodes a file that is pushed piece by piece; pieces may end anywhere.
///
/// A byte order mark tells the encoding whatever its name is said to be, as the WHATWG Encoding Standard has it. Without
/// either, the encoding is told by the zeros of UTF-16, and else by the first bytes that are not ASCII: what is UTF-8
/// there is taken for UTF-8, the rest for cp1252. A file in which that turns out wrong is refused: nothing is guessed
/// twice. Errors are sentences without their subject, which is the file.
pub(super) struct Transcoder {
    state: State,
    line: Lines,
}

enum State {
    /// The first bytes, until there are enough to see what the file is.
    Start {
        bytes: Vec<u8>,
        named: Option<&'static Encoding>,
    },
    /// Nothing but ASCII so far, which every encoding that is left reads alike.
    Ascii,
    /// The bytes from the first one that is not ASCII, until there are enough.
    Window(Vec<u8>),
    Decided {
        decoder: Decoder,
        is_named: bool,
    },
}

impl Transcoder {
    pub(super) fn new(named: Option<&'static Encoding>) -> Self {
        Self { state: State::Start { bytes: Vec::new(), named }, line: Lines::default() }
    }

    /// Decodes a piece of the file, and adds its text.
    pub(super) fn push(&mut self, piece: &[u8], text: &mut String) -> Result<(), String> {
        self.take(piece, text, false)
    }

    /// Ends the file, and adds the text of what was held back.
    pub(super) fn finish(mut self, text: &mut String) -> Result<(), String> {
        self.take(&[], text, true)
    }

    fn take(&mut self, piece: &[u8], text: &mut String, is_last: bool) -> Result<(), String> {
        match &mut self.state {
            State::Start { bytes, named } => {
                bytes.extend_from_slice(piece);
                if bytes.len() < START && !is_last {
                    return Ok(());
                }
                let (bytes, named) = (std::mem::take(bytes), *named);
                refuse_other_formats(&bytes)?;
                self.state = match (marked(&bytes), named) {
                    (Some(encoding), _) => decided(encoding, false),
                    (None, Some(encoding)) => decided(encoding, true),
                    (None, None) => zeroed(&bytes).map_or(State::Ascii, |encoding| decided(encoding, false)),
                };
                self.take(&bytes, text, is_last)
            }
            State::Ascii => {
                let ascii = Encoding::ascii_valid_up_to(piece);
                let known = String::from_utf8_lossy(&piece[..ascii]);
                self.line.count(&known);
                text.push_str(&known);
                if ascii == piece.len() {
                    return Ok(());
                }
                self.state = State::Window(Vec::new());
                self.take(&piece[ascii..], text, is_last)
            }
            State::Window(bytes) => {
                bytes.extend_from_slice(piece);
                if bytes.len() < WINDOW && !is_last {
                    return Ok(());
                }
                let bytes = std::mem::take(bytes);
                let encoding = self.line.tell(&bytes, is_last)?;
                self.state = decided(encoding, false);
                self.take(&bytes, text, is_last)
            }
            State::Decided { decoder, is_named } => {
                let begin = text.len();
                let needed = decoder.max_utf8_buffer_length_without_replacement(piece.len());
                text.reserve(needed.unwrap_or(piece.len() * 3 + 16));
                let (result, _) = decoder.decode_to_string_without_replacement(piece, text, is_last);
                self.line.count(&text[begin..]);
                match result {
                    DecoderResult::InputEmpty => Ok(()),
                    // There was room for everything.
                    DecoderResult::OutputFull => Err("could not be decoded".to_owned()),
                    DecoderResult::Malformed(..) => Err(self.line.malformed(decoder.encoding(), *is_named)),
                }
            }
        }
    }
}

fn decided(encoding: &'static Encoding, is_named: bool) -> State {
    State::Decided { decoder: encoding.new_decoder_with_bom_removal(), is_named }
}

/// The encoding that a byte order mark shows.
fn marked(bytes: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_bom(bytes).map(|(encoding, _)| encoding)
}

/// The UTF-16 that its zeros show.
fn zeroed(bytes: &[u8]) -> Option<&'static Encoding> {
    let zeros = |offset: usize| bytes.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, units) = (zeros(0), zeros(1), bytes.len() / 2);
    match units {
        0 => None,
        _ if even == 0 && odd * 2 > units => Some(UTF_16LE),
        _ if odd == 0 && even * 2 > units => Some(UTF_16BE),
        _ => None,
    }
}

/// The line that has been reached; lines end with `\n`, `\r\n` or `\r`.
#[derive(Default)]
struct Lines {
    ended: usize,
    after_carriage_return: bool,
}

impl Lines {
    fn count(&mut self, text: &str) {
        for byte in text.bytes() {
            self.ended += usize::from(byte == b'\r' || (byte == b'\n' && !self.after_carriage_return));
            self.after_carriage_return = byte == b'\r';
        }
    }

    fn reached(&self) -> usize {
        self.ended + 1
    }

    /// UTF-8 or cp1252, by the bytes from the first that is not ASCII.
    fn tell(&self, bytes: &[u8], is_last: bool) -> Result<&'static Encoding, String> {
        match std::str::from_utf8(bytes) {
            Ok(_) => return Ok(UTF_8),
            // The window ends within a character.
            Err(error) if error.error_len().is_none() && !is_last => return Ok(UTF_8),
            Err(_) => {}
        }
        let (mut well_formed, mut malformed, mut lines) =
            (0, 0, Self { ended: self.ended, ..Self::default() });
        let mut first = None;
        for chunk in bytes.utf8_chunks() {
            well_formed += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
            lines.count(chunk.valid());
            if !chunk.invalid().is_empty() {
                malformed += 1;
                first.get_or_insert_with(|| lines.reached());
            }
        }
        let line = first.unwrap_or_else(|| self.reached());
        if well_formed >= malformed {
            return Err(format!(
                "mixes encodings: it is UTF-8 but for line {line}. Repair that line, or name another encoding in \
                 options.encoding"
            ));
        }
        if bytes.iter().any(|byte| UNDEFINED.contains(byte)) {
            return Err(format!(
                "is neither UTF-8 nor windows-1252 from line {line} on: name its encoding in options.encoding, like \
                 iso-8859-2 or shift_jis, or save it as \"CSV UTF-8\""
            ));
        }
        if is_of_another_alphabet(bytes) {
            return Err(format!(
                "has words of another alphabet than that of windows-1252 from line {line} on: name its encoding in \
                 options.encoding, like windows-1251, iso-8859-7 or gbk, or save it as \"CSV UTF-8\""
            ));
        }
        Ok(WINDOWS_1252)
    }

    fn malformed(&self, encoding: &'static Encoding, is_named: bool) -> String {
        let (name, line) = (encoding.name(), self.reached());
        if is_named {
            return format!("is not {name} on line {line}, as options.encoding says: name another one");
        }
        format!(
            "is {name} up to line {line}, but not there: name its encoding in options.encoding, like windows-1252, or \
             save it as \"CSV UTF-8\""
        )
    }
}

/// Whether more words are written in bytes above ASCII altogether than mix letters of ASCII with them.
///
/// In the languages of cp1252, accented letters stand among plain ones: no word of four letters goes without. In Cyrillic,
/// Greek, Hebrew, Arabic or Chinese, whatever the encoding, every word does.
fn is_of_another_alphabet(bytes: &[u8]) -> bool {
    let is_letter = |byte: &u8| *byte >= FIRST_LETTER;
    let is_plain = |word: &[u8]| word.iter().any(u8::is_ascii_alphabetic);
    let words = bytes.split(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic());
    let (mut mixed, mut foreign) = (0, 0);
    for word in words.filter(|word| word.iter().any(is_letter)) {
        let letters = word.iter().filter(|byte| is_letter(byte)).count();
        mixed += usize::from(is_plain(word));
        foreign += usize::from(!is_plain(word) && letters >= 4);
    }
    foreign > mixed
}

/// Refuses what is no list at all, by its first bytes.
fn refuse_other_formats(start: &[u8]) -> Result<(), String> {
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

    /// Decodes a file in pieces of so many bytes.
    fn decode(file: &[u8], name: Option<&str>, piece: usize) -> Result<String, String> {
        let named = name.map(|name| Encoding::for_label(name.as_bytes()).unwrap());
        let (mut transcoder, mut text) = (Transcoder::new(named), String::new());
        for bytes in file.chunks(piece) {
            transcoder.push(bytes, &mut text)?;
        }
        transcoder.finish(&mut text)?;
        Ok(text)
    }

    fn utf_16(text: &str, spell: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(spell).collect()
    }

    #[test]
    fn encodings_are_told_wherever_pieces_end() {
        let text = "name,value\r\nZoë Ö,€5\r\n";
        let latin = WINDOWS_1252.encode(text).0.into_owned();
        let marked = |spell| utf_16(&format!("\u{feff}{text}"), spell);
        let files = [
            text.as_bytes().to_vec(),
            format!("\u{feff}{text}").into_bytes(),
            latin,
            marked(u16::to_le_bytes),
            marked(u16::to_be_bytes),
            utf_16(text, u16::to_le_bytes),
            utf_16(text, u16::to_be_bytes),
        ];
        for file in files {
            for piece in [1, 2, 3, 7, 100_000] {
                assert_eq!(decode(&file, None, piece).as_deref(), Ok(text), "{file:?}");
            }
        }
    }

    #[test]
    fn a_byte_order_mark_beats_a_name() {
        let text = "name\nZoë\n";
        let utf_8 = format!("\u{feff}{text}").into_bytes();
        for (file, named) in [
            (utf_8, "windows-1252"),
            (utf_16(&format!("\u{feff}{text}"), u16::to_le_bytes), "utf-16be"),
            (utf_16(&format!("\u{feff}{text}"), u16::to_be_bytes), "shift_jis"),
        ] {
            for piece in [1, 100] {
                assert_eq!(decode(&file, Some(named), piece).as_deref(), Ok(text), "{named}");
            }
        }
        let refusal = decode(b"\xef\xbb\xbfa\n\xeb\n", Some("windows-1252"), 100).unwrap_err();
        assert!(refusal.contains("line 2"), "{refusal}");
    }

    #[test]
    fn a_long_file_of_ascii_may_still_be_either() {
        let ascii = "name,value\n".repeat(20_000);
        for (tail, text) in [(&b"Zo\xeb"[..], "Zoë"), ("Zoë".as_bytes(), "Zoë")] {
            let file = [ascii.as_bytes(), tail].concat();
            assert!(decode(&file, None, 5_000).unwrap().ends_with(text));
        }
    }

    #[test]
    fn what_is_not_what_it_seemed_is_refused_by_line() {
        let later = format!("Zoë\n{}", "name,value\n".repeat(20_000));
        let later = [later.as_bytes(), b"Zo\xeb\n"].concat();
        let refusal = decode(&later, None, 5_000).unwrap_err();
        assert!(refusal.contains("line 20002") && refusal.contains("options.encoding"), "{refusal}");
        let mixed = "Zoë\nÄ\nÖ\n".bytes().chain(*b"\xeb\n").collect::<Vec<u8>>();
        let refusal = decode(&mixed, None, 5_000).unwrap_err();
        assert!(refusal.contains("line 4") && refusal.contains("options.encoding"), "{refusal}");
        assert!(decode(b"\xeb\n\x81", None, 10).unwrap_err().contains("options.encoding"));
        assert_eq!(decode(b"a\xb1", Some("iso-8859-2"), 10).as_deref(), Ok("aą"));
        assert!(decode(b"a\n\xb1", Some("utf-8"), 10).unwrap_err().contains("line 2"));
    }

    #[test]
    fn other_alphabets_are_refused_and_accents_are_not() {
        let encoded = |text: &str, name: &str| {
            Encoding::for_label(name.as_bytes()).unwrap().encode(text).0.into_owned()
        };
        for (text, name) in [
            ("name\nИван\n", "windows-1251"),
            ("name,company\nИван Петров,ООО Ромашка\nJim,Acme\n", "windows-1251"),
            ("name\nИван Петров\n", "koi8-r"),
            ("name\nΓιώργος Παπαδόπουλος\n", "iso-8859-7"),
            ("name\nמשה כהן\nדוד לוי\nיעקב\n", "windows-1255"),
            ("name\n王小明\n李大文\n陈志明\n", "gbk"),
        ] {
            let refusal = decode(&encoded(text, name), None, 7).unwrap_err();
            assert!(refusal.contains("options.encoding") && refusal.contains("line 2"), "{name}: {refusal}");
            assert_eq!(decode(&encoded(text, name), Some(name), 7).as_deref(), Ok(text));
        }
        let ascii = "Ada Byron,Engines\n".repeat(5_000);
        for western in [
            "Müller",
            "José",
            "Zoë",
            "Ærø",
            "€ 5",
            "“quoted” – it’s",
            "ÅÆØ",
            "ÄÖÜ GmbH",
            "Öæå",
            "jäääär",
            "Þóra",
            "blóðþrýstingur",
            "créée à l’été",
            "ÉÈÀ",
            "Ï",
            "Façade — naïve",
            "¿Qué? ¡Sí!",
            "½ ¼ ¾ § ¶",
            "ßßß",
            "Señor Ñúñez",
            "Œuvre Šime Žižka Ÿ",
            "«Été» °C",
            "ÀÉÎÕÜ, Müller and Sánchez",
        ] {
            for text in [western.to_owned(), format!("{ascii}{western}\n{ascii}")] {
                assert_eq!(
                    decode(&encoded(&text, "windows-1252"), None, 1_000),
                    Ok(text.clone()),
                    "{western}"
                );
            }
        }
    }

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
            let refusal = decode(file, None, 3).unwrap_err();
            assert!(refusal.contains(advice), "{refusal}");
        }
    }
}
