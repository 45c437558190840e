//! A terminal: what is typed goes in, what is shown comes out, sixteen bytes at a time as a UART's FIFO.

use crate::world::Device;
use pds_console::Terminal;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const FIFO: usize = 16;

#[derive(Debug)]
struct State {
    typed: VecDeque<u8>,
    shown: Vec<u8>,
    room: usize,
    wants_room: bool,
}

/// The person's side.
#[derive(Debug)]
pub struct Screen(Mutex<State>);

impl Default for Screen {
    fn default() -> Self {
        let state = State { typed: VecDeque::new(), shown: Vec::new(), room: FIFO, wants_room: false };
        Self(Mutex::new(state))
    }
}

impl Screen {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Types.
    pub fn type_text(&self, text: &str) {
        self.lock().typed.extend(text.bytes());
    }
    /// Everything shown so far.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.lock().shown).into_owned()
    }
    /// Bytes shown so far.
    pub fn mark(&self) -> usize {
        self.lock().shown.len()
    }
    /// What was shown since `mark`, without carriage returns.
    pub fn since(&self, mark: usize) -> String {
        String::from_utf8_lossy(&self.lock().shown[mark..]).replace('\r', "")
    }
}

impl Device for Screen {
    fn line(&self, _: u64) -> bool {
        let state = self.lock();
        state.wants_room || !state.typed.is_empty()
    }
}

/// The console's side.
pub struct Line(pub Arc<Screen>);

impl Terminal for Line {
    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut state = self.0.lock();
        let taken = bytes.len().min(state.room);
        state.shown.extend_from_slice(&bytes[..taken]);
        state.room -= taken;
        state.wants_room |= taken < bytes.len();
        taken
    }
    fn read(&mut self, into: &mut [u8]) -> usize {
        let mut state = self.0.lock();
        let count = into.len().min(state.typed.len());
        into.iter_mut().zip(state.typed.drain(..count)).for_each(|(to, byte)| *to = byte);
        count
    }
    fn interrupt(&mut self) {
        let mut state = self.0.lock();
        (state.room, state.wants_room) = (FIFO, false);
    }
    fn take_lost(&mut self) -> u32 {
        0
    }
}
