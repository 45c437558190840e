// SPDX-License-Identifier: MIT
//! What the user is told of learning, and when what was learnt is not used.

use super::Pair;
use crate::session::{Session, text};
use alloc::format;
use alloc::string::String;
use ipc_protocol::Piece;
use ipc_protocol::console_session::{Level, ToConsole};
use ipc_protocol::session_retriever::{PairKind, Version};
use ipc_protocol::session_trainer::{Losses, Role};

/// Nats per token by which what is known, or held back, may get worse.
const TOLERANCE: f32 = 0.25;

/// What a job begins with.
pub(super) fn begun([new, known, held]: [u32; 3], left_out: u32) -> String {
    let left = if left_out > 0 {
        format!("; {left_out} are left out (too long, or too many)")
    } else {
        String::new()
    };
    format!(
        "learning from {new} new pair(s), {known} learnt before, {held} held back{left}. It goes on while you chat; /learn stop stops it"
    )
}

/// The figures before and after, a line for each kind of lessons.
pub(super) fn result(counts: [u32; 3], before: &Losses, after: &Losses, passes: u32) -> String {
    let mut lines = format!("learnt in {passes} passes; loss in nats per token, before -> after:");
    let names = ["new pairs", "learnt before, and known commands", "held back"];
    for (role, name) in names.iter().enumerate().filter(|(role, _)| after.lessons[*role] > 0) {
        let (old, new, lessons, pairs) =
            (before.mean[role], after.mean[role], after.lessons[role], counts[role]);
        lines.push_str(&format!(
            "\n  {name}: {old:.3} -> {new:.3} ({lessons} lesson(s), {pairs} of them pairs)"
        ));
    }
    lines
}

/// Why what was learnt is not used.
pub(super) fn objection(before: &Losses, after: &Losses) -> Option<String> {
    let finite = before.mean.iter().chain(&after.mean).all(|mean| mean.is_finite());
    if !finite {
        return Some("the losses are no numbers".into());
    }
    let of = |losses: &Losses, role: Role| losses.mean[role as usize];
    if of(after, Role::Learn) >= of(before, Role::Learn) {
        return Some("the new pairs were not learnt".into());
    }
    let worse = |role: Role| of(after, role) > of(before, role) + TOLERANCE;
    if worse(Role::HeldBack) {
        return Some(format!("what was held back got worse by more than {TOLERANCE}"));
    }
    worse(Role::Replay).then(|| format!("what was known got worse by more than {TOLERANCE}"))
}

impl Session {
    /// The adapter in use.
    pub(super) fn in_use(&self) -> Option<&Version> {
        let number = self.learning.in_use?.version;
        self.own_versions().find(|version| version.number == number)
    }

    /// The number of the newest pair that it has learnt; 0 where none is in use.
    pub(super) fn newest_learnt(&self) -> u64 {
        self.in_use().map_or(0, |version| version.newest)
    }

    pub(super) fn show_learning(&mut self) {
        let mut lines = format!("learning: {}", self.describe_learning());
        for version in &self.learning.versions {
            lines.push_str(&format!("\n{}", self.version_line(version)));
        }
        self.say(Level::Plain, &lines);
        self.end_learning(true);
    }

    fn version_line(&self, version: &Version) -> String {
        let Version { number, pairs, before, after, length, .. } = version;
        let used = self.learning.in_use.is_some_and(|place| place.version == *number);
        let mark = match (used, version.base == self.model.hash) {
            (true, _) => ", in use",
            (false, true) => "",
            (false, false) => ", for another model",
        };
        format!(
            "  adapter {number}: {pairs} pair(s), loss {before:.3} -> {after:.3}, {} KiB{mark}",
            length.div_ceil(1024)
        )
    }

    pub(super) fn list_learning(&mut self) {
        let mut lines = String::new();
        for Pair { number, kind, question, answer } in &self.learning.pairs {
            let kind = match kind {
                PairKind::Correction => "correction",
                PairKind::Accepted => "accepted",
                PairKind::Refused => "refused",
                PairKind::Marked => "marked",
            };
            lines.push_str(&format!(
                "  {number:>5}  {kind:<10}  {} => {}\n",
                one_line(question),
                one_line(answer)
            ));
        }
        if lines.is_empty() {
            lines.push_str(
                "no pairs; with /learn on, /correct TEXT keeps a better answer to the last question",
            );
        }
        self.say(Level::Plain, &lines);
        self.show_learning();
    }

    fn describe_learning(&self) -> String {
        let Some(state) = self.library.state.as_ref().filter(|_| self.library.is_open()) else {
            return "not known: the retriever's store is not open".into();
        };
        let on = if state.learning { "on" } else { "off" };
        let used = match self.learning.in_use {
            Some(place) => format!("adapter {} is in use", place.version),
            None => "no adapter is in use".into(),
        };
        let job = self.learning.job.as_ref().map_or_else(String::new, |job| match job.at {
            (0, ..) => "; it is learning".into(),
            (pass, of, loss) => format!("; it is learning: pass {pass} of at most {of}, loss {loss:.3}"),
        });
        format!("{on}; {} pair(s); {used}{job}", state.pairs)
    }

    /// Tells the console what learning is like, where that has changed.
    pub(super) fn tell_learning(&mut self) {
        if self.learning.trainer.is_none() || self.console.is_backed_up() {
            return;
        }
        let description = Piece::new(self.describe_learning().as_bytes());
        if self.learning.described != description {
            self.learning.described = description.clone();
            self.console.push(ToConsole::Learning { description });
        }
    }

    /// The console has restarted: it knows nothing.
    pub(crate) fn forget_told_learning(&mut self) {
        self.learning.described = Piece::default();
    }
}

fn one_line(said: &str) -> String {
    text(said.replace(['\n', '\r'], " ").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn losses(mean: [f32; 3]) -> Losses {
        Losses { mean, lessons: [1; 3] }
    }

    #[test]
    fn what_was_learnt_is_used_only_where_nothing_else_got_worse() {
        let before = losses([3.0, 0.1, 0.2]);
        assert_eq!(objection(&before, &losses([0.1, 0.2, 0.3])), None);
        for (after, why) in [
            ([3.0, 0.1, 0.2], "not learnt"),
            ([0.1, 0.1, 0.5], "held back"),
            ([0.1, 0.4, 0.2], "known"),
            ([f32::NAN, 0.1, 0.2], "no numbers"),
            ([0.1, f32::INFINITY, 0.2], "no numbers"),
        ] {
            let found = objection(&before, &losses(after)).unwrap_or_default();
            assert!(found.contains(why), "{after:?}: {found}");
        }
    }
}
