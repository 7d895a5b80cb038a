//! Text out of the bytes of a file, whatever its encoding.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::formats::refuse_other_formats;
use super::legacy::LegacyWords;
use super::lines::Lines;

/// How many bytes show what a file is: a byte order mark, the zeros of UTF-16, the signature of another format.
const START: usize = 4 * 1024;

/// How many bytes, from the first that is not ASCII, tell UTF-8 from cp1252.
const WINDOW: usize = 64 * 1024;

/// Decodes a file that is pushed piece by piece; pieces may end anywhere.
///
/// A byte order mark tells the encoding whatever its name is said to be, as the WHATWG Encoding Standard has it. Without
/// either, the encoding is told by the zeros of UTF-16, and else by the first bytes that are not ASCII: what is UTF-8
/// there is taken for UTF-8, the rest for cp1252, as long as its words do not speak against it. A file in which that turns
/// out wrong is refused: nothing is guessed twice. Errors are sentences without their subject, which is the file.
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
    Ascii(LegacyWords),
    /// The bytes from the first one that is not ASCII, until there are enough.
    Window {
        words: LegacyWords,
        bytes: Vec<u8>,
    },
    /// Not UTF-8, and cp1252 as long as the words are of it.
    Guessed {
        words: LegacyWords,
        decoder: Decoder,
    },
    Decided {
        decoder: Decoder,
        told: Told,
    },
}

/// How the encoding of a file is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Named,
    Marked,
    Seen,
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
                    (Some(encoding), _) => decided(encoding, Told::Marked),
                    (None, Some(encoding)) => decided(encoding, Told::Named),
                    (None, None) => zeroed(&bytes).map_or_else(
                        || State::Ascii(LegacyWords::default()),
                        |encoding| decided(encoding, Told::Seen),
                    ),
                };
                self.take(&bytes, text, is_last)
            }
            State::Ascii(words) => {
                let ascii = Encoding::ascii_valid_up_to(piece);
                text.push_str(&String::from_utf8_lossy(&piece[..ascii]));
                self.line.count(&piece[..ascii]);
                words.take(&piece[..ascii]);
                if ascii == piece.len() {
                    return Ok(());
                }
                self.state = State::Window { words: std::mem::take(words), bytes: Vec::new() };
                self.take(&piece[ascii..], text, is_last)
            }
            State::Window { words, bytes } => {
                bytes.extend_from_slice(piece);
                if bytes.len() < WINDOW && !is_last {
                    return Ok(());
                }
                let (words, bytes) = (std::mem::take(words), std::mem::take(bytes));
                self.state = if is_utf_8(&bytes, is_last) {
                    decided(UTF_8, Told::Seen)
                } else {
                    State::Guessed { words, decoder: WINDOWS_1252.new_decoder_without_bom_handling() }
                };
                self.take(&bytes, text, is_last)?;
                match &self.state {
                    State::Guessed { words, .. } => words.refuse_others(),
                    _ => Ok(()),
                }
            }
            State::Guessed { words, decoder } => {
                words.take(piece);
                if is_last {
                    words.end();
                }
                words.refuse_utf_8()?;
                if is_last {
                    words.refuse_others()?;
                }
                // It has a character for every byte.
                decode(decoder, piece, text, is_last)
                    .map_err(|Undecoded| malformed(WINDOWS_1252, Told::Seen, self.line.reached()))
            }
            State::Decided { decoder, told } => {
                let begin = text.len();
                let result = decode(decoder, piece, text, is_last);
                self.line.count(&text.as_bytes()[begin..]);
                result.map_err(|Undecoded| malformed(decoder.encoding(), *told, self.line.reached()))
            }
        }
    }
}

fn decided(encoding: &'static Encoding, told: Told) -> State {
    State::Decided { decoder: encoding.new_decoder_with_bom_removal(), told }
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

/// Whether bytes are UTF-8, of which the last character may be cut.
fn is_utf_8(bytes: &[u8], is_last: bool) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && !is_last,
    }
}

/// Adds the text of a piece, or says that it is not of its encoding.
fn decode(decoder: &mut Decoder, piece: &[u8], text: &mut String, is_last: bool) -> Result<(), Undecoded> {
    let needed = decoder.max_utf8_buffer_length_without_replacement(piece.len());
    text.reserve(needed.unwrap_or(piece.len() * 3 + 16));
    match decoder.decode_to_string_without_replacement(piece, text, is_last).0 {
        DecoderResult::InputEmpty => Ok(()),
        // There was room for everything.
        DecoderResult::OutputFull | DecoderResult::Malformed(..) => Err(Undecoded),
    }
}

struct Undecoded;

/// Why a file is refused that is not in its encoding on a line.
fn malformed(encoding: &'static Encoding, told: Told, line: i64) -> String {
    let name = encoding.name();
    match told {
        Told::Named => format!("is not {name} on line {line}, as options.encoding says: name another one"),
        Told::Marked => format!(
            "is {name}, as its byte order mark says, but not on line {line}: put that line right, or save the file anew \
             as \"CSV UTF-8\""
        ),
        Told::Seen => format!(
            "is {name} up to line {line}, but not there: name its encoding in options.encoding, like windows-1252, or \
             save it as \"CSV UTF-8\""
        ),
    }
}

/// Decodes a file in pieces of so many bytes.
#[cfg(test)]
pub(super) fn text_of(file: &[u8], name: Option<&str>, piece: usize) -> Result<String, String> {
    let named = name.and_then(|name| Encoding::for_label(name.as_bytes()));
    let (mut transcoder, mut text) = (Transcoder::new(named), String::new());
    for bytes in file.chunks(piece) {
        transcoder.push(bytes, &mut text)?;
    }
    transcoder.finish(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

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
                assert_eq!(text_of(&file, None, piece).as_deref(), Ok(text), "{file:?}");
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
                assert_eq!(text_of(&file, Some(named), piece).as_deref(), Ok(text), "{named}");
            }
        }
        let refusal = text_of(b"\xef\xbb\xbfa\n\xeb\n", Some("windows-1252"), 100).unwrap_err();
        let is_useful = refusal.contains("line 2") && refusal.contains("save the file anew");
        assert!(is_useful && !refusal.contains("options.encoding"), "{refusal}");
    }

    #[test]
    fn a_long_file_of_ascii_may_still_be_either() {
        let ascii = "name,value\n".repeat(20_000);
        for (tail, text) in [(&b"Zo\xeb"[..], "Zoë"), ("Zoë".as_bytes(), "Zoë")] {
            let file = [ascii.as_bytes(), tail].concat();
            assert!(text_of(&file, None, 5_000).unwrap().ends_with(text));
        }
    }

    #[test]
    fn what_is_not_what_it_seemed_is_refused_by_line() {
        let later = format!("Zoë\n{}", "name,value\n".repeat(20_000));
        let later = [later.as_bytes(), b"Zo\xeb\n"].concat();
        let refusal = text_of(&later, None, 5_000).unwrap_err();
        assert!(refusal.contains("line 20002") && refusal.contains("options.encoding"), "{refusal}");
        let mixed = "Zoë\nÄ\nÖ\n".bytes().chain(*b"\xeb\n").collect::<Vec<u8>>();
        let refusal = text_of(&mixed, None, 5_000).unwrap_err();
        assert!(refusal.contains("line 4") && refusal.contains("options.encoding"), "{refusal}");
        assert!(text_of(b"\xeb\n\x81", None, 10).unwrap_err().contains("options.encoding"));
        assert_eq!(text_of(b"a\xb1", Some("iso-8859-2"), 10).as_deref(), Ok("aą"));
        assert!(text_of(b"a\n\xb1", Some("utf-8"), 10).unwrap_err().contains("line 2"));
    }
}
