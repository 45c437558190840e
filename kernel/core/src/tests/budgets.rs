//! Budgets and turns.

use super::system::System;
use crate::refill::Refills;
use proptest::prelude::*;

#[test]
fn a_used_up_budget_waits_for_the_next_period() {
    let mut system = System::new(1);
    let spinner = system.budgeted(20, 0, 0, (200, 1000));
    let low = system.pd(10, 0, 0);
    let mut running = system.start();
    let mut used = 0;
    for _ in 0..1000 {
        let before = running.runs(0);
        running.pass(10);
        used += if before == Some(spinner) { 10 } else { 0 };
    }
    assert!((1900..=2020).contains(&used), "{used} of 10000 at 20 percent");
    assert!(running.runs(0) == Some(low) || running.runs(0) == Some(spinner));
}

#[test]
fn equals_take_turns() {
    let mut system = System::new(1);
    let (a, b) = (system.pd(10, 0, 0), system.pd(10, 0, 0));
    let mut running = system.start();
    let mut used = [0u64; 2];
    for _ in 0..400 {
        used[usize::from(running.runs(0) == Some(b))] += 1;
        running.pass(100);
    }
    assert!(used[0].abs_diff(used[1]) <= 20, "{used:?}");
    let _ = a;
}

#[test]
fn the_deadline_is_the_turns_end_or_the_first_refill() {
    let mut system = System::new(1);
    let spinner = system.budgeted(20, 0, 0, (200, 1000));
    system.pd(10, 0, 0);
    let mut running = system.start();
    let start = running.kernel.arch.time;
    assert_eq!(running.kernel.arch.deadline, Some(start + 190));
    running.pass(190);
    assert_ne!(running.runs(0), Some(spinner));
    let deadline = running.kernel.arch.deadline.unwrap();
    assert!(deadline <= start + 1000, "{deadline}");
}

proptest! {
    #[test]
    fn no_window_of_one_period_gives_more_than_the_budget(uses in prop::collection::vec((1u64..150, 0u64..400), 1..60)) {
        let (budget, period) = (200, 1000);
        let mut refills = Refills::new(budget, period, 20, 0);
        let mut now = 0;
        let mut ran = std::vec::Vec::new();
        for (wish, pause) in uses {
            now = now.max(refills.ready_at());
            refills.start(now);
            let used = wish.min(refills.available());
            refills.charge(used);
            ran.push((now, used));
            now += used + pause;
            prop_assert_eq!(refills.total(), budget);
        }
        for (from, _) in &ran {
            let window: u64 = ran.iter().filter(|(at, _)| at >= from && *at < from + period).map(|(at, used)| {
                (*used).min(from + period - at)
            }).sum();
            prop_assert!(window <= budget, "{} from {}", window, from);
        }
    }
}
