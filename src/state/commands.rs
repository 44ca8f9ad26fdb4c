//! THE list of commands: everything a key or the palette can do that is not an action on an object.
//!
//! Help, the palette, the keymap's checks and `docs/keys.md` derive from it.

/// Where a key is looked up. The layers of a page come before the global one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Everywhere.
    Global,
    /// On rows.
    Table,
    /// In a document.
    Document,
    /// While typing.
    Prompt,
    /// Where something is asked.
    Question,
    /// On the board of a drain.
    Board,
    /// In a chart.
    Chart,
}

/// A command.
pub struct CommandSpec {
    /// Its id in `assets/keymap.toml` and the palette.
    pub id: &'static str,
    /// Where its keys work.
    pub layer: Layer,
    /// What it does.
    pub help: &'static str,
}

macro_rules! commands {
    ($($layer:ident { $($id:literal $help:literal;)+ })+) => {
        /// Every command.
        pub static ALL: &[CommandSpec] = &[$($(
            CommandSpec { id: $id, layer: Layer::$layer, help: $help },
        )+)+];
    };
}

commands! {
    Global {
        "help" "keys and words of this place";
        "command" "go to a view, run an action, switch context or namespace";
        "filter" "show only rows that match; search in a document";
        "back" "close what is open, drop marks, then the filter, then go back";
        "previous" "back in the history";
        "next" "forward in the history";
        "feeds" "how fresh each feed is";
        "refresh" "draw the whole screen again";
        "login" "obtain credentials anew; a plugin that asks gets the terminal";
        "drain-board" "back to the board of the drain";
        "drain-resume" "go on with the drain that was interrupted last";
        "drain-abandon" "leave the interrupted drain as it is, for good";
        "open-journal" "what was changed from this machine: runs, their reports, undo";
        "undo" "put back what was done last, as far as nobody changed it since";
        "unlock" "let changes through again that `lock` keeps back; asks for the context's name";
        "lock" "refuse every write from now on (read-only)";
        "whatif" "which flow schema catches a request: whatif USER VERB WHAT; alone: which one catches yours";
        "suspend" "to the shell; fg comes back";
        "quit" "leave";
    }
    Question {
        "try-anyway" "go on although an access review says no";
    }
    Table {
        "up" "one row up";
        "down" "one row down";
        "half-up" "half a page up";
        "half-down" "half a page down";
        "page-up" "a page up";
        "page-down" "a page down";
        "top" "first row";
        "bottom" "last row";
        "enter" "what the row leads to";
        "mark" "mark the row and move on";
        "mark-all" "mark every row shown, or none";
        "sort-next" "sort by the next column";
        "sort-previous" "sort by the column before";
        "sort-reverse" "turn the order round";
        "sort-name" "sort by name";
        "sort-age" "sort by age";
        "wide" "more columns, or fewer";
        "pause" "events stand still, or go on with all that happened meanwhile";
        "normal-events" "show or leave out Normal events";
        "count-events" "how many events the cluster and each namespace hold, without listing them";
        "look-again" "look again now at what is measured and not watched; dumps every 10 s at most";
        "columns" "choose columns";
        "save-rows" "save the rows and columns shown to a new CSV file, in the folder this was started in";
        "chart" "a number of the row over time, since the cockpit began to look";
        "left" "columns at the left come back";
        "right" "columns at the left make room";
        "link-1" "the first numbered count of the second line";
        "link-2" "the second numbered count";
        "link-3" "the third numbered count";
        "link-4" "the fourth numbered count";
        "link-5" "the fifth numbered count";
    }
    Document {
        "line-up" "one line up";
        "line-down" "one line down";
        "view-half-up" "half a page up";
        "view-half-down" "half a page down";
        "view-page-up" "a page up";
        "view-page-down" "a page down";
        "view-top" "first line";
        "view-bottom" "last line";
        "view-left" "to the left";
        "view-right" "to the right";
        "search-next" "next line that matches";
        "search-previous" "line before that matches";
        "fold" "show or hide managed fields";
        "reveal" "show or hide Secret values";
        "reload" "fetch again";
    }
    Board {
        "board-open" "the pod or node under the cursor";
        "drain-save" "save the plan to a new file, for wheelhouse drain --plan";
        "drain-start" "start the drain: reason, preview, then y";
        "drain-daemonsets" "leave the pods of DaemonSets where they are, or ask about them";
        "drain-emptydir" "give up emptyDir data, or ask about them";
        "drain-force" "go on although nothing makes a pod again, or ask about it";
        "drain-more" "one more node at once";
        "drain-fewer" "one node fewer at once";
        "drain-landing" "work out where the pods would land, from the whole cluster";
        "drain-evict" "the pod, or all pods of the class, under the cursor: evict";
        "drain-keep" "the pod, or all pods of the class, under the cursor: leave where they are";
        "drain-delete" "the pod under the cursor: delete it past every budget, after its name was typed";
        "drain-force-delete" "the pod under the cursor, or all that a dead node holds: remove the objects, after a typed name";
        "drain-finalizer" "the pod under the cursor: take away the finalizer that holds it";
        "drain-pause" "send nothing more, or go on";
        "drain-retry" "end the pauses after refusals now";
        "drain-end" "end it; what was accepted goes on, nodes stay cordoned";
        "drain-uncordon" "end it and uncordon the nodes it cordoned";
    }
    Chart {
        "chart-next" "the next number of the row";
        "chart-previous" "the number before";
        "chart-closer" "less time, in more detail";
        "chart-farther" "more time, up to all since the first sample";
        "chart-save" "save the row's numbers over time to a new CSV file, in the folder this was started in";
        "chart-zero" "begin the axis near the least, or at zero";
    }
    Prompt {
        "accept" "use the line";
        "cancel" "leave the line as it was";
        "complete" "next completion";
        "complete-back" "completion before";
        "char-left" "one character left";
        "char-right" "one character right";
        "delete-back" "delete the character before";
        "delete-word" "delete the word before";
        "delete-line" "delete to the beginning";
        "typed-before" "what was typed earlier";
        "typed-after" "what was typed later";
    }
}

/// The filter's grammar in examples.
pub static FILTER_HELP: &[(&str, &str)] = &[
    ("web shop", "rows that hold both words; upper case letters make case count"),
    ("status:crash", "the column STATUS holds the text"),
    ("node:=node-7", "the column is exactly this"),
    ("restarts:>5 age:<10m", "numbers, quantities and ages compare"),
    ("label:app=web", "a label; label:app asks only whether it is set"),
    ("!status:running", "not"),
    ("name:/^web-[0-9]+$/", "a regular expression"),
];

/// The command of that id.
pub fn named(id: &str) -> Option<&'static CommandSpec> {
    ALL.iter().find(|c| c.id == id)
}
