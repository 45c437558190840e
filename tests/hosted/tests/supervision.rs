//! The real supervisor, in a system where everything else fails.

mod common;

use common::{Bench, SECOND, desk_console, desk_session, named, simple_compute, simple_loader};
use ipc_protocol::console_supervisor::{Action, State, ToConsole, ToSupervisor};
use ipc_protocol::session_supervisor::{self as session, ToSession};
use tests_hosted::hostile::Hostile;
use tests_hosted::{Life, for_each_seed, program};

#[test]
fn a_model_is_loaded_at_boot_and_the_loader_is_stopped() {
    for_each_seed(20, |seed| {
        let bench = Bench::boot(seed);
        assert_eq!(bench.system.life("loader"), Life::Stopped);
        bench.system.assert_no_panic();
    });
}

#[test]
fn a_fault_is_reported_and_the_child_restarted_with_its_model() {
    for_each_seed(20, |seed| {
        let mut bench = Bench::boot(seed);
        bench.session.take();
        bench.system.fault("compute");
        assert!(bench.until(SECOND, |bench| bench.reported("compute", Action::Restarted)));
        assert!(bench.until(SECOND, |bench| bench.system.life("compute") == Life::Runs));
        bench.run(SECOND);
        assert!(bench.session.take().is_empty(), "session need not know");
        assert_eq!(bench.system.life("loader"), Life::Stopped, "the model is not loaded again");
    });
}

#[test]
fn a_child_that_does_nothing_any_more_is_found_and_restarted() {
    for name in ["console", "session", "compute", "storage", "retriever"] {
        for_each_seed(3, |seed| {
            let mut bench = Bench::boot(seed);
            bench.system.hang(name);
            let restarts = bench.system.restarts(name);
            // The retriever's patience is 60 s.
            assert!(bench.until(90 * SECOND, |bench| bench.system.restarts(name) > restarts), "{name}");
            bench.run(SECOND);
            assert!(
                bench
                    .status()
                    .iter()
                    .any(|(row, state, count)| row == name && *state != State::Hung && *count == 1)
            );
        });
    }
}

#[test]
fn the_timer_is_restarted_although_nothing_measures_time_without_it() {
    for_each_seed(10, |seed| {
        let mut bench = Bench::boot(seed);
        for _ in 0..3 {
            bench.system.fault("timer");
            bench.run(2 * SECOND);
        }
        let status = bench.status();
        assert!(
            status
                .iter()
                .any(|(name, state, count)| name == "timer" && *state != State::Faulted && *count == 3),
            "{status:?}\n{}",
            bench.system.recent()
        );
    });
}

#[test]
fn a_child_that_faults_again_and_again_stays_stopped_until_a_person_asks() {
    for_each_seed(5, |seed| {
        let mut bench = Bench::boot(seed);
        for _ in 0..8 {
            bench.system.fault("compute");
            bench.run(2 * SECOND);
        }
        assert!(bench.reported("compute", Action::GaveUp));
        assert_eq!(bench.system.life("compute"), Life::Faulted);
        assert!(
            bench
                .session
                .has(|m| matches!(m, ToSession::NoModel { why } if why.text().contains("restart compute")))
        );
        bench.session.take();
        bench.command(ToSupervisor::Restart { name: named("compute") });
        assert!(bench.until(5 * SECOND, Bench::has_model));
    });
}

#[test]
fn status_names_every_child_of_the_description() {
    let mut bench = Bench::boot(1);
    let names: Vec<_> = bench.status().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(
        names,
        [
            "timer",
            "console",
            "storage",
            "session",
            "loader",
            "retriever",
            "compute",
            "trainer",
            "supervisor",
            "guardian"
        ]
    );
}

#[test]
fn children_are_stopped_and_started_by_name_and_unknown_names_are_answered() {
    let mut bench = Bench::boot(1);
    bench.command(ToSupervisor::Stop { name: named("storage") });
    assert!(bench.until(SECOND, |bench| bench.said("storage is stopped")));
    assert_eq!(bench.system.life("storage"), Life::Stopped);
    bench.command(ToSupervisor::Restart { name: named("storage") });
    assert!(bench.until(SECOND, |bench| bench.system.life("storage") == Life::Runs));
    for (name, answer) in [
        ("storge", "no part called 'storge'"),
        ("supervisor", "looks after the others"),
        ("guardian", "it restarts the supervisor"),
        ("timer", "timer cannot be stopped"),
        ("console", "console cannot be stopped"),
    ] {
        bench.command(ToSupervisor::Stop { name: named(name) });
        assert!(bench.until(SECOND, |bench| bench.said(answer)), "{name}");
    }
    bench.command(ToSupervisor::Restart { name: named("loader") });
    assert!(bench.until(SECOND, |bench| bench.said("the next load starts it afresh")));
    assert_eq!(bench.system.life("loader"), Life::Stopped);
}

#[test]
fn shutdown_stops_everything_but_the_console_and_says_so() {
    let mut bench = Bench::boot(3);
    bench.command(ToSupervisor::Shutdown);
    assert!(bench.until(SECOND, |bench| bench.said(pds_supervisor::STOPPED)));
    bench.run(5 * SECOND);
    for name in ["storage", "session", "loader", "retriever", "compute"] {
        assert_eq!(bench.system.life(name), Life::Stopped, "{name}");
    }
}

#[test]
fn a_hostile_child_is_stopped_and_an_honest_one_in_its_place_serves_again() {
    for name in ["console", "session", "loader", "compute", "timer", "storage"] {
        for_each_seed(6, |seed| {
            let mut bench = Bench::boot(seed);
            bench.system.replace(name, program(move |wiring| Hostile::new(wiring, seed)));
            begin_afresh(&mut bench, name);
            for _ in 0..40 {
                bench.run(SECOND / 10);
                bench.system.poke(name, 2);
            }
            let honest = match name {
                "console" => desk_console(&bench.console),
                "session" => desk_session(&bench.session, &bench.truth),
                "loader" => simple_loader(),
                "compute" => simple_compute(&bench.truth),
                _ => return,
            };
            bench.system.replace(name, honest);
            begin_afresh(&mut bench, name);
            serves_again(&mut bench, name);
        });
    }
}

/// Restarts a PD behind the supervisor's back; the loader only as the supervisor lets it run.
fn begin_afresh(bench: &mut Bench, name: &str) {
    if name != "loader" {
        return bench.system.restart(name);
    }
    bench.command(ToSupervisor::Restart { name: named("loader") });
    bench.run(SECOND / 10);
    bench.ask(session::ToSupervisor::Load { name: named("second.gguf") });
}

/// Status is answered, everything that gave up can be restarted, and a load gives a model.
fn serves_again(bench: &mut Bench, culprit: &str) {
    bench.run(70 * SECOND);
    for (name, state, _) in bench.status() {
        if matches!(state, State::Faulted) || name == culprit && name != "loader" {
            bench.command(ToSupervisor::Restart { name: named(&name) });
        }
    }
    bench.run(70 * SECOND);
    bench.session.take();
    bench.ask(session::ToSupervisor::Load { name: named("second.gguf") });
    assert!(bench.until(20 * SECOND, Bench::has_model), "{culprit}\n{}", bench.system.recent());
    let status = bench.status();
    assert!(status.iter().all(|(_, state, _)| *state != State::Faulted), "{status:?}");
    bench.system.assert_no_panic();
}

#[test]
fn whatever_fails_and_whenever_the_system_returns_to_service() {
    for_each_seed(25, |seed| {
        let mut bench = Bench::new(seed);
        for _ in 0..bench.system.below(12) {
            let pause = bench.system.below(300_000);
            bench.run(pause);
            let name = ["session", "loader", "compute", "storage", "console", "timer"]
                [bench.system.below(6) as usize];
            match bench.system.below(6) {
                0 | 1 => bench.system.fault(name),
                2 if name != "timer" && bench.system.life(name) == Life::Runs => bench.system.restart(name),
                3 if name != "timer" => bench.system.hang(name),
                4 => bench.ask(session::ToSupervisor::Load { name: named("bad.gguf") }),
                _ => bench.ask(session::ToSupervisor::Load { name: named("second.gguf") }),
            }
        }
        serves_again(&mut bench, "");
    });
}

#[test]
fn a_failed_load_leaves_the_old_model_in_use() {
    for_each_seed(10, |seed| {
        let mut bench = Bench::boot(seed);
        bench.session.take();
        bench.ask(session::ToSupervisor::Load { name: named("bad.gguf") });
        assert!(bench.until(5 * SECOND, Bench::has_model));
        let failed = |m: &ToSession| matches!(m, ToSession::LoadFailed { why, kept: true } if why.text() == "bad.gguf is damaged");
        assert!(bench.session.has(failed));
        assert!(!bench.console.has(|m| matches!(m, ToConsole::Fault(_))));
    });
}

#[test]
fn the_supervisor_is_restarted_and_takes_over_what_runs() {
    for_each_seed(20, |seed| {
        let mut bench = Bench::boot(seed);
        bench.session.take();
        bench.console.take();
        bench.system.fault("supervisor");
        assert!(bench.guarded_until(10 * SECOND, |bench| bench.reported("supervisor", Action::Restarted)));
        assert!(bench.guarded_until(20 * SECOND, Bench::has_model), "{}", bench.system.recent());
        bench.run(SECOND);
        assert_eq!(bench.system.restarts("session"), 0, "the conversation is kept");
        assert_eq!(bench.system.life("loader"), Life::Stopped);
        bench.system.fault("compute");
        assert!(bench.guarded_until(5 * SECOND, |bench| bench.reported("compute", Action::Restarted)));
    });
}

#[test]
fn a_supervisor_that_hangs_is_restarted_although_it_keeps_time_from_nobody_else() {
    for_each_seed(5, |seed| {
        let mut bench = Bench::boot(seed);
        bench.session.take();
        bench.system.hang("supervisor");
        assert!(bench.guarded_until(20 * SECOND, |bench| bench.system.restarts("supervisor") == 1));
        assert!(bench.guarded_until(20 * SECOND, Bench::has_model), "{}", bench.system.recent());
    });
}

#[test]
fn a_supervisor_that_fails_at_any_moment_never_lets_the_loader_run_while_somebody_reads() {
    for_each_seed(40, |seed| {
        let mut bench = Bench::new(seed);
        for _ in 0..3 {
            let moment = bench.system.below(2 * SECOND);
            bench.guarded_until(moment, |_| false);
            bench.system.fault("supervisor");
        }
        bench.session.take();
        assert!(bench.guarded_until(60 * SECOND, Bench::has_model), "{}", bench.system.recent());
        bench.system.assert_no_panic();
    });
}

#[test]
fn a_timer_that_loops_is_found_by_the_guardians_pulse() {
    for_each_seed(5, |seed| {
        let mut bench = Bench::boot(seed);
        bench.system.hang("timer");
        assert!(bench.guarded_until(10 * SECOND, |bench| bench.system.restarts("timer") == 1));
    });
}

#[test]
fn a_guardian_that_does_nothing_any_more_is_named_and_all_goes_on() {
    for_each_seed(5, |seed| {
        let mut bench = Bench::boot(seed);
        bench.guarded_until(5 * SECOND, |_| false);
        assert!(!bench.said("guardian"), "it lives\n{}", bench.system.recent());
        let is = |bench: &mut Bench, wanted| {
            bench.status().iter().any(|(name, state, _)| name == "guardian" && *state == wanted)
        };
        assert!(is(&mut bench, State::Idle));
        bench.system.hang("guardian");
        let told = |bench: &Bench| bench.said("guardian gave no sign of life");
        assert!(bench.guarded_until(5 * SECOND, told));
        bench.console.take();
        assert!(!bench.guarded_until(10 * SECOND, told), "it is said once");
        assert!(is(&mut bench, State::Faulted));
        bench.system.fault("compute");
        assert!(bench.until(5 * SECOND, |bench| bench.reported("compute", Action::Restarted)));
    });
}
