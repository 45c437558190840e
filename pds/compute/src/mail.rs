//! The leader's post: messages that wait, in both directions.
//!
//! While a layer is computed, only what cannot wait is acted upon (a cancel, a release); everything else is kept in
//! order for the moment between two steps. What session has no room for is kept too, and work pauses.

use heapless::Deque;
use ipc_link::{Link, LinkState};
use ipc_protocol::List;
use ipc_protocol::session_compute::{TOKENS_PER_MESSAGE, ToCompute, ToSession};
use ipc_protocol::supervisor_compute as control;

/// Messages of session kept for later.
const INBOX: usize = 8;
/// Messages to session kept until it has room.
const OUTBOX: usize = 16;

/// Both links and what waits.
pub struct Mail {
    session: Link<ToSession, ToCompute>,
    supervisor: Link<control::ToSupervisor, control::ToCompute>,
    inbox: Deque<ToCompute, INBOX>,
    orders: Deque<control::ToCompute, 4>,
    outbox: Deque<ToSession, OUTBOX>,
    reports: Deque<control::ToSupervisor, 4>,
    /// Session (re)started since this was last cleared.
    pub session_restarted: bool,
    /// The supervisor (re)started since this was last cleared.
    pub supervisor_restarted: bool,
}

impl Mail {
    /// Over two started links.
    pub fn new(
        session: Link<ToSession, ToCompute>,
        supervisor: Link<control::ToSupervisor, control::ToCompute>,
    ) -> Self {
        Self {
            session,
            supervisor,
            inbox: Deque::new(),
            orders: Deque::new(),
            outbox: Deque::new(),
            reports: Deque::new(),
            session_restarted: false,
            supervisor_restarted: false,
        }
    }

    /// Follows restarts, takes in what fits, sends what can be sent.
    pub fn exchange(&mut self) {
        self.follow_restarts();
        while !self.inbox.is_full() {
            match self.session.receive() {
                Ok(Some(message)) => {
                    let _ = self.inbox.push_back(message);
                }
                Ok(None) => break,
                Err(_) => break,
            }
        }
        while !self.orders.is_full() {
            match self.supervisor.receive() {
                Ok(Some(order)) => {
                    let _ = self.orders.push_back(order);
                }
                _ => break,
            }
        }
        self.flush();
    }

    fn follow_restarts(&mut self) {
        if self.session.poll() == LinkState::PeerStarted {
            self.session_restarted = true;
            self.inbox.clear();
            self.outbox.clear();
        }
        if self.supervisor.poll() == LinkState::PeerStarted {
            self.supervisor_restarted = true;
            self.orders.clear();
            self.reports.clear();
        }
    }

    fn flush(&mut self) {
        while let Some(message) = self.outbox.front() {
            if self.session.send(message).is_err() {
                break;
            }
            self.outbox.pop_front();
        }
        while let Some(report) = self.reports.front() {
            if self.supervisor.send(report).is_err() {
                break;
            }
            self.reports.pop_front();
        }
    }

    /// Next message of session, once it has taken what was for it.
    pub fn next(&mut self) -> Option<ToCompute> {
        if self.clear_to_send() { self.inbox.pop_front() } else { None }
    }

    /// Overwrites what messages that were acted upon have left in the queue.
    pub fn scrub(&mut self) {
        let zeros = List::new(&[0; TOKENS_PER_MESSAGE]);
        let free = INBOX - self.inbox.len();
        for _ in 0..free {
            let _ = self.inbox.push_back(ToCompute::Tokens { id: 0, offset: 0, tokens: zeros.clone() });
        }
        core::hint::black_box(&mut self.inbox);
        for _ in 0..free {
            self.inbox.pop_back();
        }
    }

    /// Messages of session that wait.
    pub fn waiting(&self) -> u64 {
        self.session.waiting() + self.inbox.len() as u64
    }

    /// Next order of the supervisor.
    pub fn next_order(&mut self) -> Option<control::ToCompute> {
        self.orders.pop_front()
    }

    /// Whether everything for session has been sent, so that more may be made.
    pub fn clear_to_send(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Sends to session, now or when it has room. A message is acted upon only while nothing waits here, and none
    /// causes more than three, so the outbox has room.
    pub fn tell_session(&mut self, message: ToSession) {
        let _ = self.outbox.push_back(message);
        self.flush();
    }

    /// Sends to the supervisor, now or when it has room.
    pub fn tell_supervisor(&mut self, report: control::ToSupervisor) {
        let _ = self.reports.push_back(report);
        self.flush();
    }

    /// Whether work on request `id` should stop within a layer.
    pub fn interrupts(&mut self, id: u32) -> bool {
        self.exchange();
        let cancelled =
            self.inbox.iter().any(|m| matches!(m, ToCompute::Cancel { id: which } if *which == id));
        let erased = self.inbox.iter().any(|m| matches!(m, ToCompute::Erase | ToCompute::Begin { .. }));
        cancelled || erased || self.session_restarted || !self.orders.is_empty()
    }
}
