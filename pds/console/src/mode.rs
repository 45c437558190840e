// SPDX-License-Identifier: MIT
//! What the console is doing.

/// What the console is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Waits for the facts of the banner.
    Starting,
    /// The user edits a line.
    Editing,
    /// Session works on a request.
    Session(Request),
    /// The supervisor describes the servers.
    Status,
    /// The supervisor restarts or stops a server.
    Control,
    /// The supervisor stops the system.
    Leaving,
}

/// A request that session works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: u32,
    /// Tick at which it began.
    pub since: u64,
    /// Whether the user wants it to stop.
    pub cancelled: bool,
}
