//! Models that come, go, and cannot be used.
mod common;
use common::model::{base_model, bytes, chat_model};
use common::{World, ended, lines, name};
use ipc_protocol::Piece;
use ipc_protocol::console_session::{ToConsole, ToSession, Work};
use ipc_protocol::session_compute::{Stop, ToSession as FromCompute};
use ipc_protocol::session_supervisor::{ToSession as FromSupervisor, ToSupervisor};

fn piece(text: &str) -> Piece {
    Piece::new(text.as_bytes())
}

fn told(heard: &[ToConsole]) -> Option<(String, String, u32)> {
    heard.iter().find_map(|message| match message {
        ToConsole::Model { name, description, context, .. } => {
            Some((name.text().into(), description.text().into(), *context))
        }
        _ => None,
    })
}

#[test]
fn the_console_learns_the_model_when_both_supervisor_and_compute_have_it() {
    for compute_first in [true, false] {
        let mut world = World::cold(chat_model());
        if compute_first {
            world.compute_has_model()
        } else {
            world.supervisor_ready()
        }
        assert_eq!(told(&world.heard()), None);
        if compute_first {
            world.supervisor_ready()
        } else {
            world.compute_has_model()
        }
        assert_eq!(told(&world.heard()), Some(("a.gguf".into(), "llama 32 F32".into(), 256)));
    }
}

#[test]
fn before_a_model_is_there_the_user_is_told_to_wait_and_without_one_what_to_do() {
    let mut world = World::cold(chat_model());
    world.says("hi");
    assert!(lines(&world.heard()).contains("still being loaded"));
    world.supervisor_says(FromSupervisor::NoModel { why: piece("there is no disk") });
    let heard = world.heard();
    assert_eq!(lines(&heard), "E there is no disk\n");
    assert_eq!(told(&heard), Some(("".into(), "".into(), 0)));
    for message in ["hi", "again"] {
        let id = world.says(message);
        let heard = world.heard();
        assert!(lines(&heard).contains("no model is loaded (there is no disk): put a .gguf file"));
        assert_eq!(ended(&heard), Some((id, Err(false))));
    }
    for request in [|id| ToSession::Benchmark { id }, |id| ToSession::Regenerate { id }] {
        let id = world.id();
        world.console_says(request(id));
        assert_eq!(ended(&world.heard()), Some((id, Err(false))));
    }
}

#[test]
fn models_are_listed() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Models { id });
    assert_eq!(world.orders(), [ToSupervisor::List]);
    world.supervisor_says(FromSupervisor::Model { name: name("a.gguf"), bytes: 3_300_000, loaded: true });
    world.supervisor_says(FromSupervisor::Model { name: name("b.gguf"), bytes: 999, loaded: false });
    world.supervisor_says(FromSupervisor::ListEnd { count: 2 });
    let heard = world.heard();
    let said = lines(&heard);
    assert!(
        said.contains("a.gguf") && said.contains("3.1 MiB  (loaded, not signed)") && said.contains("999 B\n"),
        "{said}"
    );
    assert_eq!(ended(&heard), Some((id, Err(true))));
    let id = world.id();
    world.console_says(ToSession::Models { id });
    world.supervisor_says(FromSupervisor::ListEnd { count: 0 });
    assert!(lines(&world.heard()).contains("no model files on the disk"));
}

#[test]
fn a_load_gives_the_vocabulary_back_shows_progress_and_begins_anew() {
    let mut world = World::ready(chat_model(), 256);
    world.says("remember this");
    let asked = world.asked();
    world.done(asked.id, Stop::EndOfGeneration);
    world.heard();
    let id = world.id();
    world.console_says(ToSession::Load { id, name: name("b.gguf") });
    world.supervisor_says(FromSupervisor::ReleaseVocabulary);
    assert_eq!(
        world.orders(),
        [ToSupervisor::Load { name: name("b.gguf") }, ToSupervisor::VocabularyReleased]
    );
    world.supervisor_says(FromSupervisor::Progress { done: 5, total: 10 });
    assert_eq!(world.heard(), [ToConsole::Progress { id, what: Work::Loading, done: 5, total: 10 }]);
    world.supervisor_ready_with("b.gguf", 2);
    let heard = world.heard();
    assert!(lines(&heard).contains("b.gguf is loaded: llama 32 F32"), "{}", lines(&heard));
    assert!(lines(&heard).contains("the conversation begins anew"));
    assert_eq!(told(&heard).unwrap().0, "b.gguf");
    assert_eq!(ended(&heard), Some((id, Err(true))));
    world.says("new");
    let tokens = world.asked().tokens;
    assert!(!tokens.windows(8).any(|window| window == bytes("remember")));
}

#[test]
fn a_failed_load_keeps_the_old_model_and_its_conversation() {
    let mut world = World::ready(chat_model(), 256);
    world.says("remember this");
    let asked = world.asked();
    world.done(asked.id, Stop::EndOfGeneration);
    world.heard();
    let id = world.id();
    world.console_says(ToSession::Load { id, name: name("b.gguf") });
    world.supervisor_says(FromSupervisor::ReleaseVocabulary);
    world.supervisor_says(FromSupervisor::LoadFailed { why: piece("b.gguf: truncated"), kept: true });
    world.supervisor_ready();
    let heard = world.heard();
    assert_eq!(
        lines(&heard),
        "E the model could not be loaded: b.gguf: truncated; the model before it stays\n"
    );
    assert_eq!(ended(&heard), Some((id, Err(false))));
    world.says("go on");
    let tokens = world.asked().tokens;
    assert!(tokens.windows(8).any(|window| window == bytes("remember")));
}

#[test]
fn a_failed_load_without_an_old_model_says_so_and_the_prompt_stays_usable() {
    let mut world = World::cold(chat_model());
    world.supervisor_says(FromSupervisor::LoadFailed { why: piece("a.gguf: not a GGUF file"), kept: false });
    world.supervisor_says(FromSupervisor::NoModel { why: piece("a.gguf: not a GGUF file") });
    let heard = world.heard();
    assert_eq!(lines(&heard), "E the model could not be loaded: a.gguf: not a GGUF file\n", "said once");
    assert_eq!(told(&heard).unwrap().2, 0);
}

#[test]
fn a_model_whose_vocabulary_cannot_be_used_is_refused_by_name_and_the_old_one_comes_back() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Load { id, name: name("odd.gguf") });
    world.supervisor_says(FromSupervisor::ReleaseVocabulary);
    world.orders();
    world.supervisor_ready_broken("odd.gguf");
    let heard = world.heard();
    assert!(
        lines(&heard).contains("odd.gguf cannot be used:") && lines(&heard).contains("Loading a.gguf again")
    );
    assert_eq!(ended(&heard), Some((id, Err(false))));
    assert_eq!(world.orders(), [ToSupervisor::Load { name: name("a.gguf") }]);
    world.supervisor_ready();
    world.says("hi");
    world.asked();
}

#[test]
fn a_first_model_that_cannot_be_used_leaves_no_model() {
    let mut world = World::cold(chat_model());
    world.compute_has_model();
    world.supervisor_ready_broken("odd.gguf");
    let heard = world.heard();
    assert!(lines(&heard).contains("E odd.gguf cannot be used:"));
    assert_eq!(told(&heard).unwrap().2, 0);
    assert!(world.orders().is_empty(), "there is nothing to go back to");
}

#[test]
fn unload_is_confirmed() {
    let mut world = World::ready(base_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Unload { id });
    world.supervisor_says(FromSupervisor::ReleaseVocabulary);
    assert_eq!(world.orders(), [ToSupervisor::Unload, ToSupervisor::VocabularyReleased]);
    world.compute_says(FromCompute::Model(None));
    world.supervisor_says(FromSupervisor::NoModel { why: piece("") });
    let heard = world.heard();
    assert_eq!(lines(&heard), "the model is unloaded\n");
    assert_eq!(told(&heard).unwrap().2, 0);
    assert_eq!(ended(&heard), Some((id, Err(true))));
}

#[test]
fn a_hundred_switches_work() {
    let mut world = World::ready(chat_model(), 256);
    for i in 0..100u8 {
        let id = world.id();
        world.console_says(ToSession::Load { id, name: name("x.gguf") });
        world.supervisor_says(FromSupervisor::ReleaseVocabulary);
        world.orders();
        world.supervisor_ready_with("x.gguf", i);
        assert_eq!(ended(&world.heard()), Some((id, Err(true))));
        world.says("hi");
        let asked = world.asked();
        world.done(asked.id, Stop::Limit);
        world.heard();
    }
}

#[test]
fn a_model_that_is_taken_away_ends_the_answer_with_a_message() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.says("hi");
    let asked = world.asked();
    world.tokens(asked.id, 0, &bytes("par"));
    world.supervisor_says(FromSupervisor::ReleaseVocabulary);
    let heard = world.heard();
    assert!(lines(&heard).contains("the model is taken away"));
    assert_eq!(ended(&heard).unwrap().0, id);
    assert_eq!(world.orders(), [ToSupervisor::VocabularyReleased]);
}

#[test]
fn a_supervisor_that_is_silent_is_reported() {
    for (request, seconds) in [
        ((|id| ToSession::Models { id }) as fn(u32) -> ToSession, 11),
        (|id| ToSession::Unload { id }, 31),
        (|id| ToSession::Load { id, name: name("x") }, 31),
    ] {
        let mut world = World::ready(chat_model(), 256);
        let id = world.id();
        world.console_says(request(id));
        world.wait(seconds);
        let heard = world.heard();
        assert!(lines(&heard).contains("the supervisor does not answer"));
        assert_eq!(ended(&heard), Some((id, Err(false))));
    }
}

#[test]
fn a_request_that_waits_for_the_supervisor_can_be_stopped() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Load { id, name: name("x") });
    world.console_says(ToSession::Cancel { id });
    let heard = world.heard();
    assert_eq!(ended(&heard), Some((id, Err(false))));
    world.supervisor_ready_with("x.gguf", 3);
    assert_eq!(told(&world.heard()).unwrap().0, "x.gguf");
}
