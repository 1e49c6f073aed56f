//! British spellings made American.

use std::io::Read;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use rustc_hash::FxHashMap;

use super::text::is_space;

/// `data/make_spellings.py` says what is in it.
const SPELLINGS: &[u8] = include_bytes!("../../data/spellings.txt.gz");

static AMERICAN: LazyLock<FxHashMap<Box<str>, Box<str>>> = LazyLock::new(|| {
    let mut text = String::new();
    let read = GzDecoder::new(SPELLINGS).read_to_string(&mut text);
    debug_assert!(read.is_ok());
    text.lines().filter(|line| !line.starts_with('#')).filter_map(pair).collect()
});

/// Reads a line of the table: `colour 4 r`.
fn pair(line: &str) -> Option<(Box<str>, Box<str>)> {
    let mut fields = line.split(' ');
    let british = fields.next()?;
    let kept = british.get(..fields.next()?.parse().ok()?)?;
    Some((british.into(), [kept, fields.next().unwrap_or_default()].concat().into()))
}

/// Makes spellings American, with one space between words.
pub(super) fn americanize(text: &str) -> String {
    let mut american = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !american.is_empty() {
            american.push(' ');
        }
        american.push_str(AMERICAN.get(word).map_or(word, AsRef::as_ref));
    }
    american
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_pair() {
        assert_eq!(AMERICAN.len(), 1738);
        assert!(AMERICAN.iter().all(|(british, american)| british != american && !american.is_empty()));
    }

    #[test]
    fn spellings_by_hand() {
        assert_eq!(
            americanize(" colour\tof the aeroplane, aerogrammes"),
            "color of the aeroplane, aerograms"
        );
        assert_eq!(americanize("aerogramme archaeology"), "aerogram archeology</span>");
    }
}
