use std::collections::VecDeque;

use rescorer_nbest::Utterance;

use crate::conversations::{Conversations, conversation};

/// Gives each list as its context what was said before it in the same conversation: the first-pass bests of the last lists, one a line.
///
/// Lists with the same field `conversation` belong together, and so do those without the field. A list with a context keeps its own, and
/// is part of what was said all the same.
///
/// ```
/// use rescorer::scoring::History;
/// use rescorer::{NBest, Utterance};
///
/// let mut history = History::new(1);
/// let mut lists = ["have you got a pencil", "please write it down"]
///     .map(|text| Utterance::new(text, NBest::from_texts([text]).unwrap()));
/// lists.iter_mut().for_each(|list| history.add_to(list));
/// assert_eq!(lists[0].context, None);
/// assert_eq!(lists[1].context.as_deref(), Some("have you got a pencil"));
/// ```
#[derive(Debug)]
pub struct History {
    lists: usize,
    said: Conversations<VecDeque<String>>,
}

impl History {
    /// Takes the last `lists` of a conversation; 0 takes none. At least the last 2,048 conversations are remembered.
    pub fn new(lists: usize) -> Self {
        Self { lists, said: Conversations::default() }
    }

    /// Gives a list its context. Lists come in their order.
    pub fn add_to(&mut self, list: &mut Utterance) {
        let name = conversation(list).unwrap_or_default();
        self.add_within(&name, list);
    }

    /// Gives a list its context, in a conversation of this name whatever its field says.
    pub fn add_within(&mut self, name: &str, list: &mut Utterance) {
        if self.lists == 0 {
            return;
        }
        let mut said = self.said.last(name).cloned().unwrap_or_default();
        if list.context.is_none() && !said.is_empty() {
            list.context = Some(said.iter().map(String::as_str).collect::<Vec<_>>().join("\n"));
        }
        let text = &list.nbest.first().text;
        if !text.trim().is_empty() {
            said.push_back(text.clone());
        }
        while said.len() > self.lists {
            said.pop_front();
        }
        self.said.keep(name, said);
    }
}

#[cfg(test)]
mod tests {
    use rescorer_nbest::NBest;
    use serde_json::json;

    use super::*;

    fn list(text: &str, conversation: Option<u32>, context: Option<&str>) -> Utterance {
        let mut list = Utterance::new(text, NBest::from_texts([text, "other"]).unwrap());
        list.context = context.map(str::to_owned);
        list.extra.extend(conversation.map(|number| ("conversation".to_owned(), json!(number))));
        list
    }

    #[test]
    fn conversations_are_apart_and_contexts_stay() {
        let mut history = History::new(2);
        let mut context = |mut list: Utterance| {
            history.add_to(&mut list);
            list.context
        };
        assert_eq!(context(list("a", Some(1), None)), None);
        assert_eq!(context(list("x", Some(2), None)), None);
        assert_eq!(context(list("b", Some(1), Some("own"))).as_deref(), Some("own"));
        assert_eq!(context(list("", Some(1), None)).as_deref(), Some("a\nb"));
        assert_eq!(context(list("c", Some(1), None)).as_deref(), Some("a\nb"));
        assert_eq!(context(list("d", Some(1), None)).as_deref(), Some("b\nc"));
        assert_eq!(context(list("y", Some(2), None)).as_deref(), Some("x"));
        assert_eq!(context(list("z", None, None)), None);
    }

    #[test]
    fn a_history_of_none_changes_nothing() {
        let mut history = History::new(0);
        let mut lists = [list("a", None, None), list("b", None, None)];
        lists.iter_mut().for_each(|list| history.add_to(list));
        assert!(lists.iter().all(|list| list.context.is_none()));
    }
}
