//! Wiring of the `storage` PD.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use drivers_block::{AREAS, Area};
use drivers_virtio_blk::{Message, SomeTransport, Vectors, VirtioBlk, probe, probe_pci};
use ipc_link::Link;
use ipc_pd::Handler;
use ipc_protocol::storage::Partition;
use pds_storage::{ClientWiring, FileRights, IRQ, LOADER, RETRIEVER, SUPERVISOR, Storage};

ipc_pd::regions! {
    virtio_mmio, virtio_mmio_size: Device;
    virtio_pci, virtio_pci_size: Device;
    pci, pci_id: Ports;
    virtio_queue, virtio_queue_size, virtio_queue_paddr: Dma;
    storage_to_loader_data, storage_to_loader_data_size, storage_to_loader_data_paddr: Dma;
    storage_to_retriever_data, storage_to_retriever_data_size, storage_to_retriever_data_paddr: Dma;
    retriever_to_storage_data, retriever_to_storage_data_size, retriever_to_storage_data_paddr: Dma;
    storage_to_supervisor_data, storage_to_supervisor_data_size, storage_to_supervisor_data_paddr: Dma;
    supervisor_to_storage_data, supervisor_to_storage_data_size, supervisor_to_storage_data_paddr: Dma;
    storage_to_loader, storage_to_loader_size: Writable;
    loader_to_storage, loader_to_storage_size: Readable;
    storage_to_retriever, storage_to_retriever_size: Writable;
    retriever_to_storage, retriever_to_storage_size: Readable;
    storage_to_supervisor, storage_to_supervisor_size: Writable;
    supervisor_to_storage, supervisor_to_storage_size: Readable;
}

ipc_pd::addresses! {
    virtio_pci_paddr;
}

/// The disk behind the registers that the board has: memory-mapped transports, or a PCI device.
fn find_device() -> Option<(SomeTransport<'static>, Option<Vectors>)> {
    if let Some(registers) = virtio_mmio() {
        return Some((probe(registers).ok()?.into(), None));
    }
    let (ports, registers) = pci().zip(virtio_pci())?;
    let (address, data) = IRQ.irq_message()?;
    let found = probe_pci(ports, registers, virtio_pci_paddr(), Message { address, data });
    found.ok().map(|(transport, vectors)| (transport.into(), Some(vectors)))
}

fn init() -> impl Handler {
    let areas: [_; AREAS - 1] = [
        storage_to_loader_data(),
        storage_to_retriever_data(),
        retriever_to_storage_data(),
        storage_to_supervisor_data(),
        supervisor_to_storage_data(),
    ];
    let size = |index: usize| areas[index].map_or(0, |area| area.size());
    let loader = storage_to_loader().zip(loader_to_storage()).map(|(mine, theirs)| ClientWiring {
        link: Link::start(mine, theirs, LOADER),
        reads: (Area(1), size(0)),
        writes: None,
        own: None,
        files: FileRights::Sectors,
    });
    let retriever = storage_to_retriever().zip(retriever_to_storage()).map(|(mine, theirs)| ClientWiring {
        link: Link::start(mine, theirs, RETRIEVER),
        reads: (Area(2), size(1)),
        writes: Some((Area(3), size(2))),
        own: Some(Partition::Data),
        files: FileRights::Folders,
    });
    let supervisor =
        storage_to_supervisor().zip(supervisor_to_storage()).map(|(mine, theirs)| ClientWiring {
            link: Link::start(mine, theirs, SUPERVISOR),
            reads: (Area(4), size(3)),
            writes: Some((Area(5), size(4))),
            own: Some(Partition::Versions),
            files: FileRights::Nothing,
        });
    let device = find_device()
        .zip(virtio_queue())
        .and_then(|((transport, vectors), queue)| VirtioBlk::new(transport, queue, areas, vectors).ok());
    Storage::new(device, [loader, retriever, supervisor].into_iter().flatten())
}

ipc_pd::protection_domain!(init);
