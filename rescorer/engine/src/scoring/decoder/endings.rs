//! What the rest of a hypothesis is likely to be worth, by those that end alike.

use std::cmp::Ordering;

use crate::scoring::list::TextScore;

/// A hypothesis that is scored to its end, read from there.
struct Finished {
    tokens: Vec<u32>,
    /// Sums of its last log-probabilities: of none, of one, and so on.
    sums: Vec<f64>,
}

impl Finished {
    /// Of tokens with their log-probabilities, the last first.
    fn new(backwards: impl Iterator<Item = (u32, f32)>) -> Self {
        let (mut tokens, mut sums) = (Vec::new(), vec![0.0]);
        for (token, log_prob) in backwards {
            tokens.push(token);
            sums.push(sums[tokens.len() - 1] + f64::from(log_prob));
        }
        Self { tokens, sums }
    }

    /// How many tokens another text ends with that this one ends with too.
    fn shared(&self, backwards: impl Iterator<Item = u32>) -> usize {
        self.tokens.iter().zip(backwards).take_while(|(own, other)| **own == *other).count()
    }
}

/// The finished hypotheses of a list.
#[derive(Default)]
pub(crate) struct Endings(Vec<Finished>);

impl Endings {
    /// Adds a hypothesis: its tokens and their log-probabilities, the last first.
    pub(crate) fn add(&mut self, backwards: impl Iterator<Item = (u32, f32)>) {
        self.0.push(Finished::new(backwards));
    }

    /// The log-probability of the last `left` tokens of a hypothesis: that of those with which a finished one ends too, 0 of the
    /// others. The one with the longest such ending counts, of several the most probable.
    pub(crate) fn rest(&self, backwards: impl Iterator<Item = u32> + Clone, left: usize) -> f64 {
        let of = |finished: &Finished| {
            let shared = finished.shared(backwards.clone().take(left));
            (shared, finished.sums[shared])
        };
        self.0.iter().map(of).max_by(by_length).map_or(0.0, |(_, sum)| sum)
    }
}

/// What a search that goes level by level takes the texts of a list to be worth before they are scored to their ends.
///
/// The first text, the first-pass best, is scored before any text is given up. Of the others the shorter ones are finished first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Estimates(Vec<Vec<Step>>);

/// A stretch of the way of a text, along which no other is finished.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// The texts that are finished, in the order in which they are.
    pub(crate) finished: usize,
    /// The least that it counts as without slack: what is known of it, plus what the finished ones make of its rest.
    pub(crate) least: f64,
}

impl Estimates {
    /// Of texts that were scored token by token.
    pub(crate) fn new(texts: &[TextScore]) -> Self {
        let backwards = |text: &TextScore| {
            Finished::new(text.tokens.iter().copied().zip(text.log_probs.iter().copied()).rev())
        };
        let read: Vec<Finished> = texts.iter().map(backwards).collect();
        Self((0..read.len()).map(|text| steps(&read, text)).collect())
    }

    /// The steps of a text; `None` where tokens were not scored.
    pub(crate) fn steps(&self, text: usize) -> Option<&[Step]> {
        self.0.get(text).map(Vec::as_slice)
    }
}

/// The order in which the others of a text are finished: the first one, then by length.
pub(crate) fn order(lengths: &[usize], text: usize) -> Vec<usize> {
    let mut others: Vec<usize> = (0..lengths.len()).filter(|&other| other != text).collect();
    others.sort_by_key(|&other| (other != 0, lengths[other], other));
    others
}

fn steps(read: &[Finished], text: usize) -> Vec<Step> {
    let lengths: Vec<usize> = read.iter().map(|text| text.tokens.len()).collect();
    let (own, order) = (&read[text], order(&lengths, text));
    let (length, total) = (lengths[text], own.sums[lengths[text]]);
    let Some(first) = order.first().map(|&first| &read[first]) else { return Vec::new() };
    // What it begins with as the first does is known with that, and the token after it.
    let begins_alike =
        own.tokens.iter().rev().zip(first.tokens.iter().rev()).take_while(|(a, b)| a == b).count();
    let shared: Vec<usize> =
        order.iter().map(|&other| read[other].shared(own.tokens.iter().copied())).collect();
    let mut steps: Vec<Step> = Vec::new();
    for known in begins_alike + 1..length {
        let finished = 1 + order[1..].iter().take_while(|&&other| lengths[other] <= known).count();
        let left = length - known;
        let of_other = |(&other, &shared): (&usize, &usize)| {
            let shared = shared.min(left);
            (shared, read[other].sums[shared])
        };
        let rest = order[..finished].iter().zip(&shared).map(of_other).max_by(by_length);
        let estimate = total - own.sums[left] + rest.map_or(0.0, |(_, sum)| sum);
        match steps.last_mut() {
            Some(step) if step.finished == finished => step.least = step.least.min(estimate),
            _ => steps.push(Step { finished, least: estimate }),
        }
    }
    steps
}

/// Longer endings first, of several the most probable.
fn by_length(a: &(usize, f64), b: &(usize, f64)) -> Ordering {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(tokens: &[u32], log_probs: &[f32]) -> TextScore {
        let lm_score = log_probs.iter().copied().map(f64::from).sum();
        TextScore { tokens: tokens.to_vec(), log_probs: log_probs.to_vec(), lm_score }
    }

    fn endings(texts: &[TextScore]) -> Endings {
        let mut endings = Endings::default();
        for text in texts {
            endings.add(text.tokens.iter().copied().zip(text.log_probs.iter().copied()).rev());
        }
        endings
    }

    #[test]
    fn the_longest_common_ending_counts() {
        let known = endings(&[
            text(&[1, 2, 3, 9], &[-1.0, -2.0, -3.0, -0.5]),
            text(&[5, 3, 9], &[-1.0, -4.0, -0.25]),
            text(&[6, 3, 9], &[-1.0, -2.0, -0.25]),
        ]);
        let rest = |tokens: &[u32], left: usize| known.rest(tokens.iter().rev().copied(), left);
        assert_eq!(rest(&[7, 2, 3, 9], 4), -5.5, "only the first ends with three of these");
        assert_eq!(rest(&[7, 2, 3, 9], 2), -2.25, "of the last two the most probable");
        assert_eq!(rest(&[7, 2, 3, 9], 0), 0.0);
        assert_eq!(rest(&[7, 8], 2), 0.0, "nothing is known of these");
        assert_eq!(Endings::default().rest([9].into_iter(), 1), 0.0);
    }

    #[test]
    fn steps_follow_a_search_level_by_level() {
        let texts = [
            text(&[1, 2, 3, 9], &[-1.0, -2.0, -3.0, -0.5]),
            text(&[1, 4, 3, 9], &[-1.0, -1.0, -0.5, -0.5]),
            text(&[4, 3, 9], &[-2.0, -6.0, -1.0]),
        ];
        let estimates = Estimates::new(&texts);
        // Of "1 4 3 9" two tokens are known with the first text, -2, which has -3.5 for "3 9"; before the last token, where -2.5 is known,
        // the third one is finished too, but the first has the more probable end.
        let expected = [Step { finished: 1, least: -5.5 }, Step { finished: 2, least: -3.0 }];
        assert_eq!(estimates.steps(1), Some(&expected[..]));
        // "4 3 9" has one token known, -2, and the first has -3.5 for the others; with two known it is -8 and -0.5.
        assert_eq!(estimates.steps(2), Some(&[Step { finished: 1, least: -8.5 }][..]));
        assert_eq!(estimates.steps(3), None);
        assert_eq!(order(&[4, 4, 3, 2], 1), [0, 3, 2]);
    }
}
