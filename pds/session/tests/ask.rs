//! From a request in English to a proposal.
mod common;
use common::model::{IM_END, byte, bytes, chat_model};
use common::{World, ended, lines};
use ipc_protocol::console_session::{ToConsole, ToSession};
use ipc_protocol::session_compute::{Stop, ToCompute, ToSession as FromCompute};
use ipc_protocol::{List, Piece};

fn asks(world: &mut World, request: &str) -> u32 {
    let id = world.id();
    world.console_says(ToSession::Ask { id, piece: Piece::new(request.as_bytes()), last: true });
    id
}

fn offer(world: &mut World, id: u32, sequence: u32, tokens: &[u32]) {
    let tokens = List::new(tokens);
    world.compute_says(FromCompute::Candidates { id, sequence, skipped: 0, tokens });
}

/// Offers the bytes of a command one after the other, each behind a byte that cannot come next.
fn spell(world: &mut World, id: u32, command: &str) {
    for (sequence, token) in bytes(command).into_iter().enumerate() {
        let sequence = sequence as u32;
        offer(world, id, sequence, &[byte(b'~'), IM_END, token]);
        assert_eq!(world.commands(), [ToCompute::Choose { id, sequence, token }], "{command} at {sequence}");
    }
}

fn proposal(heard: &[ToConsole]) -> String {
    let pieces = heard.iter().filter_map(|message| match message {
        ToConsole::Proposal { piece, .. } => Some(piece.text()),
        _ => None,
    });
    pieces.collect()
}

#[test]
fn a_proposal_is_spelt_out_of_candidates_and_ended_by_an_end_token() {
    let mut world = World::ready(chat_model(), 1024);
    let id = asks(&mut world, "how much memory is free");
    let asked = world.asked();
    assert!(asked.guided);
    spell(&mut world, asked.id, "/mem");
    offer(&mut world, asked.id, 4, &[byte(b'o'), IM_END, byte(b'x')]);
    assert_eq!(world.commands(), [ToCompute::Cancel { id: asked.id }]);
    world.done(asked.id, Stop::Cancelled);
    let heard = world.heard();
    assert_eq!(proposal(&heard), "/mem");
    assert_eq!(ended(&heard), Some((id, Err(true))));
}

#[test]
fn when_no_candidate_will_do_more_are_asked_for_and_then_nothing_is_proposed() {
    let mut world = World::ready(chat_model(), 1024);
    asks(&mut world, "do something");
    let id = world.asked().id;
    offer(&mut world, id, 0, &bytes("xyz"));
    assert_eq!(world.commands(), [ToCompute::More { id, sequence: 0 }]);
    offer(&mut world, id, 0, &[]);
    assert_eq!(world.commands(), [ToCompute::Cancel { id }]);
    world.done(id, Stop::Cancelled);
    let heard = world.heard();
    assert_eq!(proposal(&heard), "none");
    assert!(lines(&heard).contains("continues a command"), "{}", lines(&heard));
}

#[test]
fn neither_the_conversation_nor_the_system_prompt_is_in_the_prompt_and_the_conversation_stays() {
    let mut world = World::ready(chat_model(), 1024);
    asks(&mut world, "x");
    let alone = world.asked();
    spell(&mut world, alone.id, "none");
    offer(&mut world, alone.id, 4, &[IM_END]);
    world.done(alone.id, Stop::Cancelled);
    let first = {
        world.says("hello");
        let asked = world.asked();
        world.tokens(asked.id, 0, &bytes("ho"));
        world.done(asked.id, Stop::EndOfGeneration);
        asked
    };
    asks(&mut world, "x");
    let later = world.asked();
    assert_eq!(later.tokens, alone.tokens);
    spell(&mut world, later.id, "none");
    offer(&mut world, later.id, 4, &[IM_END]);
    world.done(later.id, Stop::Cancelled);
    world.says("more");
    let next = world.asked().tokens;
    assert_eq!(next[first.tokens.len()..][..2], bytes("ho")[..], "the answer is still the first one");
}

#[test]
fn a_restart_of_compute_goes_on_with_what_was_chosen() {
    let mut world = World::ready(chat_model(), 1024);
    asks(&mut world, "memory?");
    let first = world.asked();
    spell(&mut world, first.id, "/me");
    world.compute_restarts();
    world.compute_has_model();
    let second = world.asked();
    assert!(second.guided);
    assert_eq!(second.tokens[first.tokens.len()..], bytes("/me")[..]);
    offer(&mut world, second.id, 0, &[byte(b'm')]);
    assert_eq!(
        world.commands(),
        [ToCompute::Choose { id: second.id, sequence: 0, token: byte(b'm') }],
        "the grammar knows what came before"
    );
}

#[test]
fn offers_that_nobody_asked_for_change_nothing() {
    let mut world = World::ready(chat_model(), 1024);
    offer(&mut world, 1, 0, &[5]);
    world.says("hi");
    let asked = world.asked();
    offer(&mut world, asked.id, 0, &[5]);
    assert_eq!(world.commands(), []);
    asks(&mut world, "again");
    let heard = world.heard();
    assert!(lines(&heard).contains("still works on the request before"), "{}", lines(&heard));
}

#[test]
fn an_offer_out_of_turn_ends_the_request() {
    let mut world = World::ready(chat_model(), 1024);
    let id = asks(&mut world, "memory");
    let asked = world.asked();
    offer(&mut world, asked.id, 3, &bytes("/"));
    let heard = world.heard();
    assert!(lines(&heard).contains("out of turn"), "{}", lines(&heard));
    assert_eq!(ended(&heard), Some((id, Err(false))));
    assert_eq!(proposal(&heard), "");
}

#[test]
fn a_request_that_is_empty_or_does_not_fit_is_refused() {
    let mut world = World::ready(chat_model(), 256);
    for (request, why) in [(" ", "1 to 1024 bytes"), ("please", "does not fit the context")] {
        asks(&mut world, request);
        let heard = world.heard();
        if request == "please" {
            // 160 tokens for the command and the request's own fit 256.
            let asked = world.asked();
            assert!(asked.guided && asked.tokens.len() < 96);
            world.console_says(ToSession::Cancel { id: 2 });
            world.done(asked.id, Stop::Cancelled);
            assert_eq!(proposal(&world.heard()), "", "nothing is proposed after Ctrl-C");
        } else {
            assert!(lines(&heard).contains(why), "{request}: {}", lines(&heard));
        }
    }
    asks(&mut world, &"long ".repeat(30));
    let heard = world.heard();
    assert!(lines(&heard).contains("does not fit the context"), "{}", lines(&heard));
}
