//! CSV files of leads and deals, as many rows as are wanted.

use std::fmt::Write as _;
use std::ops::Range;

/// The leads of these numbers.
pub(crate) fn leads(numbers: Range<usize>) -> Vec<u8> {
    let mut csv = "name,email,phone,company,source,status,value\n".to_owned();
    for row in numbers {
        let first_name = ["Ada", "Grace", "Edsger", "Barbara", "Alan", "Frances", "Donald"][row % 7];
        let last_name = last_name(row);
        let status = ["NEW", "CONTACTED", "QUALIFIED", "PROPOSAL", "WON", "LOST"][row % 6];
        let source = ["Website", "Referral", "Event", "Partner", "Cold Call"][row % 5];
        let (phone, company) = (5_550_000 + row, row / 10);
        writeln!(
            csv,
            "{first_name} {last_name},{row}@example.org,{phone},Company {company},{source},{status},{row}.25"
        )
        .expect("memory is enough");
    }
    csv.into_bytes()
}

/// So many deals, all in one stage.
pub(crate) fn deals(count: usize) -> Vec<u8> {
    let mut csv = "title,stage,value\n".to_owned();
    for row in 0..count {
        writeln!(csv, "Engine {row},DISCOVERY,{row}.5").expect("memory is enough");
    }
    csv.into_bytes()
}

/// One of 4,096 names; a few leads of ten thousand share one, and some hundred of a million.
pub(crate) fn last_name(row: usize) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "che", "dor", "fin", "gra", "hol", "ja", "kel", "lor", "min", "nov", "per", "ros", "sta",
        "tur", "wen",
    ];
    // A prime scatters the names over the file.
    let number = row * 2_711 % 4_096;
    let syllable = |place: usize| SYLLABLES[number >> (4 * place) & 15];
    let mut name = format!("{}{}{}", syllable(0), syllable(1), syllable(2));
    name[..1].make_ascii_uppercase();
    name
}
