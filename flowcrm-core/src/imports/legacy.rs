//! What single bytes are, where nothing says so: text of the West, or in another alphabet, or partly UTF-8.

use std::collections::{BTreeMap, BTreeSet};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{ISO_8859_4, ISO_8859_13, WINDOWS_1252, WINDOWS_1257};

use super::lines::Lines;

/// A longer word is none, but a text without blanks.
const LONGEST_WORD: usize = 1024;

/// So many bytes of different words tell as much as any more.
const MOST: usize = 256 * 1024;

/// So many words that read otherwise in another encoding are evidence, whatever letters they have there.
const MANY_WORDS: usize = 30;

/// Bytes that cp1252 leaves undefined.
const UNDEFINED: [u8; 5] = [0x81, 0x8d, 0x8f, 0x90, 0x9d];

/// The first byte that cp1252 has a letter for, but for a few.
const FIRST_LETTER: u8 = 0xc0;

/// The letters, beside those of ASCII, of Polish, Czech, Slovak, Hungarian, Croatian, Romanian, Turkish, Lithuanian,
/// Latvian and Estonian: the languages in Latin letters that are often written in another encoding of single bytes.
const ALPHABETS: [&str; 10] = [
    "ąćęłńóśźż",
    "áčďéěíňóřšťúůýž",
    "áäčďéíĺľňóôŕšťúýž",
    "áéíóöőúüű",
    "čćđšž",
    "ăâîşţ",
    "çğıi\u{307}öşüâîû",
    "ąčęėįšųūž",
    "āčēģīķļņšūž",
    "äöõüšž",
];

/// The words of a file that have bytes above ASCII, each once: whether they are of cp1252, as nothing else says.
///
/// Another encoding is suspected where the detector of Firefox suspects it, and matters where words read otherwise by
/// it. Words in another alphabet than the Latin one, and signs among letters (`£ukasz`), speak for it by themselves.
/// Latin words do so from the second one on, for the Baltic encodings the fourth, that has letters of the same
/// language, unless most have not (`Þórður`): the one `Hélène` of a long file is taken as it is, and so is the one
/// `Dvořák`, which cp1252 reads as `Dvoøák`.
///
/// Of files with twenty different names that have accents, those in Cyrillic, Greek, Chinese, Polish, Czech and Turkish
/// are all refused, most in Latvian and Lithuanian, but only some in Hungarian, whose `ő` and `ű` are rare, and in
/// longer Lithuanian lists; and of Western ones next to none, but one in twenty in Icelandic.
#[derive(Debug, Default)]
pub(super) struct LegacyWords {
    line: Lines,
    /// The word that has not ended yet.
    open: Vec<u8>,
    /// The words, and the line on which each stands first.
    words: BTreeMap<Vec<u8>, i64>,
    size: usize,
    /// The first line with bytes that cp1252 has no characters for.
    undefined: Option<i64>,
    /// The first line with a character of UTF-8.
    utf_8: Option<i64>,
    /// The first line with a word that is not UTF-8.
    legacy: Option<i64>,
}

impl LegacyWords {
    /// Takes a piece into account, which may end anywhere.
    pub(super) fn take(&mut self, mut piece: &[u8]) {
        while let Some(length) = piece.iter().position(|byte| is_between_words(*byte)) {
            self.open.extend_from_slice(&piece[..length]);
            self.end();
            self.line.count(&piece[length..=length]);
            piece = &piece[length + 1..];
        }
        self.open.extend_from_slice(piece);
    }

    /// Takes the last word into account.
    pub(super) fn end(&mut self) {
        let (word, line) = (std::mem::take(&mut self.open), self.line.reached());
        if word.is_ascii() {
            return;
        }
        if spells_utf_8(&word) {
            self.utf_8.get_or_insert(line);
        }
        if std::str::from_utf8(&word).is_err() {
            self.legacy.get_or_insert(line);
        }
        if word.iter().any(|byte| UNDEFINED.contains(byte)) {
            self.undefined.get_or_insert(line);
        }
        if word.len() <= LONGEST_WORD && self.size < MOST && !self.words.contains_key(&word) {
            self.size += word.len();
            self.words.insert(word, line);
        }
    }

    /// Refuses a text that is UTF-8 in parts. Errors are sentences without their subject, which is the file.
    pub(super) fn refuse_utf_8(&self) -> Result<(), String> {
        let Some(line) = self.utf_8 else { return Ok(()) };
        let other = self.legacy.unwrap_or_else(|| self.line.reached());
        Err(format!(
            "is partly UTF-8, as on line {line}, and partly not, as on line {other}: put one of them right, or name its \
             encoding in options.encoding"
        ))
    }

    /// Refuses a text whose words so far are not of cp1252.
    pub(super) fn refuse_others(&self) -> Result<(), String> {
        if let Some(line) = self.undefined {
            return Err(format!(
                "is neither UTF-8 nor windows-1252 from line {line} on: name its encoding in options.encoding, like \
                 iso-8859-2 or shift_jis, or save it as \"CSV UTF-8\""
            ));
        }
        self.refuse_readable_otherwise()?;
        if self.is_of_another_alphabet() {
            let line = self.words.values().min().copied().unwrap_or_else(|| self.line.reached());
            return Err(format!(
                "has words of another alphabet than that of windows-1252 from line {line} on: name its encoding in \
                 options.encoding, like windows-1251, iso-8859-7 or gbk, or save it as \"CSV UTF-8\""
            ));
        }
        Ok(())
    }

    fn refuse_readable_otherwise(&self) -> Result<(), String> {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        for word in self.words.keys() {
            detector.feed(word, false);
            detector.feed(b"\n", false);
        }
        detector.feed(b"", true);
        let encoding = detector.guess(None, Utf8Detection::Deny);
        // `Læsø` and `Farsø` have letters of Lithuanian, by those of which they would be `Lęsų` and `Farsų`.
        let is_baltic = [WINDOWS_1257, ISO_8859_4, ISO_8859_13].contains(&encoding);
        let enough = if is_baltic { 4 } else { 2 };
        let mut words: Vec<(&Vec<u8>, &i64)> = self.words.iter().collect();
        words.sort_by_key(|(_, line)| **line);
        let (mut seen, mut of_alphabets) = (BTreeSet::new(), [0; ALPHABETS.len()]);
        for (word, line) in words {
            let [western, other] =
                [WINDOWS_1252, encoding].map(|encoding| encoding.decode_without_bom_handling(word).0);
            let is_certain = match difference(&western, &other) {
                Difference::None => continue,
                Difference::OfAlphabets => true,
                Difference::OfLetters(letters) => {
                    if seen.insert(other.to_lowercase()) {
                        for (count, alphabet) in of_alphabets.iter_mut().zip(ALPHABETS) {
                            *count += usize::from(letters.chars().all(|letter| alphabet.contains(letter)));
                        }
                    }
                    false
                }
            };
            let (of_one, all) = (of_alphabets.iter().max().copied().unwrap_or_default(), seen.len());
            if is_certain || of_one >= enough && of_one * 2 >= all || all > MANY_WORDS {
                let name = encoding.name();
                let [western, other] = [western, other].map(|word| word.chars().take(40).collect::<String>());
                return Err(format!(
                    "seems not to be in windows-1252, where it has \"{western}\" on line {line}, which is \"{other}\" in \
                     {name}: name its encoding in options.encoding, whichever of them or another, or save it as \"CSV UTF-8\""
                ));
            }
        }
        Ok(())
    }

    /// Whether more words are written in bytes above ASCII altogether than mix letters of ASCII with them.
    ///
    /// In the languages of cp1252, accented letters stand among plain ones: no word of four letters goes without. In Cyrillic,
    /// Greek, Hebrew, Arabic or Chinese, whatever the encoding, every word does.
    fn is_of_another_alphabet(&self) -> bool {
        let is_letter = |byte: &u8| *byte >= FIRST_LETTER;
        let (mut mixed, mut foreign) = (0, 0);
        for word in self.words.keys().filter(|word| word.iter().any(is_letter)) {
            let is_plain = word.iter().any(u8::is_ascii_alphabetic);
            let letters = word.iter().filter(|byte| is_letter(byte)).count();
            mixed += usize::from(is_plain);
            foreign += usize::from(!is_plain && letters >= 4);
        }
        foreign > mixed
    }
}

/// How a word differs that is read by another encoding than cp1252.
#[derive(Debug, PartialEq, Eq)]
enum Difference {
    /// Not at all, or in signs that stand alone: `£10`.
    None,
    /// In letters: `Hélène` or `Hélčne`, with those above ASCII that the other word has, in lower case.
    OfLetters(String),
    /// As one of them is no word: `£ukasz`, or in another alphabet.
    OfAlphabets,
}

fn difference(western: &str, other: &str) -> Difference {
    let [western, other] = [western, other].map(|word| word.chars().collect::<Vec<char>>());
    let is_letter =
        |at: Option<usize>| at.and_then(|at| western.get(at)).is_some_and(|one| one.is_alphabetic());
    let is_beside_letter = |at: usize| is_letter(at.checked_sub(1)) || is_letter(Some(at + 1));
    let differing: Vec<usize> = (0..western.len()).filter(|at| western.get(*at) != other.get(*at)).collect();
    if differing.iter().any(|at| !is_letter(Some(*at)) && is_beside_letter(*at)) {
        return Difference::OfAlphabets;
    }
    if !differing.iter().any(|at| is_letter(Some(*at))) {
        return Difference::None;
    }
    let letters = other.iter().filter(|letter| letter.is_alphabetic() && !letter.is_ascii());
    let letters = letters.collect::<String>().to_lowercase();
    if letters.chars().all(is_latin) || western.iter().any(char::is_ascii_alphabetic) {
        Difference::OfLetters(letters)
    } else {
        Difference::OfAlphabets
    }
}

/// Whether a letter is one of the Latin alphabets of Europe.
fn is_latin(letter: char) -> bool {
    letter <= '\u{24f}' || letter == '\u{307}'
}

/// Whether a byte stands between words: no part of a character of several bytes, in any encoding.
const fn is_between_words(byte: u8) -> bool {
    matches!(byte, 0..b'0' | b':'..=b'?')
}

/// Whether a word has characters in UTF-8, which in cp1252 were signs among letters: `Ã©`, `â€™`.
///
/// Not all that is well-formed is one: `É’` in cp1252, or `ß“`, are letters of no language, `é…”` is a single one of
/// Chinese, and in a word of capitals `Ä–` may be what it looks like.
fn spells_utf_8(word: &[u8]) -> bool {
    word.utf8_chunks().any(|chunk| {
        let (mut before, mut far) = ('\0', 0);
        chunk.valid().chars().any(|letter| {
            let behind_capital = std::mem::replace(&mut before, letter).is_ascii_uppercase();
            far += usize::from(letter >= '\u{800}');
            let is_near = matches!(
                letter,
                '\u{80}'..='\u{17f}' | '\u{218}'..='\u{21b}' | '\u{380}'..='\u{47f}' | '\u{2000}'..='\u{213f}' | '\u{f000}'..
            );
            far > 1 || (is_near && !(behind_capital && may_be_punctuation(letter)))
        })
    })
}

/// Whether a letter in UTF-8 is in cp1252 an `Ä`, `Å` or `È` before a mark of punctuation.
fn may_be_punctuation(letter: char) -> bool {
    let mut bytes = [0; 4];
    let marks = |mark| matches!(mark, 0x85 | 0x91..=0x97 | 0x99 | 0xa0 | 0xab | 0xbb);
    matches!(letter.encode_utf8(&mut bytes).as_bytes(), [0xc4 | 0xc5 | 0xc8, mark] if marks(*mark))
}

#[cfg(test)]
mod tests {
    use encoding_rs::Encoding;

    use super::super::encoding::text_of;

    fn encoded(text: &str, name: &str) -> Vec<u8> {
        let (bytes, _, is_lossy) = Encoding::for_label(name.as_bytes()).unwrap().encode(text);
        assert!(!is_lossy, "{text} is not in {name}");
        bytes.into_owned()
    }

    #[test]
    fn words_of_other_encodings_are_refused() {
        for (text, name) in [
            ("name\nИван\n", "windows-1251"),
            ("name,city\nAda,London\nЛев,Омск\n", "windows-1251"),
            ("name,company\nИван Петров,ООО Ромашка\nJim,Acme\n", "windows-1251"),
            ("name\nИван Петров\n", "koi8-r"),
            ("name\nИван Петров\n", "ibm866"),
            ("name\nΓιώργος Παπαδόπουλος\n", "iso-8859-7"),
            ("name\nמשה כהן\nדוד לוי\nיעקב\n", "windows-1255"),
            ("name\nمحمد علي\n", "windows-1256"),
            ("name\n王小明\n李大文\n陈志明\n", "gbk"),
            ("name\n王小明\n陳志明\n", "big5"),
            ("name\n田中太郎\n", "shift_jis"),
            ("name\n株式会社ソニー\n", "euc-jp"),
            ("name\n김철수\n", "euc-kr"),
            ("name\nŁukasz Dąbrowski\n", "windows-1250"),
            ("name\nWałęsa\nŚwięcka\n", "iso-8859-2"),
            ("name\nJiří Dvořák\n", "windows-1250"),
            ("name\nKovačević,Ćosić\n", "windows-1250"),
            ("name\nIşık Yıldız\n", "windows-1254"),
            ("name\nDoğan,Yılmaz\n", "windows-1254"),
        ] {
            let long = format!("{text}{}", "Ada,London\n".repeat(20_000));
            for file in [text, &long] {
                let refusal = text_of(&encoded(file, name), None, 999).unwrap_err();
                assert!(refusal.contains("options.encoding"), "{name}: {refusal}");
                assert!(refusal.contains("line 2") || refusal.contains("line 3"), "{name}: {refusal}");
                assert_eq!(text_of(&encoded(file, name), Some(name), 999).as_deref(), Ok(file));
            }
        }
        let late = format!("name\nJosé\n{}Łukasz Dąbrowski\n", "Ada\n".repeat(40_000));
        let refusal = text_of(&encoded(&late, "windows-1250"), None, 999).unwrap_err();
        assert!(refusal.contains("line 40003"), "{refusal}");
        assert!(refusal.contains("\"£ukasz\"") || refusal.contains("\"D¹browski\""), "{refusal}");
    }

    #[test]
    fn words_of_the_west_are_not() {
        let ascii = "Ada Byron,Engines\n".repeat(5_000);
        for western in [
            "Müller",
            "José",
            "Zoë",
            "Ærø",
            "€ 5",
            "€5",
            "5€",
            "£10",
            "10 £",
            "“quoted” – it’s",
            "O’Brien",
            "ÅÆØ",
            "Ö",
            "ÄÖÜ GmbH",
            "Öæå",
            "jäääär",
            "Þóra",
            "Þórður Ægisson,Guðrún",
            "blóðþrýstingur",
            "créée à l’été",
            "ÉÈÀ",
            "Ï",
            "Façade — naïve",
            "¿Qué? ¡Sí!",
            "½ ¼ ¾ § ¶",
            "5 µm",
            "5 m²",
            "20 °C",
            "Señor Ñúñez",
            "Škoda",
            "Žižek",
            "«Été» °C",
            "ÀÉÎÕÜ, Müller and Sánchez",
            "Hélène",
            "Geneviève",
            "Liège",
            "Hélène,Hélène,HÉLÈNE",
            "Læsø,Farsø",
            "Bø,Elisebø",
            "Søren Kierkegaard,Østergård",
            "Benoît",
            "Guimarães",
            "João Gonçalves,São Paulo",
            "Irmã,Conceição,Inês",
            "Muñoz,Núñez,Peña",
            "Hämäläinen,Yrjö",
            "Åse Ødegård,Tromsø",
            "Straße 5,Groß",
            "„Spaß“,Zoë",
            "„Müller“",
            "CAFÉ’S,Zoë",
            "KESÄ–ELOKUU,Müller",
            "ALLTSÅ…,Zoë",
            "”HYVÄ”,Müller",
            "JOSÉ…,Zoë",
            "RENÉ®,Zoë",
            "voilé…”,Zoë",
            "1º andar,2ª",
            "Nº 5",
            "Curaçao,Düsseldorf,Genève,København,Málaga,Århus",
            "Siobhán Ní Bhriain",
            "Acme™,Acme®,© 2020",
            "non\u{a0}breaking",
            "• wait…",
            "Ümit Öztürk",
            "Gül Çelik",
        ] {
            for text in [format!("name\n{western}\n"), format!("{ascii}{western},Müller\n{ascii}")] {
                let file = encoded(&text, "windows-1252");
                for piece in [1, 1_000] {
                    if piece == 1 && file.len() > 1_000 {
                        continue;
                    }
                    assert_eq!(text_of(&file, None, piece).as_deref(), Ok(&*text), "{western}");
                }
            }
        }
    }

    #[test]
    fn utf_8_among_cp1252_is_refused_wherever_it_stands() {
        let ascii = "name,value\n".repeat(20_000);
        for utf_8 in ["José", "it’s", "€ 5", "Łódź", "Ionuț", "Иван", "王小明", "😀", "\u{feff}a", "5 °C"]
        {
            let before = [&b"name\nM\xfcller,Jos\xe9\n"[..], utf_8.as_bytes(), b"\n"].concat();
            let after = [&b"M\xfcller\nJos\xe9\nZo\xeb\n"[..], ascii.as_bytes(), utf_8.as_bytes()].concat();
            for (file, lines) in [(before, ["line 3", "line 2"]), (after, ["line 20004", "line 1"])] {
                for piece in [1, 2, 3, 5_000] {
                    if piece < 3 && file.len() > 1_000 {
                        continue;
                    }
                    let refusal = text_of(&file, None, piece).unwrap_err();
                    let is_located = lines.iter().all(|line| refusal.contains(line));
                    assert!(is_located && refusal.contains("options.encoding"), "{utf_8}: {refusal}");
                }
                let named = text_of(&file, Some("windows-1252"), 5_000).unwrap();
                assert!(named.contains("Müller"), "a name beats what it seems");
            }
        }
    }
}
