use burn::tensor::{DType, Tensor};

/// The matrix product of two tensors of one type, in f32: products of f16 are never rounded to f16. Burn's own
/// `matmul` would do that, and a logit of 20 has only 6 bits behind the point there.
///
/// With `tune` the fastest of many kernels is found by trial, once for each shape.
#[cfg(all(feature = "cubecl", not(feature = "fusion")))]
pub fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>, tune: bool) -> Tensor<D> {
    use burn::backend::Cube;
    use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};

    let strategy = if tune { MatmulStrategy::Autotune } else { MatmulStrategy::Cube };
    let direct = || {
        let a = a.clone().try_into_primitive::<Cube>().ok()?;
        let b = b.clone().try_into_primitive::<Cube>().ok()?;
        matmul(a, b, None, strategy, DType::F32).ok().map(Tensor::from_primitive::<Cube>)
    };
    direct().unwrap_or_else(|| a.clone().matmul(b.clone()).cast(DType::F32))
}

/// With `fusion` tensors are plans, not memory, and Burn's own operation has to do.
#[cfg(not(all(feature = "cubecl", not(feature = "fusion"))))]
pub fn product<const D: usize>(a: Tensor<D>, b: Tensor<D>, _tune: bool) -> Tensor<D> {
    a.matmul(b).cast(DType::F32)
}

#[cfg(all(test, feature = "cubecl"))]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::device::ComputeDevice;
    use crate::named::Cache;
    use crate::to_host::to_host;

    /// Sums of 32 products in another order.
    const TOLERANCE: f32 = 1e-5;

    /// Tuning finds a kernel that computes the same, and leaves what it found in the user's cache.
    #[test]
    fn a_tuned_product_equals_an_untuned_one_and_is_kept() {
        let Some(device) = ComputeDevice::gpu_of_tests() else { return };
        let matrix = |rows: usize, columns: usize| {
            let values: Vec<f32> = (0..rows * columns).map(|i| (i as f32 * 0.7).sin()).collect();
            Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), device.burn())
        };
        let values = |tune| to_host(product(matrix(64, 32), matrix(32, 48), tune));
        for (a, b) in values(true).iter().zip(&values(false)) {
            assert!((a - b).abs() < TOLERANCE, "{a} {b}");
        }
        let folder = Cache::from_env().unwrap().root().join("kernels");
        assert!(std::fs::read_dir(&folder).unwrap().count() > 0, "{}", folder.display());
    }
}
