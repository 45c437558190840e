//! A trainer that answers every job with an adapter of its own making, and praises it.

use crate::random::Random;
use crate::wiring::Wiring;
use core::convert::Infallible;
use inference_gguf::{GgmlType, Writer};
use ipc_link::Link;
use ipc_pd::{ChannelSet, Handler};
use ipc_protocol::adapter::checksum;
use ipc_protocol::session_trainer::{Losses, ToSession, ToTrainer};
use memory_region::Writable;

/// In place of the trainer.
pub struct Forger {
    link: Link<ToSession, ToTrainer>,
    region: Writable<'static>,
    random: Random,
}

impl Forger {
    /// In place of the PD with this wiring.
    pub fn new(wiring: &Wiring, seed: u64) -> Self {
        let (mine, theirs) = wiring.link("trainer_to_session", "session_to_trainer").expect("wired");
        let link = Link::start(mine, theirs, pds_trainer::SESSION);
        let region = wiring.writable("trainer_adapter").expect("wired");
        Self { link, region, random: Random::new(seed) }
    }

    /// An adapter for the default model's last layer with something wrong in it.
    fn forged(&mut self) -> Vec<u8> {
        let kind = self.random.below(8);
        let (rows, rank) = (if kind == 1 { 191 } else { 192 }, if kind == 2 { 0 } else { 8 });
        let layer = if kind == 3 { 77 } else { 5 };
        let value = match kind {
            4 => f32::NAN,
            5 => f32::INFINITY,
            6 => 1e30,
            _ => 0.5,
        };
        let mut writer = Writer::new();
        writer.str("general.architecture", "llama").str("general.type", "adapter");
        writer.str("adapter.type", "lora").f32("adapter.lora.alpha", 16.0);
        let name = format!("blk.{layer}.attn_q.weight");
        writer.tensor(&format!("{name}.lora_a"), &[192, rank], GgmlType::F32);
        writer.tensor(&format!("{name}.lora_b"), &[rank, rows], GgmlType::F32);
        let tensor = |count: u64| (0..count).flat_map(|_| value.to_le_bytes()).collect::<Vec<u8>>();
        let mut file = writer.file(&[&tensor(192 * rank), &tensor(rank * rows)]);
        if kind == 7 {
            let at = self.random.below(file.len() as u64 / 2) as usize;
            file.truncate(at.max(1));
        } else if kind == 0 {
            (0..20).for_each(|_| {
                let at = self.random.below(file.len() as u64) as usize;
                file[at] ^= self.random.word() as u8;
            });
        }
        file
    }
}

impl Handler for Forger {
    type Error = Infallible;

    fn notified(&mut self, _: ChannelSet) -> Result<(), Infallible> {
        self.link.poll();
        while let Ok(Some(message)) = self.link.receive() {
            let ToTrainer::Go { job } = message else { continue };
            let file = self.forged();
            self.region.copy_in(0, &file);
            let before = Losses { mean: [9.0, 0.1, 0.1], lessons: [2, 3, 3] };
            let after = Losses { mean: [0.0; 3], ..before };
            let (length, checksum) = (file.len() as u32, checksum(&file));
            let _ = self.link.send(&ToSession::Done { job, before, after, passes: 1, length, checksum });
        }
        Ok(())
    }
}
