// SPDX-License-Identifier: MIT
//! The steps from logits to a token.

use core::fmt;

use crate::parameters::Parameters;
use crate::random::uniform;
use crate::select::{self, Candidate};

/// Why no token could be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SampleError {
    /// Every logit is NaN or minus infinity: the model is broken, or a grammar leaves nothing.
    NoCandidate,
    /// The caller must lend room for so many candidates ([`Parameters::candidates`]).
    TooLittleRoom { needed: usize },
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCandidate => f.write_str(
                "no token can be chosen: every logit is NaN or forbidden; check the model file and the grammar",
            ),
            Self::TooLittleRoom { needed } => write!(f, "sampling needs room for {needed} candidates"),
        }
    }
}

impl core::error::Error for SampleError {}

/// Chooses the token at `position` of the sequence.
///
/// `logits`: one per token; penalties are applied in place. `recent`: the sequence so far (its last
/// `repeat_last_n` tokens count). `room`: at least [`Parameters::candidates`] elements.
///
/// # Errors
/// [`SampleError`]. A parameter out of range switches its step off; find it before with
/// [`Parameters::validate`].
pub fn sample(
    parameters: &Parameters,
    logits: &mut [f32],
    recent: &[u32],
    position: u64,
    room: &mut [Candidate],
) -> Result<u32, SampleError> {
    penalise(parameters, logits, recent);
    if parameters.is_greedy() {
        return select::best(logits).ok_or(SampleError::NoCandidate);
    }
    let needed = parameters.candidates(logits.len());
    let room = room.get_mut(..needed).ok_or(SampleError::TooLittleRoom { needed })?;
    let mut count = select::top(logits, room);
    if count == 0 {
        return Err(SampleError::NoCandidate);
    }
    count = top_p(&room[..count], parameters.top_p);
    count = min_p(&room[..count], parameters.min_p);
    Ok(draw(&mut room[..count], parameters.temperature, uniform(parameters.seed, position)))
}

/// Makes recent tokens less likely, each once however often it occurred.
fn penalise(parameters: &Parameters, logits: &mut [f32], recent: &[u32]) {
    let penalty = parameters.repeat_penalty;
    if penalty == 1.0 || penalty <= 0.0 || penalty.is_nan() {
        return;
    }
    let count = (parameters.repeat_last_n as usize).min(recent.len()).min(1024);
    let recent = &recent[recent.len() - count..];
    for (at, token) in recent.iter().enumerate() {
        if recent[..at].contains(token) {
            continue;
        }
        if let Some(logit) = logits.get_mut(*token as usize) {
            *logit = if *logit <= 0.0 { *logit * penalty } else { *logit / penalty };
        }
    }
}

/// How many of `sorted` (best first, not empty) have together the probability `p`.
fn top_p(sorted: &[Candidate], p: f32) -> usize {
    if p >= 1.0 || p.is_nan() {
        return sorted.len();
    }
    let weight = |candidate: &Candidate| libm::expf(candidate.logit - sorted[0].logit);
    let total: f32 = sorted.iter().map(weight).sum();
    let mut reached = 0.0;
    let enough = sorted.iter().position(|candidate| {
        reached += weight(candidate) / total;
        reached >= p
    });
    enough.map_or(sorted.len(), |last| last + 1)
}

/// How many of `sorted` (best first, not empty) are at least `p` times as probable as the best.
fn min_p(sorted: &[Candidate], p: f32) -> usize {
    if p <= 0.0 || p.is_nan() {
        return sorted.len();
    }
    let least = sorted[0].logit + libm::logf(p);
    sorted.iter().take_while(|candidate| candidate.logit >= least).count().max(1)
}

/// The token on which `random` (0..1) falls when each is as wide as its probability at `temperature`.
fn draw(sorted: &mut [Candidate], temperature: f32, random: f64) -> u32 {
    let best = sorted[0].logit;
    let mut total = 0.0f64;
    for candidate in sorted.iter_mut() {
        candidate.logit = libm::expf((candidate.logit - best) / temperature);
        total += f64::from(candidate.logit);
    }
    let mut left = random * total;
    for candidate in sorted.iter() {
        left -= f64::from(candidate.logit);
        if left < 0.0 {
            return candidate.token;
        }
    }
    sorted[0].token
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn pick(parameters: &Parameters, logits: &[f32], recent: &[u32], position: u64) -> u32 {
        let mut room = vec![Candidate::default(); parameters.candidates(logits.len())];
        sample(parameters, &mut logits.to_vec(), recent, position, &mut room).unwrap()
    }

    fn shares(parameters: &Parameters, logits: &[f32]) -> Vec<f64> {
        let mut counts = vec![0.0; logits.len()];
        (0..20_000).for_each(|at| counts[pick(parameters, logits, &[], at) as usize] += 1.0 / 20_000.0);
        counts
    }

    /// Only the draw: all other steps off.
    const PLAIN: Parameters = Parameters {
        temperature: 1.0,
        top_k: 0,
        top_p: 1.0,
        min_p: 0.0,
        repeat_penalty: 1.0,
        repeat_last_n: 64,
        seed: 5,
    };

    #[test]
    fn greedy_takes_the_best_and_the_lowest_id_among_equals() {
        assert_eq!(pick(&Parameters::greedy(), &[1.0, 3.0, 3.0, -2.0], &[], 0), 1);
    }

    #[test]
    fn a_draw_follows_the_probabilities() {
        let logits = [0.1f32, 0.2, 0.3, 0.4].map(libm::logf);
        for (share, expected) in shares(&PLAIN, &logits).iter().zip([0.1, 0.2, 0.3, 0.4]) {
            assert!((share - expected).abs() < 0.015, "{share} for {expected}");
        }
    }

    #[test]
    fn temperature_sharpens_and_flattens() {
        let logits = [0.0, 1.0];
        let cold = shares(&Parameters { temperature: 0.25, ..PLAIN }, &logits)[1];
        let hot = shares(&Parameters { temperature: 4.0, ..PLAIN }, &logits)[1];
        assert!((cold - 1.0 / (1.0 + libm::exp(-4.0))).abs() < 0.015);
        assert!((hot - 1.0 / (1.0 + libm::exp(-0.25))).abs() < 0.015);
    }

    /// The cases of llama.cpp's own sampler test: probabilities 0.1, 0.2, 0.3, 0.4 and what is kept of them.
    #[test]
    fn the_steps_keep_what_llama_cpp_keeps() {
        let sorted: Vec<Candidate> = [0.4f32, 0.3, 0.2, 0.1]
            .iter()
            .enumerate()
            .map(|(token, p)| Candidate { token: token as u32, logit: libm::logf(*p) })
            .collect();
        for (p, kept) in [(0.0, 1), (0.7, 2), (0.8, 3), (1.0, 4)] {
            assert_eq!(top_p(&sorted, p), kept, "top_p {p}");
        }
        for (p, kept) in
            [(0.0, 4), (0.24, 4), (0.26, 3), (0.49, 3), (0.51, 2), (0.74, 2), (0.76, 1), (1.0, 1)]
        {
            assert_eq!(min_p(&sorted, p), kept, "min_p {p}");
        }
    }

    #[test]
    fn top_k_keeps_the_best() {
        let logits = [5.0, 9.0, 1.0, 8.0, 7.0, 7.0];
        let mut room = [Candidate::default(); 4];
        assert_eq!(select::top(&logits, &mut room), 4);
        assert_eq!(room.map(|candidate| candidate.token), [1, 3, 4, 5]);
        assert_eq!(pick(&Parameters { top_k: 1, ..PLAIN }, &logits, &[], 3), 1);
    }

    #[test]
    fn the_penalty_counts_a_recent_token_once() {
        let parameters = Parameters { repeat_penalty: 2.0, repeat_last_n: 2, ..Parameters::greedy() };
        assert_eq!(pick(&parameters, &[4.0, 3.0], &[0, 0], 0), 1);
        assert_eq!(pick(&parameters, &[4.0, 1.9], &[0, 0], 0), 0);
        assert_eq!(pick(&parameters, &[-1.0, -1.5], &[0], 0), 1);
        assert_eq!(pick(&parameters, &[4.0, 3.0], &[0, 7, 9], 0), 0, "only the last two count");
    }

    #[test]
    fn the_same_seed_and_position_give_the_same_token() {
        let logits: Vec<f32> = (0..100).map(|token| (token % 17) as f32 / 3.0).collect();
        let run = |seed| {
            let parameters = Parameters { seed, temperature: 1.5, ..Parameters::default() };
            (0..50).map(|at| pick(&parameters, &logits, &[], at)).collect::<Vec<_>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn unusable_logits_are_never_chosen() {
        let (nan, least) = (f32::NAN, f32::NEG_INFINITY);
        assert_eq!(pick(&Parameters::greedy(), &[nan, least, -5.0], &[], 0), 2);
        assert_eq!(pick(&Parameters::default(), &[nan, least, -5.0], &[], 0), 2);
        assert_eq!(pick(&PLAIN, &[1.0, f32::INFINITY, nan], &[], 0), 1);
        let mut room = [Candidate::default(); 3];
        let none = sample(&PLAIN, &mut [nan, least, nan], &[], 0, &mut room);
        assert_eq!(none, Err(SampleError::NoCandidate));
        assert_eq!(sample(&Parameters::greedy(), &mut [], &[], 0, &mut []), Err(SampleError::NoCandidate));
    }

    #[test]
    fn too_little_room_is_refused() {
        let error = sample(&PLAIN, &mut [1.0, 2.0], &[], 0, &mut [Candidate::default()]);
        assert_eq!(error, Err(SampleError::TooLittleRoom { needed: 2 }));
    }

    proptest! {
        #[test]
        fn any_numbers_give_a_usable_token_or_an_error(
            mut logits in prop::collection::vec(any::<f32>(), 0..50),
            recent in prop::collection::vec(any::<u32>(), 0..10),
            values in any::<[f32; 4]>(),
            top_k in 0u32..60,
        ) {
            let [temperature, top_p, min_p, repeat_penalty] = values;
            let parameters = Parameters { temperature, top_k, top_p, min_p, repeat_penalty, ..PLAIN };
            let mut room = vec![Candidate::default(); 50];
            if let Ok(token) = sample(&parameters, &mut logits, &recent, 3, &mut room) {
                let logit = logits[token as usize];
                prop_assert!(!logit.is_nan() && logit != f32::NEG_INFINITY);
            }
        }

        #[test]
        fn top_is_the_start_of_the_sorted_list(
            logits in prop::collection::vec(-3i8..3, 1..60), k in 1usize..60,
        ) {
            let logits: Vec<f32> = logits.into_iter().map(f32::from).collect();
            let mut all = vec![Candidate::default(); logits.len()];
            let _ = select::top(&logits, &mut all);
            let mut some = vec![Candidate::default(); k.min(logits.len())];
            let count = select::top(&logits, &mut some);
            prop_assert_eq!(&some[..count], &all[..count]);
        }
    }
}
