use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use rescorer_nbest::OutputFile;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::optimizer::Moments;
use crate::error::Error;

/// Key of the state in the header of the file.
const STATE: &str = "rescorer.state";

/// How far training has come.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Number of the stage, from 0.
    pub stage: usize,
    /// Steps of it that are done.
    pub step: usize,
    /// Steps of all stages that are done.
    pub steps: usize,
    /// Least WER on the dev lists in this stage.
    pub best: Option<f64>,
    /// Looks at the dev lists since then.
    pub looks_since_best: usize,
}

/// Everything that training needs to go on as if it had never stopped.
pub struct Checkpoint {
    /// Hash of recipe, model and lists: a checkpoint of others is of no use.
    pub identity: String,
    /// How far it has come.
    pub progress: Progress,
    /// The matrices, in the order of the trainable.
    pub values: Vec<Tensor<2>>,
    /// What the optimizer remembers of them, in their order.
    pub moments: Vec<Option<Moments>>,
    /// The matrices of the least WER, in their order; empty before the first look.
    pub best: Vec<Tensor<2>>,
    /// State of the allocation of ranks.
    pub allocation: Vec<Vec<f32>>,
    /// Scores of the hypotheses by the model at the beginning of the stage; empty where nothing needs them.
    pub before: Vec<Vec<f64>>,
}

/// What stands in the header.
#[derive(Serialize, Deserialize)]
struct Header {
    identity: String,
    progress: Progress,
    /// Steps of the optimizer for every matrix.
    times: Vec<usize>,
}

impl Checkpoint {
    /// Writes the file, which appears whole; until then the last one stays.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        let mut add = |name: String, tensor: &Tensor<2>| {
            let values = tensor.to_data().try_into_vec::<f32>().unwrap_or_default();
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.push((name, Dtype::F32, tensor.dims().to_vec(), bytes));
        };
        for (number, value) in self.values.iter().enumerate() {
            add(format!("value.{number}"), value);
            if let Some(moments) = &self.moments[number] {
                let moments = moments.moments.iter().enumerate();
                moments.for_each(|(i, moment)| add(format!("moment{i}.{number}"), moment));
            }
            if let Some(best) = self.best.get(number) {
                add(format!("best.{number}"), best);
            }
        }
        for (number, values) in self.allocation.iter().enumerate() {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            tensors.push((format!("allocation.{number}"), Dtype::F32, vec![values.len()], bytes));
        }
        for (number, scores) in self.before.iter().enumerate() {
            let bytes = scores.iter().flat_map(|score| score.to_le_bytes()).collect();
            tensors.push((format!("before.{number}"), Dtype::F64, vec![scores.len()], bytes));
        }
        let times = self.moments.iter().map(|moments| moments.as_ref().map_or(0, |moments| moments.time));
        let header = Header {
            identity: self.identity.clone(),
            progress: self.progress.clone(),
            times: times.collect(),
        };
        let fail = |reason: String| Error::Checkpoint { path: path.into(), reason };
        let header = serde_json::to_string(&header).map_err(|e| fail(e.to_string()))?;
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let views = views.collect::<Result<Vec<_>, _>>().map_err(|e| fail(e.to_string()))?;
        let bytes = safetensors::serialize(views, Some(HashMap::from([(STATE.to_string(), header)])))
            .map_err(|e| fail(e.to_string()))?;
        let mut file = OutputFile::create(path)?;
        file.write_all(&bytes)
            .and_then(|()| file.flush())
            .map_err(|e| fail(format!("{e}; make room and go on, the checkpoint before this one is kept")))?;
        Ok(file.commit()?)
    }

    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    /// A damaged file, or one of another recipe, model or set of lists.
    pub fn read(path: &Path, identity: &str, device: &Device) -> Result<Option<Self>, Error> {
        let fail = |reason: String| Error::Checkpoint { path: path.into(), reason };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(fail(format!("{e}; check the file, or begin anew"))),
        };
        let damaged = |reason: String| fail(format!("{reason}; the file is damaged, begin anew"));
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
        let state = metadata.metadata().as_ref().and_then(|header| header.get(STATE));
        let state = state.ok_or_else(|| damaged("it holds no state of training".into()))?;
        let Header { identity: of_file, progress, times } =
            serde_json::from_str(state).map_err(|e| damaged(e.to_string()))?;
        if of_file != identity {
            let reason = "it belongs to another recipe, model or set of lists; choose another folder, or begin \
                          anew";
            return Err(fail(reason.into()));
        }
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let matrix = |name: String| -> Option<Tensor<2>> {
            let view = file.tensor(&name).ok()?;
            let shape = <[usize; 2]>::try_from(view.shape()).ok()?;
            Some(Tensor::from_data(TensorData::new(floats(view.data()), shape), device))
        };
        let matrices = |kind: &str| (0..).map_while(|number| matrix(format!("{kind}.{number}"))).collect();
        let values: Vec<Tensor<2>> = matrices("value");
        if values.len() != times.len() {
            return Err(damaged(format!("{} matrices, {} were written", values.len(), times.len())));
        }
        let moments = times.into_iter().enumerate().map(|(number, time)| {
            let [first, second] = [0, 1].map(|i| matrix(format!("moment{i}.{number}")));
            Some(Moments { time, moments: [first?, second?] })
        });
        let (moments, best) = (moments.collect(), matrices("best"));
        let numbered = |kind: &str| {
            let kind = kind.to_string();
            (0..).map_while(|number| file.tensor(&format!("{kind}.{number}")).ok()).collect::<Vec<_>>()
        };
        let doubles =
            |bytes: &[u8]| bytes.as_chunks::<8>().0.iter().copied().map(f64::from_le_bytes).collect();
        let allocation = numbered("allocation").iter().map(|view| floats(view.data())).collect();
        let before = numbered("before").iter().map(|view| doubles(view.data())).collect();
        Ok(Some(Self { identity: of_file, progress, values, moments, best, allocation, before }))
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect()
}

/// Where checkpoints go, how often, and for what: the hash is over all lists, so it is made once.
pub(super) struct Checkpoints {
    pub(super) path: PathBuf,
    /// Steps from one to the next.
    pub(super) every: usize,
    pub(super) identity: String,
}
