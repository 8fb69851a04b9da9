//! The operator's words: everything that can be asked of the console, each with one name that the
//! keymap, the palette, the help and the tests share.

use std::str::FromStr;

use crate::model::Verb;

/// Where a word belongs in help and palette.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Group {
    /// Moving about in a list or a text.
    Move,
    /// Choosing a pane, a size, a tab.
    View,
    /// Filtering and sorting.
    Find,
    /// Marking rows.
    Mark,
    /// Going to what is related.
    Go,
    /// Acting on a service.
    Act,
    /// Copying.
    Copy,
    /// Answering a dialog.
    Answer,
    /// The program itself.
    Program,
}

impl Group {
    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::View => "View",
            Self::Find => "Find",
            Self::Mark => "Mark",
            Self::Go => "Go to",
            Self::Act => "Act",
            Self::Copy => "Copy",
            Self::Answer => "Answer",
            Self::Program => "Program",
        }
    }

    /// Every group in the order of the help page.
    pub const ALL: [Self; 9] = [
        Self::Act,
        Self::Move,
        Self::Find,
        Self::Mark,
        Self::Go,
        Self::View,
        Self::Copy,
        Self::Answer,
        Self::Program,
    ];
}

macro_rules! words {
    ($($name:ident $word:literal $group:ident $says:literal $hint:literal;)*) => {
        /// One thing that the operator can ask for.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Word {
            $(#[doc = $says] $name,)*
        }

        impl Word {
            /// Every word, in the order of help.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name, as in keymap files and the palette.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it does, in a few words.
            #[must_use]
            pub const fn says(self) -> &'static str {
                match self { $(Self::$name => $says,)* }
            }

            /// One word for the line of keys; empty when it doesn't stand there.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)* }
            }

            /// Where it belongs.
            #[must_use]
            pub const fn group(self) -> Group {
                match self { $(Self::$name => Group::$group,)* }
            }
        }
    };
}

words! {
    Trigger "trigger" Act "Run or back up now" "trigger";
    Cancel "cancel" Act "Cancel the running task" "cancel";
    Retry "retry" Act "Retry what failed" "retry";
    Clear "clear" Act "Clear the failed job from the service's list" "clear";
    Enable "enable" Act "Turn the policy's schedule on" "enable";
    Disable "disable" Act "Turn the policy's schedule off" "disable";
    Restore "restore" Act "Restore" "restore";
    Delete "delete" Act "Delete at the service" "delete";
    Acknowledge "acknowledge" Act "Take the failed job, with a note and until when" "take";
    Note "note" Act "Leave a note on the failed job; nobody takes it by that" "note";
    Unacknowledge "unacknowledge" Act "Give back what somebody took" "";
    Menu "menu" Act "All actions for this row, with reasons" "actions";
    Preview "preview" Act "Show what the next action would send, and send nothing yet" "preview";

    Down "down" Move "Next row" "";
    Up "up" Move "Previous row" "";
    PageDown "page-down" Move "A page down" "";
    PageUp "page-up" Move "A page up" "";
    HalfDown "half-page-down" Move "Half a page down" "";
    HalfUp "half-page-up" Move "Half a page up" "";
    Top "top" Move "First row" "";
    Bottom "bottom" Move "Last row" "";
    Row "row" Move "Go to a row by its number" "";
    Left "left" Move "Scroll left, or the pane to the left" "";
    Right "right" Move "Scroll right, or the pane to the right" "";

    Filter "filter" Find "Filter as you type" "filter";
    FilterClear "filter-clear" Find "Take the filter off" "";
    FilterCode "filter-code" Find "Only rows with this row's code" "";
    Sort "sort" Find "Choose the column to sort by" "sort";
    SortReverse "sort-reverse" Find "Turn the order around" "";
    SaveView "save-view" Find "Save this filter and order under a name" "";
    NextView "next-view" Find "The next saved view of this list" "";
    PreviousView "previous-view" Find "The saved view before" "";
    Ended "ended" Find "Show or hide skipped and cancelled tasks" "";

    Taken "taken" Find "Show or hide failed jobs that somebody took" "";

    Mark "mark" Mark "Mark this row and go on" "mark";
    MarkRange "mark-range" Mark "Mark from here to where you go" "";
    MarkAll "mark-all" Mark "Mark every row of the filter" "";
    MarkInvert "mark-invert" Mark "Swap marked and unmarked" "";
    MarkCode "mark-code" Mark "Mark every row with this row's code" "";
    MarkClear "mark-clear" Mark "Take all marks off" "";

    GoDevice "go-device" Go "The device" "";
    GoPolicy "go-policy" Go "The policy" "";
    GoTasks "go-tasks" Go "All its tasks" "";
    GoRunning "go-running" Go "Its running tasks" "";
    GoFailed "go-failed" Go "Its failed jobs" "";
    GoDevices "go-devices" Go "The policy's devices" "";
    GoPolicies "go-policies" Go "The device's policies" "";
    Back "back" Go "Back to where you were" "";
    Forward "forward" Go "Forward again" "";

    Devices "devices" View "Devices" "";
    Policies "policies" View "Policies" "";
    Running "running" View "Running tasks" "";
    Failed "failed" View "Failed jobs" "";
    Tasks "tasks" View "All tasks" "";
    Feed "feed" View "Transitions as they happen" "";
    NextPane "next-pane" View "Next pane or tab" "";
    PreviousPane "previous-pane" View "Previous pane or tab" "";
    Expand "expand" View "This pane on the whole screen, and back" "expand";
    Detail "detail" View "Open the row" "detail";
    Card "card" View "What it means and what to do" "";
    Course "course" View "Its transitions, with times" "";
    Past "past" View "Everything that happened to it, out of history" "";
    Record "record" View "The service's own record" "";
    Causes "causes" View "What is wrong: failed jobs by cause, stuck, lost, silent" "causes";
    Backups "backups" View "Last good backups against their targets, the worst first" "";
    Deeds "actions" View "Actions of this session and what became of them" "";
    At "at" View "The board as it was at another time" "";
    StepBack "step-back" View "The board at the transition before" "step back";
    StepOn "step-on" View "The board at the next transition" "step on";
    MinutesBack "minutes-back" View "The board five minutes earlier" "5 min back";
    MinutesOn "minutes-on" View "The board five minutes later" "5 min on";
    Services "services" View "Services: health, faults, what each can do" "";

    Ticket "copy-ticket" Copy "Copy a text for the ticket" "copy";
    CopyId "copy-id" Copy "Copy the id" "";
    CopyRecord "copy-record" Copy "Copy the service's own record" "";

    Yes "yes" Answer "Yes, do it" "";
    Accept "accept" Answer "Take what is chosen" "";
    Close "close" Answer "Leave it; close; one step back" "";
    Complete "complete" Answer "Complete the word" "";
    Earlier "earlier" Answer "An earlier text" "";
    Later "later" Answer "A later text" "";
    Withhold "withhold" Answer "Stop what was not sent yet" "";

    Palette "palette" Program "Views and actions by name" "command";
    Help "help" Program "Keys and words" "help";
    Poll "poll" Program "Ask this row's service now" "";
    PollAll "poll-all" Program "Ask every service now" "";
    Theme "theme" Program "Next theme" "";
    Notice "put-notice-away" Program "Put the notice about demo services away" "";
    Repaint "repaint" Program "Draw the screen anew" "";
    Suspend "suspend" Program "Stop the program; the shell's fg goes on" "";
    Quit "quit" Program "Quit" "";
}

impl Word {
    /// The verb behind an action's word.
    #[must_use]
    pub const fn verb(self) -> Option<Verb> {
        Some(match self {
            Self::Trigger => Verb::Trigger,
            Self::Cancel => Verb::Cancel,
            Self::Retry => Verb::Retry,
            Self::Clear => Verb::Clear,
            Self::Enable => Verb::Enable,
            Self::Disable => Verb::Disable,
            Self::Restore => Verb::Restore,
            Self::Delete => Verb::Delete,
            _ => return None,
        })
    }

    /// The word for a verb.
    #[must_use]
    pub const fn of_verb(verb: Verb) -> Self {
        match verb {
            Verb::Trigger => Self::Trigger,
            Verb::Cancel => Self::Cancel,
            Verb::Retry => Self::Retry,
            Verb::Clear => Self::Clear,
            Verb::Enable => Self::Enable,
            Verb::Disable => Self::Disable,
            Verb::Restore => Self::Restore,
            Verb::Delete => Self::Delete,
        }
    }
}

impl FromStr for Word {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if let Some(word) = Self::ALL.iter().find(|w| w.name() == name) {
            return Ok(*word);
        }
        let near = Self::ALL
            .iter()
            .map(|w| (strsim::damerau_levenshtein(w.name(), name), w.name()))
            .min();
        Err(match near {
            Some((distance, near)) if distance <= 3 => {
                format!("there is no word {name:?}; did you mean {near:?}?")
            }
            _ => format!("there is no word {name:?}; the palette lists them all"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for word in Word::ALL {
            assert_eq!(word.name().parse(), Ok(*word));
            assert!(!word.says().is_empty());
        }
        assert!("dwon".parse::<Word>().unwrap_err().contains("down"));
    }

    #[test]
    fn every_verb_has_its_word() {
        for verb in Verb::ALL {
            assert_eq!(Word::of_verb(verb).verb(), Some(verb));
            assert_eq!(Word::of_verb(verb).name(), verb.word());
        }
    }
}
