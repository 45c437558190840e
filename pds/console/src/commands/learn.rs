// SPDX-License-Identifier: MIT
//! `/learn` and `/correct`: what the model is to learn.

use super::rag::Library;
use crate::console::Console;
use crate::terminal::Terminal;
use crate::{printable, say};
use ipc_protocol::console_session::{Learn, Rag, RagText};

/// How it is used.
pub const LEARN: &str = "/learn on|off|status | /learn list | /learn mark | /learn now | /learn stop | /learn rollback | /learn forget [NUMBER]";
/// How a better answer is given.
pub const CORRECT: &str = "/correct TEXT (the better answer to the last question; /learn on first)";

/// What follows `/learn`.
///
/// # Errors
/// How it is used.
pub fn learn(rest: &str) -> Result<Library<'_>, &'static str> {
    let what = match rest {
        "on" => Learn::On,
        "off" => Learn::Off,
        "status" => Learn::Status,
        "list" => Learn::List,
        "mark" => Learn::Mark,
        "now" => Learn::Now,
        "stop" => Learn::Stop,
        "rollback" => Learn::Rollback,
        "forget" => Learn::Forget,
        _ => {
            let number = rest.strip_prefix("forget ").and_then(|number| number.trim().parse().ok());
            Learn::ForgetPair(number.ok_or(LEARN)?)
        }
    };
    Ok(Library::Do(Rag::Learn(what)))
}

/// What follows `/correct`.
///
/// # Errors
/// How it is used.
pub fn correct(rest: &str) -> Result<Library<'_>, &'static str> {
    if rest.is_empty() { Err(CORRECT) } else { Ok(Library::Say(RagText::Correct, rest)) }
}

impl<T: Terminal> Console<T> {
    /// The line of `status`; none where there is no trainer.
    pub(crate) fn show_learning(&mut self) {
        if let Some(description) = &self.banner.learning {
            say!(self.screen, "learning: ");
            printable::write(&mut self.screen, description.as_slice());
            say!(self.screen, "\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood_and_nothing_else() {
        for (line, what) in [
            ("on", Learn::On),
            ("now", Learn::Now),
            ("rollback", Learn::Rollback),
            ("forget", Learn::Forget),
            ("forget 7", Learn::ForgetPair(7)),
        ] {
            assert_eq!(learn(line), Ok(Library::Do(Rag::Learn(what))), "{line}");
        }
        for line in ["", "forget all", "forget -1", "nwo", "on now"] {
            assert_eq!(learn(line), Err(LEARN), "{line}");
        }
        assert_eq!(correct("blue"), Ok(Library::Say(RagText::Correct, "blue")));
        assert_eq!(correct(""), Err(CORRECT));
    }
}
