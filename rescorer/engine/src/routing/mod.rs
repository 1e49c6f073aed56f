//! Routing of lists to adapters: which adapter answers a list that names none.

pub(crate) mod calibration;
pub(crate) mod gain;
pub(crate) mod posterior;
pub(crate) mod routed_list;
pub(crate) mod router;
pub(crate) mod setup;
