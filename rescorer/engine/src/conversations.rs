//! What is known of conversations that go on.

use std::collections::HashMap;

use rescorer_nbest::Utterance;
use serde_json::Value;

/// Field of an utterance that names its conversation.
pub(crate) const CONVERSATION: &str = "conversation";

/// Conversations that are remembered; of more, those that were longest silent are forgotten.
const MOST: usize = 4096;

/// What is known of the last lists of every conversation.
#[derive(Debug)]
pub(crate) struct Conversations<T> {
    last: HashMap<String, (u64, T)>,
    clock: u64,
}

impl<T> Default for Conversations<T> {
    fn default() -> Self {
        Self { last: HashMap::new(), clock: 0 }
    }
}

impl<T> Conversations<T> {
    /// What is known of a conversation.
    pub(crate) fn last(&self, name: &str) -> Option<&T> {
        self.last.get(name).map(|(_, known)| known)
    }

    /// Keeps what is known after a list.
    pub(crate) fn keep(&mut self, name: &str, known: T) {
        self.clock += 1;
        self.last.insert(name.to_owned(), (self.clock, known));
        if self.last.len() > MOST {
            // Half of them at once, so that most lists forget nothing.
            let mut times: Vec<u64> = self.last.values().map(|(time, _)| *time).collect();
            times.sort_unstable();
            let oldest = times[times.len() / 2];
            self.last.retain(|_, (time, _)| *time >= oldest);
        }
    }
}

/// Name of a list's conversation: a text, or a number.
pub(crate) fn conversation(list: &Utterance) -> Option<String> {
    match list.extra.get(CONVERSATION)? {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silent_are_forgotten() {
        let mut conversations = Conversations::default();
        let keep = |conversations: &mut Conversations<usize>, number: usize| {
            conversations.keep(&number.to_string(), number);
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
