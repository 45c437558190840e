//! Where everything lies in physical memory, and what each PD sees of it.
//!
//! One design rule: contents, then zeros. The plan holds addresses only; [`crate::image`] writes bytes from it.

use crate::inputs::Inputs;
use crate::layout::{Layout, merge};
use crate::model::{LARGE_BITS, Location, Permissions, SMALL_BITS, System};
use crate::problem::Problems;
use board_description::{Board, Range};
use memory_paging::tables_needed;

const PAGE: u64 = 0x1000;

/// What a mapping shows, for the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A segment of the program, with contents.
    Segment,
    /// The part of a segment that starts as zeros.
    Zero,
    /// The stack.
    Stack,
    /// The IPC buffer.
    IpcBuffer,
    /// A region, by index.
    Region(usize),
}

/// One mapping.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    /// Virtual address.
    pub vaddr: u64,
    /// Physical address.
    pub paddr: u64,
    /// Bytes.
    pub size: u64,
    /// 12 or 21.
    pub page_bits: u8,
    /// Permissions.
    pub permissions: Permissions,
    /// Not cached.
    pub device: bool,
    /// What it is.
    pub source: Source,
}

/// All addresses of an image.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Compiled description: address and the room kept for it.
    pub spec: Range,
    /// Physical address of each region.
    pub regions: Vec<u64>,
    /// Mappings of each PD in ascending order.
    pub mappings: Vec<Vec<Mapping>>,
    /// First byte past the contents.
    pub contents_end: u64,
    /// First byte past what must be left alone before the kernel runs: the contents and regions with fixed addresses.
    pub occupied_end: u64,
    /// Page tables.
    pub pool: Range,
    /// Ranges to clear at boot.
    pub zero: Vec<Range>,
    /// First byte past everything the image owns or the system fixes in RAM.
    pub ram_end: u64,
}

/// Plans an image whose kernel ends at `kernel_end`.
///
/// # Errors
/// RAM is full, or a region with a fixed address lies within the image.
pub fn plan(
    system: &System,
    inputs: &Inputs,
    spec_size: u64,
    kernel_end: u64,
    board: &Board,
) -> Result<Plan, Problems> {
    let mut planner = Planner {
        system,
        inputs,
        board,
        layout: Layout::new(board, kernel_end, fixed(system)),
        regions: vec![0; system.regions.len()],
        mappings: vec![Vec::new(); system.pds.len()],
        zero: Vec::new(),
    };
    let spec = Range {
        base: planner.layout.place(spec_size, SMALL_BITS, "the compiled description")?,
        size: spec_size,
    };
    planner.segments()?;
    let contents_end = planner.prefilled()?;
    planner.fixed_regions_outside(contents_end)?;
    planner.zeros(spec, contents_end)
}

fn fixed(system: &System) -> Vec<(String, Range)> {
    let fixed = system.regions.iter().filter_map(|region| match region.location {
        Location::Ram(base) => Some((region.name.clone(), Range { base, size: region.size })),
        _ => None,
    });
    fixed.collect()
}

struct Planner<'a> {
    system: &'a System,
    inputs: &'a Inputs,
    board: &'a Board,
    layout: Layout,
    regions: Vec<u64>,
    mappings: Vec<Vec<Mapping>>,
    zero: Vec<Range>,
}

impl Planner<'_> {
    fn segments(&mut self) -> Result<(), Problems> {
        for (pd, program) in self.inputs.programs.iter().enumerate() {
            for segment in &program.segments {
                let size = segment.data.len() as u64;
                if size > 0 {
                    let paddr = self.layout.place(size, SMALL_BITS, &self.what("program of PD", pd))?;
                    self.map(pd, segment.vaddr, paddr, size, segment.permissions, Source::Segment);
                }
            }
        }
        Ok(())
    }

    fn what(&self, kind: &str, pd: usize) -> String {
        format!("the {kind} '{}'", self.system.pds[pd].name)
    }

    fn map(
        &mut self,
        pd: usize,
        vaddr: u64,
        paddr: u64,
        size: u64,
        permissions: Permissions,
        source: Source,
    ) {
        let page_bits = SMALL_BITS;
        let mapping = Mapping { vaddr, paddr, size, page_bits, permissions, device: false, source };
        self.mappings[pd].push(mapping);
    }

    /// Places prefilled regions, small pages first, the longest zero tail last; returns where the contents end.
    fn prefilled(&mut self) -> Result<u64, Problems> {
        let tail = |region: usize| {
            let contents = self.inputs.prefills[region].as_ref().map_or(0, Vec::len) as u64;
            self.system.regions[region].size - contents.next_multiple_of(PAGE)
        };
        let mut order: Vec<_> =
            (0..self.system.regions.len()).filter(|r| self.inputs.prefills[*r].is_some()).collect();
        order.sort_by_key(|region| (self.system.regions[*region].page_bits, tail(*region)));
        let last = order.last().map_or(0, |last| tail(*last));
        for index in order {
            let region = &self.system.regions[index];
            let what = format!("region '{}'", region.name);
            self.regions[index] = self.layout.place(region.size, region.page_bits, &what)?;
        }
        let end = self.layout.next() - last;
        self.zero.push(Range { base: end, size: last });
        Ok(end)
    }

    fn fixed_regions_outside(&mut self, contents_end: u64) -> Result<(), Problems> {
        let start = self.board.image_base;
        let problem = self.layout.fixed_below(start).map(|(name, _)| name.clone());
        if let Some(name) = problem {
            let place = &self.system.regions[self.system.region(&name).unwrap_or(0)].place;
            let text = format!("<memory_region> attribute 'phys_addr' of '{name}': it lies within the image");
            let hint = format!("{start:#x}..{contents_end:#x}; place it above, or leave phys_addr out");
            return Err(Problems::one_at(place, format!("{text} {hint}")));
        }
        for (index, region) in self.system.regions.iter().enumerate() {
            let (Location::Ram(base) | Location::Device(base)) = region.location else { continue };
            self.regions[index] = base;
            if matches!(region.location, Location::Ram(_)) && !self.board.kept.overlaps(base, region.size) {
                self.zero.push(Range { base, size: region.size });
            }
        }
        Ok(())
    }

    fn place_zero(&mut self, size: u64, bits: u8, what: &str) -> Result<u64, Problems> {
        let base = self.layout.place(size, bits, what)?;
        self.zero.push(Range { base, size });
        Ok(base)
    }

    fn private_zeros(&mut self) -> Result<(), Problems> {
        let rw = Permissions { read: true, write: true, execute: false };
        for pd in 0..self.system.pds.len() {
            for segment in &self.inputs.programs[pd].segments {
                let contents = segment.data.len() as u64;
                if segment.size > contents {
                    let size = segment.size - contents;
                    let paddr = self.place_zero(size, SMALL_BITS, &self.what("zeroed data of PD", pd))?;
                    self.map(pd, segment.vaddr + contents, paddr, size, segment.permissions, Source::Zero);
                }
            }
            let (top, size) = (self.board.ipc_buffer - ipc_abi::STACK_GUARD, self.system.pds[pd].stack_size);
            let paddr = self.place_zero(size, SMALL_BITS, &self.what("stack of PD", pd))?;
            self.map(pd, top - size, paddr, size, rw, Source::Stack);
            let paddr = self.place_zero(PAGE, SMALL_BITS, &self.what("IPC buffer of PD", pd))?;
            self.map(pd, self.board.ipc_buffer, paddr, PAGE, rw, Source::IpcBuffer);
        }
        Ok(())
    }

    fn zero_regions(&mut self) -> Result<(), Problems> {
        for bits in [SMALL_BITS, LARGE_BITS] {
            for (index, region) in self.system.regions.iter().enumerate() {
                let chosen = region.location == Location::Chosen && self.inputs.prefills[index].is_none();
                if chosen && region.page_bits == bits {
                    let base = self.layout.place(region.size, bits, &format!("region '{}'", region.name))?;
                    self.zero.push(Range { base, size: region.size });
                    self.regions[index] = base;
                }
            }
        }
        Ok(())
    }

    fn region_maps(&mut self) {
        for (pd, domain) in self.system.pds.iter().enumerate() {
            for map in &domain.maps {
                let region = &self.system.regions[map.region];
                self.mappings[pd].push(Mapping {
                    vaddr: map.vaddr,
                    paddr: self.regions[map.region],
                    size: region.size,
                    page_bits: region.page_bits,
                    permissions: map.permissions,
                    device: !map.cached || matches!(region.location, Location::Device(_)),
                    source: Source::Region(map.region),
                });
            }
            self.mappings[pd].sort_by_key(|mapping| mapping.vaddr);
        }
    }

    fn zeros(mut self, spec: Range, contents_end: u64) -> Result<Plan, Problems> {
        self.private_zeros()?;
        self.region_maps();
        let needed = |m: &Vec<Mapping>| tables_needed(m.iter().map(|m| (m.vaddr, m.size, m.page_bits)));
        let tables: usize = self.mappings.iter().map(needed).sum();
        let size = tables as u64 * PAGE;
        let pool = Range { base: self.place_zero(size, SMALL_BITS, "page tables")?, size };
        self.zero_regions()?;
        for mapping in self.mappings.iter_mut().flatten() {
            if let Source::Region(region) = mapping.source {
                mapping.paddr = self.regions[region];
            }
        }
        let fixed_end = fixed(self.system).iter().map(|(_, range)| range.end()).max().unwrap_or(0);
        Ok(Plan {
            spec,
            contents_end,
            occupied_end: contents_end.max(fixed_end),
            pool,
            ram_end: self.layout.next().max(fixed_end),
            zero: merge(self.zero),
            regions: self.regions,
            mappings: self.mappings,
        })
    }
}
