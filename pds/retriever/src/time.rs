// SPDX-License-Identifier: MIT
//! The clock on the wall, from the timer.

use crate::TIMER;
use alloc::format;
use alloc::string::String;
use ipc_pd::{MessageInfo, get_mr};
use ipc_protocol::timer::WALL_CLOCK;

/// Seconds since 1970 (UTC); 0 without a clock.
pub(crate) fn now() -> u64 {
    let answer = TIMER.pp_call(MessageInfo::new(WALL_CLOCK, 0));
    if answer.label() == 0 && answer.count() == 1 { get_mr(0) } else { 0 }
}

/// "2026-11-21 11:30" (UTC); "without a clock" for 0.
pub(crate) fn shown(seconds: u64) -> String {
    if seconds == 0 {
        return "without a clock ".into();
    }
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// Year, month and day of a day since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn date(day: u64) -> (u64, u64, u64) {
    let shifted = day.min(4_000_000_000) + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(shown(951_782_400 + 3_660), "2000-02-29 01:01");
        assert_eq!(shown(1), "1970-01-01 00:00");
        assert_eq!(shown(1_795_260_600), "2026-11-21 11:30");
        assert_eq!(shown(0), "without a clock ");
    }
}
