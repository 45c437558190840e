//! The table of `status`: a row for each PD, told as fast as the console takes them.

use crate::children::COUNT;
use crate::report;
use crate::supervisor::Supervisor;
use ipc_pd::clock;
use ipc_protocol::console_supervisor::ToConsole;

/// Rows behind the children's.
const OWN: usize = COUNT;
const GUARDIAN: usize = COUNT + 1;
const END: usize = COUNT + 2;

impl Supervisor {
    /// Tells rows until there is no more room.
    pub(crate) fn tell_status(&mut self) {
        let now = clock::ticks();
        while let Some(row) = self.status
            && self.tell_row(row, now)
        {
            self.status = (row < END).then_some(row + 1);
        }
    }

    /// Tells a row, where there is one; whether there was room.
    fn tell_row(&mut self, row: usize, now: u64) -> bool {
        let estate = &mut self.estate;
        let message = match row {
            0..COUNT => estate.wards[row].as_mut().map(|ward| report::status(ward, now)),
            OWN => Some(report::own_status(&mut estate.own, estate.guardian.restarts(), now)),
            GUARDIAN => estate.guardian.row(now),
            _ => Some(ToConsole::StatusEnd),
        };
        message.is_none_or(|message| estate.console.offer(&message))
    }
}
