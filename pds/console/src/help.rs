// SPDX-License-Identifier: MIT
//! What `/?` and its kin say. Kept beside each other, so that a new command is explained where the others are.

/// All commands.
pub const COMMANDS: &str = "\
Type a message and press Enter. Commands begin with / or stand alone on a line:
  /?, help               this list              /? shortcuts           the keys
  /status, status        the servers            /perf, perf            figures of all answers
  /mem, mem              memory                 /version, version      versions
  /models, models        models on the disk     /load NAME             load or switch (model load NAME)
  /unload                unload (model unload)  /bench, benchmark      measure tokens per second
  /clear, clear          forget the conversation and erase its memory; the system prompt stays
  /regen                 answer the last message again
  /set system TEXT       the system prompt      /set temperature 0.7   a parameter (/show parameters)
  /set stop TEXT         end answers there       /set template NAME    how a conversation is written
  /set verbose|quiet     all figures, one line  /set wordwrap|nowordwrap
  /set history|nohistory lines called up again  /set columns N         the terminal's width
  /show info|parameters|system|template|license
  /rag on|off            answers use documents  /rag sources           what the last answer was given
  /rag quote on|off      answers are quotes     /rag list, /rag remove SOURCE
  /rag add TEXT          keep a note
  /rag scan              take in what is new in /docs    /rag find TEXT   show passages
  /fact add A | B | C    keep a fact            /fact list, /fact forget NUMBER
  /recall TEXT           what happened on this machine
  /learn on|off|status   collect what is to be learnt          /learn list, /learn forget [NUMBER]
  /correct TEXT          the better answer to the last question   /learn mark   the last answer was right
  /learn now, stop       learn from what was collected, while you chat   /learn rollback   as it was before
  /restart SERVER        restart a server       /stop SERVER           stop a server
  ? REQUEST              ask for a command in English; it is shown, and runs only on y (? alone: what was asked)
  chat TEXT              say TEXT, even if it looks like a command
  /bye, exit             shut down
\"\"\" begins and ends a message of several lines; so does \\ at the end of a line.
Not in this build: /save, /restore, /read.
";

/// All keys.
pub const SHORTCUTS: &str = "\
  Ctrl-C            stop the answer; drop the line     Ctrl-D   leave (empty line); delete
  Up, Down          lines entered before               Enter    send (Ctrl-J too)
  Left, Right       by character                       Alt-B, Alt-F, Ctrl-Left, Ctrl-Right   by word
  Home, Ctrl-A      start of the line                  End, Ctrl-E   end of the line
  Backspace, Del    delete a character                 Ctrl-W   delete the word before
  Ctrl-K            delete to the end                  Ctrl-U   delete to the start
  Ctrl-L            clear the screen, ask its width
Under QEMU with -serial mon:stdio, Ctrl-A is QEMU's own: type it twice. Shift-Enter arrives as Enter.
";

/// What `talk` says.
pub const TALK: &str = "You are talking already: type a message and press Enter. /? lists the commands.\n";

/// The placeholder below the banner.
pub const PLACEHOLDER: &str = "Send a message (/? for help)\n";

/// What Ctrl-C on an empty line says.
pub const HOW_TO_LEAVE: &str = "Use Ctrl-D or /bye to exit\n";

/// What to do without a model.
pub const NO_MODEL: &str =
    "no model: put a .gguf file on the disk (cargo xtask run --model FILE.gguf), or see /models and /load\n";
