use super::stage::Stage;

/// A list as objectives see it: one entry for every hypothesis that takes part.
#[derive(Debug, Clone, PartialEq)]
pub struct ListView<'a> {
    /// First-pass scores, higher is better.
    pub first_pass: &'a [f64],
    /// Words.
    pub words: &'a [usize],
    /// Word errors; empty without a reference.
    pub errors: &'a [usize],
    /// Language-model scores of the model in training.
    pub lm_scores: &'a [f64],
    /// Those of the model at the beginning of the stage, where preferences need them.
    pub before: Option<&'a [f64]>,
    /// The preferred hypothesis and the other one.
    pub pair: Option<(usize, usize)>,
    /// Scores of the teacher; empty without one.
    pub teacher: &'a [f64],
}

/// Losses of a list, each without its weight, and their gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct ListLoss {
    /// Expected word errors less their mean.
    pub mwer: f64,
    /// Divergence of the distributions.
    pub mwed: f64,
    /// Preference.
    pub preference: f64,
    /// Mean square of what the scores differ from the teacher's by.
    pub distillation: f64,
    /// Of the weighted sum with respect to every language-model score.
    pub gradient: Vec<f64>,
}

/// The losses of a list that weigh hypotheses against each other.
///
/// With `s_i = first_pass_weight · first_pass_i + lm_weight · lm_score_i + length_bonus · words_i`, `p = softmax(s)` and word
/// errors `W_i`:
/// - MWER: `Σ p_i (W_i − mean(W))`. Gradient with respect to `s_i`: `p_i (W_i − Σ p_j W_j)`.
/// - MWED: `KL(q ‖ p)` with `q = softmax(−W / error_temperature)`. Gradient: `p_i − q_i`.
/// - preference of `w` to `l`: `−ln σ(m)`, `m = β((lm_w − before_w) − (lm_l − before_l))`. Gradient with respect to
///   `lm_w`: `−β σ(−m)`, to `lm_l` the negative.
/// - distillation: `mean(d²)` with `d_i = (lm_i − mean(lm)) − (t_i − mean(t))` for the teacher's scores `t`: what a list has in common
///   decides nothing, so it is not learned. Gradient: `2 d_i / n`.
///
/// # Reference
/// MWER: Prabhavalkar et al. 2018, eq. 5 and 6. MWED: Xu et al. 2022, "RescoreBERT", who compare a softmax of costs with one of
/// errors; here both are of what is wanted, and the divergence is taken from the errors' side, whose gradient does not vanish
/// where `p` does. Preference: Rafailov et al. 2023, "DPO", eq. 7.
pub fn list_loss(stage: &Stage, list: &ListView<'_>) -> ListLoss {
    let count = list.lm_scores.len();
    let gradient = vec![0.0; count];
    let mut loss = ListLoss { mwer: 0.0, mwed: 0.0, preference: 0.0, distillation: 0.0, gradient };
    if !list.errors.is_empty() && stage.mwer + stage.mwed > 0.0 {
        let scores = (0..count).map(|i| stage.fused(list.first_pass[i], list.lm_scores[i], list.words[i]));
        let ln_p = log_softmax(scores.collect());
        let p: Vec<f64> = ln_p.iter().map(|ln_p| ln_p.exp()).collect();
        let errors: Vec<f64> = list.errors.iter().map(|errors| *errors as f64).collect();
        let expected: f64 = p.iter().zip(&errors).map(|(p, errors)| p * errors).sum();
        let mean = errors.iter().sum::<f64>() / count as f64;
        loss.mwer = expected - mean;
        let ln_q = log_softmax(errors.iter().map(|errors| -errors / stage.error_temperature).collect());
        loss.mwed = ln_p.iter().zip(&ln_q).map(|(ln_p, ln_q)| ln_q.exp() * (ln_q - ln_p)).sum();
        for i in 0..count {
            let of_mwer = stage.mwer * p[i] * (errors[i] - expected);
            loss.gradient[i] += stage.lm_weight * (of_mwer + stage.mwed * (p[i] - ln_q[i].exp()));
        }
    }
    if let (Some((better, worse)), Some(before)) = (list.pair, list.before) {
        let gain = |i: usize| list.lm_scores[i] - before[i];
        let margin = stage.beta * (gain(better) - gain(worse));
        // ln(1 + exp(−m)) without overflow.
        loss.preference = (-margin).max(0.0) + (-margin.abs()).exp().ln_1p();
        let slope = stage.preference * stage.beta / (1.0 + margin.exp());
        loss.gradient[better] -= slope;
        loss.gradient[worse] += slope;
    }
    if stage.distillation > 0.0 && !list.teacher.is_empty() {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / count as f64;
        let (own, teachers) = (mean(list.lm_scores), mean(list.teacher));
        for ((score, teacher), gradient) in list.lm_scores.iter().zip(list.teacher).zip(&mut loss.gradient) {
            let apart = (score - own) - (teacher - teachers);
            loss.distillation += apart * apart / count as f64;
            *gradient += stage.distillation * 2.0 * apart / count as f64;
        }
    }
    loss
}

fn log_softmax(mut values: Vec<f64>) -> Vec<f64> {
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = max + values.iter().map(|value| (value - max).exp()).sum::<f64>().ln();
    values.iter_mut().for_each(|value| *value -= log_sum);
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    const FIRST_PASS: [f64; 3] = [-1.0, -1.5, -2.0];
    const WORDS: [usize; 3] = [3, 4, 2];
    const ERRORS: [usize; 3] = [2, 0, 1];
    const BEFORE: [f64; 3] = [-5.0, -6.0, -5.5];
    const TEACHER: [f64; 3] = [-7.0, -4.0, -9.0];

    fn stage(text: &str) -> Stage {
        let text = format!(
            "[data]\nteacher = [\"t\"]\n[training]\nfirst_pass_weight = 2.0\nlm_weight = 0.5\nlength_bonus = 0.1\n{text}"
        );
        Recipe::parse(&text).unwrap().stages().unwrap().remove(0)
    }

    fn view(lm_scores: &[f64]) -> ListView<'_> {
        ListView {
            first_pass: &FIRST_PASS,
            words: &WORDS,
            errors: &ERRORS,
            lm_scores,
            before: Some(&BEFORE),
            pair: Some((1, 0)),
            teacher: &TEACHER,
        }
    }

    fn total(stage: &Stage, lm_scores: &[f64]) -> f64 {
        let loss = list_loss(stage, &view(lm_scores));
        stage.mwer * loss.mwer
            + stage.mwed * loss.mwed
            + stage.preference * loss.preference
            + stage.distillation * loss.distillation
    }

    #[test]
    fn gradients_are_those_of_the_losses() {
        let objectives = [
            "mwer = 2.0",
            "mwed = 1.0\nerror_temperature = 0.7",
            "preference = 3.0\nbeta = 0.4",
            "distillation = 0.5",
        ];
        for objective in objectives {
            let stage = stage(objective);
            let lm_scores = [-4.0, -5.0, -6.5];
            let gradient = list_loss(&stage, &view(&lm_scores)).gradient;
            for i in 0..3 {
                let moved = |by: f64| {
                    let mut scores = lm_scores;
                    scores[i] += by;
                    total(&stage, &scores)
                };
                let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((slope - gradient[i]).abs() < 1e-7, "{objective}, {i}: {slope} {}", gradient[i]);
            }
        }
    }

    #[test]
    fn mwer_by_hand() {
        // Equal scores: the expected errors are their mean.
        let stage = Stage { first_pass_weight: 0.0, length_bonus: 0.0, ..stage("mwer = 1.0") };
        let loss = list_loss(&stage, &view(&[-1.0; 3]));
        assert!(loss.mwer.abs() < 1e-12);
        let sixth = 0.5 / 3.0;
        for (found, expected) in loss.gradient.iter().zip([sixth, -sixth, 0.0]) {
            assert!((found - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_preference_that_is_no_news_costs_ln_2() {
        let stage = stage("preference = 1.0\nbeta = 0.5");
        let loss = list_loss(&stage, &view(&BEFORE));
        assert!((loss.preference - std::f64::consts::LN_2).abs() < 1e-12);
        assert_eq!(loss.gradient, [0.25, -0.25, 0.0]);
    }

    #[test]
    fn extreme_scores_stay_finite() {
        let stage = stage("mwer = 1.0\nmwed = 1.0\npreference = 1.0");
        for lm_scores in [[-1e4, 0.0, 0.0], [0.0, -1e4, -1e4]] {
            let loss = list_loss(&stage, &view(&lm_scores));
            assert!(loss.gradient.iter().all(|g| g.is_finite()), "{loss:?}");
            assert!([loss.mwer, loss.mwed, loss.preference].iter().all(|loss| loss.is_finite()), "{loss:?}");
        }
    }
}
