//! What the console is told about a child: failures for people, status rows.

use crate::children::Policy;
use crate::estate::Own;
use crate::fault::{Cause, Fault};
use crate::post::Post;
use crate::text::{Text, name, piece};
use crate::ward::{Condition, Ward};
use crate::watch::Sample;
use core::fmt::Write;
use ipc_pd::health;
use ipc_protocol::console_supervisor::{Action, FaultReport, State, ToConsole, ToSupervisor};

type Console = Post<ToConsole, ToSupervisor, 24>;

/// Reports a failure: what the kernel said, or that the child hangs, as figures; anything else as a sentence.
pub fn failure(console: &mut Console, ward: &Ward, cause: Cause, outcome: Condition) {
    let action = if outcome == Condition::Faulted { Action::GaveUp } else { Action::Restarted };
    match cause {
        Cause::Fault(_) | Cause::Hung(_) => figures(console, ward.policy(), cause, action),
        _ => sentence(console, ward.policy(), cause, action),
    }
    last_words(console, ward, cause);
}

fn figures(console: &mut Console, policy: &Policy, cause: Cause, action: Action) {
    let Fault { label, address, pc, status } = cause.fault();
    let report = FaultReport { pd: name(policy.name), cause: label, address, pc, status, action };
    console.send(ToConsole::Fault(report));
}

fn sentence(console: &mut Console, policy: &Policy, cause: Cause, action: Action) {
    let mut line = Text::default();
    let _ = write!(line, "{} ", policy.name);
    let _ = cause.describe(&mut line);
    let _ = match action {
        Action::Restarted => write!(line, " and is restarted; {}", policy.lost),
        Action::GaveUp => write!(line, "; it stays stopped until /restart {}", policy.name),
    };
    console.send(ToConsole::Notice { text: line.piece() });
}

/// A panic leaves its text in the health page; other faults leave nothing.
fn last_words(console: &mut Console, ward: &Ward, cause: Cause) {
    let mut bytes = [0; health::TEXT_BYTES];
    let length = ward.last_words(&mut bytes);
    if !matches!(cause, Cause::Fault(_)) || length == 0 {
        return;
    }
    for byte in bytes.iter_mut().filter(|byte| byte.is_ascii_control()) {
        *byte = b' ';
    }
    let text = match core::str::from_utf8(&bytes[..length]) {
        Ok(text) => text,
        Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
    };
    console.send(ToConsole::Notice { text: piece!("{} said: {text}", ward.policy().name) });
}

/// A child could not be restarted at all.
pub fn no_restart(console: &mut Console, policy: &Policy) {
    let text = piece!("{} cannot be restarted: it never said where it starts", policy.name);
    console.send(ToConsole::Notice { text });
}

/// Why this PD was restarted, as the guardian left it.
pub fn own_failure(console: &mut Console, cause: Cause) {
    let Fault { label, address, pc, status } = cause.fault();
    let (pd, action) = (name("supervisor"), Action::Restarted);
    console.send(ToConsole::Fault(FaultReport { pd, cause: label, address, pc, status, action }));
}

/// The guardian does not run any more: nobody can restart it.
pub fn no_guardian(console: &mut Console, cause: Cause) {
    let mut line = Text::default();
    let _ = write!(line, "guardian ");
    let _ = cause.describe(&mut line);
    let _ = write!(
        line,
        "; all goes on without it, but the supervisor would not be restarted until the next boot"
    );
    console.send(ToConsole::Notice { text: line.piece() });
}

/// The supervisor's own row of `status`: it is at work on it.
pub fn own_status(own: &mut Own, restarts: u32, now: u64) -> ToConsole {
    let sample = health::own_page().map(|page| Sample::of(&page)).unwrap_or_default();
    ToConsole::Pd {
        name: name("supervisor"),
        state: State::Busy,
        cpu_permille: own.meter.permille(&sample, now),
        restarts,
        memory: own.memory,
        gauges: [0; 4],
        core: 0,
    }
}

/// One row of `status`.
pub fn status(ward: &mut Ward, now: u64) -> ToConsole {
    ToConsole::Pd {
        name: name(ward.policy().name),
        state: ward.state(),
        cpu_permille: ward.cpu_permille(now),
        restarts: ward.restarted(),
        memory: ward.facts().memory,
        gauges: ward.gauges(),
        core: ward.facts().core,
    }
}
