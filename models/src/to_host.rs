use burn::tensor::Tensor;

/// The values of a tensor; on the CPU its own buffer where nothing else holds it.
pub fn to_host<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec::<f32>().expect("every tensor of a model is f32")
}
