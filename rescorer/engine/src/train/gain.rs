//! What the trained adapter gains on lists of its own domain.

use super::trainer::Trainer;
use crate::error::Error;
use crate::routing::calibration::GainCalibration;
use crate::routing::routed_list::RoutedList;
use crate::scoring::adapters::AdapterSet;

impl Trainer {
    /// The gain of the adapter as it is on the dev lists, by which lists are routed to it or not; `None` where there is no adapter, or
    /// there are too few lists.
    ///
    /// # Errors
    /// As scoring.
    pub fn gain(&self) -> Result<Option<GainCalibration>, Error> {
        if self.adapter().is_none() {
            return Ok(None);
        }
        let scorer = self.scorer.clone().with_adapters(AdapterSet::one(self.trainable.snapshot()));
        GainCalibration::measure(&scorer, self.set.dev.iter().filter_map(RoutedList::of))
    }
}
