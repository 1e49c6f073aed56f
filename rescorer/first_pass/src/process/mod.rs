//! A recogniser that is a process of its own: it is asked on stdin and answers with lines on stdout.

mod message;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use message::{HeardText, Message, request};

use crate::Error;

/// The longest answer that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// Lines of stderr that are kept for a message, and bytes of each.
const LAST_WORDS: usize = 3;
const LONGEST_WORDS: u64 = 1000;

/// Time that a process gets to end by itself when its stdin is closed, or to say why it ended.
const PARTING: Duration = Duration::from_secs(2);

/// The process. It gets nothing more to do after an error, and ends when it is dropped.
pub(crate) struct Process {
    first_pass: &'static str,
    program: String,
    child: Child,
    requests: Option<Sender<Vec<u8>>>,
    answers: Receiver<Attempt>,
    last_words: Arc<Mutex<VecDeque<String>>>,
    stderr: JoinHandle<()>,
    timeout: Duration,
    broken: bool,
}

/// What one attempt to read a line gave.
enum Attempt {
    Line(Vec<u8>),
    TooLong,
    Ended,
}

impl Process {
    /// Starts it. `timeout` is how long an answer may take, the first one included.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where there is no such program.
    pub(crate) fn start(
        first_pass: &'static str,
        mut command: Command,
        timeout: Duration,
        remedy: &str,
    ) -> Result<Self, Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let fail = |reason: String| Error::Unavailable {
            first_pass,
            reason: format!("cannot run {program}: {reason}; {remedy}"),
        };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| fail(error.to_string()))?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(fail("it has no pipes".into()));
        };
        let (requests, to_write) = mpsc::channel::<Vec<u8>>();
        // A process that doesn't read must not hold us up, so another thread writes. That it failed shows in the answer.
        thread::spawn(move || {
            for bytes in to_write {
                if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
                    break;
                }
            }
        });
        let (to_read, answers) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            while to_read.send(read_line(&mut stdout)).is_ok() {}
        });
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        let keep = Arc::clone(&last_words);
        let stderr = thread::spawn(move || keep_last_words(stderr, &keep));
        let requests = Some(requests);
        Ok(Self { first_pass, program, child, requests, answers, last_words, stderr, timeout, broken: false })
    }

    /// Hands it bytes to work on.
    pub(crate) fn send(&mut self, bytes: Vec<u8>) {
        if let Some(requests) = &self.requests {
            // The writer is gone where the process is, which the next answer tells.
            let _ = requests.send(bytes);
        }
    }

    /// Its next answer.
    ///
    /// # Errors
    /// [`Error::Broken`]: it ended, took too long or wrote something else.
    pub(crate) fn receive(&mut self) -> Result<Message, Error> {
        if self.broken {
            return Err(self.broken("it broke down before; start it anew".into()));
        }
        let line = match self.answers.recv_timeout(self.timeout) {
            Ok(Attempt::Line(line)) => line,
            Ok(Attempt::TooLong) => {
                return Err(self.nonsense(&format!("a line of more than {LONGEST} bytes")));
            }
            Ok(Attempt::Ended) | Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.timeout.as_secs_f64();
                let reason = format!(
                    "{} gave no answer for {seconds} s and was stopped; allow it more time",
                    self.program
                );
                return Err(self.broken(reason));
            }
        };
        serde_json::from_slice(&line).map_err(|error| {
            let begin: String = String::from_utf8_lossy(&line).chars().take(80).collect();
            self.nonsense(&format!("{:?} ({error})", begin.trim_end()))
        })
    }

    /// It answered, but not what was asked.
    pub(crate) fn nonsense(&mut self, what: &str) -> Error {
        let reason =
            format!("{} answered with {what}, which is no answer; is it the right program?", self.program);
        self.broken(reason)
    }

    fn ended(&mut self) -> Error {
        let until = Instant::now() + PARTING;
        let ended = self.wait(until);
        while !self.stderr.is_finished() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        let how = ended.map_or_else(|| "closed its output".into(), |status| format!("ended ({status})"));
        let reason = format!("{} {how} before it answered", self.program);
        self.broken(reason)
    }

    /// An error with the last words of the process, which gets nothing more to do.
    fn broken(&mut self, reason: String) -> Error {
        self.broken = true;
        self.requests = None;
        let _ = self.child.kill();
        let words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = if words.is_empty() { String::new() } else { format!("; it said: {}", words.join(" / ")) };
        Error::Broken { first_pass: self.first_pass, reason: format!("{reason}{said}") }
    }

    /// Its exit status, where it ends in time.
    fn wait(&mut self, until: Instant) -> Option<std::process::ExitStatus> {
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Its stdin is closed, which asks it to end.
        self.requests = None;
        if self.wait(Instant::now() + PARTING).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read_line(stdout: &mut impl BufRead) -> Attempt {
    let mut line = Vec::new();
    match stdout.take(LONGEST).read_until(b'\n', &mut line) {
        Ok(0) | Err(_) => Attempt::Ended,
        Ok(_) if line.ends_with(b"\n") => Attempt::Line(line),
        Ok(read) if read as u64 == LONGEST => Attempt::TooLong,
        // Half a line, and then the end.
        Ok(_) => Attempt::Ended,
    }
}

fn keep_last_words(stderr: impl Read, keep: &Mutex<VecDeque<String>>) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    while (&mut stderr).take(LONGEST_WORDS).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        line.clear();
        if !text.is_empty() {
            let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(text);
            if kept.len() > LAST_WORDS {
                kept.pop_front();
            }
        }
    }
}
