//! Currencies as files name them.

use super::field::fold;
use crate::money::Currency;

/// Signs that files put to amounts, and the currencies that they may mean.
const SIGNS: &[(&str, &[&str])] = &[
    ("$", &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "ARS", "CLP", "COP", "UYU"]),
    ("US$", &["USD"]),
    ("C$", &["CAD"]),
    ("CA$", &["CAD"]),
    ("A$", &["AUD"]),
    ("AU$", &["AUD"]),
    ("NZ$", &["NZD"]),
    ("S$", &["SGD"]),
    ("HK$", &["HKD"]),
    ("NT$", &["TWD"]),
    ("MX$", &["MXN"]),
    ("R$", &["BRL"]),
    ("€", &["EUR"]),
    ("£", &["GBP", "EGP"]),
    ("¥", &["JPY", "CNY"]),
    ("RMB", &["CNY"]),
    ("₹", &["INR"]),
    ("RS", &["INR", "PKR", "LKR", "NPR"]),
    ("RS.", &["INR", "PKR", "LKR", "NPR"]),
    ("KR", &["SEK", "NOK", "DKK", "ISK"]),
    ("KR.", &["DKK", "SEK", "NOK", "ISK"]),
    ("FR.", &["CHF"]),
    ("SFR.", &["CHF"]),
    ("ZŁ", &["PLN"]),
    ("KČ", &["CZK"]),
    ("FT", &["HUF"]),
    ("LEI", &["RON"]),
    ("R", &["ZAR"]),
    ("RP", &["IDR"]),
    ("RM", &["MYR"]),
    ("₽", &["RUB"]),
    ("₴", &["UAH"]),
    ("₺", &["TRY"]),
    ("₩", &["KRW"]),
    ("₪", &["ILS"]),
    ("₫", &["VND"]),
    ("₱", &["PHP"]),
    ("₦", &["NGN"]),
    ("฿", &["THB"]),
];

/// Adjectives, folded, of countries whose currencies are not called by them in ISO 4217.
const ADJECTIVES: &[(&str, &[&str])] = &[("USD", &["american"]), ("GBP", &["british", "uk", "english"])];

/// What a row is told whose amount is in another currency.
pub(super) fn foreign(named: &str, currency: Currency) -> String {
    format!("is in {named}, but the organization's currency is {currency}")
}

/// Whether a cell that says nothing but a currency may mean this one: `USD`, `usd`, `$`, `US Dollar`,
/// `Dollar US`, `USD - U.S. Dollar`.
pub(super) fn names(cell: &str, currency: Currency) -> bool {
    let cell = cell.trim();
    let sign: String = cell.split_whitespace().collect::<String>().to_uppercase();
    if is_sign(&sign) {
        return means(&sign, currency);
    }
    let words = cell.split(|letter: char| !letter.is_alphanumeric());
    let codes: Vec<Currency> = words.filter_map(|word| word.parse().ok()).collect();
    if codes.is_empty() {
        is_name(&plain(cell), currency)
    } else {
        codes.iter().all(|code| *code == currency)
    }
}

/// Whether a folded word may be the currency's name: `unitedstatesdollar`, `usdollars`, `dollarus`, `dollar`.
fn is_name(word: &str, currency: Currency) -> bool {
    let code = currency.code();
    let Some(known) = iso_currency::Currency::from_code(code) else { return false };
    let parts = known.name().split(|letter: char| !letter.is_alphanumeric()).map(plain);
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    let adjectives =
        ADJECTIVES.iter().filter(|(of, _)| *of == code).flat_map(|(_, words)| words.iter().copied());
    let country = code[..2].to_lowercase();
    let besides: Vec<&str> =
        adjectives.chain([country.as_str()]).chain(parts.iter().map(String::as_str)).collect();
    let is_called = |word: &str| {
        word == plain(known.name())
            || parts.iter().any(|part| {
                let beside =
                    word.strip_prefix(part.as_str()).into_iter().chain(word.strip_suffix(part.as_str()));
                beside.into_iter().any(|beside| {
                    beside.is_empty()
                        || besides.contains(&beside)
                        || besides.contains(&beside.trim_end_matches('s'))
                })
            })
    };
    is_called(word) || word.strip_suffix('s').is_some_and(is_called)
}

/// A folded word without what names of currencies have above their letters.
fn plain(word: &str) -> String {
    let plain = |letter| match letter {
        'ł' => 'l',
        'ó' | 'ö' => 'o',
        'é' => 'e',
        'í' => 'i',
        other => other,
    };
    fold(word).chars().map(plain).collect()
}

/// Whether a word names a currency.
pub(super) fn is_sign(word: &str) -> bool {
    SIGNS.iter().any(|(sign, _)| *sign == word) || word.parse::<Currency>().is_ok()
}

/// Whether a sign may mean a currency.
pub(super) fn means(word: &str, currency: Currency) -> bool {
    let of_sign = SIGNS
        .iter()
        .find(|(sign, _)| *sign == word)
        .is_some_and(|(_, codes)| codes.contains(&currency.code()));
    of_sign || word == currency.code()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_known_by_its_code_sign_or_name() {
        let named = |cell: &str, code: &str| names(cell, code.parse().unwrap());
        for (cell, code) in [
            ("USD", "USD"),
            (" usd ", "USD"),
            ("$", "USD"),
            ("$", "CAD"),
            ("US Dollar", "USD"),
            ("U.S. Dollars", "USD"),
            ("USD - U.S. Dollar", "USD"),
            ("base.EUR", "EUR"),
            ("euros", "EUR"),
            ("Canadian dollar", "CAD"),
            ("kr", "SEK"),
            ("British Pound", "GBP"),
            ("British Pound(s)", "GBP"),
            ("Pounds", "GBP"),
            ("Pound Sterling", "GBP"),
            ("Pounds Sterling", "GBP"),
            ("GBP - British Pound", "GBP"),
            ("Swedish Krona", "SEK"),
            ("Swedish Kronor", "SEK"),
            ("Chinese Yuan", "CNY"),
            ("RMB", "CNY"),
            ("Renminbi", "CNY"),
            ("Polish Zloty", "PLN"),
            ("złoty", "PLN"),
            ("US $", "USD"),
            ("Dollar US", "USD"),
            ("US Dollars", "USD"),
            ("United States Dollar", "USD"),
            ("American dollar", "USD"),
        ] {
            assert!(named(cell, code), "{cell} {code}");
        }
        for (cell, code) in [
            ("EUR", "USD"),
            ("$", "EUR"),
            ("Euro", "USD"),
            ("Canadian Dollar", "USD"),
            ("CAD - Canadian Dollar", "USD"),
            ("USD/EUR", "USD"),
            ("1", "USD"),
            ("?", "USD"),
            ("US", "USD"),
            ("CN", "CNY"),
            ("s", "USD"),
            ("", "CNY"),
            ("Australian Dollar", "USD"),
            ("Dollar CA", "USD"),
            ("Danish Krone", "SEK"),
            ("Egyptian Pound", "GBP"),
            ("Turkish Pound", "GBP"),
            ("RMB", "MYR"),
            ("RM", "CNY"),
        ] {
            assert!(!named(cell, code), "{cell} {code}");
        }
    }
}
