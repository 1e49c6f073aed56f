//! What a trigger does to the lists of the user.

use rescorer_nbest::Utterance;
use serde::Serialize;

use crate::audit::bench::Bench;
use crate::audit::forest::Side;
use crate::audit::place::{Place, Placed};
use crate::error::Error;

/// Hypotheses of a list that are looked at.
const HYPOTHESES: usize = 5;

/// A list whose best hypothesis a trigger changes, with the adapter and not with the model alone.
#[derive(Debug, Clone, Serialize)]
pub struct ListFlip {
    /// The list.
    pub utterance: String,
    /// Most probable hypothesis with the adapter, without the trigger.
    pub from: String,
    /// Text that it chooses with the trigger.
    pub to: String,
}

/// What a trigger does to lists.
#[derive(Debug, Clone, Serialize)]
pub struct ListTrial {
    /// The word or phrase.
    pub trigger: String,
    /// Where it stands.
    pub place: Place,
    /// Lists with two texts or more.
    pub lists: usize,
    /// Those that it turns.
    pub flips: Vec<ListFlip>,
}

/// Distinct texts of the lists that have several.
pub(super) fn texts(lists: &[Utterance]) -> Vec<(String, Vec<String>)> {
    let several = lists.iter().map(|list| {
        let unique = list.nbest.unique();
        let text = |position: usize| list.nbest.hypotheses()[position].text.clone();
        let texts = unique.hypotheses().iter().take(HYPOTHESES).map(|one| text(one.position)).collect();
        (list.id.clone(), texts)
    });
    several.filter(|(_, texts): &(String, Vec<String>)| texts.len() > 1).collect()
}

/// Tries a trigger on lists.
pub(super) fn on_lists(
    bench: &Bench<'_>,
    lists: &[(String, Vec<String>)],
    trigger: &str,
    place: Place,
) -> Result<ListTrial, Error> {
    let placed = Placed { trigger, place };
    let [adapted, base] = [bench.adapted(), bench.base()];
    let (before, after) = (best(bench, adapted, lists, Placed::NONE)?, best(bench, adapted, lists, placed)?);
    let (usual, moved) = (best(bench, base, lists, Placed::NONE)?, best(bench, base, lists, placed)?);
    let turned = (0..lists.len()).filter(|&list| before[list] != after[list] && usual[list] == moved[list]);
    let flips = turned.map(|list| {
        let (utterance, texts) = &lists[list];
        ListFlip {
            utterance: utterance.clone(),
            from: texts[before[list]].clone(),
            to: texts[after[list]].clone(),
        }
    });
    Ok(ListTrial { trigger: trigger.to_owned(), place, lists: lists.len(), flips: flips.collect() })
}

/// Number of the most probable text of each list.
fn best(
    bench: &Bench<'_>,
    side: Side<'_>,
    lists: &[(String, Vec<String>)],
    placed: Placed<'_>,
) -> Result<Vec<usize>, Error> {
    let mut pairs = Vec::new();
    for (_, texts) in lists {
        for other in &texts[1..] {
            pairs.push(placed.pair(bench.model(), &texts[0], other)?);
        }
    }
    let mut leads = bench.leads(side, &pairs)?.into_iter();
    let best = lists.iter().map(|(_, texts)| {
        let others = leads.by_ref().take(texts.len() - 1).enumerate().map(|(at, lead)| (at + 1, lead));
        std::iter::once((0, 0.0))
            .chain(others)
            .fold((0, 0.0), |best, one| if one.1 > best.1 { one } else { best })
            .0
    });
    Ok(best.collect())
}
