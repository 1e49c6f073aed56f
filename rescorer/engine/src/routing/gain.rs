//! What adapters gain on texts.

use std::sync::Arc;

use rescorer_models::Adapter;
use rescorer_nbest::NBest;

use crate::error::Error;
use crate::routing::calibration::GainCalibration;
use crate::routing::routed_list::{RoutedList, ScoreShares};
use crate::scoring::list::{ListScores, PreparedList};
use crate::scoring::scorer::Scorer;

/// Texts that are measured together.
const WINDOW: usize = 64;

/// Most that a token gains or loses, in nats.
const MOST: f64 = 2.0;

/// Sentences of many domains, one a line.
const BACKGROUND: &str = include_str!("background.txt");

/// A text with the name of its list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NamedText<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

/// For every text the gains of the adapters in nats per token, all in one forward pass; and the nodes that it took.
pub(crate) fn gains(
    scorer: &Scorer,
    adapters: &[Arc<dyn Adapter>],
    texts: &[NamedText<'_>],
) -> Result<(Vec<Vec<f64>>, usize), Error> {
    let mut lists: Vec<PreparedList> = Vec::with_capacity(texts.len() * (adapters.len() + 1));
    for &NamedText { name, text } in texts {
        let bare = scorer.prepare(name, &NBest::from_texts([text])?)?.with_adapter(None);
        let adapted = adapters.iter().map(|adapter| bare.clone().with_adapter(Some(adapter.clone())));
        lists.extend(adapted);
        lists.push(bare);
    }
    let scored = scorer.score(lists)?;
    let gains = scored.lists.chunks(adapters.len() + 1).map(|of_text| {
        let (adapted, bare) = of_text.split_at(adapters.len());
        let bare = bare.first().map(inner_tokens).unwrap_or_default();
        adapted.iter().map(|list| mean_gain(&inner_tokens(list), &bare)).collect()
    });
    Ok((gains.collect(), scored.nodes))
}

/// The inner tokens of a list's only text.
fn inner_tokens(list: &ListScores) -> Vec<f64> {
    list.scores.first().map(|score| inner(&score.log_probs)).unwrap_or_default()
}

/// The log-probabilities between the first and the last; all where there is nothing between.
fn inner(log_probs: &[f32]) -> Vec<f64> {
    let inner = match log_probs {
        [_, inner @ .., _] if !inner.is_empty() => inner,
        all => all,
    };
    inner.iter().map(|&value| f64::from(value)).collect()
}

/// Mean of the gains of tokens, of which each counts at most [`MOST`].
fn mean_gain(adapted: &[f64], bare: &[f64]) -> f64 {
    let gains = adapted.iter().zip(bare).map(|(adapted, bare)| (adapted - bare).clamp(-MOST, MOST));
    gains.sum::<f64>() / bare.len().max(1) as f64
}

/// The texts of other domains, in lower case without punctuation where the lists are written so.
fn background(is_plain: bool) -> Vec<String> {
    let plain = |text: &str| text.to_lowercase().replace(['.', ',', '?'], "");
    BACKGROUND.lines().map(|text| if is_plain { plain(text) } else { text.to_owned() }).collect()
}

impl GainCalibration {
    /// Measures the scorer's adapter on lists of its own domain. `None` where there is nothing to measure:
    /// no adapter or several, an encoder, fewer than ten lists, an adapter that gains nothing.
    ///
    /// # Errors
    /// A text that is longer than the model's context; a model that fails.
    pub fn measure(
        scorer: &Scorer,
        lists: impl IntoIterator<Item = RoutedList>,
    ) -> Result<Option<Self>, Error> {
        let Some(adapter) = scorer.only_adapter().cloned() else { return Ok(None) };
        let lists: Vec<RoutedList> = lists.into_iter().collect();
        let own: Vec<&str> = lists.iter().map(|list| list.text.as_str()).collect();
        let is_plain = |text: &&&str| !text.chars().any(char::is_uppercase);
        let others = background(2 * own.iter().filter(is_plain).count() > own.len());
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let all = |texts: &[&str]| -> Result<Vec<f64>, Error> {
            let mut all = Vec::with_capacity(texts.len());
            for texts in texts.chunks(WINDOW) {
                let named = texts.iter().map(|&text| NamedText { name: "(text of a list)", text });
                let named: Vec<NamedText<'_>> = named.collect();
                all.extend(gains(scorer, std::slice::from_ref(&adapter), &named)?.0.into_iter().flatten());
            }
            Ok(all)
        };
        let measured = Self::of(&all(&own)?, &all(&others)?);
        Ok(measured.map(|measured| Self { scores: Some(ScoreShares::of(&lists)), ..measured }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_text_are_left_out_and_tokens_are_bounded() {
        // Inner tokens gain 1 and 5, of which 2 count; the ends gain 9 each.
        let bare = inner(&[-10.0, -3.0, -6.0, -10.0]);
        let adapted = inner(&[-1.0, -2.0, -1.0, -1.0]);
        assert_eq!(mean_gain(&adapted, &bare), 1.5);
        assert_eq!(mean_gain(&bare, &adapted), -1.5);
        // Two tokens have none between them.
        assert_eq!(mean_gain(&inner(&[-1.0, -1.0]), &inner(&[-2.0, -2.5])), 1.25);
        assert_eq!(mean_gain(&[], &[]), 0.0);
    }

    #[test]
    fn the_background_is_written_as_the_lists_are() {
        let (plain, written) = (background(true), background(false));
        assert_eq!(plain.len(), written.len());
        assert!(plain.len() >= 50 && written.iter().all(|text| text.ends_with(['.', '?'])));
        assert!(
            plain.iter().all(|text| text.chars().all(|c| c.is_ascii_lowercase() || c == ' ')),
            "{plain:?}"
        );
    }
}
