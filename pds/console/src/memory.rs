// SPDX-License-Identifier: MIT
//! `mem` and `version`: what the image is made of.

use crate::console::Console;
use crate::figures::Bytes;
use crate::terminal::Terminal;
use crate::{printable, say};

const NO_PLATFORM: &str = "the image carries no platform page, so its memory is not known here\n";

impl<T: Terminal> Console<T> {
    /// Memory of the image, its servers and regions, and of the conversation.
    pub(crate) fn show_memory(&mut self) {
        match self.platform() {
            None => say!(self.screen, "{NO_PLATFORM}"),
            Some(platform) => {
                let servers: u64 = platform.pds.iter().map(|pd| pd.memory).sum();
                say!(self.screen, "RAM {}, kernel {}, ", Bytes(platform.ram), Bytes(platform.kernel_bytes));
                say!(self.screen, "servers {}\n", Bytes(servers));
                say!(self.screen, "server memory of its own:\n");
                platform.pds.iter().for_each(|pd| self.memory_row(pd.name.as_slice(), pd.memory));
                say!(self.screen, "shared and large regions:\n");
                platform
                    .regions
                    .iter()
                    .for_each(|region| self.memory_row(region.name.as_slice(), region.size));
            }
        }
        self.show_context();
    }

    fn memory_row(&mut self, name: &[u8], bytes: u64) {
        say!(self.screen, "  {:>10}  ", Bytes(bytes).shown().as_str());
        printable::write(&mut self.screen, name);
        say!(self.screen, "\n");
    }

    fn show_context(&mut self) {
        let Some(model) = self.banner.model.as_ref().filter(|model| model.context > 0) else {
            return say!(self.screen, "no model, no conversation\n");
        };
        let (used, context) = (self.banner.used, model.context);
        let in_use = model.cache_bytes * u64::from(used.min(context)) / u64::from(context);
        say!(self.screen, "conversation: {used} of {context} tokens, ");
        say!(self.screen, "KV cache {} of {}\n", Bytes(in_use), Bytes(model.cache_bytes));
    }

    /// Versions.
    pub(crate) fn show_version(&mut self) {
        match self.platform() {
            None => say!(self.screen, "Cloister {}\n", env!("CARGO_PKG_VERSION")),
            Some(p) => {
                say!(self.screen, "Cloister {}, board {}, ", p.version.text(), p.board.text());
                say!(self.screen, "kernel {} ({} core(s))\n", p.kernel.text(), p.cores);
            }
        }
        self.show_model();
    }
}
