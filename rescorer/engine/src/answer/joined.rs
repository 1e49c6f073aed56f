use rescorer_perturb::Unit;

use crate::answer::rule::RuleWord;

/// The text of an answer whose units come from several hypotheses, `texts`.
///
/// Words have spaces between. Other units keep the space that stands before them in their hypothesis, and that of the units which
/// were left out there since the last one.
pub(crate) fn joined(unit: Unit, answer: &[RuleWord], texts: &[impl AsRef<str>]) -> String {
    let units: Vec<Vec<&str>> = texts.iter().map(|text| unit.split(text.as_ref())).collect();
    let spaces: Vec<Vec<bool>> = texts.iter().map(|text| unit.spaces(text.as_ref())).collect();
    let mut text = String::new();
    let mut last: Option<&RuleWord> = None;
    for word in answer {
        let since = match last {
            Some(last) if last.hypothesis == word.hypothesis && last.index < word.index => last.index + 1,
            _ => word.index,
        };
        let is_apart = unit.is_word() || spaces[word.hypothesis][since..=word.index].contains(&true);
        if last.is_some() && is_apart {
            text.push(' ');
        }
        text.push_str(units[word.hypothesis][word.index]);
        last = Some(word);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(unit: Unit, texts: &[&str], answer: &[(usize, usize)]) -> String {
        let word = |&(hypothesis, index)| RuleWord { hypothesis, index, posterior: 1.0 };
        joined(unit, &answer.iter().map(word).collect::<Vec<_>>(), texts)
    }

    #[test]
    fn words_have_spaces_between() {
        assert_eq!(text(Unit::Word, &["b  c", "a x"], &[(1, 0), (0, 0), (0, 1)]), "a b c");
        assert_eq!(text(Unit::Word, &["b", "a"], &[(1, 0), (0, 0)]), "a b");
        assert_eq!(text(Unit::Word, &["a"], &[]), "");
    }

    #[test]
    fn characters_keep_theirs() {
        let texts = ["the cat", "thee bat"];
        assert_eq!(
            text(Unit::Character, &texts, &[(0, 0), (0, 1), (0, 2), (1, 4), (0, 4), (0, 5)]),
            "the bat"
        );
        // The `c` that had the space is left out.
        assert_eq!(text(Unit::Character, &texts, &[(0, 0), (0, 1), (0, 2), (0, 4), (0, 5)]), "the at");
        assert_eq!(text(Unit::Character, &["今天", "明天去"], &[(0, 0), (0, 1), (1, 2)]), "今天去");
        assert_eq!(text(Unit::Mixed, &["play 七里香 now"], &[(0, 0), (0, 2), (0, 4)]), "play 里 now");
    }
}
