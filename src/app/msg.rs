//! Everything that can happen, and everything that can be asked for: two closed lists.

use crate::actions::Kubectl;
use crate::actions::drain::landing::Outlook;
use crate::actions::drain::orders::Cmd;
use crate::actions::drain::plan::{DrainPlan, Facts};
use crate::app::drain::unfinished::Unfinished;
use crate::app::drain::{Ended, Told};
use crate::app::terminal::chord::Chord;
use crate::state::health::{FeedId, Health};
use crate::state::parcel::Parcel;
use crate::state::time::Epoch;
use crate::state::ui::RouteId;
use crate::state::ui::document::{Fetched, Form, Target};
use std::time::Instant;

/// Names a session, so that what an old one still sends is not taken for news of the new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionId(pub u64);

/// Something happened.
#[derive(Debug)]
pub enum Msg {
    /// A key, and when it was read.
    Key(Chord, Instant),
    /// Pasted text.
    Paste(String),
    /// The terminal has another size.
    Resize(u16, u16),
    /// Feeds have something.
    Woken,
    /// Rows of a feed.
    Rows(Parcel),
    /// A feed's health.
    Health(FeedId, Health),
    /// So many objects were read for a document.
    Reading(RouteId, usize),
    /// A document's object arrived.
    Fetched(RouteId, Result<Fetched, String>),
    /// An object to be copied as YAML arrived.
    FetchedToCopy(Target, Result<String, String>),
    /// What became of a copy.
    Said(Note),
    /// A session was opened, or could not be.
    Connected(SessionId, Result<crate::state::cluster::Cluster, String>),
    /// The session's numbers: requests in the last minute, clock skew.
    Pulse(SessionId, u32, Option<i64>),
    /// The priority level that our own requests are in.
    Level(SessionId, String),
    /// A command may be started, or a review says that a rule is missing, in words.
    Reviewed(Kubectl, Result<(), String>),
    /// A context could not be opened without the terminal, for a credential plugin that asks.
    WantsTerminal(SessionId, String),
    /// A change was planned on this session's cluster, or why it was not.
    Prepared(SessionId, Result<Box<crate::actions::plan::Plan>, String>),
    /// So many steps of the running plan are behind it.
    Progress(usize),
    /// What became of a plan.
    Executed(Box<crate::app::execute::Report>),
    /// What a drain is about was read, or why not.
    DrainRead(RouteId, Result<Box<Facts>, String>),
    /// Where the pods of a planned drain would land.
    DrainLanded(RouteId, Result<Outlook, String>),
    /// How far the drain is.
    DrainTold(Box<Told>),
    /// How the drain ended.
    DrainEnded(Box<Ended>),
    /// Interrupted drains of this cluster, newest first.
    DrainsLeft(SessionId, Vec<Unfinished>),
    /// What was done from here lately on this session's cluster, for the timeline.
    Deeds(SessionId, Vec<crate::state::timeline::Deed>),
    /// How many events there are, in words.
    Counted(SessionId, Result<String, String>),
    /// The terminal came back from another program; what went wrong with it.
    Returned(Option<String>),
}

/// A message for the last line.
#[derive(Debug, PartialEq)]
pub struct Note {
    /// Its weight.
    pub role: crate::state::cell::Role,
    /// Its words.
    pub text: String,
}

/// Something is to be done outside the core.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Use the connection that has just arrived.
    Adopt,
    /// Follow these tables, and nothing else that is not in use.
    Follow(Vec<u8>),
    /// Fetch an object for a document.
    Fetch(RouteId, Target, Form),
    /// Work out which flow schema catches a request, for a document.
    WhichSchema(RouteId, Box<crate::state::fairness::question::Question>),
    /// Nobody looks at the document that is being read for.
    StopReading,
    /// Fetch an object and copy it.
    FetchToCopy(Target),
    /// Copy a text; what it is.
    Copy(&'static str, String),
    /// Ask whether this would be allowed and whether the object is still the one that was seen.
    Review(Kubectl),
    /// Run kubectl in the lent terminal.
    Kubectl(Kubectl),
    /// Read what a change is about and plan it.
    Prepare(crate::actions::Wish),
    /// Plan to put back what this run did, or what was done last.
    PrepareUndo(Option<String>),
    /// Read what a drain of these nodes is about.
    ReadDrain(RouteId, Vec<String>),
    /// Work out where a plan's pods would land.
    LandDrain(RouteId, Box<DrainPlan>),
    /// Save a plan to a new file of this name.
    SaveDrain(String, Box<crate::app::drain::saved::Saved>),
    /// Save the report of this run to a new file.
    SaveReport(String),
    /// Say this to the drain that runs.
    SayDrain(Cmd),
    /// Leave the drain that runs as it is.
    LeaveDrain,
    /// Look for interrupted drains of this cluster.
    FindDrains,
    /// Plan to go on with the one that was interrupted last.
    ResumeDrain,
    /// Nobody goes on with it.
    AbandonDrain,
    /// Perform a confirmed plan.
    Execute(crate::actions::plan::Armed),
    /// Read from the journal what was done from here lately.
    ReadDeeds,
    /// Ask how many events there are, in all and by namespace.
    CountEvents,
    /// Look again at what is measured.
    LookAgain,
    /// Save a text to a new file of this name, in the folder this was started in; what it is: `the page`.
    SaveText(String, String, String),
    /// Begin no further step of the running plan.
    Cancel,
    /// Obtain credentials anew, with the terminal lent to the plugin.
    LogIn,
    /// Switch to a context; whether its credential plugin gets the terminal.
    SwitchContext(String, bool),
    /// Look at one namespace, or all.
    SwitchNamespace(Option<String>),
    /// Refuse writes from now on.
    Lock,
    /// Let writes through again, as far as nothing else keeps them back.
    Unlock,
    /// Repaint every cell.
    Repaint,
    /// To the shell.
    Suspend,
    /// End.
    Quit,
    /// Keep the chosen columns for the next start.
    SavePreferences,
}

/// The instant and the time of one turn of the loop; nothing in `update` asks a clock.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The server's time.
    pub server: Epoch,
    /// Monotonic.
    pub instant: Instant,
}
