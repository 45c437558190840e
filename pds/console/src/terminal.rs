// SPDX-License-Identifier: MIT
//! The terminal behind the console, and the queue of what is still to be written to it.
//!
//! One design rule: writing never waits. What the terminal does not take now stays in a bounded queue, and whoever
//! produces output asks for room first.

use core::fmt;

/// Bytes that may wait for the terminal.
pub const QUEUE: usize = 24 * 1024;

/// A serial port, or a fake of one.
pub trait Terminal {
    /// Takes as many of `bytes` as fit now. After a short write the terminal interrupts when it can take more.
    fn write(&mut self, bytes: &[u8]) -> usize;
    /// Gives bytes that were typed, as many as there are and fit.
    fn read(&mut self, into: &mut [u8]) -> usize;
    /// The terminal's interrupt happened; called before the interrupt is acknowledged.
    fn interrupt(&mut self);
    /// Bytes known to have been lost since the last call, because they came faster than they were read.
    fn take_lost(&mut self) -> u32;
}

/// A terminal with a queue.
#[derive(Debug)]
pub struct Screen<T> {
    terminal: T,
    queue: heapless::Deque<u8, QUEUE>,
    dropped: u64,
}

impl<T: Terminal> Screen<T> {
    /// Nothing is queued yet.
    pub fn new(terminal: T) -> Self {
        Self { terminal, queue: heapless::Deque::new(), dropped: 0 }
    }

    /// Overwrites what was shown.
    pub fn scrub(&mut self) {
        crate::scrub::queue(&mut self.queue);
    }

    /// The terminal.
    pub fn terminal(&mut self) -> &mut T {
        &mut self.terminal
    }

    /// Bytes that can be queued.
    pub fn room(&self) -> usize {
        QUEUE - self.queue.len()
    }

    /// Bytes that did not fit the queue: 0, as long as everybody asks for room first.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Hands the terminal what it takes; whether it took anything.
    pub fn flush(&mut self) -> bool {
        let before = self.queue.len();
        while !self.queue.is_empty() {
            let taken = self.terminal.write(self.queue.as_slices().0);
            (0..taken).for_each(|_| {
                self.queue.pop_front();
            });
            if taken == 0 {
                break;
            }
        }
        self.queue.len() != before
    }

    /// Queues a byte as it is.
    pub fn byte(&mut self, byte: u8) {
        if self.queue.push_back(byte).is_err() {
            self.dropped += 1;
        }
    }
}

impl<T: Terminal> fmt::Write for Screen<T> {
    /// A line feed also returns to the first column, as a terminal wants it.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                self.byte(b'\r');
            }
            self.byte(byte);
        }
        Ok(())
    }
}

/// Writes formatted text; a screen takes everything.
#[macro_export]
macro_rules! say {
    ($screen:expr, $($text:tt)*) => { { let _ = core::fmt::Write::write_fmt(&mut $screen, format_args!($($text)*)); } };
}
