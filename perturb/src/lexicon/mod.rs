//! Words and how they are said.

mod phone;

use std::io::Read;
use std::sync::{Arc, OnceLock};

use flate2::read::GzDecoder;
use rustc_hash::FxHashMap;

pub use phone::Phone;

use crate::Error;

/// Classes of the CMU dictionary: `data/make_pronunciations.py` says what is in it.
const ENGLISH: &[u8] = include_bytes!("../../data/pronunciations.txt.gz");

/// A pronunciation: phones without stress.
pub type Pronunciation = Arc<[Phone]>;

/// Words with all their pronunciations, and pronunciations with all their words.
///
/// Words are in lower case; stress is left out, so `IN-sult` and `in-SULT` are the same.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    /// Names of phones that are none of English.
    own_phones: Vec<Arc<str>>,
    own_numbers: FxHashMap<Arc<str>, usize>,
    words: Vec<Word>,
    numbers: FxHashMap<Arc<str>, u32>,
    classes: FxHashMap<Pronunciation, Vec<u32>>,
}

#[derive(Debug, Clone)]
struct Word {
    text: Arc<str>,
    size: Option<u8>,
    pronunciations: Vec<Pronunciation>,
}

impl Lexicon {
    /// The CMU Pronouncing Dictionary: 126,000 English words with 135,000 pronunciations. Unpacked when it is first asked for
    /// (about 0.1 s), then shared.
    #[must_use]
    pub fn english() -> Arc<Self> {
        static LEXICON: OnceLock<Arc<Lexicon>> = OnceLock::new();
        let unpack = || {
            let mut text = String::new();
            let read = GzDecoder::new(ENGLISH).read_to_string(&mut text);
            debug_assert!(read.is_ok());
            Arc::new(Self::from_classes(&text))
        };
        LEXICON.get_or_init(unpack).clone()
    }

    /// Reads the lines of `data/pronunciations.txt.gz`.
    fn from_classes(text: &str) -> Self {
        let mut lexicon = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((phones, words)) = line.split_once('\t') else { continue };
            let Some(phones) = phones.split(' ').map(Phone::from_name).collect::<Option<Pronunciation>>()
            else {
                continue;
            };
            for word in words.split(' ') {
                let (word, size) = word.split_once(':').unwrap_or((word, ""));
                lexicon.add(word, &phones, size.parse().ok());
            }
        }
        lexicon
    }

    /// Adds the entries of a dictionary in CMU's format: a line is a word and its phones, `read R EH1 D`; further
    /// pronunciations have further lines, with the word as it is or as `read(2)`. What follows `#` is a remark, and a line
    /// that begins with `;;;` too.
    ///
    /// A line with a tab behind the word is for any language: `窗<tab>chuang1`, or `北京<tab>bei3 jing1`. Its phones have any names,
    /// which are taken as they are, and words sound the same where all of them are the same.
    ///
    /// Words that are not known yet count as common. `name` stands for the text in messages.
    ///
    /// # Errors
    /// [`Error::Lexicon`]: an unknown phone, a word without phones, or more than 65,000 names of phones, with the line.
    pub fn extend_from_cmu(&mut self, name: &str, text: &str) -> Result<(), Error> {
        for (index, line) in text.lines().enumerate() {
            let fail = |reason: String| Error::Lexicon { name: name.into(), line: index + 1, reason };
            let line = if line.starts_with(";;;") { "" } else { line.split('#').next().unwrap_or_default() };
            if let Some((word, phones)) = line.trim().split_once('\t') {
                let phones = self.own(phones).ok_or_else(|| fail("too many names of phones".into()))?;
                self.add_common(word.trim(), &phones, fail)?;
                continue;
            }
            let mut parts = line.split_whitespace();
            let Some(word) = parts.next() else { continue };
            let word = match word.split_once('(') {
                Some((word, number)) if !word.is_empty() && number.ends_with(')') => word,
                _ => word,
            };
            let phone = |part: &str| {
                Phone::from_name(part).ok_or_else(|| {
                    let known: Vec<&str> = Phone::all().filter_map(Phone::name).collect();
                    fail(format!(
                        "{part:?} is no phone of English; use {}, or put a tab behind the word for phones of your own",
                        known.join(" ")
                    ))
                })
            };
            let phones: Pronunciation = parts.map(phone).collect::<Result<_, Error>>()?;
            self.add_common(word, &phones, fail)?;
        }
        Ok(())
    }

    fn add_common(
        &mut self,
        word: &str,
        phones: &Pronunciation,
        fail: impl Fn(String) -> Error,
    ) -> Result<(), Error> {
        if phones.is_empty() {
            return Err(fail(format!("{word:?} has no phones; write a line as `read R EH D`")));
        }
        let word = word.to_lowercase();
        let size = self.size(&word).or(Some(0));
        self.add(&word, phones, size);
        Ok(())
    }

    /// Phones by names of one's own; `None` where there are too many.
    fn own(&mut self, names: &str) -> Option<Pronunciation> {
        let mut phone = |name: &str| {
            let next = self.own_phones.len();
            let number = self.own_numbers.get(name).copied().unwrap_or(next);
            let phone = Phone::own(number)?;
            if number == next {
                let name: Arc<str> = name.into();
                self.own_phones.push(name.clone());
                self.own_numbers.insert(name, number);
            }
            Some(phone)
        };
        names.split_whitespace().map(&mut phone).collect()
    }

    /// The name of a phone: that of ARPAbet, or the one that an entry of one's own gave it.
    #[must_use]
    pub fn phone_name(&self, phone: Phone) -> &str {
        let own = phone.own_number().and_then(|number| self.own_phones.get(number));
        phone.name().or(own.map(AsRef::as_ref)).unwrap_or("?")
    }

    fn add(&mut self, word: &str, phones: &Pronunciation, size: Option<u8>) {
        let number = self.numbers.get(word).copied().unwrap_or_else(|| {
            let number = self.words.len() as u32;
            let text: Arc<str> = word.into();
            self.numbers.insert(text.clone(), number);
            self.words.push(Word { text, size, pronunciations: Vec::new() });
            number
        });
        let known = &mut self.words[number as usize];
        if !known.pronunciations.contains(phones) {
            known.pronunciations.push(phones.clone());
            self.classes.entry(phones.clone()).or_default().push(number);
        }
    }

    /// The number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a word, in lower case, is there.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.numbers.contains_key(word)
    }

    /// All pronunciations of a word, none where it is not there.
    #[must_use]
    pub fn pronunciations(&self, word: &str) -> &[Pronunciation] {
        self.word(word).map_or(&[], |word| &word.pronunciations)
    }

    /// The words that can be said so, the most common ones first.
    pub fn words(&self, phones: &[Phone]) -> impl Iterator<Item = &str> {
        let numbers = self.classes.get(phones).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|&number| self.words[number as usize].text.as_ref())
    }

    /// All pronunciations with their words, in no order.
    pub fn classes(&self) -> impl Iterator<Item = (&Pronunciation, impl Iterator<Item = &str>)> {
        let word = |&number: &u32| self.words[number as usize].text.as_ref();
        self.classes.iter().map(move |(phones, numbers)| (phones, numbers.iter().map(word)))
    }

    /// How common a word is: the size of the smallest of SCOWL's word lists that has it, from 10 (the thousand most common
    /// words) over 35 (small), 50 (medium) and 70 (large) to 95; `None` where none has.
    #[must_use]
    pub fn size(&self, word: &str) -> Option<u8> {
        self.word(word).and_then(|word| word.size)
    }

    fn word(&self, word: &str) -> Option<&Word> {
        self.numbers.get(word).map(|&number| &self.words[number as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(phones: &str) -> Vec<String> {
        let phones: Vec<Phone> = phones.split(' ').map(|name| Phone::from_name(name).unwrap()).collect();
        Lexicon::english().words(&phones).map(str::to_owned).collect()
    }

    #[test]
    fn classes_by_hand() {
        assert_eq!(class("DH EH R"), ["their", "there", "they're"]);
        assert_eq!(class("T UW"), ["to", "too", "two", "tew", "tu", "tue", "thuy"]);
        assert_eq!(class("R AY T"), ["right", "write", "rite", "wright", "reit"]);
        assert_eq!(class("N AY T"), ["night", "knight", "nite"]);
        // "read" is said in two ways.
        let has = |phones, word: &str| class(phones).contains(&word.to_owned());
        assert!(has("R IY D", "read") && has("R IY D", "reed"));
        assert!(has("R EH D", "read") && has("R EH D", "red"));
        assert_eq!(Lexicon::english().pronunciations("read").len(), 2);
        assert_eq!(Lexicon::english().pronunciations("rescorer").len(), 0);
    }

    #[test]
    fn sizes_say_how_common_a_word_is() {
        let size = |word| Lexicon::english().size(word);
        assert_eq!(["they're", "inn", "tue", "thuy"].map(size), [Some(10), Some(35), Some(95), None]);
    }

    #[test]
    fn other_languages_have_phones_of_their_own() {
        let mut lexicon = Lexicon::default();
        let text = "窗\tchuang1\n疮\tchuang1 # sore\n床\tchuang2\n北京\tbei3 jing1\n背景\tbei4 jing3\nread R EH1 D\nred\tR EH1 D\n";
        lexicon.extend_from_cmu("pinyin.tsv", text).unwrap();
        let alike = |word: &str| lexicon.words(&lexicon.pronunciations(word)[0]).collect::<Vec<_>>();
        assert_eq!((alike("窗"), alike("床"), alike("北京")), (vec!["窗", "疮"], vec!["床"], vec!["北京"]));
        assert_eq!(alike("read"), ["read"], "a tab makes names of one's own, whatever they look like");
        let said = &lexicon.pronunciations("北京")[0];
        let names: Vec<&str> = said.iter().map(|&phone| lexicon.phone_name(phone)).collect();
        assert_eq!(names, ["bei3", "jing1"]);
        assert_eq!((said[0].similarity(said[0]), said[0].similarity(said[1])), (1.0, 0.0));
        let refusal = Lexicon::default().extend_from_cmu("pinyin.tsv", "窗\t#").unwrap_err().to_string();
        assert!(refusal.starts_with("pinyin.tsv:1: \"窗\" has no phones"), "{refusal}");
        let many: String = (0..70_000).map(|n| format!("w\tp{n}\n")).collect();
        let refusal = Lexicon::default().extend_from_cmu("many.tsv", &many).unwrap_err().to_string();
        assert_eq!(refusal, "many.tsv:65498: too many names of phones");
    }

    #[test]
    fn a_list_of_ones_own_is_added() {
        let mut lexicon = Lexicon::default();
        let text = ";;; mine\nRead R EH1 D # past\nread(2) R IY1 D\nred R EH D\n\n";
        lexicon.extend_from_cmu("mine.dict", text).unwrap();
        assert_eq!(lexicon.len(), 2);
        assert_eq!(lexicon.pronunciations("read").len(), 2);
        assert_eq!(lexicon.words(&lexicon.pronunciations("red")[0]).collect::<Vec<_>>(), ["read", "red"]);
        assert_eq!(lexicon.size("red"), Some(0));
        let refusal =
            |text: &str| Lexicon::default().extend_from_cmu("mine.dict", text).unwrap_err().to_string();
        assert!(
            refusal("read R EH D\nred R QX D")
                .starts_with("mine.dict:2: \"QX\" is no phone of English; use AA AE")
        );
        assert_eq!(refusal("red"), "mine.dict:1: \"red\" has no phones; write a line as `read R EH D`");
    }
}
