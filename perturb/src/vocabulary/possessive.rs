//! Terms with 's.

use crate::Phone;

/// Whether a term has a possessive with 's: it ends in a letter, and not in s, behind which people write differently.
pub fn has_one(text: &str) -> bool {
    text.chars().next_back().is_some_and(|last| last.is_alphabetic() && !matches!(last, 's' | 'S'))
}

/// How the possessive is said: with IH Z behind a hiss, S behind a sound without voice, else Z.
///
/// # Reference
/// The rule of English plurals, as in Quirk et al. 1985, "A comprehensive grammar of the English language", 5.80 and 5.113.
pub fn said(phones: &[Phone]) -> Vec<Phone> {
    let last = phones.last().and_then(|last| last.name()).unwrap_or_default();
    let behind: &[&str] = match last {
        "S" | "Z" | "SH" | "ZH" | "CH" | "JH" => &["IH", "Z"],
        "P" | "T" | "K" | "F" | "TH" => &["S"],
        _ => &["Z"],
    };
    let behind = behind.iter().filter_map(|name| Phone::from_name(name));
    phones.iter().copied().chain(behind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_by_hand() {
        let ending = |names: &str| -> String {
            let phones: Vec<Phone> = names.split(' ').filter_map(Phone::from_name).collect();
            let said = said(&phones);
            said[phones.len()..].iter().filter_map(|phone| phone.name()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(["R OW Z", "JH AO R JH"].map(ending), ["IH Z", "IH Z"]);
        assert_eq!(["M AA R K", "B IH L"].map(ending), ["S", "Z"]);
        assert!(
            has_one("Mark") && has_one("Ann Lee") && !has_one("Charles") && !has_one("R2") && !has_one("Dr.")
        );
    }
}
