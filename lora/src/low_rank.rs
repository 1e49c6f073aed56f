use crate::error::Error;

/// The change of one linear layer: `ΔW = s · B · diag(e) · A`, where vanilla LoRA has no `e`.
///
/// Row `i` of `A`, entry `i` of `e` and column `i` of `B` belong together; a rank of 0 is legal and changes nothing.
///
/// # Shapes
/// `A: [rank, in]`, `e: [rank]`, `B: [out, rank]`, all row-major.
///
/// # Reference
/// Hu et al. 2021, "LoRA"; with `e`: Zhang et al. 2023, "AdaLoRA", eq. 3 (there `P·Λ·Q`).
#[derive(Debug, Clone, PartialEq)]
pub struct LowRank {
    /// `[out, in]`
    pub shape: [usize; 2],
    /// `A`
    pub a: Vec<f32>,
    /// `e`
    pub e: Option<Vec<f32>>,
    /// `B`
    pub b: Vec<f32>,
    /// `s`
    pub scale: f32,
}

impl LowRank {
    /// Number of rows of `A`.
    pub fn rank(&self) -> usize {
        self.a.len() / self.shape[1]
    }

    /// Numbers in the matrices.
    pub fn parameters(&self) -> usize {
        self.a.len() + self.b.len() + self.e.as_ref().map_or(0, Vec::len)
    }

    /// `s · B · diag(e)`, `[out, rank]`: all that stands after `A · x`.
    pub fn scaled_b(&self) -> Vec<f32> {
        let factor = |column: usize| self.scale * self.e.as_ref().map_or(1.0, |e| e[column]);
        self.b.iter().enumerate().map(|(i, b)| b * factor(i % self.rank())).collect()
    }

    /// `ΔW: [out, in]`
    pub fn delta(&self) -> Vec<f32> {
        let [outputs, inputs] = self.shape;
        let mut delta = vec![0.0; outputs * inputs];
        if self.rank() > 0 {
            for (row, b) in delta.chunks_exact_mut(inputs).zip(self.scaled_b().chunks_exact(self.rank())) {
                for (b, a) in b.iter().zip(self.a.chunks_exact(inputs)) {
                    row.iter_mut().zip(a).for_each(|(sum, a)| *sum += b * a);
                }
            }
        }
        delta
    }

    /// `W + ΔW`: the layer and its adapter in one.
    ///
    /// # Errors
    /// A weight of another shape.
    pub fn merge(&self, weight: &mut [f32]) -> Result<(), Error> {
        self.add_to(weight, 1.0)
    }

    /// `W − ΔW`: the layer without what [`LowRank::merge`] added, up to rounding.
    ///
    /// # Errors
    /// A weight of another shape.
    pub fn unmerge(&self, weight: &mut [f32]) -> Result<(), Error> {
        self.add_to(weight, -1.0)
    }

    fn add_to(&self, weight: &mut [f32], sign: f32) -> Result<(), Error> {
        let delta = self.delta();
        if weight.len() != delta.len() {
            let reason =
                format!("a weight of {} numbers, the adapter changes {:?}", weight.len(), self.shape);
            return Err(Error::Settings { reason });
        }
        weight.iter_mut().zip(delta).for_each(|(weight, delta)| *weight += sign * delta);
        Ok(())
    }

    /// The first `rank` ranks, with the same scale. All of them where there are not more.
    pub fn truncated(&self, rank: usize) -> Self {
        let keep: Vec<bool> = (0..self.rank()).map(|index| index < rank).collect();
        self.kept(&keep)
    }

    /// The ranks that are marked.
    ///
    /// # Panics
    /// Another number of marks than ranks.
    pub fn kept(&self, keep: &[bool]) -> Self {
        assert_eq!(keep.len(), self.rank(), "a mark for every rank");
        let pick = |values: &[f32], width: usize| -> Vec<f32> {
            let rows = values.chunks_exact(width).zip(keep).filter(|(_, keep)| **keep);
            rows.flat_map(|(row, _)| row.iter().copied()).collect()
        };
        let columns = self.b.iter().zip(keep.iter().cycle()).filter(|(_, keep)| **keep);
        Self {
            shape: self.shape,
            a: pick(&self.a, self.shape[1]),
            e: self.e.as_ref().map(|e| pick(e, 1)),
            b: columns.map(|(b, _)| *b).collect(),
            scale: self.scale,
        }
    }

    /// The same change without `e`, and with another scale: both go into `B`.
    pub fn folded(&self, scale: f32) -> Self {
        let b = if self.rank() == 0 { Vec::new() } else { self.scaled_b() };
        let b = b.into_iter().map(|b| b / scale).collect();
        Self { shape: self.shape, a: self.a.clone(), e: None, b, scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn low_rank() -> LowRank {
        LowRank {
            shape: [2, 3],
            a: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            e: Some(vec![1.0, 10.0]),
            b: vec![1.0, 2.0, 3.0, 4.0],
            scale: 0.5,
        }
    }

    #[test]
    fn delta_by_hand() {
        // B·diag(e) = [[1, 20], [3, 40]]; times A, halved.
        assert_eq!(low_rank().delta(), [40.5, 51.0, 61.5, 81.5, 103.0, 124.5]);
        assert_eq!(low_rank().folded(2.0).delta(), low_rank().delta());
        assert_eq!(low_rank().truncated(1).delta(), [0.5, 1.0, 1.5, 1.5, 3.0, 4.5]);
        assert_eq!(low_rank().kept(&[false, true]).b, [2.0, 4.0]);
    }

    #[test]
    fn rank_0_changes_nothing() {
        let nothing = low_rank().truncated(0);
        assert_eq!((nothing.rank(), nothing.parameters()), (0, 0));
        assert_eq!(nothing.delta(), [0.0; 6]);
        assert_eq!(nothing.folded(1.0).delta(), [0.0; 6]);
    }

    #[test]
    fn merged_and_unmerged_is_the_weight() {
        let weight = [0.1, -0.2, 0.3, 1e3, -1e-3, 0.0];
        let mut merged = weight;
        low_rank().merge(&mut merged).unwrap();
        assert_eq!(merged[0], 0.1 + 40.5);
        low_rank().unmerge(&mut merged).unwrap();
        for (a, b) in weight.iter().zip(merged) {
            assert!((a - b).abs() <= 1e3 * f32::EPSILON, "{a} {b}");
        }
        assert!(low_rank().merge(&mut [0.0; 5]).is_err());
    }
}
