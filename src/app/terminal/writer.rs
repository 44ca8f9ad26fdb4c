//! The writer thread: the only one that writes to the terminal while the screen is up.
//!
//! Invariant: bytes leave in the order they were given and whole; at most one frame is under way. A frame that was
//! rendered is written, because the next one is drawn as a difference to it.

use super::bucket::{Bucket, Rate};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Names a frame, in the order of drawing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameId(pub u64);

/// What the writer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// The frame was handed to the terminal at this instant.
    Frame(FrameId, Instant),
    /// The terminal takes nothing any more (EIO). Nothing will be written from here on.
    Gone,
}

/// Whether a frame may be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Now.
    Now,
    /// Not before this instant: the byte budget is spent.
    At(Instant),
    /// Not until an event tells that the last frame was written or the terminal is ours again.
    Later,
}

enum Job {
    Frame(FrameId, Vec<u8>),
    Aside(Vec<u8>),
}

#[derive(Debug)]
struct Flow {
    bucket: Option<Bucket>,
    frames: usize,
    jobs: usize,
    gone: bool,
}

#[derive(Debug)]
struct Shared {
    flow: Mutex<Flow>,
    idle: Condvar,
}

impl Shared {
    fn flow(&self) -> MutexGuard<'_, Flow> {
        // Each change of the counters is complete before anything can panic.
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A way to write between frames, for what is not drawn (OSC 52). Clones may be used from any thread.
#[derive(Clone, Debug)]
pub struct Aside {
    queue: Sender<Job>,
    shared: Arc<Shared>,
}

impl Aside {
    /// Queues bytes behind the frame under way. They are paid from the same budget.
    pub fn write(&self, bytes: Vec<u8>) {
        self.send(Job::Aside(bytes));
    }

    fn send(&self, job: Job) {
        let (Job::Frame(_, bytes) | Job::Aside(bytes)) = &job;
        let mut flow = self.shared.flow();
        if flow.gone {
            return;
        }
        if let Some(bucket) = &mut flow.bucket {
            bucket.spend(bytes.len(), Instant::now());
        }
        flow.jobs += 1;
        flow.frames += usize::from(matches!(job, Job::Frame(..)));
        // The thread ends only with `gone` set or when the last sender is dropped.
        let _ = self.queue.send(job);
    }
}

/// The queue before the terminal.
#[derive(Debug)]
pub struct Writer {
    aside: Aside,
    last: FrameId,
}

impl Writer {
    /// Starts the thread. `write` hands bytes to the terminal and returns when they are taken; `budget` limits bytes per
    /// second.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static,
        budget: Option<Rate>,
        tell: impl Fn(Wrote) + Send + 'static,
    ) -> io::Result<Writer> {
        let bucket = budget.map(|rate| Bucket::new(rate, Instant::now()));
        let flow = Mutex::new(Flow { bucket, frames: 0, jobs: 0, gone: false });
        let shared = Arc::new(Shared { flow, idle: Condvar::new() });
        let (queue, jobs) = channel();
        let of_thread = Arc::clone(&shared);
        thread::Builder::new()
            .name("terminal-writer".into())
            .spawn(move || run(write, &jobs, &of_thread, &tell))?;
        Ok(Writer { aside: Aside { queue, shared }, last: FrameId::default() })
    }

    /// Whether a frame rendered now could be written. Ask before rendering.
    pub fn ready(&self, now: Instant) -> Ready {
        let flow = self.aside.shared.flow();
        if flow.gone || flow.frames > 0 {
            return Ready::Later;
        }
        match flow.bucket.as_ref().map(|bucket| bucket.due(now)) {
            Some(at) if at > now => Ready::At(at),
            _ => Ready::Now,
        }
    }

    /// Hands a frame over. Its name comes back in [`Wrote::Frame`].
    pub fn frame(&mut self, bytes: Vec<u8>) -> FrameId {
        self.last = FrameId(self.last.0 + 1);
        self.aside.send(Job::Frame(self.last, bytes));
        self.last
    }

    /// A way to write between frames.
    pub fn aside(&self) -> Aside {
        self.aside.clone()
    }

    /// Waits until everything given so far is written, or for `patience`.
    pub fn drain(&self, patience: Duration) {
        let busy = |flow: &mut Flow| flow.jobs > 0 && !flow.gone;
        // Whether it was idle or the patience ended makes no difference to the caller: it goes on.
        let _ = self.aside.shared.idle.wait_timeout_while(self.aside.shared.flow(), patience, busy);
    }
}

fn run(
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
    jobs: &Receiver<Job>,
    shared: &Shared,
    tell: &impl Fn(Wrote),
) {
    for job in jobs {
        let (Job::Frame(_, bytes) | Job::Aside(bytes)) = &job;
        let started = Instant::now();
        let outcome = write(bytes);
        let now = Instant::now();
        let mut flow = shared.flow();
        flow.gone = outcome.is_err();
        flow.jobs -= 1;
        flow.frames -= usize::from(matches!(job, Job::Frame(..)));
        if let Some(bucket) = &mut flow.bucket {
            bucket.wrote(now - started, now);
        }
        drop(flow);
        shared.idle.notify_all();
        match (outcome, job) {
            (Err(_), _) => return tell(Wrote::Gone),
            (Ok(()), Job::Frame(id, _)) => tell(Wrote::Frame(id, now)),
            (Ok(()), Job::Aside(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    /// The writer, what lets a write pass, what was taken, what was told.
    type Bench = (Writer, Sender<io::Result<()>>, Receiver<Vec<u8>>, Receiver<Wrote>);

    /// A terminal that takes a write only when it is let, and says what it took.
    fn bench(budget: Option<Rate>) -> Bench {
        let (let_one, gate) = channel();
        let (took, taken) = channel();
        let (tell, told) = channel();
        let write = move |bytes: &[u8]| {
            took.send(bytes.to_vec()).unwrap();
            gate.recv().unwrap()
        };
        let writer = Writer::start(write, budget, move |wrote| tell.send(wrote).unwrap()).unwrap();
        (writer, let_one, taken, told)
    }

    #[test]
    fn one_frame_is_under_way_and_asides_come_after_it() {
        let (mut writer, let_one, taken, told) = bench(None);
        assert_eq!(writer.ready(Instant::now()), Ready::Now);
        let first = writer.frame(b"frame".to_vec());
        writer.aside().write(b"aside".to_vec());
        assert_eq!(writer.ready(Instant::now()), Ready::Later);
        assert_eq!(taken.recv_timeout(PATIENCE).unwrap(), b"frame");
        assert_eq!(writer.ready(Instant::now()), Ready::Later, "taken is not written");
        let_one.send(Ok(())).unwrap();
        let Wrote::Frame(id, _) = told.recv_timeout(PATIENCE).unwrap() else { panic!("not gone") };
        assert_eq!(id, first);
        assert_eq!(writer.ready(Instant::now()), Ready::Now);
        assert_eq!(taken.recv_timeout(PATIENCE).unwrap(), b"aside");
        let_one.send(Ok(())).unwrap();
        writer.drain(PATIENCE);
        assert!(writer.frame(vec![]) > first);
    }

    #[test]
    fn a_spent_budget_says_when() {
        let (mut writer, let_one, _taken, told) = bench(Some(Rate::per_second(1024)));
        writer.frame(vec![b'x'; 9 * 1024]);
        let_one.send(Ok(())).unwrap();
        told.recv_timeout(PATIENCE).unwrap();
        let now = Instant::now();
        let Ready::At(at) = writer.ready(now) else { panic!("the budget is spent") };
        assert!(at > now && at <= now + Duration::from_secs(1));
        assert_eq!(writer.ready(now + Duration::from_secs(1)), Ready::Now);
    }

    #[test]
    fn a_dead_terminal_is_told_once_and_nothing_waits_for_it() {
        let (mut writer, let_one, _taken, told) = bench(None);
        writer.frame(b"frame".to_vec());
        writer.aside().write(b"aside".to_vec());
        let_one.send(Err(io::Error::from_raw_os_error(libc::EIO))).unwrap();
        assert_eq!(told.recv_timeout(PATIENCE), Ok(Wrote::Gone));
        assert!(told.recv_timeout(PATIENCE).is_err(), "the thread has ended");
        assert_eq!(writer.ready(Instant::now()), Ready::Later);
        writer.frame(b"more".to_vec());
        writer.drain(Duration::MAX);
    }
}
