//! Contexts that fill up, parameters, and what `/show` and `benchmark` say.
mod common;
use common::model::{base_model, bytes, bytes_model, chat_model};
use common::{World, ended, lines, name};
use ipc_protocol::Piece;
use ipc_protocol::console_session::{Show, ToConsole, ToSession};
use ipc_protocol::session_compute::{Cost, Stop, ToCompute, ToSession as FromCompute};

fn set(world: &mut World, of: &str, value: &str) -> String {
    world.heard();
    let id = world.id();
    world.console_says(ToSession::Set { id, name: name(of), value: name(value) });
    lines(&world.heard())
}

fn show(world: &mut World, what: Show) -> String {
    world.heard();
    let id = world.id();
    world.console_says(ToSession::Show { id, what });
    let heard = world.heard();
    assert_eq!(ended(&heard), Some((id, Err(true))));
    lines(&heard)
}

fn system(world: &mut World, text: &str) {
    let id = world.id();
    world.console_says(ToSession::System { id, piece: Piece::new(text.as_bytes()), last: true });
    assert_eq!(ended(&world.heard()), Some((id, Err(true))));
}

/// Says something, has it answered, and returns the prompt and what was said about it.
fn talk(world: &mut World, text: &str, reply: &str) -> (Vec<u32>, String) {
    world.heard();
    world.says(text);
    let asked = world.asked();
    world.tokens(asked.id, 0, &bytes(reply));
    world.done(asked.id, Stop::EndOfGeneration);
    (asked.tokens, lines(&world.heard()))
}

#[test]
fn a_context_that_fills_up_is_announced_once_and_then_the_oldest_messages_go() {
    let mut world = World::ready(chat_model(), 400);
    system(&mut world, "SYSTEM");
    let (_, said) = talk(&mut world, "first", &"a".repeat(120));
    assert_eq!(said, "");
    let (_, said) = talk(&mut world, "second", &"b".repeat(140));
    assert!(said.contains("W 8") && said.contains("of 400 tokens"), "{said}");
    let (prompt, said) = talk(&mut world, "third", "c");
    assert!(said.contains("W the context is full: the 1 oldest message(s) were dropped"), "{said}");
    assert!(said.contains("the system prompt is kept"));
    let text = |words: &str| prompt.windows(words.len()).any(|window| window == bytes(words));
    assert!(text("SYSTEM") && text("second") && text("third") && !text("first"));
}

#[test]
fn the_warning_comes_at_80_percent_and_only_once() {
    let mut world = World::ready(chat_model(), 1000);
    let (_, said) = talk(&mut world, "x", &"a".repeat(700));
    assert_eq!(said, "");
    let (_, said) = talk(&mut world, "x", &"a".repeat(100));
    assert!(said.contains("% of the context is used"), "{said}");
    let (_, said) = talk(&mut world, "x", "a");
    assert_eq!(said, "");
}

#[test]
fn a_message_longer_than_the_context_is_refused_with_the_numbers() {
    for (model, tokens) in [(chat_model(), "makes 371 tokens"), (base_model(), "makes 301 tokens")] {
        let mut world = World::ready(model, 256);
        let id = world.says(&"a".repeat(300));
        let heard = world.heard();
        let said = lines(&heard);
        assert!(said.contains("too long") && said.contains("the context holds 256"), "{said}");
        assert!(said.contains(tokens) || said.contains("tokens"), "{said}");
        assert_eq!(ended(&heard), Some((id, Err(false))));
        assert!(world.commands().is_empty());
        talk(&mut world, "short", "ok");
    }
}

#[test]
fn a_system_prompt_that_leaves_no_room_is_named() {
    let mut world = World::ready(chat_model(), 128);
    system(&mut world, &"s".repeat(150));
    world.says("hi");
    assert!(lines(&world.heard()).contains("with the system prompt"));
}

#[test]
fn an_answer_cut_by_the_context_says_so() {
    let mut world = World::ready(base_model(), 64);
    world.says("x");
    let asked = world.asked();
    assert_eq!(asked.limit, 62);
    world.tokens(asked.id, 0, &bytes(&"y".repeat(62)));
    world.done(asked.id, Stop::Limit);
    assert!(lines(&world.heard()).contains("the context is full (64 of 64 tokens): the answer was cut off"));
}

#[test]
fn clear_erases_and_keeps_the_system_prompt() {
    let mut world = World::ready(chat_model(), 256);
    system(&mut world, "SYSTEM");
    talk(&mut world, "secret", "answer");
    let id = world.id();
    world.console_says(ToSession::Clear { id });
    assert_eq!(world.commands(), [ToCompute::Erase]);
    assert!(world.heard().is_empty(), "not before compute has erased");
    world.compute_says(FromCompute::Erased);
    let heard = world.heard();
    assert!(lines(&heard).contains("forgotten") && lines(&heard).contains("the system prompt stays"));
    assert_eq!(ended(&heard), Some((id, Err(true))));
    let (prompt, _) = talk(&mut world, "new", "a");
    let text = |words: &str| prompt.windows(words.len()).any(|window| window == bytes(words));
    assert!(text("SYSTEM") && !text("secret"));
}

#[test]
fn an_erasure_that_compute_did_not_confirm_is_asked_again_when_it_restarts() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Clear { id });
    world.commands();
    world.wait(11);
    let heard = world.heard();
    assert!(lines(&heard).starts_with("W compute has not confirmed"));
    assert_eq!(ended(&heard), Some((id, Err(true))));
    world.compute_restarts();
    assert_eq!(world.commands(), [ToCompute::Erase]);
}

#[test]
fn parameters_are_confirmed_refused_with_their_range_and_shown() {
    let mut world = World::ready(chat_model(), 256);
    assert_eq!(set(&mut world, "temperature", "0.7"), "temperature is 0.7\n");
    assert_eq!(set(&mut world, "temperature", "11"), "E temperature must be a number from 0 to 10\n");
    assert!(set(&mut world, "heat", "1").starts_with("E unknown parameter; there are temperature"));
    assert_eq!(set(&mut world, "stop", "\"###\""), "stop is \"###\"\n");
    let shown = show(&mut world, Show::Parameters);
    for text in [
        "temperature     0.7",
        "top_k           40",
        "top_p           0.95",
        "min_p           0.05",
        "repeat_penalty  1",
        "repeat_last_n   64",
        "seed            random",
        "num_predict     -1",
        "num_ctx         0",
        "stop            \"###\"",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert_eq!(set(&mut world, "stop", "\"\""), "stop is not set\n");
}

#[test]
fn what_can_be_shown_is_shown() {
    let mut world = World::ready(chat_model(), 256);
    let info = show(&mut world, Show::Info);
    for text in [
        "a.gguf",
        "llama, 32 weights, mostly F32",
        "256 tokens in use",
        "trained with 512",
        "261 tokens",
        "chatml",
        "workers:       2",
    ] {
        assert!(info.contains(text), "{text}: {info}");
    }
    assert_eq!(show(&mut world, Show::Template), "chatml\n");
    assert_eq!(show(&mut world, Show::License), "general.license: MIT\n");
    assert!(show(&mut world, Show::System).contains("no system prompt"));
    system(&mut world, "be brief");
    assert_eq!(show(&mut world, Show::System), "be brief\n");
    let mut world = World::ready(base_model(), 256);
    assert!(show(&mut world, Show::Template).contains("each message is a text of its own"));
}

#[test]
fn an_unknown_template_is_never_guessed() {
    let mut world = World::cold(bytes_model(Some("{{ bos_token }}strange{{ messages }}")));
    world.compute_has_model();
    world.supervisor_ready();
    assert!(lines(&world.heard()).contains("/set template NAME"));
    let id = world.says("hi");
    let heard = world.heard();
    assert!(lines(&heard).contains("chooses one of chatml"), "{}", lines(&heard));
    assert_eq!(ended(&heard), Some((id, Err(false))));
    assert!(set(&mut world, "template", "nonsense").starts_with("E template must be one of chatml"));
    assert_eq!(set(&mut world, "template", "chatml"), "template is chatml\n");
    talk(&mut world, "hi", "ho");
}

#[test]
fn a_benchmark_measures_a_fixed_work_and_shows_no_text() {
    let mut world = World::ready(base_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Benchmark { id });
    let asked = world.asked();
    assert_eq!((asked.tokens.len(), asked.limit, asked.sampling.temperature), (64, 64, 0.0));
    assert!(asked.stop.is_empty());
    world.tokens(asked.id, 0, &bytes("abc"));
    let cost =
        Cost { prompt: 64, prompt_us: 640_000, generated: 64, generate_us: 630_000, ..Cost::default() };
    world.compute_says(FromCompute::Done { id: asked.id, stop: Stop::Limit, cost });
    let heard = world.heard();
    assert!(!heard.iter().any(|message| matches!(message, ToConsole::Answer { .. })));
    let said = lines(&heard);
    for text in [
        "64 token(s) in 640.0 ms, 100.0 t/s",
        "64 token(s) in 630.0 ms, 100.0 t/s, with 2 worker(s)",
        "0 bytes copied",
        "a.gguf 0101010101010101",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert_eq!(ended(&heard), Some((id, Err(true))));
}

#[test]
fn a_benchmark_can_be_stopped_and_survives_a_restart_of_compute() {
    let mut world = World::ready(base_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Benchmark { id });
    let asked = world.asked();
    world.console_says(ToSession::Cancel { id });
    world.done(asked.id, Stop::Cancelled);
    assert!(ended(&world.heard()).is_some());
    let id = world.id();
    world.console_says(ToSession::Benchmark { id });
    world.asked();
    world.compute_restarts();
    world.compute_has_model();
    let again = world.asked();
    world.done(again.id, Stop::Limit);
    assert!(ended(&world.heard()).is_some());
}
