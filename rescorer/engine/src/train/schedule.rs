use super::stage::{Schedule, Stage};

/// The rate of learning of a step, counted from 0, of so many.
///
/// It rises on a line over the share `warmup` of the steps, and then goes on as the stage says:
/// linear `(total − step) / (total − warm)`, cosine `½(1 + cos(π · (step − warm) / (total − warm)))`.
///
/// # Reference
/// `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup` of Hugging Face transformers 5.
pub fn learning_rate(stage: &Stage, step: usize, total: usize) -> f64 {
    let warm = (stage.warmup * total as f64).ceil() as usize;
    if step < warm {
        return stage.learning_rate * step as f64 / warm as f64;
    }
    let done = (step - warm) as f64 / (total - warm).max(1) as f64;
    stage.learning_rate
        * match stage.schedule {
            Schedule::Constant => 1.0,
            Schedule::Linear => 1.0 - done,
            Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    fn rates(schedule: &str) -> Vec<f64> {
        let text = format!("[training]\nwarmup = 0.2\nlearning_rate = 2.0\nschedule = \"{schedule}\"");
        let stage = Recipe::parse(&text).unwrap().stages().unwrap().remove(0);
        (0..10).map(|step| (learning_rate(&stage, step, 10) * 1000.0).round() / 1000.0).collect()
    }

    #[test]
    fn by_hand() {
        assert_eq!(rates("constant"), [0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]);
        assert_eq!(rates("linear"), [0.0, 1.0, 2.0, 1.75, 1.5, 1.25, 1.0, 0.75, 0.5, 0.25]);
        assert_eq!(rates("cosine")[2..7], [2.0, 1.924, 1.707, 1.383, 1.0]);
    }
}
