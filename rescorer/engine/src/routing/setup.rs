//! Puts a router together.

use std::sync::Arc;

use rescorer_models::Adapter;

use crate::error::Error;
use crate::fusion::policy::Policy;
use crate::routes::Routes;
use crate::routing::calibration::GainCalibration;
use crate::routing::router::{Candidate, Router};
use crate::scoring::adapters::AdapterSet;

/// How much each adapter gains in its domain.
pub(crate) fn own_gains(
    adapters: &AdapterSet,
    own: &[(&str, Policy, String)],
    warnings: &mut Vec<String>,
) -> Vec<GainCalibration> {
    let of_adapter = |(name, adapter): &(String, Arc<dyn Adapter>)| {
        let policy = own.iter().find(|(owner, ..)| owner == name).map(|(_, policy, _)| policy);
        let policy = policy.filter(|policy| {
            policy.adapter.as_ref().map(|tuned| tuned.fingerprint.as_str()) == adapter.fingerprint()
        });
        policy.and_then(|policy| policy.routing).unwrap_or_else(|| {
            warnings.push(format!(
                "the policy of adapter {name} doesn't say what it gains on its own lists, so routing takes a usual gain; tune \
                 its policy with this version"
            ));
            GainCalibration::default()
        })
    };
    adapters.named().iter().map(of_adapter).collect()
}

/// What routes lists to these adapters, which gain so much in their domains, and those that fit none to another.
pub(crate) fn new_router(
    adapters: &AdapterSet,
    routes: &Routes,
    gains: Vec<GainCalibration>,
    otherwise: Option<String>,
) -> Result<Router, Error> {
    let candidates = adapters.named().iter().zip(gains).map(|((name, adapter), calibration)| {
        let own = routes.0.iter().find(|route| route.adapter.as_deref() == Some(name));
        let route = own.map_or_else(|| routes.default(), Ok)?;
        let (name, adapter) = (name.clone(), adapter.clone());
        Ok(Candidate { name, adapter, calibration, scorer: route.pass.scorer().clone() })
    });
    Ok(Router::new(candidates.collect::<Result<_, Error>>()?, otherwise))
}
