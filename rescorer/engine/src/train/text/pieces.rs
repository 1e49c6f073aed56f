//! Lines cut into sequences that fit.

/// A piece of a line with its tokens.
pub type Piece = (String, Vec<u32>);

/// Cuts a text into pieces of at most `max` tokens: at the end of the sentence nearest to the middle, else between words, else between
/// characters. Nothing is lost but the space at the cut.
pub fn cut<E>(
    text: &str,
    max: usize,
    encode: &dyn Fn(&str) -> Result<Vec<u32>, E>,
    pieces: &mut Vec<Piece>,
) -> Result<(), E> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(());
    }
    let tokens = encode(text)?;
    let place = place_to_cut(text);
    if tokens.len() <= max || place == 0 {
        pieces.push((text.to_owned(), tokens));
        return Ok(());
    }
    let (before, after) = text.split_at(place);
    cut(before, max, encode, pieces)?;
    cut(after, max, encode, pieces)
}

/// Where a text is cut; 0 where it has one character.
fn place_to_cut(text: &str) -> usize {
    let middle = text.len() / 2;
    let nearest = |places: &mut dyn Iterator<Item = usize>| {
        places.filter(|&place| place > 0 && place < text.len()).min_by_key(|&place| place.abs_diff(middle))
    };
    let ends = |window: (usize, char)| {
        let before = text[..window.0].chars().next_back();
        let is_end = before.is_some_and(|last| matches!(last, '.' | '!' | '?' | '"' | '”' | '…'));
        (is_end && window.1.is_whitespace()) || before.is_some_and(|last| matches!(last, '。' | '！' | '？'))
    };
    let sentences = &mut text.char_indices().filter(|&at| ends(at)).map(|(place, _)| place);
    // A sentence end far from the middle would leave long pieces and very short ones.
    let sentence = nearest(sentences).filter(|place| place.abs_diff(middle) <= text.len() * 2 / 5);
    let space =
        || nearest(&mut text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(place, _)| place));
    let any = || nearest(&mut text.char_indices().map(|(place, _)| place));
    sentence.or_else(space).or_else(any).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, max: usize) -> Vec<String> {
        let mut found = Vec::new();
        // A token is a word, or a character of a word without spaces around.
        let encode = |text: &str| -> Result<Vec<u32>, ()> {
            let words = text.split_whitespace().count();
            Ok(vec![0; if words > 1 { words } else { text.chars().count() / 4 + 1 }])
        };
        cut(text, max, &encode, &mut found).unwrap();
        assert!(found.iter().all(|(_, tokens)| tokens.len() <= max), "{found:?}");
        found.into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn lines_that_fit_stay_whole() {
        assert_eq!(pieces(" One. Two. ", 8), ["One. Two."]);
        assert!(pieces("  ", 8).is_empty());
    }

    #[test]
    fn paragraphs_are_cut_at_sentences() {
        assert_eq!(pieces("One two three. Four five six.", 4), ["One two three.", "Four five six."]);
        assert_eq!(
            pieces("He said: \"no more.\" Then he left us.", 5),
            ["He said: \"no more.\"", "Then he left us."]
        );
    }

    #[test]
    fn long_sentences_are_cut_at_words_and_words_at_characters() {
        assert_eq!(pieces("one two three four", 2), ["one two", "three four"]);
        assert_eq!(pieces("漢字漢字漢字漢字", 2), ["漢字漢字", "漢字漢字"]);
        let long = "x".repeat(1000);
        assert_eq!(pieces(&long, 8).concat(), long);
    }
}
