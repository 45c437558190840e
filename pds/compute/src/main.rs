//! Wiring of the compute PDs: the leader, and its workers on other cores, by the PD's name.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use inference_model::{CpuFeatures, Kernels};
use ipc_link::Link;
use ipc_pd::{Channel, has_notify_channel, pd_name};
use ipc_protocol::platform::Platform;
use pds_compute::{Compute, Crew, Follower, LEADER, Leader, Memory, SESSION, SUPERVISOR, WORKERS};

ipc_pd::regions! {
    weights, weights_size: Sealed;
    kv_cache, kv_cache_size: Exclusive;
    activations, activations_size: Exclusive;
    outbox_0, outbox_0_size: Words;
    outbox_1, outbox_1_size: Words;
    outbox_2, outbox_2_size: Words;
    outbox_3, outbox_3_size: Words;
    platform, platform_size: Sealed;
    compute_to_session, compute_to_session_size: Writable;
    session_to_compute, session_to_compute_size: Readable;
    compute_to_supervisor, compute_to_supervisor_size: Writable;
    supervisor_to_compute, supervisor_to_compute_size: Readable;
    to_worker_1, to_worker_1_size: Writable;
    from_worker_1, from_worker_1_size: Readable;
    to_worker_2, to_worker_2_size: Writable;
    from_worker_2, from_worker_2_size: Readable;
    to_worker_3, to_worker_3_size: Writable;
    from_worker_3, from_worker_3_size: Readable;
    to_leader, to_leader_size: Writable;
    from_leader, from_leader_size: Readable;
    retriever_adapter, retriever_adapter_size: Readable;
}

/// Time that the leader waits for a worker at a barrier.
const WAIT_MICROS: u64 = 10_000_000;

fn init() -> Compute {
    let weights = weights().expect("the description maps `weights`");
    let cache = kv_cache().expect("the description maps `kv_cache`");
    let activations = activations().expect("the description maps `activations`");
    let memory = Memory::new(cache, activations).expect("`activations` is page aligned");
    let platform = platform().and_then(Platform::decode).unwrap_or_default();
    let kernels = Kernels::select(CpuFeatures::available(platform.cpu_features));
    let boxes: Vec<_> =
        [outbox_0(), outbox_1(), outbox_2(), outbox_3()].into_iter().map_while(|b| b).collect();
    match pd_name().strip_prefix("compute_").and_then(|number| number.parse().ok()) {
        Some(number) => {
            let (mine, theirs) =
                to_leader().zip(from_leader()).expect("the description maps the leader's link");
            let link = (Link::start(mine, theirs, LEADER), theirs);
            let follower = Follower::new(link, boxes, number, weights, kernels, memory);
            Compute::Follower(follower.with_adapters(retriever_adapter()))
        }
        None => {
            let leader = leader(boxes, weights, kernels, memory);
            Compute::Leader(leader.with_adapters(retriever_adapter()))
        }
    }
}

fn leader(
    boxes: Vec<&'static [core::sync::atomic::AtomicU32]>,
    weights: &'static [u8],
    kernels: Kernels,
    memory: Memory,
) -> Leader {
    let session =
        compute_to_session().zip(session_to_compute()).expect("the description maps session's link");
    let supervisor = compute_to_supervisor().zip(supervisor_to_compute());
    let supervisor = supervisor.expect("the description maps the supervisor's link");
    let regions = [
        to_worker_1().zip(from_worker_1()),
        to_worker_2().zip(from_worker_2()),
        to_worker_3().zip(from_worker_3()),
    ];
    let wired =
        |(regions, channel): (_, Channel)| Some((regions?, channel)).filter(|_| has_notify_channel(channel));
    let links = regions.into_iter().zip(WORKERS).map_while(wired);
    let links = links.map(|((mine, theirs), channel)| (Link::start(mine, theirs, channel), theirs).into());
    let crew = Crew::new(links.collect(), boxes, WAIT_MICROS);
    let session = Link::start(session.0, session.1, SESSION);
    let supervisor = Link::start(supervisor.0, supervisor.1, SUPERVISOR);
    Leader::new((session, supervisor), crew, weights, kernels, memory)
}

ipc_pd::protection_domain!(init);
