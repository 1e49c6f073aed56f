//! How little a search has to look at, for the share of answers that may differ.

use serde::{Deserialize, Serialize};

use crate::error::{Error, SettingsError};

/// Shares of answers that may differ, for which slack is fitted.
pub(crate) const RISKS: [f64; 7] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];

/// The largest share that may be asked for.
const MOST: f64 = 0.1;

/// The slack of a search that gives up hypotheses by how others end, for several shares of answers that may differ.
///
/// A hypothesis that is scored in part is worth at most what is known of it, plus the log-probability of the same ending of a hypothesis
/// that is scored whole, plus the slack. [`TuneOptions`](crate::TuneOptions) fits it: of every list it is computed how much slack keeps the
/// best hypothesis in a search level by level, and the slack of a risk R is the ⌈(n + 1) (1 − R)⌉-th smallest of these n numbers, so that a further list of their
/// kind needs more with a probability of at most R.
///
/// # Reference
/// The quantile: Vovk, Gammerman and Shafer 2005, "Algorithmic learning in a random world", on conformal prediction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SearchSlack(pub(crate) Vec<SlackOfRisk>);

/// The slack for a share of answers that may differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlackOfRisk {
    /// The share.
    pub risk: f64,
    /// The slack in nats.
    pub slack: f64,
    /// Share of lists whose best hypothesis needed more, where the slack was fitted to other lists.
    pub differ: f64,
}

impl SearchSlack {
    /// Whether nothing was fitted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was fitted, by rising risk. Risks that were too small for the number of lists have no entry.
    pub fn fitted(&self) -> &[SlackOfRisk] {
        &self.0
    }

    /// The slack for a share of answers that may differ: of the largest fitted risk that is not above it; infinite for 0.
    ///
    /// # Errors
    /// A risk outside 0 to 0.1; one below all that were fitted.
    pub fn of_risk(&self, risk: f64) -> Result<f64, Error> {
        check(risk)?;
        if risk == 0.0 {
            return Ok(f64::INFINITY);
        }
        let fitting = self.0.iter().rev().find(|fitted| fitted.risk <= risk);
        let least = || self.0.first().map(|fitted| fitted.risk);
        fitting
            .map(|fitted| fitted.slack)
            .ok_or_else(|| SettingsError::NoSlack { risk, least: least() }.into())
    }
}

/// Refuses shares that are none, or too large.
pub(crate) fn check(risk: f64) -> Result<(), Error> {
    if (0.0..=MOST).contains(&risk) {
        return Ok(());
    }
    let (value, expected) = (risk.to_string(), "a share of the answers, 0 to 0.1");
    Err(SettingsError::Option { option: "search risk", value, expected }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_takes_the_slack_of_the_next_smaller_one() {
        let of = |risk: f64, slack: f64| SlackOfRisk { risk, slack, differ: 0.0 };
        let slack = SearchSlack(vec![of(0.005, 8.0), of(0.02, 3.0)]);
        let found = |risk: f64| slack.of_risk(risk).map_err(|error| error.to_string());
        assert_eq!(found(0.0), Ok(f64::INFINITY));
        assert_eq!((found(0.005), found(0.01), found(0.1)), (Ok(8.0), Ok(8.0), Ok(3.0)));
        assert!(found(0.004).unwrap_err().contains("0.005"), "{:?}", found(0.004));
        for wrong in [-0.1, 0.2, f64::NAN] {
            assert!(found(wrong).unwrap_err().contains("0 to 0.1"), "{wrong}");
        }
        assert!(SearchSlack::default().of_risk(0.01).unwrap_err().to_string().contains("tune"));
    }
}
