//! Writes the compiled description that the kernel reads ([`kernel_spec`]).
//!
//! One design rule: flat records in one pass; the kernel's own parser checks the result before it leaves this tool.

use crate::inputs::Inputs;
use crate::model::System;
use crate::plan::{Mapping, Plan};
use board_description::Board;
use kernel_spec::{
    CallEnd, ChildEnd, Header, IrqEnd, MAGIC, NO_PD, NotifyEnd, Pd, PortEnd, Table, VERSION, ZeroRange,
};
use std::mem::size_of;
use zerocopy::{FromZeros, Immutable, IntoBytes};

/// An upper bound of the compiled size in bytes, known before anything is placed; whole pages.
pub fn bound(system: &System, inputs: &Inputs) -> u64 {
    let segments: usize = inputs.programs.iter().map(|program| program.segments.len()).sum();
    let maps: usize = system.pds.iter().map(|pd| pd.maps.len()).sum();
    let mappings = 2 * segments + maps + 2 * system.pds.len();
    let irqs: usize = system.pds.iter().map(|pd| pd.irqs.len()).sum();
    let ports: usize = system.pds.iter().map(|pd| pd.ports.len()).sum();
    let zero = mappings + system.regions.len() + 2;
    let size = size_of::<Header>()
        + system.pds.len() * (size_of::<Pd>() + size_of::<ChildEnd>())
        + mappings * size_of::<kernel_spec::Mapping>()
        + 2 * system.channels.len() * (size_of::<NotifyEnd>() + size_of::<CallEnd>())
        + irqs * size_of::<IrqEnd>()
        + ports * size_of::<PortEnd>()
        + zero * size_of::<ZeroRange>();
    (size as u64).next_multiple_of(0x1000)
}

/// The compiled description's bytes.
pub fn compile(system: &System, inputs: &Inputs, plan: &Plan, board: &Board) -> Vec<u8> {
    let mut header = Header::new_zeroed();
    header.magic = MAGIC.into();
    header.version = VERSION.into();
    header.cores = u32::from(system.cores()).into();
    header.ram_end = plan.ram_end.into();
    header.table_pool = plan.pool.base.into();
    header.table_pool_size = plan.pool.size.into();
    let mut bytes = vec![0; size_of::<Header>()];
    header.pds = table(&mut bytes, &pds(system, inputs, plan, board));
    header.mappings = table(&mut bytes, &mappings(plan));
    let (notifies, calls) = channels(system);
    header.notifies = table(&mut bytes, &notifies);
    header.calls = table(&mut bytes, &calls);
    header.irqs = table(&mut bytes, &irqs(system));
    header.children = table(&mut bytes, &children(system));
    header.ports = table(&mut bytes, &ports(system));
    header.zero = table(&mut bytes, &zero(plan));
    bytes[..size_of::<Header>()].copy_from_slice(header.as_bytes());
    bytes
}

fn table<T: IntoBytes + Immutable>(bytes: &mut Vec<u8>, records: &[T]) -> Table {
    let offset = (bytes.len() as u32).into();
    bytes.extend_from_slice(records.as_bytes());
    Table { offset, count: (records.len() as u32).into() }
}

fn pds(system: &System, inputs: &Inputs, plan: &Plan, board: &Board) -> Vec<Pd> {
    let mut records = Vec::new();
    for (index, pd) in system.pds.iter().enumerate() {
        let mut record = Pd::new_zeroed();
        record.name[..pd.name.len()].copy_from_slice(pd.name.as_bytes());
        record.entry = inputs.programs[index].entry.into();
        record.stack_top = (board.ipc_buffer - ipc_abi::STACK_GUARD).into();
        record.ipc_buffer = board.ipc_buffer.into();
        let buffer = plan.mappings[index].iter().find(|mapping| mapping.vaddr == board.ipc_buffer);
        record.ipc_buffer_phys = buffer.map_or(0, |mapping| mapping.paddr).into();
        (record.budget_us, record.period_us) = (pd.budget.into(), pd.period.into());
        (record.priority, record.core, record.child_id) = (pd.priority, pd.cpu, pd.child_id);
        let flags =
            [(pd.passive, Pd::PASSIVE), (pd.fpu, Pd::FPU), (system.has_endpoint(index), Pd::ENDPOINT)];
        record.flags = flags.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum();
        record.parent = pd.parent.map_or(NO_PD, |parent| parent as u16).into();
        records.push(record);
    }
    records
}

fn mappings(plan: &Plan) -> Vec<kernel_spec::Mapping> {
    let all = plan.mappings.iter().enumerate();
    all.flat_map(|(pd, mappings)| mappings.iter().map(move |mapping| record(pd, mapping))).collect()
}

fn record(pd: usize, mapping: &Mapping) -> kernel_spec::Mapping {
    use kernel_spec::Mapping as Record;
    let permissions = mapping.permissions;
    let flags = [
        (permissions.read, Record::READ),
        (permissions.write, Record::WRITE),
        (permissions.execute, Record::EXECUTE),
        (mapping.device, Record::DEVICE),
    ];
    Record {
        vaddr: mapping.vaddr.into(),
        paddr: mapping.paddr.into(),
        size: mapping.size.into(),
        pd: (pd as u16).into(),
        page_bits: mapping.page_bits,
        permissions: flags.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum(),
        reserved: 0.into(),
    }
}

fn channels(system: &System) -> (Vec<NotifyEnd>, Vec<CallEnd>) {
    let (mut notifies, mut calls) = (Vec::new(), Vec::new());
    for channel in &system.channels {
        let [a, b] = &channel.ends;
        for (from, to) in [(a, b), (b, a)] {
            let (pd, target) = ((from.pd as u16).into(), (to.pd as u16).into());
            let (id, badge_id) = (from.id, to.id);
            if from.notify {
                notifies.push(NotifyEnd { pd, target, id, badge_id, reserved: 0.into() });
            }
            if from.pp {
                calls.push(CallEnd { pd, target, id, badge_id, reserved: 0.into() });
            }
        }
    }
    (notifies, calls)
}

fn irqs(system: &System) -> Vec<IrqEnd> {
    let all =
        system.pds.iter().enumerate().flat_map(|(pd, domain)| domain.irqs.iter().map(move |irq| (pd, irq)));
    let record = |(pd, irq): (usize, &crate::model::Irq)| IrqEnd {
        irq: irq.number.into(),
        vector: irq.vector.into(),
        pd: (pd as u16).into(),
        id: irq.id,
        edge: irq.edge.into(),
        active_low: irq.active_low.into(),
        reserved: [0; 3],
    };
    all.map(record).collect()
}

fn children(system: &System) -> Vec<ChildEnd> {
    let all =
        system.pds.iter().enumerate().filter_map(|(child, pd)| pd.parent.map(|parent| (parent, child, pd)));
    let record = |(parent, child, pd): (usize, usize, &crate::model::ProtectionDomain)| ChildEnd {
        parent: (parent as u16).into(),
        child: (child as u16).into(),
        id: pd.child_id,
        reserved: [0; 3],
    };
    all.map(record).collect()
}

fn ports(system: &System) -> Vec<PortEnd> {
    let all = system
        .pds
        .iter()
        .enumerate()
        .flat_map(|(pd, domain)| domain.ports.iter().map(move |port| (pd, port)));
    let record = |(pd, port): (usize, &crate::model::Port)| PortEnd {
        first: port.first.into(),
        count: port.count.into(),
        pd: (pd as u16).into(),
        id: port.id,
        reserved: 0,
    };
    all.map(record).collect()
}

fn zero(plan: &Plan) -> Vec<ZeroRange> {
    let record =
        |range: &board_description::Range| ZeroRange { paddr: range.base.into(), size: range.size.into() };
    plan.zero.iter().map(record).collect()
}
