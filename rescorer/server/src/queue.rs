//! The queue before the model: lists of all clients, those whose deadline comes first before the others.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rescorer::{Answer, Error, PooledAdapter};
use rescorer_nbest::Utterance;
use tokio::sync::oneshot;

use crate::served::Served;

/// Nodes that go through the model together: fewer make worse use of it, more keep those waiting who come after.
const BATCH: RangeInclusive<f64> = 64.0..=512.0;

/// How long a batch may take whose first list has a deadline, for the sake of the next one's.
const URGENT: Duration = Duration::from_millis(100);

/// When a list without a deadline is due, as far as the order goes: others don't pass it for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Share of the last batch in the pace that is learned.
const LAST: f64 = 0.2;

/// A list that waits for the model.
pub struct Job {
    pub list: Utterance,
    /// Loaded, if it needs one.
    pub adapter: Option<PooledAdapter>,
    /// Whether the whole list is wanted in its new order.
    pub nbest: bool,
    /// Nodes, with the share of the adapter.
    pub cost: f64,
    pub deadline: Option<Instant>,
    /// [`Served::Whole`], or [`Served::Base`] if the adapter was not there in time.
    pub served: Served,
    /// Takes the answer.
    pub reply: oneshot::Sender<Reply>,
}

impl Job {
    /// The name of its adapter.
    fn asked(&self) -> Option<&str> {
        self.adapter.as_ref().map(PooledAdapter::name)
    }
}

/// What becomes of a list.
pub type Reply = Result<(Answer, Served), Error>;

#[derive(Default)]
pub struct Queue {
    heap: BinaryHeap<Waiting>,
    cost: f64,
    number: u64,
    pub is_closed: bool,
    /// Seconds a node, 0 before the first batch.
    pace: f64,
    /// Whether the lists of a batch have one adapter.
    separates: bool,
}

/// The one that is due first is the largest.
struct Waiting {
    due: Reverse<(Instant, u64)>,
    job: Job,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due.cmp(&other.due)
    }
}

impl Queue {
    /// An empty one.
    pub fn new(mixes_adapters: bool) -> Self {
        Self { separates: !mixes_adapters, ..Self::default() }
    }

    /// Lists that wait.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Nodes that wait.
    pub fn cost(&self) -> f64 {
        self.cost
    }

    /// When all that waits will be done.
    pub fn expected(&self) -> Duration {
        Duration::from_secs_f64(self.cost * self.pace)
    }

    /// Adds a list.
    pub fn push(&mut self, job: Job) {
        self.number += 1;
        self.cost += job.cost;
        let due = job.deadline.unwrap_or_else(|| Instant::now() + PATIENCE);
        self.heap.push(Waiting { due: Reverse((due, self.number)), job });
    }

    /// The next that go through the model together, and when they will be done.
    pub fn batch(&mut self) -> (Vec<Job>, Duration) {
        let (mut jobs, mut others, mut cost) = (Vec::new(), Vec::new(), 0.0);
        let is_urgent = self.heap.peek().is_some_and(|next| next.job.deadline.is_some());
        let most = match is_urgent && self.pace > 0.0 {
            true => (URGENT.as_secs_f64() / self.pace).clamp(*BATCH.start(), *BATCH.end()),
            false => *BATCH.end(),
        };
        while let Some(next) = self.heap.peek() {
            if cost > 0.0 && cost + next.job.cost > most {
                break;
            }
            let Some(Waiting { due, job }) = self.heap.pop() else { break };
            if self.separates && jobs.first().is_some_and(|first: &Job| first.asked() != job.asked()) {
                others.push(Waiting { due, job });
                continue;
            }
            self.cost -= job.cost;
            // Nobody waits for it any more.
            if !job.reply.is_closed() {
                cost += job.cost;
                jobs.push(job);
            }
        }
        self.heap.extend(others);
        if self.heap.is_empty() {
            self.cost = 0.0;
        }
        (jobs, Duration::from_secs_f64(cost * self.pace))
    }

    /// Takes in how long a batch took.
    pub fn learn(&mut self, cost: f64, time: Duration) {
        let pace = time.as_secs_f64() / cost;
        self.pace = if self.pace == 0.0 { pace } else { self.pace + LAST * (pace - self.pace) };
    }
}

#[cfg(test)]
mod tests {
    use rescorer_nbest::NBest;

    use super::*;

    /// A list that is due so many milliseconds from a common start, and what its client holds.
    fn job(start: Instant, name: &str, due: Option<u64>, cost: f64) -> (Job, oneshot::Receiver<Reply>) {
        let (reply, receiver) = oneshot::channel();
        let list = Utterance::new(name, NBest::from_texts(["a"]).unwrap());
        let deadline = due.map(|due| start + Duration::from_millis(due));
        (Job { list, adapter: None, nbest: false, cost, deadline, served: Served::Whole, reply }, receiver)
    }

    fn names(jobs: &[Job]) -> Vec<&str> {
        jobs.iter().map(|job| job.list.id.as_str()).collect()
    }

    #[test]
    fn what_is_due_first_goes_first() {
        let (mut queue, start) = (Queue { pace: 0.0005, ..Queue::default() }, Instant::now());
        let mut clients = Vec::new();
        let mut push = |queue: &mut Queue, name, due, cost| {
            let (job, client) = job(start, name, due, cost);
            queue.push(job);
            // Nobody waits for this one any more.
            if name != "gone" {
                clients.push(client);
            }
        };
        push(&mut queue, "late", Some(900), 40.0);
        push(&mut queue, "whenever", None, 400.0);
        push(&mut queue, "soon", Some(50), 150.0);
        push(&mut queue, "gone", Some(40), 300.0);
        push(&mut queue, "next", Some(100), 10.0);
        // With a deadline 200 nodes, which take a tenth of a second.
        let (first, expected) = queue.batch();
        assert_eq!((names(&first), expected), (vec!["soon", "next", "late"], URGENT));
        // Without one 512.
        push(&mut queue, "then", None, 100.0);
        push(&mut queue, "last", None, 100.0);
        assert_eq!(names(&queue.batch().0), ["whenever", "then"]);
        assert_eq!(names(&queue.batch().0), ["last"]);
        assert!(queue.heap.is_empty() && queue.cost == 0.0);
        // One that is larger than a batch goes alone.
        push(&mut queue, "huge", Some(1), 5000.0);
        push(&mut queue, "small", Some(2), 1.0);
        assert_eq!(names(&queue.batch().0), ["huge"]);
    }

    #[test]
    fn the_pace_is_learned() {
        let mut queue = Queue::default();
        queue.learn(100.0, Duration::from_secs(1));
        assert!((queue.pace - 0.01).abs() < 1e-9);
        queue.learn(100.0, Duration::from_secs(2));
        assert!((queue.pace - 0.012).abs() < 1e-9);
    }
}
