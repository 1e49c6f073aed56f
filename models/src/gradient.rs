//! Operations on host memory that take part in training: Burn records what it computes itself, these bring their
//! own derivative.

use burn::tensor::{Device, Tensor, TensorData};

#[cfg(feature = "training")]
pub use recording::Inputs;

#[cfg(not(feature = "training"))]
pub use inference::Inputs;

/// How the gradient of an output becomes those of its inputs.
pub trait Derivative<const N: usize>: Clone + Send + std::fmt::Debug + 'static {
    /// The gradient of every input, from that of the output; all in the shapes of their tensors, row-major.
    #[cfg(feature = "training")]
    fn gradients(&self, output: Vec<f32>) -> [Vec<f32>; N];
}

fn tensor(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

#[cfg(feature = "training")]
mod recording {
    use std::fmt;

    use burn::backend::Autodiff;
    use burn_autodiff::checkpoint::base::Checkpointer;
    use burn_autodiff::checkpoint::strategy::NoCheckpointing;
    use burn_autodiff::grads::Gradients;
    use burn_autodiff::ops::{Backward, NodeGuard, Ops, OpsKind};
    use burn_flex::{Flex, FlexTensor};

    use super::{Derivative, Device, Tensor, TensorData, tensor};

    /// The inputs of an operation as the graph of gradients knows them; `None` outside of training.
    ///
    /// Taken before the operation consumes their tensors.
    pub struct Inputs<const N: usize> {
        guards: Option<[NodeGuard; N]>,
        shapes: [[usize; 2]; N],
    }

    impl<const N: usize> Inputs<N> {
        /// Takes note of the inputs.
        pub fn of(tensors: [&Tensor<2>; N]) -> Self {
            let shapes = tensors.map(Tensor::dims);
            let guards = tensors.map(|tensor| {
                if !tensor.device().is_autodiff() {
                    return None;
                }
                Some(tensor.clone().try_into_primitive::<Autodiff<Flex>>().ok()?.node())
            });
            let guards: Vec<NodeGuard> = guards.into_iter().flatten().collect();
            Self { guards: guards.try_into().ok(), shapes }
        }

        /// Whether gradients may be asked for: then what the derivative needs has to be kept.
        pub fn is_recorded(&self) -> bool {
            self.guards.is_some()
        }

        /// The output as a tensor whose gradients `derivative` hands on. It is only made where some are wanted.
        pub fn finish<D: Derivative<N>>(
            self,
            values: Vec<f32>,
            shape: [usize; 2],
            device: &Device,
            derivative: impl FnOnce() -> D,
        ) -> Tensor<2> {
            let Some(guards) = self.guards else { return tensor(values, shape, device) };
            let output = FlexTensor::from_data(TensorData::new(values, shape));
            let step: Step<D, N> = Step(std::marker::PhantomData);
            let output = match step.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
                OpsKind::Tracked(step) => step.finish((derivative(), self.shapes), output),
                OpsKind::UnTracked(step) => step.finish(output),
            };
            Tensor::from_primitive::<Autodiff<Flex>>(output)
        }
    }

    /// A step of the backward pass.
    struct Step<D, const N: usize>(std::marker::PhantomData<fn() -> D>);

    impl<D, const N: usize> fmt::Debug for Step<D, N> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(std::any::type_name::<D>())
        }
    }

    impl<D: Derivative<N>, const N: usize> Backward<Flex, N> for Step<D, N> {
        type State = (D, [[usize; 2]; N]);

        fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
            let output = grads.consume::<Flex>(&ops.node).into_data();
            let output = output.try_into_vec::<f32>().expect("every tensor of a model is f32");
            let (derivative, shapes) = ops.state;
            let inputs = derivative.gradients(output).into_iter().zip(shapes).zip(ops.parents);
            for ((values, shape), parent) in inputs {
                if let Some(parent) = parent {
                    let gradient = FlexTensor::from_data(TensorData::new(values, shape));
                    grads.register::<Flex>(parent.id, gradient);
                }
            }
        }
    }
}

#[cfg(not(feature = "training"))]
mod inference {
    use super::{Derivative, Device, Tensor, tensor};

    /// Without the feature `training` nothing is recorded.
    pub struct Inputs<const N: usize>;

    impl<const N: usize> Inputs<N> {
        pub fn of(_: [&Tensor<2>; N]) -> Self {
            Self
        }

        pub fn is_recorded(&self) -> bool {
            false
        }

        pub fn finish<D: Derivative<N>>(
            self,
            values: Vec<f32>,
            shape: [usize; 2],
            device: &Device,
            _: impl FnOnce() -> D,
        ) -> Tensor<2> {
            tensor(values, shape, device)
        }
    }
}
