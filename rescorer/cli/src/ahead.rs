//! Reads on in a thread of its own while the lists before are answered and written.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::vec;

use crate::read_item::ReadItem;

/// Bytes of text that are handed over at a time.
const BATCH: usize = 32 * 1024;

/// Lists that are handed over at most.
const LISTS: usize = 128;

/// Batches that wait at most, beside the one that is read and the one that is answered.
const WAITING: usize = 2;

/// What a reader says beside its lists, such as warnings, until it is handed over.
pub type Said = Arc<Mutex<Vec<String>>>;

/// Keeps what is said until it is handed over.
pub fn keep(said: &Said) -> impl Fn(String) + Send + Sync + 'static {
    let said = said.clone();
    move |line| said.lock().unwrap_or_else(PoisonError::into_inner).push(line)
}

/// Lists in the order of the input. What was said while they were read is told where it was said: before the list that
/// brought it up.
pub struct Ahead<F> {
    batches: Receiver<Vec<Step>>,
    batch: vec::IntoIter<Step>,
    thread: Option<JoinHandle<()>>,
    tell: F,
}

enum Step {
    Said(String),
    List(ReadItem),
}

impl<F: FnMut(String)> Ahead<F> {
    /// Reads on as far as a few batches; whoever drops the lists ends the reading too. `tell` is told what `said` keeps.
    ///
    /// # Errors
    /// That of a system that has no thread to give.
    pub fn new<I>(lists: I, said: Said, tell: F) -> io::Result<Self>
    where
        I: Iterator<Item = ReadItem> + Send + 'static,
    {
        let (to, batches) = sync_channel(WAITING);
        let thread = Builder::new().spawn(move || read(lists, &said, &to))?;
        Ok(Self { batches, batch: Vec::new().into_iter(), thread: Some(thread), tell })
    }
}

/// Reads until the lists end, or nobody takes them any more.
fn read(mut lists: impl Iterator<Item = ReadItem>, said: &Said, to: &SyncSender<Vec<Step>>) {
    let (mut batch, mut size) = (Vec::with_capacity(LISTS), 0);
    let told = |batch: &mut Vec<Step>| {
        batch.extend(said.lock().unwrap_or_else(PoisonError::into_inner).drain(..).map(Step::Said));
    };
    for list in lists.by_ref() {
        told(&mut batch);
        size += bytes(&list);
        batch.push(Step::List(list));
        if size >= BATCH || batch.len() >= LISTS {
            size = 0;
            if to.send(std::mem::replace(&mut batch, Vec::with_capacity(LISTS))).is_err() {
                return;
            }
        }
    }
    // At its end a reader may say something too.
    drop(lists);
    told(&mut batch);
    // Nobody has to be there any more.
    let _ = to.send(batch);
}

fn bytes(list: &ReadItem) -> usize {
    let Ok(list) = list else { return BATCH };
    list.nbest.iter().map(|hypothesis| hypothesis.text.len() + 64).sum()
}

impl<F: FnMut(String)> Iterator for Ahead<F> {
    type Item = ReadItem;

    fn next(&mut self) -> Option<ReadItem> {
        loop {
            match self.batch.next() {
                Some(Step::List(list)) => return Some(list),
                Some(Step::Said(said)) => (self.tell)(said),
                None => match self.batches.recv() {
                    Ok(batch) => self.batch = batch.into_iter(),
                    Err(_) => {
                        // It ended; if by a panic, that is not the end of the lists.
                        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                            resume_unwind(panic);
                        }
                        return None;
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rescorer_nbest::{NBest, Utterance};

    use super::*;

    fn list(number: usize) -> ReadItem {
        Ok(Utterance::new(number.to_string(), NBest::from_texts(["a cat"]).unwrap()))
    }

    #[test]
    fn lists_and_what_is_said_come_in_their_order() {
        let (said, told) = (Said::default(), Mutex::new(Vec::new()));
        let speaker = said.clone();
        let lists = (0..5000).map(move |number| {
            if number % 1000 == 999 {
                speaker.lock().unwrap().push(number.to_string());
            }
            list(number)
        });
        let ahead = Ahead::new(lists, said, |said| told.lock().unwrap().push(said)).unwrap();
        for (number, list) in ahead.enumerate() {
            assert_eq!(list.unwrap().id, number.to_string());
            assert_eq!(told.lock().unwrap().len(), (number + 1) / 1000);
        }
        assert_eq!(told.into_inner().unwrap(), ["999", "1999", "2999", "3999", "4999"]);
    }

    #[test]
    fn what_is_read_ahead_is_bounded() {
        let count = Arc::new(AtomicUsize::new(0));
        let counter = count.clone();
        let lists = (0..).map(move |number| {
            counter.fetch_add(1, Ordering::SeqCst);
            list(number)
        });
        let mut ahead = Ahead::new(lists, Said::default(), drop).unwrap();
        assert_eq!(ahead.next().unwrap().unwrap().id, "0");
        let thread = ahead.thread.take().unwrap();
        drop(ahead);
        thread.join().unwrap();
        assert!(count.load(Ordering::SeqCst) <= (WAITING + 2) * LISTS, "{count:?}");
    }

    #[test]
    fn a_panic_is_passed_on() {
        let lists = (0..3).map(|number| if number < 2 { list(number) } else { panic!("broken") });
        let mut ahead = Ahead::new(lists, Said::default(), drop).unwrap();
        let ended = catch_unwind(AssertUnwindSafe(|| ahead.by_ref().count()));
        assert_eq!(ended.unwrap_err().downcast_ref::<&str>(), Some(&"broken"));
    }
}
