// SPDX-License-Identifier: MIT
//! What the supervisor says: the table of servers, and what went wrong.

use crate::console::{Console, MESSAGE_ROOM, SHORT_SILENCE};
use crate::figures::Bytes;
use crate::mode::Mode;
use crate::terminal::Terminal;
use crate::{printable, say};
use core::fmt::Write;
use ipc_abi::fault;
use ipc_link::LinkState;
use ipc_protocol::console_supervisor::{Action, FaultReport, State, ToConsole};

impl<T: Terminal> Console<T> {
    /// Follows the link and takes messages while there is room to show them; whether there were any.
    pub(crate) fn hear_supervisor(&mut self) -> bool {
        if self.supervisor.link.poll() == LinkState::PeerStarted {
            self.supervisor_started();
        }
        let mut moved = false;
        while !self.supervisor.broken && self.screen.room() >= MESSAGE_ROOM {
            match self.supervisor.link.receive() {
                Ok(Some(message)) => self.supervisor_says(message),
                Ok(None) => break,
                Err(_) => {
                    self.supervisor.broken = true;
                    self.distrust("supervisor");
                }
            }
            moved = true;
        }
        moved
    }

    fn supervisor_started(&mut self) {
        self.supervisor.broken = false;
        self.ask_for_banner();
        if !core::mem::replace(&mut self.supervisor.known, true) {
            return;
        }
        self.announce(|screen| say!(*screen, "supervisor restarted: it watches the servers again\n"));
        if matches!(self.mode, Mode::Status | Mode::Control) {
            self.prompt();
        }
    }

    fn supervisor_says(&mut self, message: ToConsole) {
        match message {
            ToConsole::Pd { name, state, .. } if self.mode == Mode::Starting => {
                self.banner.count(&name, state)
            }
            ToConsole::Pd { .. } => self.server_row(&message),
            ToConsole::StatusEnd => self.status_end(),
            ToConsole::Fault(report) => self.announce(|screen| show_fault(screen, &report)),
            ToConsole::Notice { text } => {
                self.announce(|screen| {
                    printable::write(screen, text.as_slice());
                    say!(*screen, "\n");
                });
                if self.mode == Mode::Control {
                    self.prompt();
                }
            }
        }
    }

    fn status_end(&mut self) {
        match self.mode {
            Mode::Starting => {
                self.banner.counted();
                self.start_if_complete();
            }
            Mode::Status => {
                self.finish_status();
                self.prompt();
            }
            _ => {}
        }
    }

    fn finish_status(&mut self) {
        if self.rows == 0 {
            say!(self.screen, "the supervisor knows no servers\n");
        }
        self.show_retrieval();
        self.show_learning();
        self.show_model();
    }

    fn server_row(&mut self, row: &ToConsole) {
        let ToConsole::Pd { name, state, cpu_permille, restarts, memory, gauges, core } = row else { return };
        if self.mode != Mode::Status {
            return;
        }
        self.patience.start(SHORT_SILENCE);
        if self.rows == 0 {
            say!(self.screen, "server        state       cpu     core  restarts  memory      queue\n");
        }
        self.rows += 1;
        printable::write(&mut self.screen, name.as_slice());
        let pad = 14usize.saturating_sub(name.text().chars().count()).max(1);
        say!(self.screen, "{:pad$}{:<10}  ", "", state_name(*state));
        let memory = Bytes(*memory).shown();
        say!(self.screen, "{:>3}.{} %  {core:<4}  ", cpu_permille / 10, cpu_permille % 10);
        say!(self.screen, "{restarts:<8}  {memory:<10}  {}\n", gauges[ipc_pd::health::QUEUE]);
    }
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Idle => "idle",
        State::Busy => "busy",
        State::Stopped => "stopped",
        State::Faulted => "FAULTED",
        State::Restarting => "restarting",
        State::Hung => "HUNG",
    }
}

/// What happened, where, what was done, what is lost and what the user can do.
fn show_fault(screen: &mut impl Write, report: &FaultReport) {
    let FaultReport { pd, cause, address, pc, status, action } = report;
    say!(*screen, "fault in ");
    printable::write(screen, pd.as_slice());
    match *cause {
        0 => say!(*screen, ": it worked too long on one event (hung)"),
        fault::CAP => say!(*screen, ": missing capability, slot {address:#x}"),
        fault::UNKNOWN_SYSCALL => say!(*screen, ": unknown system call {address}"),
        fault::USER_EXCEPTION => say!(*screen, ": user exception {address:#x}"),
        fault::TIMEOUT => say!(*screen, ": its time budget ran out"),
        fault::VCPU => say!(*screen, ": an instruction it may not use, syndrome {status:#x}"),
        fault::VM => say!(*screen, ": memory fault at address {address:#x}, status {status:#x}"),
        other => say!(*screen, ": fault {other} ({address:#x})"),
    }
    let done = match action {
        Action::Restarted => "restarted",
        Action::GaveUp => "stopped for good",
    };
    say!(*screen, ", pc {pc:#x}; {done}\n  {}\n", consequence(pd.text(), *action));
}

fn consequence(pd: &str, action: Action) -> &'static str {
    let gave_up = action == Action::GaveUp;
    match pd {
        "compute" | "compute_1" | "compute_2" | "compute_3" if gave_up => {
            "nothing can be answered until /restart compute; the conversation is kept"
        }
        "compute" | "compute_1" | "compute_2" | "compute_3" => {
            "the conversation is kept; an answer under way goes on"
        }
        "session" if gave_up => "the conversation is lost; /restart session begins a new one",
        "session" => "the conversation is lost, the model stays: just go on",
        "loader" => "a load under way failed, the model in use stays; look at the file, or /load another",
        "storage" if gave_up => "no model can be loaded until /restart storage; the model in use stays",
        "storage" => "a load under way may have failed: try it again",
        "retriever" if gave_up => {
            "answers are made without documents until /restart retriever; what is stored stays"
        }
        "retriever" => "a question or note under way is lost; what is stored stays",
        "trainer" if gave_up => "nothing can be learnt until /restart trainer; what is learnt stays in use",
        "trainer" => "learning under way is lost; what is learnt stays in use",
        "timer" => "timeouts may be late",
        "supervisor" => "the model is read again; the conversation is kept, an answer under way ends",
        _ if gave_up => "/restart NAME tries again",
        _ => "it begins anew",
    }
}
