//! Corrections that can't be learned from.

use std::collections::HashMap;

use rescorer_nbest::Utterance;
use rescorer_perturb::Metric;

use crate::error::Error;

/// Refuses no corrections, those without a reference, and those that contradict each other.
pub fn check(corrections: &[Utterance], metric: Metric) -> Result<(), Error> {
    if corrections.is_empty() {
        return Err(Error::Corrections { reason: "there are none; give lists with references".into() });
    }
    let mut seen: HashMap<Vec<&str>, (&str, String)> = HashMap::new();
    for list in corrections {
        let Some(reference) = &list.reference else {
            return Err(Error::NoReference { id: list.id.clone() });
        };
        let said = metric.normalize.apply(reference).into_owned();
        let texts = list.nbest.hypotheses().iter().map(|hypothesis| hypothesis.text.as_str()).collect();
        let (id, other) = seen.entry(texts).or_insert_with(|| (&list.id, said.clone()));
        if *other != said {
            let reason = format!(
                "{id:?} and {:?} have the same hypotheses and different references, {other:?} and {said:?}; remove one of them",
                list.id
            );
            return Err(Error::Corrections { reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rescorer_nbest::NBest;
    use rescorer_perturb::Normalization;

    use super::*;

    fn list(id: &str, texts: &[&str], reference: Option<&str>) -> Utterance {
        let mut list = Utterance::new(id, NBest::from_texts(texts.iter().copied()).unwrap());
        list.reference = reference.map(str::to_owned);
        list
    }

    #[test]
    fn contradictions_name_both() {
        let one = list("u1", &["a", "b"], Some("a"));
        let refused = |lists: &[Utterance], part: &str| {
            let message = check(lists, Normalization::Lower.into()).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        };
        refused(&[], "there are none");
        refused(&[list("u1", &["a"], None)], "has no reference");
        refused(&[one.clone(), list("u2", &["a", "b"], Some("b"))], "\"u1\" and \"u2\"");
        let agreeing = [one, list("u2", &["a", "b"], Some("A")), list("u3", &["a"], Some("b"))];
        check(&agreeing, Normalization::Lower.into()).unwrap();
    }
}
