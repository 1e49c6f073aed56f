//! Contractions and titles written out.

use std::borrow::Cow;

use super::text::{is_space, is_word, replace_words, word_ends};

/// Contractions that are replaced only where a word begins with them.
const WHOLE: [(&str, &str); 7] = [
    ("won't", "will not"),
    ("can't", "can not"),
    ("let's", "let us"),
    ("ain't", "aint"),
    ("y'all", "you all"),
    ("i'ma", "i am going to"),
    ("ma'am", "madam"),
];

/// Endings, whatever is before them. The perfect tenses come first: elsewhere `'d` is `would` and `'s` is `is`.
const ENDINGS: [(&str, &str); 14] = [
    ("'d been", " had been"),
    ("'s been", " has been"),
    ("'d gone", " had gone"),
    ("'s gone", " has gone"),
    ("'d done", " had done"),
    ("'s got", " has got"),
    ("n't", " not"),
    ("'re", " are"),
    ("'s", " is"),
    ("'d", " would"),
    ("'ll", " will"),
    ("'t", " not"),
    ("'ve", " have"),
    ("'m", " am"),
];

/// Writes out contractions and titles of a text in lower case.
pub(super) fn expand(text: &str) -> String {
    // Words without an apostrophe may come first, whatever their place in the original: none of them is part of what has one,
    // but for `gotta`, whose `got` the endings must see.
    let mut text = replace_words(text, long_form);
    if text.contains('\'') {
        for (contraction, long) in WHOLE {
            replace(&mut text, contraction, long, true);
        }
        for (ending, long) in ENDINGS {
            replace(&mut text, ending, long, false);
        }
    }
    text
}

/// Titles end in a space of their own: it parts them from what an apostrophe adds.
fn long_form(word: &str) -> Option<&'static str> {
    Some(match word {
        "wanna" => "want to",
        "gotta" => "got to",
        "gonna" => "going to",
        "imma" => "i am going to",
        "woulda" => "would have",
        "coulda" => "could have",
        "shoulda" => "should have",
        "mr" => "mister ",
        "mrs" => "missus ",
        "st" => "saint ",
        "dr" => "doctor ",
        "prof" => "professor ",
        "capt" => "captain ",
        "gov" => "governor ",
        "ald" => "alderman ",
        "gen" => "general ",
        "sen" => "senator ",
        "rep" => "representative ",
        "pres" => "president ",
        "rev" => "reverend ",
        "hon" => "honorable ",
        "asst" => "assistant ",
        "assoc" => "associate ",
        "lt" => "lieutenant ",
        "col" => "colonel ",
        "jr" => "junior ",
        "sr" => "senior ",
        "esq" => "esquire ",
        _ => return None,
    })
}

/// Replaces `found` where no word goes on after it, and, for a `whole` word, none goes on before it.
fn replace(text: &mut String, found: &str, replacement: &str, whole: bool) {
    let fits = |&(start, _): &(usize, &str)| {
        let begins = !whole || !text[..start].chars().next_back().is_some_and(is_word);
        begins && word_ends(&text[start + found.len()..])
    };
    // None of them overlaps itself, so that a place that does not fit hides no other.
    let mut places = text.match_indices(found).filter(fits).peekable();
    if places.peek().is_none() {
        return;
    }
    let mut replaced = String::with_capacity(text.len() + 16);
    let mut done = 0;
    for (start, _) in places {
        replaced.push_str(&text[done..start]);
        replaced.push_str(replacement);
        done = start + found.len();
    }
    replaced.push_str(&text[done..]);
    *text = replaced;
}

/// Removes white space before an apostrophe: `do n't` and `it 's` are contractions too.
pub(super) fn join_apostrophes(text: &str) -> Cow<'_, str> {
    if !text.contains('\'') {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split('\'').peekable();
    let mut joined = String::with_capacity(text.len());
    while let Some(part) = parts.next() {
        if parts.peek().is_some() {
            joined.push_str(part.trim_end_matches(is_space));
            joined.push('\'');
        } else {
            joined.push_str(part);
        }
    }
    Cow::Owned(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contractions_by_hand() {
        assert_eq!(expand("i'd've gone, he'd gone"), "i would have gone, he had gone");
        assert_eq!(
            expand("she's been, she's gotta, she's here"),
            "she has been, she has got to, she is here"
        );
        assert_eq!(expand("won't xwon't 'tis y'all're"), "will not xwo not 'tis you all are");
        assert_eq!(expand("mr. st's 1st wanna's"), "mister . saint  is 1st want to is");
        assert_eq!(expand("n'ts 's'm"), "n'ts  is am");
    }

    #[test]
    fn apostrophes_stand_by_their_word() {
        assert_eq!(join_apostrophes("it 's\t'\n 'so ' "), "it's''so' ");
        assert_eq!(join_apostrophes("a b"), "a b");
    }
}
