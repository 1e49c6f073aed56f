use std::ops::Range;

use crate::RATE;

/// Samples of a step, 10 ms: cuts lie between steps.
const STEP: usize = RATE as usize / 100;

/// Steps on each side of a cut that should be quiet: 0.2 s.
const AROUND: usize = 20;

/// Divides sound into pieces of at most `max_seconds`, each cut at the quietest place there is.
///
/// What fits stays whole. Otherwise the first cut is looked for in the second half of the longest piece allowed, and so on
/// with what is left; the last piece is kept from being shorter than a quarter of the limit. The place between two steps of
/// 10 ms is as loud as the 0.2 s before it and the 0.2 s behind it together (their energy), so a pause between words wins
/// over the quiet moment inside of one, and the middle of a long pause over its edge; of equally quiet places the last is
/// taken. A threshold that would have to fit the recording is not needed.
///
/// # Shapes
/// `samples` are one channel at [`RATE`]. The ranges are of samples, follow each other without a gap and cover all of them;
/// no sound gives no range. A limit below 0.1 s counts as 0.1 s.
pub fn cut(samples: &[f32], max_seconds: f64) -> Vec<Range<usize>> {
    let limit = (max_seconds.max(0.1) * f64::from(RATE)).min(samples.len() as f64) as usize;
    let energy = Energy::of(samples);
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < samples.len() {
        let left = samples.len() - start;
        let end = if left <= limit { samples.len() } else { start + longest(&energy, start, left, limit) };
        pieces.push(start..end);
        start = end;
    }
    pieces
}

/// Length of a piece that begins at `start`, where `left` samples, more than `limit`, are still to be divided.
fn longest(energy: &Energy, start: usize, left: usize, limit: usize) -> usize {
    let latest = limit.min(left - limit / 4);
    let steps = (start + limit / 2).div_ceil(STEP)..=(start + latest) / STEP;
    let quietest = steps.min_by(|&a, &b| energy.around(a).total_cmp(&energy.around(b)).then(b.cmp(&a)));
    // Without a place between steps, which takes a tiny limit, anywhere.
    quietest.map_or(latest, |step| step * STEP - start)
}

/// Energies of steps, summed from the beginning.
struct Energy(Vec<f64>);

impl Energy {
    fn of(samples: &[f32]) -> Self {
        let mut sum = 0.0;
        let sums = samples.chunks(STEP).map(|step| {
            sum += step.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            sum
        });
        Self(std::iter::once(0.0).chain(sums).collect())
    }

    /// Energy of the steps around a place, which has `step` steps before it.
    fn around(&self, step: usize) -> f64 {
        let last = self.0.len() - 1;
        self.0[(step + AROUND).min(last)] - self.0[step.saturating_sub(AROUND).min(last)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: usize = RATE as usize;

    #[test]
    fn what_fits_stays_whole() {
        assert_eq!(cut(&vec![0.1; 2 * SECOND], 2.0), vec![0..2 * SECOND; 1]);
        assert!(cut(&[], 2.0).is_empty());
        assert_eq!(cut(&[0.5], f64::NAN), vec![0..1; 1]);
    }

    #[test]
    fn cuts_lie_in_pauses() {
        let mut samples: Vec<f32> = (0..25 * SECOND).map(|n| (n as f32 * 0.3).sin() * 0.5).collect();
        // Half a second of quiet after 8 s, a shorter pause nearer to the limit, and one after 16 s.
        for (from, to) in [(80, 85), (95, 96), (160, 165)] {
            samples[from * SECOND / 10..to * SECOND / 10].iter_mut().for_each(|sample| *sample *= 0.01);
        }
        let ends: Vec<f64> =
            cut(&samples, 10.0).iter().map(|piece| piece.end as f64 / SECOND as f64).collect();
        assert_eq!(ends.len(), 3, "{ends:?}");
        assert!((8.19..=8.31).contains(&ends[0]) && (16.19..=16.31).contains(&ends[1]), "{ends:?}");
    }

    #[test]
    fn the_last_piece_is_not_a_splinter() {
        let samples = vec![0.2; 10 * SECOND + 5];
        let pieces = cut(&samples, 10.0);
        assert_eq!(pieces.len(), 2);
        assert!(pieces[1].len() >= 5 * SECOND / 2, "{pieces:?}");
    }

    proptest! {
        #[test]
        fn every_sample_is_in_one_piece(
            levels in prop::collection::vec(0f32..1.0, 0..60),
            per_level in 1usize..4000,
            max in 0.05f64..3.0,
        ) {
            let samples: Vec<f32> = levels.iter().flat_map(|&level| std::iter::repeat_n(level, per_level)).collect();
            let limit = (max.max(0.1) * f64::from(RATE)) as usize;
            let pieces = cut(&samples, max);
            let mut end = 0;
            for piece in &pieces {
                prop_assert_eq!(piece.start, end);
                prop_assert!(!piece.is_empty() && piece.len() <= limit, "{:?}", piece);
                prop_assert!(pieces.len() == 1 || piece.len() >= limit / 4, "{:?}", pieces);
                end = piece.end;
            }
            prop_assert_eq!(end, samples.len());
        }
    }
}
