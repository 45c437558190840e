//! How long the host lets programs wait for a processor (Linux, `schedstat`; elsewhere nothing is known, and 0 is said).
//!
//! One design rule: a thread that is ready to run and does not run is the host's doing, never the system's.

use std::time::Duration;

/// Of all threads of a process together.
pub fn all_waits(process: &str) -> Duration {
    waits(process).sum()
}

/// Of the thread of a process that waited longest: never longer than real time has gone on.
pub fn longest_wait(process: u32) -> Duration {
    waits(&process.to_string()).max().unwrap_or_default()
}

fn waits(process: &str) -> impl Iterator<Item = Duration> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let figures = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    figures.filter_map(|line| waited(&line)).map(Duration::from_nanos)
}

/// The second figure of a `schedstat`: nanoseconds spent waiting.
fn waited(line: &str) -> Option<u64> {
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_figure_counts_and_a_process_that_is_gone_waits_for_nothing() {
        assert_eq!(waited("12 345 6\n"), Some(345));
        assert_eq!((waited(""), waited("1 x")), (None, None));
        assert_eq!(longest_wait(u32::MAX), Duration::ZERO);
        assert!(longest_wait(std::process::id()) <= all_waits("self") + Duration::from_secs(1));
    }
}
