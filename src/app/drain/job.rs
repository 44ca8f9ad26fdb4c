//! A drain to be run, what is said to it, and what it tells.

use crate::actions::drain::facts::PodFacts;
use crate::actions::drain::orders::{Cmd, How, Input};
use crate::actions::drain::progress::Progress;
use crate::actions::plan::Armed;
use crate::app::cluster::Client;
use crate::app::cluster::session::{Answer, ArmedId, Fault};
use crate::app::journal::{Journal, Trouble};
use crate::state::journal::Began;
use crate::state::time::Epoch;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::runtime::Handle;

/// What reaches a driver.
pub enum News {
    /// Nothing: something was read without news in it.
    None,
    /// For the engine.
    Input(Box<Input>),
    /// A list of a node's pods.
    Listed(String, Vec<PodFacts>),
    /// The answer to a request.
    Answer(u64, Box<Result<Answer, Fault>>),
    /// What cannot be read at the moment, and why; `None` if it can again.
    Trouble(&'static str, Option<String>),
    /// Leave everything as it is and stop; it can be resumed.
    Leave,
}

/// Says what the operator wants to a drain that runs.
#[derive(Clone)]
pub struct Reins(Sender<News>);

impl Reins {
    /// Says it. A drain that has ended hears nothing.
    pub fn say(&self, cmd: Cmd) {
        let _ = self.0.send(News::Input(Box::new(Input::Operator(cmd))));
    }

    /// Stops without an end: what was accepted goes on, the rest stays, and it can be resumed.
    pub fn leave(&self) {
        let _ = self.0.send(News::Leave);
    }
}

/// A drain to be run.
pub struct Job {
    /// Where futures run.
    pub runtime: Handle,
    /// The cluster.
    pub client: Client,
    /// The server's time now.
    pub now: Epoch,
    /// The number its requests carry.
    pub id: ArmedId,
    /// The confirmed plan: of a drain, or of taking an interrupted one up again.
    pub armed: Armed,
    /// Who, where.
    pub began: Began,
    /// Where it is recorded. What is taken up again goes on in its own record.
    pub journal: Result<Journal, Trouble>,
    /// Who runs it, for the marks on nodes.
    pub by: String,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The run's name.
    pub run: String,
    /// Each node and pod.
    pub progress: Progress,
    /// What cannot be read at the moment, in words.
    pub troubles: Vec<String>,
    /// Writes so far.
    pub requests: u64,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// The run's name; empty if it never began.
    pub run: String,
    /// How far it came.
    pub progress: Option<Progress>,
    /// `None`: it was left, or stopped.
    pub how: Option<How>,
    /// Why it stopped before its end.
    pub stopped: Option<String>,
}

/// The reins of a drain and what it will hear.
pub fn reins() -> (Reins, (Sender<News>, Receiver<News>)) {
    let (sender, receiver) = channel();
    (Reins(sender.clone()), (sender, receiver))
}
