//! Words replaced inside a text, everything around them left as it is.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{Homophone, Homophones, Unit};

/// One word, or two in a row, that were replaced.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Replacement {
    /// Place of the word in the text, from 0.
    pub word: usize,
    /// What stood there, without the punctuation around it.
    pub original: String,
    /// What stands there now.
    pub replacement: String,
}

/// A text after a perturbation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerturbedText {
    /// The text.
    pub text: String,
    /// What was replaced.
    pub replacements: Vec<Replacement>,
    /// How many words there were, how many could have been replaced, how many were.
    pub counts: WordCounts,
}

/// How many words a perturbation found and replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct WordCounts {
    /// Words of the texts.
    pub words: usize,
    /// Words that are in the lexicon.
    pub known: usize,
    /// Words that have a homophone.
    pub replaceable: usize,
    /// Words that were replaced; two that were replaced together count as one.
    pub replaced: usize,
}

impl std::ops::AddAssign for WordCounts {
    fn add_assign(&mut self, other: Self) {
        self.words += other.words;
        self.known += other.known;
        self.replaceable += other.replaceable;
        self.replaced += other.replaced;
    }
}

/// A word of a text: where its letters are, without the punctuation around them, and how the lexicon spells it.
pub(crate) struct Word {
    pub start: usize,
    pub end: usize,
    pub key: Option<String>,
}

/// Replaces each word that has a homophone with probability `rate`.
///
/// Two numbers are drawn for every word, whether it is replaced or not, so that with a higher rate the same words are replaced
/// and more.
pub fn perturb_text(
    text: &str,
    unit: Unit,
    homophones: &Homophones,
    rate: f64,
    rng: &mut ChaCha8Rng,
) -> PerturbedText {
    let words = find_words(text, unit, homophones);
    let cased = text.chars().any(char::is_uppercase);
    let mut counts = WordCounts { words: words.len(), ..WordCounts::default() };
    let mut replacements = Vec::new();
    let mut output = String::with_capacity(text.len());
    let mut copied = 0;
    let mut index = 0;
    while index < words.len() {
        let word = &words[index];
        let (draw, choice) = (rng.random::<f64>(), rng.random::<f64>());
        let Some(key) = &word.key else {
            index += 1;
            continue;
        };
        counts.known += 1;
        let single = homophones.of(key);
        let next = words.get(index + 1).filter(|next| text[word.end..next.start].trim().is_empty());
        let pair = match next.and_then(|next| next.key.as_ref()) {
            Some(second) => homophones.of_pair(key, second),
            None => [].into(),
        };
        let Some((chosen, takes)) = choose(&single, &pair, choice) else {
            index += 1;
            continue;
        };
        counts.replaceable += 1;
        if draw >= rate {
            index += 1;
            continue;
        }
        let last = &words[index + takes - 1];
        if takes == 2 {
            // The second word goes with the first: it is counted, its numbers are drawn.
            let _: (f64, f64) = (rng.random(), rng.random());
            counts.known += 1;
            counts.replaceable +=
                usize::from(last.key.as_ref().is_some_and(|key| !homophones.of(key).is_empty()));
        }
        counts.replaced += 1;
        let original = &text[word.start..last.end];
        let replacement = in_the_case_of(original, &spaced_as(original, &chosen.text), cased);
        output.push_str(&text[copied..word.start]);
        output.push_str(&replacement);
        copied = last.end;
        replacements.push(Replacement { word: index, original: original.to_owned(), replacement });
        index += takes;
    }
    output.push_str(&text[copied..]);
    PerturbedText { text: output, replacements, counts }
}

/// Takes one of the candidates, each as likely as it is similar, and says how many words it stands for.
fn choose<'a>(single: &'a [Homophone], pair: &'a [Homophone], choice: f64) -> Option<(&'a Homophone, usize)> {
    let all = || single.iter().map(|found| (found, 1)).chain(pair.iter().map(|found| (found, 2)));
    let total: f64 = all().map(|(found, _)| f64::from(found.similarity)).sum();
    let mut left = choice * total;
    let mut last = None;
    for (found, takes) in all() {
        last = Some((found, takes));
        left -= f64::from(found.similarity);
        if left < 0.0 {
            break;
        }
    }
    last
}

/// The words of a text: what white space separates, and for other units than the word each character of a script without spaces.
pub(crate) fn find_words(text: &str, unit: Unit, homophones: &Homophones) -> Vec<Word> {
    let begin = text.as_ptr() as usize;
    let unit = if unit.is_word() { Unit::Word } else { Unit::Mixed };
    unit.split(text)
        .into_iter()
        .map(|word| {
            let start = word.as_ptr() as usize - begin;
            let (from, to, key) = core(word, homophones);
            Word { start: start + from, end: start + to, key }
        })
        .collect()
}

/// The part of a word that the lexicon knows: all of it, with an apostrophe at an end (`'em`, `airlines'`), or without any
/// punctuation.
fn core(word: &str, homophones: &Homophones) -> (usize, usize, Option<String>) {
    let is_apostrophe = |c: char| c == '\'' || c == '’';
    let trim = |keep: &dyn Fn(char) -> bool| {
        let start = word.find(keep).unwrap_or(word.len());
        let end =
            word.rfind(keep).map_or(start, |at| at + word[at..].chars().next().map_or(0, char::len_utf8));
        (start, end)
    };
    let bare = trim(&|c: char| c.is_alphanumeric());
    let with = trim(&|c: char| c.is_alphanumeric() || is_apostrophe(c));
    let tries = [with, (bare.0, with.1.max(bare.1)), bare];
    for (start, end) in tries {
        let key = word[start..end].to_lowercase().replace('’', "'");
        if homophones.lexicon().contains(&key) {
            return (start, end, Some(key));
        }
    }
    (bare.0, bare.1, None)
}

/// Leaves the spaces of a replacement out where its words are written without.
fn spaced_as(original: &str, replacement: &str) -> String {
    let is_spaceless = |text: &str| text.chars().all(crate::script::stands_alone);
    let drops = is_spaceless(original) && replacement.split(' ').all(is_spaceless);
    if drops { replacement.replace(' ', "") } else { replacement.to_owned() }
}

/// Gives a replacement the case of what it stands for: all capitals, a capital in front, or none.
///
/// `I` is always a capital and says nothing; `i` is written `I` in a text that has capitals (`cased`).
pub(crate) fn in_the_case_of(original: &str, replacement: &str, cased: bool) -> String {
    let mut letters = original.chars().filter(|c| c.is_alphabetic());
    let first_is_capital = letters.next().is_some_and(char::is_uppercase);
    let mut others = letters.peekable();
    if others.peek().is_some() && first_is_capital && others.all(char::is_uppercase) {
        return replacement.to_uppercase();
    }
    let is_i = |text: &str| text == "i" || text.starts_with("i'") || text.starts_with("i ");
    let is_capital = first_is_capital && original != "I" && !original.starts_with("I'");
    let wants_capital = is_capital || (cased && is_i(replacement));
    if !wants_capital {
        return replacement.to_owned();
    }
    let mut characters = replacement.chars();
    characters.next().map_or_else(String::new, |c| c.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::{HomophoneOptions, Lexicon};

    fn perturb(text: &str, rate: f64, options: HomophoneOptions) -> PerturbedText {
        let homophones = Homophones::new(Lexicon::english(), options);
        perturb_text(text, Unit::Word, &homophones, rate, &mut ChaCha8Rng::seed_from_u64(1))
    }

    fn common() -> HomophoneOptions {
        HomophoneOptions { max_size: Some(20), ..Default::default() }
    }

    #[test]
    fn case_punctuation_and_space_survive() {
        let perturbed = perturb("  Knight,\t\"write\" — SIGHT!  i  don’t  know. ", 1.0, common());
        assert_eq!(perturbed.text.split_whitespace().count(), 7);
        let parts: Vec<&str> = perturbed.text.split_whitespace().collect();
        assert_eq!((parts[0], parts[2]), ("Night,", "—"));
        assert!(["\"right\"", "\"rite\""].contains(&parts[1]), "{parts:?}");
        assert!(["SITE!", "CITE!"].contains(&parts[3]), "{parts:?}");
        assert!(perturbed.text.starts_with("  Night,\t\"") && perturbed.text.ends_with(". "));
        assert_eq!(perturbed.counts.words, 7);
        let listed: Vec<&str> = perturbed.replacements.iter().map(|r| r.original.as_str()).collect();
        assert_eq!(listed[..3], ["Knight", "write", "SIGHT"]);
    }

    #[test]
    fn apostrophes_belong_to_words() {
        let perturbed = perturb("They’re 'em airlines' (there)", 1.0, common());
        let originals: Vec<&str> = perturbed.replacements.iter().map(|r| r.original.as_str()).collect();
        assert!(originals.contains(&"They’re") && originals.contains(&"there"), "{perturbed:?}");
        let first = perturbed.text.split_whitespace().next().unwrap();
        assert!(["Their", "There"].contains(&first), "{first}");
        assert!(perturbed.text.ends_with(')'));
    }

    #[test]
    fn capitals_by_hand() {
        assert_eq!(in_the_case_of("I", "eye", true), "eye");
        assert_eq!(in_the_case_of("eye", "i", true), "I");
        assert_eq!(in_the_case_of("eye", "i", false), "i");
        assert_eq!(in_the_case_of("A", "uh", true), "Uh");
        assert_eq!(in_the_case_of("Too", "two", true), "Two");
        assert_eq!(in_the_case_of("TOO", "two", true), "TWO");
        assert_eq!(in_the_case_of("iPod", "eye", true), "eye");
    }

    #[test]
    fn nothing_happens_at_rate_0_and_everything_at_1() {
        let text = "the knight could not write to their son";
        let untouched = perturb(text, 0.0, common());
        assert_eq!((untouched.text.as_str(), untouched.counts.replaced), (text, 0));
        let all = perturb(text, 1.0, common());
        assert_eq!(all.counts.replaced, all.counts.replaceable);
        assert_eq!((all.counts.words, all.counts.known), (8, 8));
    }

    #[test]
    fn a_higher_rate_replaces_the_same_words_and_more() {
        let text = "to write two right letters to their son in one hour by the sea";
        let places = |rate| -> Vec<usize> {
            perturb(text, rate, common()).replacements.iter().map(|replacement| replacement.word).collect()
        };
        let (few, many) = (places(0.2), places(0.7));
        assert!(few.len() < many.len() && few.iter().all(|place| many.contains(place)), "{few:?} {many:?}");
    }

    #[test]
    fn two_words_may_become_one() {
        let options = HomophoneOptions { max_size: Some(35), multi_word: true, ..Default::default() };
        let texts: Vec<String> = (0..200)
            .map(|seed| {
                let homophones = Homophones::new(Lexicon::english(), options);
                perturb_text(
                    "a loan, a loan",
                    Unit::Word,
                    &homophones,
                    0.5,
                    &mut ChaCha8Rng::seed_from_u64(seed),
                )
                .text
            })
            .collect();
        assert!(texts.contains(&"alone, a loan".to_owned()), "{texts:?}");
        let words = |text: &str| perturb(text, 1.0, options).counts;
        let counts = words("a loan a loan");
        assert!(counts.words == 4 && counts.known <= 4 && counts.replaced <= counts.replaceable);
    }

    #[test]
    fn characters_are_replaced_one_by_one() {
        let mut lexicon = Lexicon::clone(&Lexicon::english());
        let text = "窗\tchuang1\n疮\tchuang1\n户\thu4\n互\thu4\n背\tbei4\n北\tbei4\n景\tjing3\n";
        lexicon.extend_from_cmu("pinyin.tsv", text).unwrap();
        let options = HomophoneOptions { max_size: Some(10), ..Default::default() };
        let homophones = Homophones::new(std::sync::Arc::new(lexicon), options);
        let perturb =
            |text: &str, unit| perturb_text(text, unit, &homophones, 1.0, &mut ChaCha8Rng::seed_from_u64(1));
        let found = perturb("请把窗户关上, right?", Unit::Character);
        assert!(found.text.starts_with("请把疮互关上, ") && found.text.ends_with('?'), "{}", found.text);
        assert!(!found.text.contains("right"), "{}", found.text);
        assert_eq!((found.counts.words, found.counts.replaced), (8, 3));
        assert_eq!(perturb("请把窗户关上", Unit::Word).counts.known, 0);
        assert_eq!(spaced_as("北京", "背 景"), "背景");
        assert_eq!(spaced_as("alone", "a loan"), "a loan");
    }

    #[test]
    fn other_languages_are_left_alone() {
        let perturbed = perturb("Привет, мир!", 1.0, HomophoneOptions::default());
        assert_eq!((perturbed.text.as_str(), perturbed.counts.known), ("Привет, мир!", 0));
        assert_eq!(perturb("", 1.0, common()).text, "");
    }
}
