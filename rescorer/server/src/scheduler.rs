//! The thread that answers what waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rescorer::{Answer, DecisionRule, Error, PooledAdapter, Request, Rescorer};
use rescorer_nbest::Utterance;
use tokio::sync::oneshot;
use tracing::error;

use crate::error::ServerError;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::queue::{Job, Queue, Reply};
use crate::served::Served;

/// Why a list is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Too many wait; this is when they will be done.
    Full(Duration),
    /// The server stops.
    Stopping,
}

/// Takes lists, and answers them on a thread of its own.
pub struct Scheduler {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    metrics: Arc<Metrics>,
    /// Nodes that may wait.
    most: f64,
}

impl Scheduler {
    /// Starts the thread.
    pub fn start(
        rescorer: Rescorer,
        options: &ServerOptions,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ServerError> {
        let first_pass = Rescorer::builder(rescorer.model().clone()).first_pass_only().build()?;
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::new(options.mixes_adapters)),
            changed: Condvar::new(),
            metrics,
            most: options.limits.queue_nodes as f64,
        });
        let model = Model { rescorer, first_pass };
        let own = shared.clone();
        let thread = std::thread::Builder::new().name("scheduler".into()).spawn(move || own.run(&model))?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Puts a list into the queue.
    pub fn submit(&self, job: Job) -> Result<(), Refused> {
        let mut queue = self.shared.queue();
        if queue.is_closed {
            return Err(Refused::Stopping);
        }
        // A list that is larger than the queue is taken if nothing else waits.
        if queue.cost() + job.cost > self.shared.most && queue.cost() > 0.0 {
            return Err(Refused::Full(queue.expected()));
        }
        queue.push(job);
        self.shared.metrics.waiting(queue.len(), queue.cost());
        drop(queue);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Takes nothing more, answers what waits, and ends the thread.
    pub fn stop(&self) {
        self.shared.queue().is_closed = true;
        self.shared.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the thread has dropped the senders, so that whoever waited knows.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers lists until the queue is closed and empty.
    fn run(&self, model: &Model) {
        loop {
            let (jobs, expected) = {
                let mut queue = self.queue();
                while queue.len() == 0 {
                    if queue.is_closed {
                        return;
                    }
                    queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
                let batch = queue.batch();
                self.metrics.waiting(queue.len(), queue.cost());
                batch
            };
            if jobs.is_empty() {
                continue;
            }
            let (cost, count) = (jobs.iter().map(|job| job.cost).sum::<f64>(), jobs.len());
            let started = Instant::now();
            // A panic is a bug, but no reason to leave all others without an answer.
            let answered = catch_unwind(AssertUnwindSafe(|| model.answer(jobs, started + expected)));
            let is_whole = answered.unwrap_or_else(|_| {
                error!("the model panicked; the lists of this batch have no answer");
                false
            });
            let time = started.elapsed();
            // What was cut short says nothing of the pace.
            if is_whole {
                self.queue().learn(cost, time);
            }
            self.metrics.batch(count, cost, time);
        }
    }
}

/// What answers.
struct Model {
    rescorer: Rescorer,
    first_pass: Rescorer,
}

impl Model {
    /// Answers a batch that will be done about then; `false` if some of it was cut short.
    fn answer(&self, jobs: Vec<Job>, done: Instant) -> bool {
        let cuts =
            self.rescorer.rule() == Some(DecisionRule::Maximum) && self.rescorer.model().device().is_cpu();
        let (mut together, mut single) = (Vec::new(), Vec::new());
        for job in jobs {
            match job.deadline {
                Some(deadline) if deadline < done => single.push((job, deadline)),
                _ => together.push(job),
            }
        }
        let is_whole = single.is_empty();
        // Those that can't wait first, each in what time it has.
        for (job, deadline) in single {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let request = request(job.list, None, job.nbest);
                send(job.reply, self.first_pass.rescore(request), Served::FirstPass);
            } else if cuts {
                let (reply, served) = (job.reply, job.served);
                let request = request(job.list, job.adapter.as_ref(), false).deadline(left);
                let answer = self.rescorer.rescore(request);
                let is_complete = answer.as_ref().is_ok_and(|answer| answer.completeness().is_complete());
                send(reply, answer, if is_complete { served } else { Served::Shorter });
            } else {
                together.push(job);
            }
        }
        let mut waiting = Vec::with_capacity(together.len());
        let requests = together.into_iter().map(|job| {
            waiting.push((job.reply, job.served));
            request(job.list, job.adapter.as_ref(), job.nbest)
        });
        let requests: Vec<Request> = requests.collect();
        let mut answers = self.rescorer.rescore_many(requests.into_iter().map(Ok::<_, Error>));
        for (reply, served) in waiting {
            // A model that fails ends the answers: those that are left are dropped, and who waits sees that.
            let Some(answer) = answers.next() else { break };
            send(reply, answer, served);
        }
        is_whole
    }
}

fn request(list: Utterance, adapter: Option<&PooledAdapter>, nbest: bool) -> Request {
    let request = Request::from(list);
    let request = if nbest { request.with_list() } else { request.text_only() };
    match adapter {
        Some(adapter) => request.pooled(adapter),
        None => request,
    }
}

fn send(reply: oneshot::Sender<Reply>, answer: Result<Answer, Error>, served: Served) {
    // Whoever asked may be gone.
    let _ = reply.send(answer.map(|answer| (answer, served)));
}
