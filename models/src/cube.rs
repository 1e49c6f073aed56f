//! What our kernels for GPUs share: joining what the workers of a cube have found.

use cubecl::prelude::*;

/// Below every logit and score, and finite: shading languages need not know infinities.
pub const LOWEST: f32 = -3.0e38;

/// The larger of two numbers.
#[cube]
pub fn larger_of(a: f32, b: f32) -> f32 {
    let mut larger = a;
    if b > a {
        larger = b;
    }
    larger
}

/// The sum over all workers of a cube, a power of two, of what each brings along. `shared` is free again afterwards.
#[cube]
pub fn sum_of_units(own: f32, shared: &mut Shared<[f32]>, #[comptime] units: usize) -> f32 {
    let unit = UNIT_POS_X as usize;
    shared[unit] = own;
    sync_cube();
    let mut half = (units / 2).runtime();
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] += other;
        }
        sync_cube();
        half /= 2;
    }
    let sum = shared[0];
    sync_cube();
    sum
}

/// The largest of all workers, as [`sum_of_units`].
#[cube]
pub fn largest_of_units(own: f32, shared: &mut Shared<[f32]>, #[comptime] units: usize) -> f32 {
    let unit = UNIT_POS_X as usize;
    shared[unit] = own;
    sync_cube();
    let mut half = (units / 2).runtime();
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] = larger_of(shared[unit], other);
        }
        sync_cube();
        half /= 2;
    }
    let largest = shared[0];
    sync_cube();
    largest
}
