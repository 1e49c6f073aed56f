use std::sync::Arc;

use super::Shared;
use super::entry::PooledAdapter;
use super::state::{Job, Next, Waiter};
use crate::error::{Error, PoolError};

/// Reads adapters until none is asked for.
pub fn run(shared: &Shared) {
    loop {
        let next = shared.state().next();
        match next {
            Next::End => return,
            Next::Read(job) => load(shared, &job),
            Next::Tell(name, waiters) => {
                let unknown = || PoolError::Unknown { name: name.to_string() }.into();
                waiters.into_iter().for_each(|waiter| waiter(Err(unknown())));
            }
        }
    }
}

fn load(shared: &Shared, job: &Job) {
    let loaded = read(shared, job).map_err(Arc::new);
    let (waiters, loaded) = shared.state().finish(job, loaded, shared.options.max_bytes);
    waiters.into_iter().for_each(|waiter: Waiter| {
        waiter(
            loaded
                .clone()
                .map_err(|source| PoolError::Unavailable { name: job.name.to_string(), source }.into()),
        );
    });
}

fn read(shared: &Shared, job: &Job) -> Result<PooledAdapter, Error> {
    let parts = &shared.parts;
    let (route, adapter) = parts.builder.pooled(&job.name, &job.folder, parts.scorer.model())?;
    let bytes = (size_of::<f32>() * adapter.parameters()) as u64;
    let rank = adapter.settings.most_ranks();
    let allowed = shared.options.max_bytes;
    if bytes > allowed {
        return Err(PoolError::TooLarge { name: job.name.to_string(), bytes, allowed }.into());
    }
    let attached = route.pass.scorer().adapter_identity();
    let fingerprint = attached.map(|adapter| adapter.fingerprint).unwrap_or_default().into();
    Ok(PooledAdapter { name: job.name.clone(), route: Arc::new(route), rank, bytes, fingerprint })
}
