//! What a person at the console may order: restarts, stops, the end.

use crate::children::{CHILDREN, CONSOLE, COUNT, LOADER, TIMER, by_name, group};
use crate::chronicle;
use crate::supervisor::{STOPPED, Supervisor};
use crate::text::{Text, piece};
use crate::ward::Condition;
use core::fmt::Write;
use ipc_protocol::Name;
use ipc_protocol::console_supervisor::ToSupervisor;

impl Supervisor {
    /// Does what the console asks for.
    pub(crate) fn command(&mut self, command: ToSupervisor) {
        match command {
            ToSupervisor::Status => self.status = Some(0),
            ToSupervisor::Restart { name } => self.with_child(&name, Self::restart),
            ToSupervisor::Stop { name } => self.with_child(&name, Self::stop),
            ToSupervisor::Shutdown => self.shut_down(),
        }
    }

    fn with_child(&mut self, name: &Name, act: fn(&mut Self, usize)) {
        match by_name(name.as_slice()).filter(|index| self.estate.wards[*index].is_some()) {
            Some(index) => act(self, index),
            None if name.as_slice() == b"supervisor" => self
                .estate
                .say(piece!("the supervisor cannot be stopped or restarted: it looks after the others")),
            None if name.as_slice() == b"guardian" => self
                .estate
                .say(piece!("the guardian cannot be stopped or restarted: it restarts the supervisor")),
            None => self.unknown(name),
        }
    }

    fn unknown(&mut self, name: &Name) {
        let mut line = Text::default();
        let _ = write!(line, "there is no part called '{}'; there are:", name.text());
        for ward in self.estate.wards.iter().flatten() {
            let _ = write!(line, " {}", ward.policy().name);
        }
        self.estate.say(line.piece());
    }

    fn restart(&mut self, index: usize) {
        self.estate.chronicle.add(chronicle::command("restart", CHILDREN[index].name));
        if index == LOADER {
            return self.restart_loader();
        }
        for member in group(index).rev() {
            self.restart_member(member);
        }
        self.estate.tell_model(index, false);
        let policy = &CHILDREN[index];
        self.estate.say(piece!("{} is restarted; {}", policy.name, policy.lost));
    }

    fn restart_member(&mut self, index: usize) {
        let Some(ward) = &mut self.estate.wards[index] else { return };
        ward.forgive();
        self.estate.halt(index, Condition::Restarting { at_ms: 0 });
    }

    /// The loader may only run while nobody reads the model: then it is restarted at once, else with the next load.
    fn restart_loader(&mut self) {
        let Some(ward) = &mut self.estate.wards[LOADER] else { return };
        ward.forgive();
        if self.model.loader_may_run() {
            self.estate.halt(LOADER, Condition::Restarting { at_ms: 0 });
            self.estate.tell_model(LOADER, false);
            self.estate.say(piece!("loader is restarted; {}", CHILDREN[LOADER].lost));
        } else {
            self.estate.halt(LOADER, Condition::Stopped { fresh: true });
            self.estate
                .say(piece!("the loader is stopped while a model is in use; the next load starts it afresh"));
        }
    }

    fn stop(&mut self, index: usize) {
        let policy = &CHILDREN[index];
        if !policy.keep.is_empty() {
            return self.estate.say(piece!("{} cannot be stopped: {}", policy.name, policy.keep));
        }
        self.estate.chronicle.add(chronicle::command("stop", policy.name));
        for member in group(index) {
            self.estate.halt(member, Condition::Stopped { fresh: true });
        }
        self.estate.tell_model(index, true);
        self.estate.say(piece!("{0} is stopped; restart {0} starts it again", policy.name));
    }

    fn shut_down(&mut self) {
        self.closed = true;
        for index in (0..COUNT).filter(|index| ![TIMER, CONSOLE].contains(index)) {
            self.estate.halt(index, Condition::Stopped { fresh: true });
        }
        self.estate.say(piece!("{STOPPED}"));
    }
}
