// SPDX-License-Identifier: MIT
//! The session PD's wiring.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use ipc_link::Link;
use ipc_pd::Handler;
use pds_session::{COMPUTE, CONSOLE, RETRIEVER, SUPERVISOR, Session, TIMER, TRAINER};

ipc_pd::regions! {
    session_to_console, session_to_console_size: Writable;
    console_to_session, console_to_session_size: Readable;
    session_to_supervisor, session_to_supervisor_size: Writable;
    supervisor_to_session, supervisor_to_session_size: Readable;
    session_to_compute, session_to_compute_size: Writable;
    compute_to_session, compute_to_session_size: Readable;
    session_to_retriever, session_to_retriever_size: Writable;
    retriever_to_session, retriever_to_session_size: Readable;
    session_to_trainer, session_to_trainer_size: Writable;
    trainer_to_session, trainer_to_session_size: Readable;
    vocabulary, vocabulary_size: Sealed;
}

fn init() -> impl Handler {
    let mapped = "system.xml maps the link's regions";
    let session = Session::new(
        Link::start(session_to_console().expect(mapped), console_to_session().expect(mapped), CONSOLE),
        Link::start(
            session_to_supervisor().expect(mapped),
            supervisor_to_session().expect(mapped),
            SUPERVISOR,
        ),
        Link::start(session_to_compute().expect(mapped), compute_to_session().expect(mapped), COMPUTE),
        vocabulary().unwrap_or(&[]),
        TIMER,
    );
    let retriever = session_to_retriever().zip(retriever_to_session());
    let trainer = session_to_trainer().zip(trainer_to_session());
    session.with_peers(
        retriever.map(|(mine, theirs)| Link::start(mine, theirs, RETRIEVER)),
        trainer.map(|(mine, theirs)| Link::start(mine, theirs, TRAINER)),
    )
}

ipc_pd::protection_domain!(init);
