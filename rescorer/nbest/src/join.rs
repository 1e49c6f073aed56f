//! The texts of segments or words as one text.

/// The texts of segments in one.
pub(crate) fn join<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    let at_edge = |text: &str| text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    let spaced = texts.iter().any(|text| at_edge(text));
    let mut joined = String::new();
    for text in texts {
        let edges = joined.chars().next_back().zip(text.chars().next());
        if edges.is_some_and(|(last, first)| !spaced && !without_spaces(last) && !without_spaces(first)) {
            joined.push(' ');
        }
        joined.push_str(text);
    }
    joined.trim().to_owned()
}

/// Whether a character is of a script that puts no spaces between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese.
fn without_spaces(character: char) -> bool {
    matches!(character, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{A4CF}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE4F}' | '\u{FF00}'..='\u{FFEF}'
        | '\u{20000}'..='\u{3FFFF}')
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn segments_are_joined_as_their_script_asks() {
        assert_eq!(join([" Hello", " there-", "fore. "].into_iter()), "Hello there-fore.");
        assert_eq!(join(["Hello there.", "", "Yes."].into_iter()), "Hello there. Yes.");
        assert_eq!(join(["你好", "世界", "OK", "好"].into_iter()), "你好世界OK好");
        assert_eq!(join(["한국어", "입니다"].into_iter()), "한국어 입니다");
        assert_eq!(join([].into_iter()), "");
    }
}
