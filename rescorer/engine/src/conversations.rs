//! What is known of conversations that go on.

use std::collections::HashMap;

use crate::routing::posterior::Posterior;

/// Conversations that are remembered; of more, those that were longest silent are forgotten.
const MOST: usize = 4096;

/// The posterior of the last list of every conversation.
#[derive(Debug, Default)]
pub(crate) struct Conversations {
    last: HashMap<String, (u64, Posterior)>,
    clock: u64,
}

impl Conversations {
    /// The posterior of the last list of a conversation.
    pub(crate) fn last(&self, name: &str) -> Option<&Posterior> {
        self.last.get(name).map(|(_, posterior)| posterior)
    }

    /// Keeps the posterior of a list.
    pub(crate) fn keep(&mut self, name: &str, posterior: Posterior) {
        self.clock += 1;
        self.last.insert(name.to_owned(), (self.clock, posterior));
        if self.last.len() > MOST {
            // Half of them at once, so that most lists forget nothing.
            let mut times: Vec<u64> = self.last.values().map(|(time, _)| *time).collect();
            times.sort_unstable();
            let oldest = times[times.len() / 2];
            self.last.retain(|_, (time, _)| *time >= oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silent_are_forgotten() {
        let mut conversations = Conversations::default();
        let keep = |conversations: &mut Conversations, number: usize| {
            conversations.keep(&number.to_string(), Posterior::uniform(1));
        };
        (0..MOST).for_each(|number| keep(&mut conversations, number));
        assert!(conversations.last("0").is_some());
        keep(&mut conversations, 0);
        keep(&mut conversations, MOST);
        assert!(conversations.last("0").is_some(), "it spoke again");
        assert!(conversations.last("1").is_none());
        assert!(conversations.last(&MOST.to_string()).is_some());
        assert!(conversations.last.len() <= MOST);
    }
}
