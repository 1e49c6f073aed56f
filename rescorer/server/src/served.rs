use serde_json::Value;

/// How an answer was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// As `rescorer rescore` does it.
    Whole,
    /// By the hypotheses that could be scored until the deadline.
    Shorter,
    /// Without the adapter that was asked for, which was not loaded in time.
    Base,
    /// By the recogniser: the deadline had passed.
    FirstPass,
}

impl Served {
    pub const ALL: [Self; 4] = [Self::Whole, Self::Shorter, Self::Base, Self::FirstPass];

    /// Its name in answers and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Shorter => "shorter",
            Self::Base => "base",
            Self::FirstPass => "first-pass",
        }
    }

    /// Adds it to an answer, where it is not the usual one.
    pub fn mark(self, answer: &mut Value) {
        if let (false, Some(answer)) = (self == Self::Whole, answer.as_object_mut()) {
            answer.insert("served".into(), self.name().into());
        }
    }
}
