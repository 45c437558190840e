//! From a message to tokens, and from tokens to an answer.
mod common;
use common::model::{IM_END, base_model, byte, bytes, chat_model};
use common::{World, answer, ended, lines};
use ipc_protocol::Piece;
use ipc_protocol::console_session::{Level, StopReason, ToConsole, ToSession, Work};
use ipc_protocol::session_compute::{Refusal, Stop, ToCompute, ToSession as FromCompute};
use tests_fixtures::shared;

const EOS: StopReason = StopReason::Compute(Stop::EndOfGeneration);

#[test]
fn the_stories_models_get_the_golden_prompt_and_show_the_golden_text() {
    let Some(root) = shared("golden") else { return };
    for model in ["stories260K-f32", "stories260K-q8_0", "stories3M-q8_0", "stories3M-f16", "stories3M-q4_0"]
    {
        let file = Vec::leak(std::fs::read(root.join(format!("models/stories/{model}.gguf"))).unwrap());
        let golden = std::fs::read(root.join(format!("golden/{model}.json"))).unwrap();
        let golden: serde_json::Value = serde_json::from_slice(&golden).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let mut world = World::ready(file, 512);
            let id = world.says(case["prompt"].as_str().unwrap());
            let asked = world.asked();
            let number = |value: &serde_json::Value| value.as_u64().unwrap() as u32;
            let prompt: Vec<u32> = case["prompt_tokens"].as_array().unwrap().iter().map(number).collect();
            assert_eq!(asked.tokens, prompt, "{model}");
            let steps = case["steps"].as_array().unwrap();
            let tokens: Vec<u32> = steps.iter().map(|step| number(&step["token"])).collect();
            let tokens: Vec<u32> =
                tokens.into_iter().take_while(|token| !asked.stop.contains(token)).collect();
            world.tokens(asked.id, 0, &tokens);
            world.done(asked.id, Stop::Limit);
            let heard = world.heard();
            assert_eq!(answer(&heard), case["text"].as_str().unwrap(), "{model}");
            assert_eq!(ended(&heard), Some((id, Ok(StopReason::Compute(Stop::Limit)))));
        }
    }
}

#[test]
fn each_token_reaches_the_console_as_it_is_made_and_characters_come_whole() {
    let mut world = World::ready(base_model(), 256);
    world.says("Hi");
    let asked = world.asked();
    world.tokens(asked.id, 0, &bytes("a"));
    assert_eq!(answer(&world.heard()), "a");
    let crab = "🦀".as_bytes();
    world.tokens(asked.id, 1, &[byte(crab[0]), byte(crab[1]), byte(crab[2])]);
    assert_eq!(answer(&world.heard()), "", "held until it is whole");
    world.tokens(asked.id, 4, &[byte(crab[3])]);
    assert_eq!(answer(&world.heard()), "🦀");
    world.tokens(asked.id, 5, &[byte(0xe6)]);
    world.done(asked.id, Stop::Limit);
    assert_eq!(answer(&world.heard()), "\u{fffd}", "what stays incomplete is shown as such");
}

#[test]
fn a_conversation_is_sent_whole_and_user_text_makes_no_special_tokens() {
    let mut world = World::ready(chat_model(), 256);
    world.says("hi<|im_end|>");
    let first = world.asked();
    assert_eq!(first.tokens.iter().filter(|token| **token == IM_END).count(), 1, "only the template's own");
    assert!(first.stop.contains(&IM_END));
    world.tokens(first.id, 0, &bytes("ho"));
    world.done(first.id, Stop::EndOfGeneration);
    world.says("more");
    let second = world.asked();
    assert_eq!(second.tokens[..first.tokens.len()], first.tokens, "the cache can be used again");
    assert_eq!(second.tokens[first.tokens.len()..][..3], [byte(b'h'), byte(b'o'), IM_END]);
}

#[test]
fn without_a_template_each_message_is_a_text_of_its_own() {
    let mut world = World::ready(base_model(), 256);
    let ids = ["Once", "Once"].map(|text| {
        world.says(text);
        let asked = world.asked();
        world.tokens(asked.id, 0, &bytes(" more"));
        world.done(asked.id, Stop::EndOfGeneration);
        asked.tokens
    });
    assert_eq!(ids[0], [[1].as_slice(), &bytes("Once")].concat());
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn the_prompts_progress_is_shown() {
    let mut world = World::ready(base_model(), 256);
    let id = world.says("hello");
    let asked = world.asked();
    world.compute_says(FromCompute::Progress { id: asked.id, done: 3, total: 6 });
    assert_eq!(world.heard(), [ToConsole::Progress { id, what: Work::Prompt, done: 3, total: 6 }]);
}

#[test]
fn ctrl_c_stops_compute_and_keeps_the_partial_answer() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.says("hi");
    let asked = world.asked();
    world.tokens(asked.id, 0, &bytes("part"));
    world.console_says(ToSession::Cancel { id });
    assert_eq!(world.commands(), [ToCompute::Cancel { id: asked.id }]);
    world.done(asked.id, Stop::Cancelled);
    assert_eq!(ended(&world.heard()), Some((id, Ok(StopReason::Compute(Stop::Cancelled)))));
    world.says("go on");
    let next = world.asked().tokens;
    assert_eq!(
        next[asked.tokens.len()..][..4],
        bytes("part")[..],
        "the partial text is part of the conversation"
    );
}

#[test]
fn a_stop_string_ends_the_answer_and_no_part_of_it_is_shown() {
    let mut world = World::ready(base_model(), 256);
    set(&mut world, "stop", "The end");
    let id = world.says("tell");
    let asked = world.asked();
    world.tokens(asked.id, 0, &bytes("well. The "));
    assert_eq!(answer(&world.heard()), "well. ");
    world.tokens(asked.id, 10, &bytes("end of it"));
    assert_eq!(world.commands(), [ToCompute::Cancel { id: asked.id }]);
    world.done(asked.id, Stop::Cancelled);
    let heard = world.heard();
    assert_eq!(answer(&heard), "");
    assert_eq!(ended(&heard), Some((id, Ok(StopReason::StopString))));
}

#[test]
fn an_end_token_that_the_request_could_not_name_still_ends_the_answer() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.says("hi");
    let asked = world.asked();
    world.tokens(asked.id, 0, &[byte(b'a'), IM_END, byte(b'b')]);
    world.done(asked.id, Stop::Cancelled);
    let heard = world.heard();
    assert_eq!((answer(&heard).as_str(), ended(&heard)), ("a", Some((id, Ok(EOS)))));
}

#[test]
fn regen_sends_the_same_prompt_again() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.id();
    world.console_says(ToSession::Regenerate { id });
    assert_eq!(lines(&world.heard()), "E there is no message to answer again\n");
    world.says("hi");
    let first = world.asked();
    world.tokens(first.id, 0, &bytes("a"));
    world.done(first.id, Stop::EndOfGeneration);
    let id = world.id();
    world.console_says(ToSession::Regenerate { id });
    let second = world.asked();
    assert_eq!(first.tokens, second.tokens);
    world.tokens(second.id, 0, &bytes("b"));
    world.done(second.id, Stop::EndOfGeneration);
    assert!(answer(&world.heard()).ends_with('b'));
}

#[test]
fn a_seed_that_is_set_is_used_and_others_differ() {
    let mut world = World::ready(base_model(), 256);
    let seeds = [0, 1].map(|_| {
        world.wait(1);
        world.says("x");
        let asked = world.asked();
        world.done(asked.id, Stop::Limit);
        asked.sampling.seed
    });
    assert_ne!(seeds[0], seeds[1]);
    set(&mut world, "seed", "42");
    world.says("x");
    assert_eq!(world.asked().sampling.seed, 42);
}

#[test]
fn parameters_and_limits_reach_compute() {
    let mut world = World::ready(base_model(), 256);
    for (name, value) in [("temperature", "0"), ("top_k", "7"), ("num_predict", "5"), ("num_ctx", "64")] {
        set(&mut world, name, value);
    }
    world.says("x");
    let asked = world.asked();
    assert_eq!((asked.sampling.temperature, asked.sampling.top_k, asked.limit), (0.0, 7, 5));
    world.done(asked.id, Stop::Limit);
    set(&mut world, "num_predict", "-1");
    world.says("x");
    assert_eq!(world.asked().limit, 62, "64 tokens less a prompt of two");
}

#[test]
fn compute_that_restarts_goes_on_with_the_tokens_so_far() {
    let mut world = World::ready(chat_model(), 256);
    set(&mut world, "num_predict", "9");
    let id = world.says("hi");
    let first = world.asked();
    world.tokens(first.id, 0, &bytes("Once"));
    world.heard();
    world.compute_restarts();
    assert!(world.commands().is_empty(), "compute has no model yet");
    world.compute_has_model();
    let second = world.asked();
    assert_eq!(second.tokens, [first.tokens.clone(), bytes("Once")].concat());
    assert_eq!((second.limit, second.sampling, second.stop), (5, first.sampling, first.stop));
    world.tokens(first.id, 4, &bytes("?"));
    world.tokens(second.id, 0, &bytes(" upon"));
    world.done(second.id, Stop::Limit);
    let heard = world.heard();
    assert!(
        lines(&heard)
            .contains("compute restarted: the conversation is kept, the answer goes on after 4 token(s)")
    );
    assert_eq!(answer(&heard), " upon");
    assert_eq!(ended(&heard), Some((id, Ok(StopReason::Compute(Stop::Limit)))));
}

#[test]
fn compute_that_fails_again_and_again_is_given_up() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.says("hi");
    for _ in 0..4 {
        let asked = world.asked();
        world.tokens(asked.id, 0, &bytes("x"));
        world.compute_restarts();
        world.compute_has_model();
    }
    let heard = world.heard();
    assert!(lines(&heard).contains("E compute failed again and again"));
    assert_eq!(ended(&heard), Some((id, Ok(StopReason::Failed))), "the text so far stays");
    world.says("again");
    assert!(world.asked().tokens.len() > 10);
}

#[test]
fn compute_that_does_not_come_back_is_reported_with_what_to_do() {
    let mut world = World::ready(chat_model(), 256);
    world.says("hi");
    world.asked();
    world.compute_restarts();
    world.heard();
    world.wait(31);
    let heard = world.heard();
    assert!(lines(&heard).contains("/restart compute"), "{heard:?}");
    assert!(ended(&heard).is_some());
}

#[test]
fn compute_that_is_silent_is_reported_and_can_be_stopped() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.says("hi");
    world.asked();
    world.wait(61);
    assert_eq!(lines(&world.heard()).matches("compute has been silent for 30 s").count(), 2);
    world.console_says(ToSession::Cancel { id });
    world.wait(5);
    let heard = world.heard();
    assert!(lines(&heard).contains("has not confirmed that it stopped"));
    assert!(ended(&heard).is_some());
}

#[test]
fn every_refusal_of_compute_is_explained() {
    for (why, text) in [
        (Refusal::NoModel, "/load loads one"),
        (Refusal::PromptTooLong { most: 99 }, "takes 99 tokens"),
        (Refusal::BadRequest, "/regen"),
        (Refusal::NotFinite, "infinite"),
    ] {
        let mut world = World::ready(chat_model(), 256);
        let id = world.says("hi");
        let asked = world.asked();
        world.compute_says(FromCompute::Refused { id: asked.id, why });
        let heard = world.heard();
        assert!(lines(&heard).starts_with("E ") && lines(&heard).contains(text), "{heard:?}");
        assert_eq!(ended(&heard), Some((id, Err(false))));
        world.says("still there");
        world.asked();
    }
}

#[test]
fn a_hostile_compute_ends_the_answer_and_nothing_else() {
    for (sequence, token) in [(5, 10), (0, 1_000_000)] {
        let mut world = World::ready(chat_model(), 256);
        world.says("hi");
        let asked = world.asked();
        world.compute_says(FromCompute::Token { id: asked.id, sequence, token });
        let heard = world.heard();
        assert!(lines(&heard).contains("compute sent a token that cannot be"), "{heard:?}");
        assert!(ended(&heard).is_some());
    }
}

#[test]
fn a_second_request_is_refused_while_one_is_under_way() {
    let mut world = World::ready(chat_model(), 256);
    let first = world.says("one");
    let asked = world.asked();
    let second = world.says("two");
    let heard = world.heard();
    assert!(lines(&heard).contains("still works"));
    assert_eq!(ended(&heard), Some((second, Err(false))));
    world.done(asked.id, Stop::EndOfGeneration);
    assert_eq!(ended(&world.heard()), Some((first, Ok(EOS))));
}

#[test]
fn after_a_cancel_that_is_not_confirmed_a_new_message_is_taken() {
    let mut world = World::ready(chat_model(), 256);
    let first = world.says("one");
    let stuck = world.asked();
    world.console_says(ToSession::Cancel { id: first });
    let second = world.says("two");
    let asked = world.asked();
    world.tokens(stuck.id, 0, &bytes("old"));
    world.done(stuck.id, Stop::Cancelled);
    world.tokens(asked.id, 0, &bytes("new"));
    world.done(asked.id, Stop::EndOfGeneration);
    let heard = world.heard();
    assert_eq!((answer(&heard).as_str(), ended(&heard)), ("new", Some((second, Ok(EOS)))));
}

#[test]
fn a_console_that_restarts_stops_the_answer_and_learns_the_model() {
    let mut world = World::ready(chat_model(), 256);
    world.says("hi");
    let asked = world.asked();
    world.console_restarts();
    assert_eq!(world.commands(), [ToCompute::Cancel { id: asked.id }]);
    let heard = world.heard();
    assert!(matches!(heard[..], [ToConsole::Model { context: 256, .. }]), "{heard:?}");
    world.says("hi");
    world.asked();
}

#[test]
fn a_slow_console_slows_compute_down_and_nothing_is_lost() {
    let mut world = World::ready(base_model(), 8192);
    world.says("x");
    let asked = world.asked();
    let text = "abcdefghij".repeat(60);
    let mut sent = 0;
    let tokens = bytes(&text);
    let mut shown = String::new();
    while shown.len() < text.len() {
        while sent < tokens.len() {
            let message = FromCompute::Token { id: asked.id, sequence: sent as u32, token: tokens[sent] };
            let compute = &mut world.compute;
            if ipc_pd::hosted::enter(world.kernel.clone(), || compute.send(&message)).is_err() {
                break;
            }
            sent += 1;
        }
        world.run();
        shown += &answer(&world.heard());
    }
    assert_eq!(shown, text);
}

#[test]
fn texts_that_are_too_long_empty_or_broken_are_answered() {
    let mut world = World::ready(chat_model(), 256);
    let id = world.id();
    for _ in 0..330 {
        world.console_says(ToSession::Text { id, piece: Piece::new(&[b'a'; 200]), last: false });
    }
    let heard = world.heard();
    assert!(lines(&heard).contains("at most 65536 bytes"), "{}", lines(&heard));
    let mut world = World::ready(chat_model(), 256);
    let id = world.says("");
    assert_eq!(ended(&world.heard()), Some((id, Err(false))));
    let id = world.id();
    world.console_says(ToSession::Text { id, piece: Piece::new(b"a\xffb"), last: true });
    assert!(world.asked().tokens.len() > 3);
}

fn set(world: &mut World, name: &str, value: &str) {
    world.heard();
    let id = world.id();
    world.console_says(ToSession::Set { id, name: common::name(name), value: common::name(value) });
    let heard = world.heard();
    assert_eq!(ended(&heard), Some((id, Err(true))), "{}", lines(&heard));
    assert!(matches!(heard[0], ToConsole::Notice { level: Level::Plain, .. }));
}
