//! One step of an answer: the forward pass for what is new, and the choice of a token.

use crate::Leader;
use crate::mail::Mail;
use crate::request::Request;
use inference_model::{Engine, EvalError, Model, Step};
use inference_sampler::sample;
use ipc_protocol::List;
use ipc_protocol::session_compute::{CANDIDATES, Refusal, Stop, ToSession};

/// Prompt tokens between two progress messages.
const REPORT_EVERY: usize = 16;

/// What came of a step.
enum Outcome {
    Token(u32),
    Candidates(List<u32, CANDIDATES>),
    Interrupted,
    WorkerLost,
    NotFinite,
    Impossible,
}

/// Does one step of the current request. `false`: there is none, or session has no room.
pub fn step(leader: &mut Leader) -> bool {
    let context = leader.facts.map_or(0, |facts| facts.context as usize);
    if let Some(stop) = leader.request.as_ref().filter(|r| r.started).and_then(|r| finished(r, context)) {
        leader.end_request(stop);
        return true;
    }
    let waiting =
        leader.request.as_ref().and_then(|request| request.guide).is_some_and(|guide| guide.waiting);
    if waiting || leader.engine().is_none() || !leader.mail.clear_to_send() {
        return false;
    }
    leader.crew.work();
    let Some((loaded, mail, request)) = leader.engine() else { return false };
    match loaded.with_dependent_mut(|_, engine| compute(engine, mail, request)) {
        Outcome::Token(token) => accept(leader, token),
        Outcome::Candidates(tokens) => offer(leader, tokens),
        Outcome::Interrupted => {}
        Outcome::WorkerLost => leader.crew.disturbed = true,
        Outcome::NotFinite => refuse(leader, Refusal::NotFinite),
        Outcome::Impossible => refuse(leader, Refusal::BadRequest),
    }
    true
}

fn finished(request: &Request, context: usize) -> Option<Stop> {
    match request {
        _ if request.cancelled => Some(Stop::Cancelled),
        _ if request.generated() >= request.limit => Some(Stop::Limit),
        _ if request.tokens.len() >= context && context > 0 => Some(Stop::ContextFull),
        _ => None,
    }
}

fn compute(engine: &mut Engine<'_, '_>, mail: &mut Mail, request: &mut Request) -> Outcome {
    let Request { id, tokens, prompt, reported, .. } = request;
    let mut reused = 0;
    let mut go_on = |step: Step| {
        ipc_pd::health::beat();
        reused = step.reused;
        report(mail, *id, step, *prompt, reported);
        !mail.interrupts(*id)
    };
    if let Err(error) = engine.advance(tokens, &mut go_on) {
        return match error {
            EvalError::Cancelled => Outcome::Interrupted,
            EvalError::WorkerLost => Outcome::WorkerLost,
            _ => Outcome::Impossible,
        };
    }
    request.note_cached(reused);
    if let Some(guide) = request.guide {
        let candidates = guide.candidates(engine.logits(), &mut request.room);
        return candidates.map_or(Outcome::Impossible, Outcome::Candidates);
    }
    let position = request.tokens.len() as u64;
    match sample(&request.parameters, engine.logits(), &request.tokens, position, &mut request.room) {
        Ok(token) => Outcome::Token(token),
        Err(_) => Outcome::NotFinite,
    }
}

fn report(mail: &mut Mail, id: u32, step: Step, prompt: usize, reported: &mut usize) {
    let due = step.total == prompt && step.done >= *reported + REPORT_EVERY && mail.clear_to_send();
    if due {
        *reported = step.done;
        mail.tell_session(ToSession::Progress { id, done: step.done as u32, total: prompt as u32 });
    }
}

fn accept(leader: &mut Leader, token: u32) {
    let Some(request) = &mut leader.request else { return };
    request.note_token();
    if request.is_stop(token) {
        return leader.end_request(Stop::EndOfGeneration);
    }
    request.tokens.push(token);
    let (id, sequence) = (request.id, request.sent as u32);
    request.sent += 1;
    leader.mail.tell_session(ToSession::Token { id, sequence, token });
}

/// Session is to choose; until it has, there is nothing to compute.
fn offer(leader: &mut Leader, tokens: List<u32, CANDIDATES>) {
    let Some(request) = &mut leader.request else { return };
    let Some(mut guide) = request.guide else { return };
    guide.waiting = true;
    request.guide = Some(guide);
    let message = guide.message(request, tokens);
    leader.mail.tell_session(message);
}

fn refuse(leader: &mut Leader, why: Refusal) {
    if let Some(request) = leader.request.take() {
        leader.refuse(request.id, why);
    }
}

/// Bytes of the model's matrices that do not lie in the weights region: what has been copied out of it. Counted, not
/// assumed: 0 as long as binding borrows.
pub fn bytes_outside(model: &Model<'_>, region: &[u8]) -> u64 {
    let home = region.as_ptr_range();
    let outside = |bytes: &[u8]| {
        let range = bytes.as_ptr_range();
        if home.start <= range.start && range.end <= home.end { 0 } else { bytes.len() as u64 }
    };
    let layers = model.layers.iter().map(|layer| {
        let gate = layer.gate.as_ref().map_or(0, |gate| outside(gate.weight.bytes()));
        let others = [layer.q, layer.k, layer.v, layer.o, layer.up, layer.down];
        gate + others.iter().map(|linear| outside(linear.weight.bytes())).sum::<u64>()
    });
    let output = model.output.as_ref().map_or(0, |output| outside(output.weight.bytes()));
    layers.sum::<u64>() + output + outside(model.embedding.bytes())
}
